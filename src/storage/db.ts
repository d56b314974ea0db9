/**
 * Opens the database: a local libSQL file or a remote server, behind one record.
 *
 * Reads and single writes go through drizzle on `@libsql/client`. Whatever must be atomic goes through `write`, a list
 * of statements in one transaction: on a file it runs on a connection of its own with prepared statements (the hot
 * path of the bars), on a server it is one batch. There are no interactive transactions: on a file they would take
 * the client's only connection away from everybody else.
 */

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Client, InValue } from "@libsql/client";
// Every worker loads this file: what only servers or migrations need is loaded when they do.
import { createClient } from "@libsql/client/sqlite3";
import { drizzle } from "drizzle-orm/libsql/sqlite3";
import Driver from "libsql";
import { withoutCredentials } from "../config.ts";
import { messageOf } from "../domain/errors.ts";

/** How long a connection waits for another's write, milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;
/** Prepared statements kept per connection. */
const STATEMENT_CACHE = 64;

/** Freed pages can be given back piece by piece; that must be said before anything is written to a new file. */
const PRAGMAS = [
  "auto_vacuum = INCREMENTAL",
  "journal_mode = WAL",
  "synchronous = NORMAL",
  "foreign_keys = ON",
  "temp_store = MEMORY",
];

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
  /** Is the database a file of this machine? */
  readonly local: boolean;
  /** Runs all statements in one write transaction; none of them holds if one fails. */
  write(statements: readonly Write[]): Promise<void>;
  /** Rows as arrays: the fast way to read many. */
  rows(sql: string, args: readonly unknown[]): Promise<Row[]>;
  close(): void;
}

/** A statement or a drizzle query as plain SQL. */
function plain(statement: Write): Statement {
  if (!("toSQL" in statement)) return statement;
  const { sql, params } = statement.toSQL();
  return { sql, args: params };
}

/**
 * Opens the database named by `url` (`file:…`, `libsql://…`, `http(s)://…`); the folder of a file is made.
 * @throws Error that names the URL (without credentials) and says what failed
 */
export async function openDatabase(url: string, token?: string): Promise<Database> {
  try {
    return url.startsWith("file:") ? await openFile(pathOf(url)) : await openServer(url, token);
  } catch (error) {
    throw new Error(`The database ${withoutCredentials(url)} cannot be opened: ${messageOf(error)}`, { cause: error });
  }
}

/** The path in a `file:` URL; what stands for another character (`%20`) is read as that. */
function pathOf(url: string): string {
  const path = url.slice("file:".length).replace(/^\/\/(?=\/)/, "");
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Brings the schema up to date; call it once, before workers open the database. */
export async function migrateDatabase(db: Database): Promise<void> {
  const { migrate } = await import("drizzle-orm/libsql/migrator");
  await migrate(db.orm, { migrationsFolder: fileURLToPath(new URL("./migrations", import.meta.url)) });
}

async function openFile(path: string): Promise<Database> {
  mkdirSync(dirname(path), { recursive: true });
  // One connection, so that the pragmas below hold for every query of this client.
  const client = createClient({
    url: `file:${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}`,
    concurrency: 1,
    timeout: BUSY_TIMEOUT_MS,
  });
  const driver = new Driver(path, { timeout: BUSY_TIMEOUT_MS });
  for (const pragma of PRAGMAS) {
    await client.execute(`PRAGMA ${pragma}`);
    driver.pragma(pragma);
  }
  const prepared = new StatementCache(driver);
  return {
    orm: drizzle(client),
    local: true,
    async write(statements) {
      prepared.run("BEGIN IMMEDIATE", []);
      try {
        for (const statement of statements) {
          const { sql, args } = plain(statement);
          prepared.run(sql, args);
        }
        prepared.run("COMMIT", []);
      } catch (error) {
        if (driver.inTransaction) prepared.run("ROLLBACK", []);
        throw error;
      }
    },
    async rows(sql, args) {
      return prepared.rows(sql, args);
    },
    close() {
      prepared.clear();
      driver.close();
      client.close();
    },
  };
}

async function openServer(url: string, token: string | undefined): Promise<Database> {
  const { createClient: connect } = await import("@libsql/client");
  const client: Client = connect({ url, ...(token === undefined ? {} : { authToken: token }) });
  await client.execute("SELECT 1");
  return {
    orm: drizzle(client),
    local: false,
    async write(statements) {
      const batch = statements.map(plain).map(({ sql, args }) => ({ sql, args: args as InValue[] }));
      if (batch.length > 0) await client.batch(batch, "write");
    },
    async rows(sql, args) {
      const { rows, columns } = await client.execute({ sql, args: args as InValue[] });
      return rows.map((row) => columns.map((_, index) => row[index]));
    },
    close: () => client.close(),
  };
}

type Prepared = ReturnType<InstanceType<typeof Driver>["prepare"]>;

/** Statements prepared once per connection; the least recently used one makes room. */
class StatementCache {
  readonly #statements = new Map<string, Prepared>();
  constructor(private readonly driver: InstanceType<typeof Driver>) {}

  run(sql: string, args: readonly unknown[]): void {
    this.#prepare(sql).run(args as unknown[]);
  }

  rows(sql: string, args: readonly unknown[]): Row[] {
    return this.#prepare(sql)
      .raw()
      .all(args as unknown[]) as Row[];
  }

  clear(): void {
    this.#statements.clear();
  }

  #prepare(sql: string): Prepared {
    const known = this.#statements.get(sql);
    if (known) {
      this.#statements.delete(sql);
      this.#statements.set(sql, known);
      return known;
    }
    const statement = this.driver.prepare(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > STATEMENT_CACHE) {
      const oldest = this.#statements.keys().next().value;
      if (oldest !== undefined) this.#statements.delete(oldest);
    }
    return statement;
  }
}

/** Did a write fail because a row with the same unique key exists? */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && /UNIQUE constraint failed/.test(error.message + String(error.cause ?? ""));
}
