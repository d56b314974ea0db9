/**
 * Opens the database, a local libSQL file or a remote server, behind one interface. Reads and single writes may go
 * through drizzle; whatever must be atomic goes through `write`. There are no interactive transactions: on a file they
 * would block every other writer.
 */

import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Client, InValue } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql/sqlite3";
import { withoutCredentials } from "../config.ts";
import { messageOf, Refusal } from "../domain/errors.ts";
import type { Database, Statement, Write } from "./connection/database.ts";
import { FencedClient } from "./connection/fenced-client.ts";
import { openFile } from "./connection/file-database.ts";
import { WriteLock } from "./connection/write-lock.ts";

export type { Database, Row, Statement, Write } from "./connection/database.ts";

/** A statement or a drizzle query as plain SQL. */
function plain(statement: Write): Statement {
  if (!("toSQL" in statement)) return statement;
  const { sql, params } = statement.toSQL();
  return { sql, args: params };
}

/**
 * Opens the database named by `url` (`file:…`, `libsql://…`, `http(s)://…`) and creates the folder of a file.
 * @param lock the lock of all threads of this process that write to the same file
 * @throws Error that names the URL (without credentials) and what failed
 */
export async function openDatabase(url: string, token?: string, lock = new WriteLock()): Promise<Database> {
  try {
    if (!url.startsWith("file:")) return await openServer(url, token);
    const path = pathOf(url);
    // An empty file is no new database: something has emptied it.
    if (sizeOf(path) === 0) throw new Error(EMPTIED);
    return await openFile(path, lock);
  } catch (error) {
    throw new Error(`The database ${withoutCredentials(url)} cannot be opened: ${messageOf(error)}`, { cause: error });
  }
}

/** There is no file at the place of the database. */
export class NoDatabase extends Error {
  override readonly name = "NoDatabase";
  constructor(url: string) {
    super(`There is no database at ${withoutCredentials(url)}. Check BARKEEP_DB_URL and the current folder.`);
  }
}

/**
 * Opens a database that must be there, for commands that only read or copy it.
 * @throws NoDatabase if it is not, Error if it cannot be opened; no file is created
 */
export async function openExisting(url: string, token?: string): Promise<Database> {
  if (url.startsWith("file:") && sizeOf(pathOf(url)) === null) {
    throw new NoDatabase(url);
  }
  return openDatabase(url, token);
}

const EMPTIED =
  "the file is empty (0 bytes): it was truncated. Restore a backup, or delete the file to start with a new database";

/** The size of a file in bytes; `null` if there is none. */
const sizeOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.size ?? null;

/** The path in a `file:` URL, with percent-encoded characters decoded. */
export function pathOf(url: string): string {
  const path = url.slice("file:".length).replace(/^\/\/(?=\/)/, "");
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const MIGRATIONS = fileURLToPath(new URL("./migrations", import.meta.url));

/** Brings the schema up to date; call it once, before workers open the database. */
export async function migrateDatabase(db: Database): Promise<void> {
  const { migrate } = await import("drizzle-orm/libsql/migrator");
  await migrate(db.orm, { migrationsFolder: MIGRATIONS });
}

/** Whether the database has a table of this name. */
export async function hasTable(db: Database, name: string): Promise<boolean> {
  return (await db.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1", [name])).length > 0;
}

/** How many migrations of this version a database lacks, and how many it has that this version does not know. */
export async function compareSchema(db: Database): Promise<{ readonly missing: number; readonly unknown: number }> {
  const { readMigrationFiles } = await import("drizzle-orm/migrator");
  const known = readMigrationFiles({ migrationsFolder: MIGRATIONS }).map(({ folderMillis }) => folderMillis);
  const applied = (await hasTable(db, "__drizzle_migrations"))
    ? (await db.rows("SELECT created_at FROM __drizzle_migrations", [])).map(([at]) => Number(at))
    : [];
  return {
    missing: known.filter((at) => !applied.includes(at)).length,
    unknown: applied.filter((at) => !known.includes(at)).length,
  };
}

/** What is said of a database that this version must not use. */
export const NEWER_SCHEMA = [
  "The database was changed by a newer Barkeep, and this one would damage it.",
  "Start the newer version, or restore a backup from before the upgrade.",
].join(" ");

/** @throws Error if a newer Barkeep has changed the schema, which this one would read and write wrongly */
export async function refuseNewerSchema(db: Database): Promise<void> {
  if ((await compareSchema(db)).unknown > 0) throw new Error(NEWER_SCHEMA);
}

async function openServer(url: string, token: string | undefined): Promise<Database> {
  const { createClient: connect } = await import("@libsql/client");
  using stack = new DisposableStack();
  const client: Client = stack.adopt(connect({ url, ...(token === undefined ? {} : { authToken: token }) }), (each) =>
    each.close(),
  );
  await client.execute("SELECT 1");
  const fenced = new FencedClient(client);
  const owned = stack.move();
  let last = Promise.resolve();
  return {
    orm: drizzle(fenced),
    local: false,
    async write(statements, mayWait) {
      const batch = statements.map(plain).map(({ sql, args }) => ({ sql, args: args as InValue[] }));
      if (batch.length === 0) return;
      const send = async () => void (await fenced.batch(batch, "write"));
      if (!mayWait) return send();
      // No caller awaits one before the next: they are sent in order all the same.
      const sent = last.then(send);
      last = sent.catch(() => {});
      await sent;
    },
    flush() {},
    fence: (lease, onLost) => fenced.fence(lease, onLost),
    fault: () => null,
    async rows(sql, args) {
      const { rows, columns } = await client.execute({ sql, args: args as InValue[] });
      return rows.map((row) => columns.map((_, index) => row[index]));
    },
    script: (sql) => client.executeMultiple(sql),
    close: () => owned.dispose(),
  };
}

/** Lets the event loop handle what has come in between two parts of a long work. */
export const yieldToEvents = () => new Promise<void>((resolve) => setImmediate(resolve));

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
