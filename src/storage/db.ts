/**
 * Opens the database, a local libSQL file or a remote server, behind one interface. Reads and single writes go through
 * drizzle on `@libsql/client`; whatever must be atomic goes through `write`. There are no interactive transactions: on
 * a file they would occupy the client's only connection.
 */

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Client, InValue } from "@libsql/client";
// Every worker loads this file: what only remote servers or migrations need is imported when they need it.
import { createClient } from "@libsql/client/sqlite3";
import { drizzle } from "drizzle-orm/libsql/sqlite3";
import Driver from "libsql";
import { withoutCredentials } from "../config.ts";
import { messageOf, Refusal } from "../domain/errors.ts";

/** How long a connection waits for another one's write to end, milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;
/** Prepared statements kept per connection. */
const STATEMENT_CACHE = 64;

/** `auto_vacuum`, which lets a file shrink, must be set before anything is written to a new file. */
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
  /** Whether the database is a file on this machine. */
  readonly local: boolean;
  /**
   * Runs all statements in one write transaction: all take effect, or none. On a file they are prepared statements on a
   * connection of their own (the hot path of the bars), on a server one batch.
   */
  write(statements: readonly Write[]): Promise<void>;
  /** Reads rows as arrays: the fast way to read many. */
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
 * Opens the database named by `url` (`file:…`, `libsql://…`, `http(s)://…`) and creates the folder of a file.
 * @throws Error that names the URL (without credentials) and says what failed
 */
export async function openDatabase(url: string, token?: string): Promise<Database> {
  try {
    return url.startsWith("file:") ? await openFile(pathOf(url)) : await openServer(url, token);
  } catch (error) {
    throw new Error(`The database ${withoutCredentials(url)} cannot be opened: ${messageOf(error)}`, { cause: error });
  }
}

/** The path in a `file:` URL, with percent-encoded characters decoded. */
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
  using stack = new DisposableStack();
  // One connection, so that the pragmas below apply to every query of this client.
  const client = stack.adopt(
    createClient({
      url: `file:${encodeURI(path).replace(/[?#]/g, encodeURIComponent)}`,
      concurrency: 1,
      timeout: BUSY_TIMEOUT_MS,
    }),
    (each) => each.close(),
  );
  const driver = stack.adopt(new Driver(path, { timeout: BUSY_TIMEOUT_MS }), (each) => each.close());
  for (const pragma of PRAGMAS) {
    await client.execute(`PRAGMA ${pragma}`);
    driver.pragma(pragma);
  }
  const prepared = new StatementCache(driver);
  stack.defer(() => prepared.clear());
  const owned = stack.move();
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
    close: () => owned.dispose(),
  };
}

async function openServer(url: string, token: string | undefined): Promise<Database> {
  const { createClient: connect } = await import("@libsql/client");
  using stack = new DisposableStack();
  const client: Client = stack.adopt(connect({ url, ...(token === undefined ? {} : { authToken: token }) }), (each) =>
    each.close(),
  );
  await client.execute("SELECT 1");
  const owned = stack.move();
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
    close: () => owned.dispose(),
  };
}

type Prepared = ReturnType<InstanceType<typeof Driver>["prepare"]>;

/** Prepared statements of a connection; when full, the least recently used one is dropped. */
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

/** Parts of at most `size` items: SQLite limits the parameters of a statement. */
export function* chunks<T>(items: readonly T[], size = 500): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/**
 * Writes something that has a unique name.
 * @param what what it is, for the message: `watchlist`
 * @throws Refusal at `name` if there is already one with this name
 */
export async function writeNamed<T>(what: string, name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const message = `There is already a ${what} named ${name}`;
    throw new Refusal("conflict", message, [{ path: "name", message }]);
  }
}

/** Whether a write failed because a row with the same unique key exists. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && /UNIQUE constraint failed/.test(error.message + String(error.cause ?? ""));
}
