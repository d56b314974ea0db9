/** Backups by the clock and by hand, with real files and a clock that the test advances. */

import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../../../src/log.ts";
import { Backups } from "../../../src/scheduler/backups/backups.ts";
import { faultOfBackup } from "../../../src/scheduler/backups/fault.ts";
import { readBackups } from "../../../src/scheduler/backups/plan.ts";
import { WriteLock } from "../../../src/storage/connection/file/write-lock.ts";
import { type Database, openDatabase, openExisting } from "../../../src/storage/db.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";

const HOUR = 3_600_000;
/** Where the clock begins. */
const NOON = Date.UTC(2026, 0, 15, 12);

interface Setup {
  readonly backups: Backups;
  readonly db: Database;
  readonly clock: VirtualClock;
  readonly target: string;
  /** Of the log, for every reader; and what is only printed. */
  readonly lines: string[];
  readonly details: (string | undefined)[];
  alerts: number;
  /** Resolves when nothing is being made any more, and what came of it is stored. */
  idle(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

async function setUp(folder: Folder, start = NOON, free?: () => Promise<number>): Promise<Setup> {
  const dbUrl = folder.database();
  const lock = new WriteLock();
  const db = await openDatabase(
    (await Bun.file(new URL(dbUrl)).exists()) ? dbUrl : await migratedDatabase(folder),
    "",
    lock,
  );
  const target = join(folder.path, "backups");
  mkdirSync(target, { recursive: true });
  const clock = new VirtualClock(start);
  const lines: string[] = [];
  const own = { alerts: 0 };
  const details: (string | undefined)[] = [];
  const log: Log = {
    write(level, message, _run, _symbol, detail) {
      lines.push(`${level} ${message}`);
      details.push(detail);
    },
  };
  const backups = await Backups.open(
    { db, dbUrl, log, writeLock: lock.shared, onAlert: () => void own.alerts++ },
    { clock, ...(free && { free }) },
  );
  backups.start();
  return Object.assign(own, {
    backups,
    db,
    clock,
    target,
    lines,
    details,
    idle: () => backups.idle(),
    async [Symbol.asyncDispose]() {
      await backups.close();
      db.close();
    },
  });
}

const events = async (db: Database) =>
  (await db.rows("SELECT event FROM alert_events WHERE kind = 'backup_failed'", [])).map(([text]) =>
    JSON.parse(String(text)),
  );

test("a backup is made every day at its time, is a whole database, and what came of it is stored", async () => {
  using folder = temporaryFolder();
  await using at = await setUp(folder);
  await at.db.write([{ sql: "INSERT INTO settings VALUES ('mine', 'x', 0)", args: [] }]);
  await at.backups.change({ folder: at.target, at: "12:30", keep: 3 });
  expect(at.backups.next()).toBe(NOON + HOUR / 2);
  await at.clock.advance(HOUR / 2 - 1);
  expect(at.backups.underwaySince).toBeNull();
  await at.clock.advance(1);
  await at.idle();
  expect(readdirSync(at.target)).toEqual(["barkeep-20260115T123000Z.db"]);
  const file = join(at.target, "barkeep-20260115T123000Z.db");
  const last = { file, bytes: statSync(file).size, at: NOON + HOUR / 2, note: null };
  expect(at.backups.last).toEqual(last);
  expect((await readBackups(at.db)).state).toMatchObject({ last, failure: null, settledUntil: NOON + HOUR / 2 });
  at.clock.set(24 * HOUR - 60_000);
  await at.clock.advance(60_000);
  await at.idle();
  const names = ["barkeep-20260115T123000Z.db", "barkeep-20260116T123000Z.db"];
  expect(readdirSync(at.target).sort()).toEqual(names);
  const copy = await openExisting(`file:${file}`);
  expect(await copy.rows("SELECT value FROM settings WHERE key = 'mine'", [])).toEqual([["x"]]);
  copy.close();
});

test("a time that passed while the server was off is made up once at the start, and one before the plan never", async () => {
  using folder = temporaryFolder();
  {
    await using first = await setUp(folder);
    // Half an hour ago: tomorrow's is the first.
    await first.backups.change({ folder: first.target, at: "11:30", keep: 3 });
    await first.clock.advance(HOUR);
    await first.idle();
    expect(readdirSync(first.target)).toEqual([]);
  }
  const later = NOON + 3 * 24 * HOUR;
  {
    await using second = await setUp(folder, later);
    await second.idle();
    expect(readdirSync(second.target)).toEqual(["barkeep-20260118T120000Z.db"]);
    expect(second.lines).toContain("info Makes the backup that was due at 2026-01-18 11:30 UTC");
  }
  await using third = await setUp(folder, later + HOUR);
  await third.idle();
  expect(readdirSync(third.target)).toHaveLength(1);
});

test("the oldest beyond the number are deleted after a good new one, and no other file is", async () => {
  using folder = temporaryFolder();
  await using at = await setUp(folder);
  const others = ["barkeep.db", "barkeep-20250101T000000Z.db.bak", "copy-20250101T000000Z.db", "notes.txt"];
  for (const name of others) writeFileSync(join(at.target, name), "x");
  for (const day of ["01", "02", "03"]) writeFileSync(join(at.target, `barkeep-202501${day}T000000Z.db`), "old");
  // Somebody has looked into the oldest.
  writeFileSync(join(at.target, "barkeep-20250101T000000Z.db-wal"), "");
  // Left by a server that was killed.
  for (const end of ["", "-journal"]) writeFileSync(join(at.target, `barkeep-20250104T000000Z.db.part${end}`), "half");
  await at.backups.change({ folder: at.target, at: null, keep: 2 });
  await at.backups.backUpNow();
  const kept = ["barkeep-20250103T000000Z.db", "barkeep-20260115T120000Z.db"];
  expect(readdirSync(at.target).sort()).toEqual([...others, ...kept].sort());
});

test("a clock that was set back does not get the new backup deleted as the oldest", async () => {
  using folder = temporaryFolder();
  await using at = await setUp(folder);
  for (const day of ["01", "02"]) writeFileSync(join(at.target, `barkeep-202701${day}T000000Z.db`), "of the future");
  await at.backups.change({ folder: at.target, at: null, keep: 2 });
  await at.backups.backUpNow();
  expect(readdirSync(at.target).sort()).toEqual(["barkeep-20260115T120000Z.db", "barkeep-20270102T000000Z.db"]);
  // In the same second, another name; those of the future do not take the places of what is newer than them.
  await at.backups.backUpNow();
  expect(at.backups.last?.file).toEndWith("barkeep-20260115T120001Z.db");
  expect(readdirSync(at.target).sort()).toEqual(["barkeep-20260115T120000Z.db", "barkeep-20260115T120001Z.db"]);
});

test("a schedule whose last time lies in the future, because the clock was set back, goes on from now", async () => {
  using folder = temporaryFolder();
  {
    await using ahead = await setUp(folder, NOON + 365 * 24 * HOUR);
    await ahead.backups.change({ folder: ahead.target, at: "12:30", keep: 2 });
  }
  await using at = await setUp(folder);
  await at.clock.advance(HOUR / 2);
  await at.idle();
  expect(readdirSync(at.target)).toEqual(["barkeep-20260115T123000Z.db"]);
});

test("a folder that is gone fails the backup with what to do, as state, log line and alert, and keeps what is there", async () => {
  using folder = temporaryFolder();
  await using at = await setUp(folder);
  await at.backups.change({ folder: at.target, at: "12:30", keep: 2 });
  rmSync(at.target, { recursive: true });
  await at.clock.advance(HOUR / 2);
  await at.idle();
  const fault = { reason: "the folder does not exist", advice: expect.stringContaining("mount its disk") };
  const failure = { ...fault, at: NOON + HOUR / 2, folder: at.target };
  expect(at.backups.failure).toEqual(failure);
  expect((await readBackups(at.db)).state?.failure).toEqual(failure);
  expect(await events(at.db)).toEqual([{ kind: "backup_failed", ...failure }]);
  expect(at.alerts).toBe(1);
  expect(at.lines.at(-1)).toBe("error The backup failed");
  expect(at.details.at(-1)).toStartWith(`to ${at.target}: the folder does not exist. Create it`);
  // It is not tried until the next time; the next good one ends the failure.
  mkdirSync(at.target);
  await at.clock.advance(HOUR);
  expect(readdirSync(at.target)).toEqual([]);
  await at.backups.backUpNow();
  expect([at.backups.failure, readdirSync(at.target).length]).toEqual([null, 1]);
});

test("a disk without room for the copy and some more fails the backup before it is filled, and nothing is deleted", async () => {
  using folder = temporaryFolder();
  await using at = await setUp(folder, NOON, async () => 50e6);
  for (const day of ["01", "02"]) writeFileSync(join(at.target, `barkeep-202501${day}T000000Z.db`), "old");
  await at.backups.change({ folder: at.target, at: null, keep: 1 });
  await at.backups.backUpNow();
  await at.idle();
  expect(at.backups.failure?.reason).toMatch(/^the disk of the folder has 0\.1 GB free, and a copy needs \d\.\d GB$/);
  expect(at.backups.failure?.advice).toContain("Free space there");
  expect(readdirSync(at.target)).toHaveLength(2);
  expect(await events(at.db)).toHaveLength(1);
});

test("a backup that its thread cannot write fails with the reason of the system, and leaves nothing behind", async () => {
  using folder = temporaryFolder();
  await using at = await setUp(folder);
  await at.backups.change({ folder: at.target, at: null, keep: 1 });
  // A folder at the place of the unfinished file, which cannot be replaced by one.
  mkdirSync(join(at.target, "barkeep-20260115T120000Z.db.part", "inner"), { recursive: true });
  await at.backups.backUpNow();
  expect(at.backups.failure).not.toBeNull();
  expect(at.backups.last).toBeNull();
});

test.each([
  ["ENOSPC", "the disk of the folder is full"],
  ["SQLITE_FULL", "the disk of the folder is full"],
  ["EDQUOT", "the disk of the folder is full"],
  ["ENOENT", "the folder does not exist"],
  ["EACCES", "the folder is not writable"],
  ["EROFS", "the folder is not writable"],
])("the error %s, also inside others, means that %s", (code, reason) => {
  const cause = Object.assign(new Error("of the system"), { code });
  const fault = faultOfBackup(new Error("Nothing was saved", { cause: new Error("a query", { cause }) }));
  expect(fault.reason).toBe(reason);
  expect(fault.advice).toMatch(/folder|there/);
});

test("an error of a backup that has no code is told in its own words", () => {
  const error = new Error("Nothing was saved to x", { cause: new Error("the copy is damaged: page 7") });
  expect(faultOfBackup(error).reason).toBe("the copy is damaged: page 7");
});

test("a folder that is missing or a file is refused when it is chosen, and the plan stays", async () => {
  using folder = temporaryFolder();
  await using at = await setUp(folder);
  const choose = (path: string) => at.backups.change({ folder: path, at: "03:30", keep: 1 });
  await expect(choose(join(at.target, "no"))).rejects.toThrow("folder: the folder does not exist. Create it");
  await expect(choose(folder.database().slice("file:".length))).rejects.toThrow("it is not a folder");
  await expect(choose("")).rejects.toThrow("a folder is needed");
  expect(at.backups.plan).toEqual({ folder: "", at: null, keep: 7 });
  expect(() => at.backups.backUpNow()).toThrow("choose and save a folder first");
});

test("a copy that runs as another database neither backs up nor deletes what belongs to the original", async () => {
  using folder = temporaryFolder();
  {
    await using at = await setUp(folder);
    await at.backups.change({ folder: at.target, at: "12:30", keep: 1 });
    await at.backups.backUpNow();
  }
  using drill = temporaryFolder();
  const original = join(folder.path, "backups");
  const [name = ""] = readdirSync(original);
  await Bun.write(new URL(drill.database()), Bun.file(join(original, name)));
  await using copy = await setUp(drill, NOON + 48 * HOUR);
  await copy.clock.advance(48 * HOUR);
  expect(copy.backups.madeFor).toBe(join(folder.path, "barkeep.db"));
  expect([copy.backups.next(), copy.backups.underwaySince]).toEqual([null, null]);
  expect(() => copy.backups.backUpNow()).toThrow("for another database");
  expect(readdirSync(original)).toEqual([name]);
  // Saved again it has one of its own.
  await copy.backups.change({ folder: copy.target, at: "12:30", keep: 1 });
  await copy.backups.backUpNow();
  expect(readdirSync(copy.target)).toHaveLength(1);
});

test("a server that stops during a backup leaves no good name, and the next start makes it up", async () => {
  using folder = temporaryFolder();
  {
    await using at = await setUp(folder);
    await at.backups.change({ folder: at.target, at: "12:30", keep: 1 });
    await at.clock.advance(HOUR / 2);
    expect(at.backups.underwaySince).not.toBeNull();
  }
  const names = readdirSync(join(folder.path, "backups"));
  expect(names.filter((name) => name.endsWith(".db")).length).toBeLessThanOrEqual(1);
  await using again = await setUp(folder, NOON + HOUR);
  await again.idle();
  expect(again.backups.last).not.toBeNull();
  expect(readdirSync(again.target)).toHaveLength(1);
});

test("a remote database is not backed up from here, whatever is stored, and a change says so", async () => {
  using folder = temporaryFolder();
  const local = await openDatabase(await migratedDatabase(folder));
  await using _ = { [Symbol.asyncDispose]: async () => local.close() };
  const backups = await Backups.open(
    {
      db: { ...local, local: false },
      dbUrl: "libsql://db.example.com",
      log: { write() {} },
      writeLock: new WriteLock().shared,
      onAlert() {},
    },
    { clock: new VirtualClock() },
  );
  backups.start();
  expect([backups.possible, backups.next()]).toEqual([false, null]);
  expect(() => backups.backUpNow()).toThrow("A remote database is backed up on its server");
  await expect(backups.change({ folder: folder.path, at: "03:30", keep: 1 })).rejects.toThrow("on its server");
  await backups.close();
});
