/** What every kind of database offers. */

import type { drizzle } from "drizzle-orm/libsql/sqlite3";

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

type Orm = ReturnType<typeof drizzle>;
export type Row = readonly unknown[];

export interface Database {
  readonly orm: Orm;
  /** Whether the database is a file on this machine. */
  readonly local: boolean;
  /**
   * Runs all statements in one write transaction: all take effect, or none. Resolves after the commit. On a file, writes
   * that come close together share a transaction; one of them that fails leaves the others alone.
   * @param mayWait whether others may come first that share its transaction; `flush` ends the wait
   */
  write(statements: readonly Write[], mayWait?: boolean): Promise<void>;
  /** Commits at once the writes that may wait. */
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
  /** Why nothing can be stored any more, and what to do; `null` if nothing is known to be wrong. */
  fault(): string | null;
  /** Writes that were not committed yet are rejected. */
  close(): void;
}
