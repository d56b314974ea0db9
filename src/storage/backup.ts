/** Consistent copies of the database in files, and the way back. */

import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname, resolve } from "node:path";
import { messageOf } from "../domain/errors.ts";
import { isoSecond } from "../domain/time.ts";
import { writeStderr } from "../log.ts";
import { LEASE_KEY } from "./connection/fence.ts";
import { takeLease } from "./connection/lease.ts";
import { compareSchema, type Database, hasTable, NEWER_SCHEMA, openDatabase, openExisting, pathOf } from "./db.ts";
import { emptyLog, findDamage } from "./maintenance.ts";

/** Files that SQLite keeps beside a database. */
const COMPANIONS = ["-wal", "-shm", "-journal"] as const;
/** The first bytes of every database. */
const SIGNATURE = "SQLite format 3\0";

/**
 * Writes a copy of the database to `path` while others keep writing, and checks it. The file gets its name when it is whole;
 * only its owner may read it.
 * @throws Error if the database is remote, or the file exists, cannot be written or is damaged; nothing is left behind
 */
export async function backUp(db: Database, path: string): Promise<void> {
  if (!db.local) throw new Error("A remote database is backed up on its server, not from here.");
  // A link that leads nowhere is there too: the copy would take its place.
  if (lstatSync(path, { throwIfNoEntry: false }))
    throw new Error(`${path} exists already: name a new file, nothing is overwritten`);
  const part = `${resolve(path)}.part`;
  try {
    removeCopy(part);
    // Created before it is filled, so that at no time others may read it.
    closeSync(openSync(part, "wx", 0o600));
    await db.rows("VACUUM INTO ?1", [part]);
    await checkCopy(part);
    sync(part);
    renameSync(part, path);
    sync(dirname(part));
  } catch (error) {
    throw new Error(`Nothing was saved to ${path}: ${messageOf(error)}`, { cause: error });
  } finally {
    removeCopy(part);
  }
}

/** Deletes a copy and the files beside it: a log that a killed process left there would become part of the next copy. */
function removeCopy(part: string): void {
  for (const end of ["", ...COMPANIONS]) rmSync(part + end, { force: true });
}

/** Reads a copy as a whole, and takes the lease out of it: the server of the original does not use the copy. */
async function checkCopy(path: string): Promise<void> {
  const copy = await openDatabase(`file:${encodeURIComponent(path)}`);
  try {
    const damage = await findDamage(copy);
    if (damage.length > 0) throw new Error(`the copy is damaged: ${damage.join("; ")}`);
    if (await hasTable(copy, "settings")) {
      await copy.write([{ sql: "DELETE FROM settings WHERE key = ?1", args: [LEASE_KEY] }]);
    }
    // A file in this mode is whole without a log beside it; whoever opens it as a database sets the mode again.
    await copy.script("PRAGMA journal_mode = DELETE");
  } finally {
    copy.close();
  }
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** What a restore has done. */
export interface Restored {
  /** Where the database that was there before is kept; `null` if there was none. */
  readonly kept: string | null;
  readonly profiles: number;
}

/**
 * Puts a backup in the place of the database. It is copied and checked first; what was there is renamed, not deleted.
 * @throws Error if the backup is damaged, of a newer version or no database of Barkeep, or a server uses the database;
 * everything is then as before
 */
export async function restoreBackup(backup: string, url: string): Promise<Restored> {
  if (!url.startsWith("file:")) throw new Error("A remote database is restored on its server, not from here.");
  if (!existsSync(backup)) throw new Error(`There is no file ${backup}`);
  const fault = faultOf(backup);
  if (fault !== null) throw notRestored(backup, fault);
  const path = pathOf(url);
  // A link to a file elsewhere stays one.
  const target = existsSync(path) ? realpathSync(path) : path;
  const part = `${target}.part`;
  mkdirSync(dirname(target), { recursive: true });
  try {
    removeCopy(part);
    copyFileSync(backup, part);
    chmodSync(part, 0o600);
    // A copy of a database that was in use is whole only with its log.
    if (existsSync(`${backup}-wal`)) copyFileSync(`${backup}-wal`, `${part}-wal`);
    const profiles = await checkBackup(part, backup);
    await refuseRunning(url, target);
    const stamp = isoSecond(Math.floor(Date.now() / 1_000)).replace(/\D/g, "");
    const kept = existsSync(target) ? `${target}.before-${stamp}` : null;
    sync(part);
    if (kept !== null) keepAs(target, kept);
    renameSync(part, target);
    sync(dirname(target));
    return { kept, profiles };
  } finally {
    removeCopy(part);
  }
}

/**
 * Gives a database a second name, and the files beside it to that one. Where links are possible there is a database at the
 * first name all the time: a server that found none there would begin a new one.
 */
function keepAs(target: string, kept: string): void {
  for (const end of COMPANIONS) if (existsSync(target + end)) renameSync(target + end, kept + end);
  try {
    linkSync(target, kept);
  } catch {
    renameSync(target, kept);
  }
}

const notRestored = (backup: string, why: string) =>
  new Error(`${backup} cannot be restored: ${why}. Nothing was changed.`);

/** What shows without opening it that a file is no backup. */
function faultOf(path: string): string | null {
  const about = statSync(path);
  if (about.isDirectory()) return "it is a folder";
  if (!about.isFile()) return "it is not a file";
  if (about.size === 0) return "it is empty";
  const file = openSync(path, "r");
  try {
    const start = Buffer.alloc(SIGNATURE.length);
    readSync(file, start, 0, start.length, 0);
    return start.toString("latin1") === SIGNATURE ? null : "it is not an SQLite database";
  } finally {
    closeSync(file);
  }
}

/** Checks that a file is a whole database of Barkeep that this version can use; returns its profiles. */
async function checkBackup(part: string, name: string): Promise<number> {
  const refuse = (why: string) => notRestored(name, why);
  try {
    await checkCopy(part);
  } catch (error) {
    // The cause: its own message names the copy of the file, which is gone then.
    throw refuse(messageOf(error instanceof Error ? (error.cause ?? error) : error));
  }
  const copy = await openDatabase(`file:${encodeURIComponent(part)}`);
  try {
    if (!(await hasTable(copy, "profiles"))) throw refuse("it is not a database of Barkeep");
    if ((await compareSchema(copy)).unknown > 0) throw refuse(NEWER_SCHEMA);
    const [row] = await copy.rows("SELECT count(*) FROM profiles", []);
    await copy.script("PRAGMA journal_mode = DELETE");
    return Number(row?.[0] ?? 0);
  } finally {
    copy.close();
  }
}

/** @throws Error if a server uses the database; a file that cannot be opened is used by none */
async function refuseRunning(url: string, target: string): Promise<void> {
  if (!existsSync(target)) return;
  const db = await openExisting(url).catch(() => null);
  if (db === null) return;
  try {
    const print = (line: string) => writeStderr(`${line}\n`);
    if (await hasTable(db, "settings")) {
      const lease = await takeLease(db, { host: hostname(), print, onLost: () => {} });
      await lease.release();
    }
    await emptyLog(db);
  } finally {
    db.close();
  }
}
