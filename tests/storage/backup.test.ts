/** Backups, and databases that must not be created, changed or begun anew. */

import { expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { backUp, restoreBackup } from "../../src/storage/backup.ts";
import { takeLease } from "../../src/storage/connection/lease.ts";
import {
  compareSchema,
  type Database,
  migrateDatabase,
  openDatabase,
  openExisting,
  pathOf,
  refuseNewerSchema,
} from "../../src/storage/db.ts";
import { type Folder, temporaryFolder } from "../helpers/folder.ts";

async function migrated(folder: Folder): Promise<Database> {
  const db = await openDatabase(folder.database());
  await migrateDatabase(db);
  return db;
}

test("a backup is one whole file that its owner alone may read, without the lease of the server", async () => {
  using folder = temporaryFolder();
  const db = await migrated(folder);
  const lease = await takeLease(db, { host: "here", print: () => {}, onLost: () => {} });
  await db.write([{ sql: "INSERT INTO settings VALUES ('mine', 'x', 0)", args: [] }]);
  const path = join(folder.path, "copies of today.db");
  await backUp(db, path);
  expect(readdirSync(folder.path).filter((name) => name.startsWith("copies"))).toEqual(["copies of today.db"]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const copy = await openExisting(`file:${encodeURIComponent(path)}`);
  expect(await copy.rows("SELECT key FROM settings", [])).toEqual([["mine"]]);
  copy.close();
  await expect(backUp(db, path)).rejects.toThrow("exists already");
  await lease.release();
  db.close();
});

test("a backup that cannot be written leaves nothing behind", async () => {
  using folder = temporaryFolder();
  const db = await migrated(folder);
  const nowhere = join(folder.path, "missing", "copy.db");
  await expect(backUp(db, nowhere)).rejects.toThrow(`Nothing was saved to ${nowhere}`);
  expect(existsSync(join(folder.path, "missing"))).toBe(false);
  db.close();
});

test("a database that is not there is neither created nor taken for an empty one by who only reads it", async () => {
  using folder = temporaryFolder();
  await expect(openExisting(folder.database())).rejects.toThrow("There is no database at file:");
  expect(readdirSync(folder.path)).toEqual([]);
});

test("a file that was emptied is not a new database", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "emptied.db");
  writeFileSync(path, "");
  const url = `file:${path}`;
  for (const open of [openDatabase, openExisting]) {
    await expect(open(url)).rejects.toThrow(/cannot be opened: the file is empty \(0 bytes\)/);
  }
  truncateSync(path);
  expect(statSync(path).size).toBe(0);
});

test("a database that a newer version has migrated is refused with words, and stays as it is", async () => {
  using folder = temporaryFolder();
  const db = await migrated(folder);
  expect(await compareSchema(db)).toEqual({ missing: 0, unknown: 0 });
  await refuseNewerSchema(db);
  await db.write([
    { sql: "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', 9999999999999)", args: [] },
  ]);
  expect(await compareSchema(db)).toEqual({ missing: 0, unknown: 1 });
  await expect(refuseNewerSchema(db)).rejects.toThrow("changed by a newer Barkeep");
  db.close();
});

test("a restore puts the backup in place and keeps what was there; the counts are those of the backup", async () => {
  using folder = temporaryFolder();
  const db = await migrated(folder);
  await db.write([{ sql: "INSERT INTO settings VALUES ('mine', 'old', 0)", args: [] }]);
  const copy = join(folder.path, "copy.db");
  await backUp(db, copy);
  await db.write([{ sql: "UPDATE settings SET value = 'new'", args: [] }]);
  db.close();
  const { kept, profiles } = await restoreBackup(copy, folder.database());
  expect(profiles).toBe(0);
  expect(kept).toMatch(/\.before-20\d{12}$/);
  const valueIn = async (url: string) => {
    const opened = await openExisting(url);
    const rows = await opened.rows("SELECT value FROM settings WHERE key = 'mine'", []);
    opened.close();
    return rows;
  };
  expect(await valueIn(folder.database())).toEqual([["old"]]);
  expect(await valueIn(`file:${kept}`)).toEqual([["new"]]);
  expect(existsSync(copy)).toBe(true);
});

test("a restore that is killed where it puts the backup in place leaves a database there", async () => {
  using folder = temporaryFolder();
  const db = await migrated(folder);
  await db.write([{ sql: "INSERT INTO settings VALUES ('mine', 'x', 0)", args: [] }]);
  const backup = join(folder.path, "backup.db");
  await backUp(db, backup);
  db.close();
  const path = pathOf(folder.database());
  const script = `
    const fs = require("node:fs");
    const rename = fs.renameSync;
    fs.renameSync = (from, to) => (from.endsWith(".part") ? process.kill(process.pid, "SIGKILL") : rename(from, to));
    const { restoreBackup } = await import(${JSON.stringify(join(import.meta.dir, "../../src/storage/backup.ts"))});
    await restoreBackup(${JSON.stringify(backup)}, ${JSON.stringify(folder.database())});`;
  const killed = Bun.spawn([process.execPath, "-e", script], { stdout: "ignore", stderr: "ignore" });
  await killed.exited;
  expect(killed.signalCode).toBe("SIGKILL");
  expect(readdirSync(folder.path).filter((name) => name.includes(".before-")).length).toBeGreaterThan(0);
  const left = await openExisting(`file:${path}`);
  expect(await left.rows("SELECT key FROM settings", [])).toEqual([["mine"]]);
  left.close();
  // What the killed one left, and a log of another database, are no part of the next restore or backup.
  copyFileSync(backup, `${path}.part`);
  const other = await openDatabase(`file:${join(folder.path, "other.db")}`);
  await other.script("CREATE TABLE other (a)");
  copyFileSync(join(folder.path, "other.db-wal"), `${path}.part-wal`);
  other.close();
  expect((await restoreBackup(backup, folder.database())).profiles).toBe(0);
  const restored = await openExisting(`file:${path}`);
  expect(await restored.rows("SELECT key FROM settings", [])).toEqual([["mine"]]);
  restored.close();
});

test("a restore says of the file itself what is wrong with it, and not of the copy that it makes", async () => {
  using folder = temporaryFolder();
  const file = (name: string) => join(folder.path, name);
  const db = await migrated(folder);
  await backUp(db, file("copy.db"));
  db.close();
  const whole = readFileSync(file("copy.db"));
  writeFileSync(file("text.csv"), "Date,Open,High,Low,Close,Volume\n");
  writeFileSync(file("empty.db"), "");
  writeFileSync(file("short.db"), "SQLite");
  writeFileSync(file("cut.db"), whole.subarray(0, 50_000));
  mkdirSync(file("folder"));
  const words = async (name: string) => {
    const error = await restoreBackup(file(name), folder.database("target.db")).catch((each: Error) => each);
    const { message } = error as Error;
    expect(message).not.toMatch(/\.part|%2F|Restore a backup/);
    return message.replace(`${file(name)} cannot be restored: `, "").replace(". Nothing was changed.", "");
  };
  expect(await words("text.csv")).toBe("it is not an SQLite database");
  expect(await words("empty.db")).toBe("it is empty");
  expect(await words("short.db")).toBe("it is not an SQLite database");
  expect(await words("folder")).toBe("it is a folder");
  expect(await words("cut.db")).toMatch(/malformed|damaged|not a database/);
  expect(existsSync(file("target.db"))).toBe(false);
  expect(readdirSync(folder.path).filter((name) => name.includes("part"))).toEqual([]);
});

test("a restore changes nothing while a server runs, or if the backup is damaged, newer or something else", async () => {
  using folder = temporaryFolder();
  const db = await migrated(folder);
  const copy = join(folder.path, "copy.db");
  await backUp(db, copy);
  const alive = Bun.spawn([process.execPath, "-e", "await Bun.sleep(60_000)"]);
  const holder = JSON.stringify({ id: "x", pid: alive.pid, host: hostname() });
  await db.write([{ sql: "INSERT INTO settings VALUES ('server_lease', ?1, ?2)", args: [holder, Date.now()] }]);
  const restore = (path: string) => restoreBackup(path, folder.database());
  await expect(restore(copy)).rejects.toThrow(`process ${alive.pid} on`);
  alive.kill();
  await alive.exited;

  const file = (name: string) => join(folder.path, name);
  writeFileSync(file("text.db"), "a letter to nobody in particular\n".repeat(200));
  await expect(restore(file("text.db"))).rejects.toThrow(/cannot be restored: .*Nothing was changed/);
  const other = await openDatabase(`file:${file("other.db")}`);
  await other.write([{ sql: "CREATE TABLE letters (id INTEGER)", args: [] }]);
  other.close();
  await expect(restore(file("other.db"))).rejects.toThrow("it is not a database of Barkeep");
  const newer = await openDatabase(`file:${copy}`);
  await newer.write([
    { sql: "INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('x', 9999999999999)", args: [] },
  ]);
  newer.close();
  await expect(restore(copy)).rejects.toThrow("newer Barkeep");
  await expect(restore(file("missing.db"))).rejects.toThrow("There is no file");
  expect(await db.rows("SELECT value FROM settings WHERE key = 'server_lease'", [])).toEqual([[holder]]);
  expect(readdirSync(folder.path).filter((name) => /part|before/.test(name))).toEqual([]);
  db.close();
});

test("a link in the place of the database stays one when a backup is restored, and none takes the place of a link", async () => {
  using folder = temporaryFolder();
  const at = (name: string) => join(folder.path, name);
  const db = await migrated(folder);
  await backUp(db, at("copy.db"));
  db.close();
  mkdirSync(at("disk"));
  renameSync(at("copy.db"), at("disk/real.db"));
  copyFileSync(at("disk/real.db"), at("backup.db"));
  symlinkSync(at("disk/real.db"), at("link.db"));
  const { kept } = await restoreBackup(at("backup.db"), `file:${at("link.db")}`);
  expect([lstatSync(at("link.db")).isSymbolicLink(), kept?.startsWith(at("disk/real.db.before-"))]).toEqual([
    true,
    true,
  ]);
  expect([existsSync(kept!), existsSync(at("disk/real.db"))]).toEqual([true, true]);
  symlinkSync(at("nowhere.db"), at("dangling.db"));
  const copy = await openExisting(`file:${at("link.db")}`);
  await expect(backUp(copy, at("dangling.db"))).rejects.toThrow("exists already");
  copy.close();
});
