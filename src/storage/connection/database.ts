/** What every kind of database offers. */

import type { drizzle } from "drizzle-orm/libsql/sqlite3";
import type { StorageTrouble } from "../../domain/errors.ts";
import type { FileId } from "./file/file-identity.ts";

export interface Statement {
  readonly sql: string;
  readonly args: readonly unknown[];
}

/** Anything drizzle can turn into SQL: its insert, update and delete builders. */
interface Query {
  toSQL(): { sql: string; params: unknown[] };
}

/** What can be written: a statement, or a query that drizzle builds. */
export type Write = Statement | Query;

/** A statement or a drizzle query as plain SQL. */
export function plain(statement: Write): Statement {
  if (!("toSQL" in statement)) return statement;
  const { sql, params } = statement.toSQL();
  return { sql, args: params };
}

type Orm = ReturnType<typeof drizzle>;
export type Row = readonly unknown[];

export interface Database {
  readonly orm: Orm;
  /** Whether the database is a file on this machine. */
  readonly local: boolean;
  /** The file, by which other threads recognize it; `null` for a server, and for a database in memory. */
  readonly file: FileId | null;
  /**
   * Runs all statements in one write transaction: all take effect, or none. Resolves after the commit. On a file, writes
   * that come close together share a transaction; one of them that fails leaves the others alone. While the database is in
   * trouble it waits: for a request as long as `withWaitLimit` allows, otherwise until that is over.
   * @param mayWait whether others may come first that share its transaction; `flush` ends the wait
   * @throws StorageUnavailable if it was given up; nothing was written then
   */
  write(statements: readonly Write[], mayWait?: boolean): Promise<void>;
  /**
   * The same, and returns the rows of each statement: those of a `RETURNING`.
   * @throws AnswerLost if a remote server has written it, but what it returned is not known
   */
  change(statements: readonly Write[], mayWait?: boolean): Promise<readonly (readonly Row[])[]>;
  /** Commits at once the writes that may wait, and tries again what trouble has stopped. */
  flush(): void;
  /** Reads rows as arrays: the fast way to read many. */
  rows(sql: string, args: readonly unknown[]): Promise<Row[]>;
  /** Runs statements without parameters outside of a transaction, while no other thread of this process writes. */
  script(sql: string): Promise<void>;
  /**
   * From now on every write transaction first checks that the server's lease has this value; if not, the write is rejected
   * with `LeaseLost`, and `onLost` is called.
   */
  fence(lease: string, onLost?: () => void): void;
  /** Why nothing can be stored now, and what to do; `null` if nothing is known to be wrong. */
  trouble(): StorageTrouble | null;
  /** Calls `listener` when trouble begins, changes or ends (`null`). */
  watch(listener: (trouble: StorageTrouble | null) => void): void;
  /** From now on nothing waits longer than `milliseconds` for the end of trouble: the process is about to end. */
  hurry(milliseconds: number): void;
  /** Writes that were not committed yet are rejected. */
  close(): void;
}
