/**
 * Opens the database, a local libSQL file or a remote server, behind one interface. Reads and single writes may go
 * through drizzle; whatever must be atomic goes through `write`. There are no interactive transactions: on a file they
 * would block every other writer.
 */

import { statSync } from "node:fs";
import { yieldToEvents } from "../clock.ts";
import { withoutCredentials } from "../config/reader.ts";
import { messageOf } from "../domain/errors.ts";
import { ownFile } from "../installation.ts";
import type { Database } from "./connection/database.ts";
import { type Expected, openFile } from "./connection/file/file-database.ts";
import { type FileId, FileIdentity } from "./connection/file/file-identity.ts";
import { WriteLock } from "./connection/file/write-lock.ts";
import { openServer } from "./connection/remote-database.ts";
import { AnswerLost, FaultError, isUniqueViolation, StorageUnavailable, storageFault } from "./connection/trouble.ts";

export type { Database, Row, Statement, Write } from "./connection/database.ts";
export { AnswerLost, isUniqueViolation, StorageUnavailable, storageFault, yieldToEvents };

/**
 * Opens the database named by `url` (`file:…`, `libsql://…`, `http(s)://…`) and creates the folder of a file.
 * @param lock the lock of all threads of this process that write to the same file
 * @throws Error that names the URL (without credentials) and what failed
 */
export async function openDatabase(url: string, token?: string, lock = new WriteLock()): Promise<Database> {
  return open(url, token, lock, null);
}

async function open(url: string, token: string | undefined, lock: WriteLock, expected: Expected | null) {
  try {
    if (!url.startsWith("file:")) return await openServer(url, token);
    const path = pathOf(url);
    // To a thread of a server, whose file it was, it is a fault that may pass.
    if (!expected?.file && statSync(path, { throwIfNoEntry: false })?.isDirectory())
      throw new Error("it is a folder, not a file");
    // An empty file is no new database: something has emptied it.
    if (sizeOf(path) === 0) throw new EmptiedFile();
    return await openFile(path, lock, expected);
  } catch (error) {
    throw new Error(`The database ${withoutCredentials(url)} cannot be opened: ${messageOf(error)}`, { cause: error });
  }
}

/** There is no file at the place of the database. */
export class NoDatabase extends FaultError {
  override readonly name = "NoDatabase";
  constructor(url: string) {
    const what = `There is no database at ${withoutCredentials(url)}`;
    const advice = "Check BARKEEP_DB_URL and the current folder.";
    super({ kind: "gone", what, advice, canPass: true });
  }
}

/**
 * Opens a database that must be there, for commands that only read or copy it.
 * @throws NoDatabase if it is not, Error if it cannot be opened; no file is created
 */
export async function openExisting(url: string, token?: string): Promise<Database> {
  requireDatabase(url);
  return open(url, token, new WriteLock(), { file: null });
}

/** How the threads of a server open the database that its main thread has open. */
export interface SharedDatabase {
  readonly dbUrl: string;
  readonly dbToken: string | undefined;
  /** What the main thread has opened. */
  readonly dbFile: FileId | null;
  /** The memory of the lock of all threads that write to the database file. */
  readonly writeLock: SharedArrayBuffer;
}

/**
 * Opens on another thread what the main thread has open, and nothing else: the file may be gone since, or be another one.
 * @throws Error whose storage fault says what has become of it; no file is created
 */
export async function openShared({ dbUrl, dbToken, dbFile, writeLock }: SharedDatabase): Promise<Database> {
  try {
    return await open(dbUrl, dbToken, new WriteLock(writeLock), { file: dbFile });
  } catch (error) {
    // SQLite and this process say in many ways that there is no such file.
    if (dbFile !== null) new FileIdentity(pathOf(dbUrl), dbFile).check(true);
    throw error;
  }
}

/** What a thread opens with the first read, and again after an opening that failed. */
export class SharedConnection {
  #db: Promise<Database> | null = null;

  constructor(private readonly shared: SharedDatabase) {}

  /** @throws Error as `openShared` does */
  async open(): Promise<Database> {
    const opening = this.#db ?? openShared(this.shared);
    this.#db = opening;
    try {
      return await opening;
    } catch (error) {
      if (this.#db === opening) this.#db = null;
      throw error;
    }
  }

  /** Closes it when it has been opened: a thread must not end inside a call of the driver. */
  async close(): Promise<void> {
    (await this.#db?.catch(() => null))?.close();
  }
}

/** @throws NoDatabase if there is no file at its place */
export function requireDatabase(url: string): void {
  if (!isThere(url)) throw new NoDatabase(url);
}

/** Whether the file of a database is there; of a server always. */
export const isThere = (url: string) => !url.startsWith("file:") || sizeOf(pathOf(url)) !== null;

/** Something has truncated the file of the database. */
export class EmptiedFile extends Error {
  constructor() {
    super(
      "the file is empty (0 bytes): it was truncated. Restore a backup, or delete the file to start with a new database",
    );
  }
}

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

const MIGRATIONS = ownFile("src/storage/migrations");

/** Brings the schema up to date; call it once, before workers open the database. */
export async function migrateDatabase(db: Database): Promise<void> {
  // The migrator reads all files, also when there is nothing to do.
  if ((await compareSchema(db)).missing === 0) return;
  const { migrate } = await import("drizzle-orm/libsql/migrator");
  await migrate(db.orm, { migrationsFolder: MIGRATIONS });
}

/** Whether the database has a table of this name. */
export async function hasTable(db: Database, name: string): Promise<boolean> {
  return (await db.rows("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1", [name])).length > 0;
}

/** A number that SQLite keeps of a database file, such as `page_count`; 0 if it answers nothing. */
export async function readPragma(db: Database, name: string): Promise<number> {
  return Number((await db.rows(`PRAGMA ${name}`, []))[0]?.[0] ?? 0);
}

/** How many migrations of this version a database lacks, and how many it has that this version does not know. */
export async function compareSchema(db: Database): Promise<{ readonly missing: number; readonly unknown: number }> {
  const journal: { entries: { when: number }[] } = await Bun.file(`${MIGRATIONS}/meta/_journal.json`).json();
  const known = journal.entries.map(({ when }) => when);
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

/** Parts of at most `size` items: SQLite limits the parameters of a statement. */
export function* chunks<T>(items: readonly T[], size = 500): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
