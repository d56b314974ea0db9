/** What maintenance deletes, and what it never does. */

import { expect, test } from "bun:test";
import { DAY } from "../../src/domain/market/interval.ts";
import { Maintenance } from "../../src/scheduler/maintenance/maintenance.ts";
import { Dispatcher } from "../../src/scheduler/queue/dispatcher.ts";
import { EmbeddedQueue } from "../../src/scheduler/queue/embedded-queue.ts";
import { LEASE_KEY } from "../../src/storage/connection/fence.ts";
import { WriteLock } from "../../src/storage/connection/file/write-lock.ts";
import { openDatabase } from "../../src/storage/db.ts";
import {
  deleteBefore,
  findDamage,
  refreshStatistics,
  staleStatistics,
  tidyFile,
} from "../../src/storage/maintenance.ts";
import { startApp, type TestApp } from "../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

const days = (count: number) => count * DAY * 1000;

/** Maintenance of the app's database at another moment. */
async function maintenanceOf({ app: { db, log, config } }: TestApp, now: () => number, retention = [30, 365]) {
  const [lease] = await db.rows("SELECT value FROM settings WHERE key = ?", [LEASE_KEY]);
  const settings = {
    dbUrl: config.dbUrl,
    dbToken: undefined,
    dbFile: db.file,
    lease: String(lease![0]),
    writeLock: new WriteLock().shared,
  };
  const dispatcher = new Dispatcher(new EmbeddedQueue(), () => {});
  const [logDays = 0, runDays = 0] = retention;
  const dependencies = { db, log, dispatcher, retention: { logDays, runDays }, settings: () => settings };
  return { dependencies, dispatcher, maintenance: new Maintenance(dependencies, now) };
}

test("old log lines and runs are deleted; bars, profiles and the ledger stay", async () => {
  await using app = await startApp();
  const run = await app.start({ symbols: ["AAPL"], years: 1 });
  await app.waitForRun(run, "complete");
  const { db } = app.app;
  const count = async (table: string) => (await db.rows(`SELECT count(*) FROM ${table}`, []))[0]?.[0];
  const before = { bars: await count("bars"), batches: await count("batches") };
  const tidyAt = async (now: number) => {
    const { maintenance } = await maintenanceOf(app, () => now);
    await maintenance.tidy();
    await maintenance.close();
  };

  await tidyAt(Date.now() + days(29));
  expect(await count("runs")).toBe(1);
  expect(await count("jobs")).toBe(1);

  await tidyAt(Date.now() + days(366));
  expect(await count("runs")).toBe(0);
  expect(await count("jobs")).toBe(0);
  expect(await count("profiles")).toBe(1);
  expect({ bars: await count("bars"), batches: await count("batches") }).toEqual(before);
});

test("a clock that was set a year ahead deletes no run, and one that was set right again deletes by its time", async () => {
  await using app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete");
  const { db } = app.app;
  const runs = async () => (await db.rows("SELECT count(*) FROM runs", []))[0]?.[0];
  let now = Date.now() + days(400);
  const { maintenance } = await maintenanceOf(app, () => now);
  maintenance.clockSet(days(400));
  await maintenance.tidy();
  expect(await runs()).toBe(1);
  maintenance.clockSet(days(-400));
  now = Date.now();
  await maintenance.tidy();
  expect(await runs()).toBe(1);
  now += days(366);
  await maintenance.tidy();
  expect(await runs()).toBe(0);
  await maintenance.close();
});

test("nothing is tidied while work is under way", async () => {
  await using app = await startApp();
  const run = await app.start({ symbols: ["AAPL"], years: 1 });
  await app.waitForRun(run, "complete");
  const { db } = app.app;
  const { maintenance, dispatcher } = await maintenanceOf(app, () => Date.now() + days(1000), [1, 1]);
  dispatcher.enqueue([{ key: "busy", group: "busy" }]);
  await maintenance.tidy();
  await maintenance.close();
  expect(await db.rows("SELECT count(*) FROM runs", [])).toEqual([[1]]);
});

test("old rows are deleted on a thread of their own: the connection of the server changes nothing", async () => {
  await using app = await startApp();
  const { dependencies } = await maintenanceOf(app, Date.now);
  const db = await openDatabase(app.app.config.dbUrl);
  const line = { sql: "INSERT INTO logs (at, level, message) VALUES (1, 'info', 'x')", args: [] };
  await app.app.db.write(Array.from({ length: 1_200 }, () => line));
  const maintenance = new Maintenance({ ...dependencies, db });
  await maintenance.tidy();
  await maintenance.close();
  expect(await db.rows("SELECT count(*), total_changes() FROM logs WHERE at = 1", [])).toEqual([[0, 0]]);
  expect(app.printed.join("\n")).toContain("Maintenance: deleted 1200 log lines, 0 old runs and 0 mails");
  db.close();
});

test("deleting can be stopped between two pieces of 500 rows", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const line = { sql: "INSERT INTO logs (at, level, message) VALUES (1, 'info', 'x')", args: [] };
  await db.write(Array.from({ length: 1_200 }, () => line));
  const before = { logs: 2, runs: 2, usage: 2 };
  let looks = 0;
  expect(await deleteBefore(db, before, () => ++looks <= 2)).toEqual({ logs: 1_000, runs: 0 });
  expect(await db.rows("SELECT count(*) FROM logs", [])).toEqual([[200]]);
  expect(await deleteBefore(db, before)).toEqual({ logs: 200, runs: 0 });
  db.close();
});

test("the planner's statistics are refreshed by another connection than the one that misses them", async () => {
  using folder = temporaryFolder();
  const url = await migratedDatabase(folder);
  const db = await openDatabase(url);
  const line = { sql: "INSERT INTO logs (at, level, run_id, message) VALUES (1, 'info', 'r', 'x')", args: [] };
  await db.write(Array.from({ length: 300 }, () => line));
  await db.rows("SELECT id FROM logs WHERE run_id = 'r' AND at = 1", []);
  const missed = await staleStatistics(db);
  expect(missed).toEqual(['ANALYZE "main"."logs"']);
  const other = await openDatabase(url);
  await refreshStatistics(other, missed);
  other.close();
  expect(await db.rows("SELECT tbl, idx FROM sqlite_stat1", [])).toEqual([["logs", "logs_of_run"]]);
  db.close();
});

test("freed pages of the file go back to the disk in pieces, and only while nothing else is to be done", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const line = { sql: "INSERT INTO logs (at, level, message) VALUES (?, 'info', ?)", args: [1, "x".repeat(3_000)] };
  await db.write(Array.from({ length: 4_000 }, () => line));
  await db.write([{ sql: "DELETE FROM logs WHERE id % 4 > 0", args: [] }]);
  const read = async (pragma: string) => Number((await db.rows(`PRAGMA ${pragma}`, []))[0]?.[0]);
  const [pages, free] = [await read("page_count"), await read("freelist_count")];
  expect(free).toBeGreaterThan(1_000);
  let looks = 0;
  await tidyFile(db, () => ++looks === 1);
  const given = pages - (await read("page_count"));
  expect([given >= 500, given < 600]).toEqual([true, true]);
  await tidyFile(db);
  expect(await read("freelist_count")).toBeLessThanOrEqual(0.1 * (await read("page_count")));
  expect(await findDamage(db)).toEqual([]);
  expect(await db.rows("SELECT count(*) FROM logs", [])).toEqual([[1_000]]);
  db.close();
});
