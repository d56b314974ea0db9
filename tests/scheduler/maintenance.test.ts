/** What maintenance deletes, and what it never does. */

import { expect, test } from "bun:test";
import { DAY } from "../../src/domain/market/interval.ts";
import { Maintenance } from "../../src/scheduler/maintenance.ts";
import { InProcessQueue } from "../../src/scheduler/queue/in-process-queue.ts";
import { migrateDatabase, openDatabase } from "../../src/storage/db.ts";
import { findDamage, tidyFile } from "../../src/storage/maintenance.ts";
import { startApp } from "../helpers/app.ts";
import { temporaryFolder } from "../helpers/folder.ts";

const days = (count: number) => count * DAY * 1000;

test("old log lines and runs are deleted; bars, profiles and the ledger stay", async () => {
  await using app = await startApp();
  const run = await app.start({ symbols: ["AAPL"], years: 1 });
  await app.waitForRun(run, "complete");
  const { db, log } = app.app;
  const count = async (table: string) => (await db.rows(`SELECT count(*) FROM ${table}`, []))[0]?.[0];
  const before = { bars: await count("bars"), batches: await count("batches") };
  const tidyAt = async (now: number) => {
    const queue = new InProcessQueue(() => {});
    const dependencies = { db, log, queue, retention: { logDays: 30, runDays: 365 } };
    const maintenance = new Maintenance(dependencies, () => now);
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
  const { db, log } = app.app;
  const runs = async () => (await db.rows("SELECT count(*) FROM runs", []))[0]?.[0];
  let now = Date.now() + days(400);
  const dependencies = { db, log, queue: new InProcessQueue(() => {}), retention: { logDays: 30, runDays: 365 } };
  const maintenance = new Maintenance(dependencies, () => now);
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
  const { db, log } = app.app;
  const queue = new InProcessQueue(() => {});
  queue.enqueue([{ key: "busy", group: "busy" }]);
  const dependencies = { db, log, queue, retention: { logDays: 1, runDays: 1 } };
  const maintenance = new Maintenance(dependencies, () => Date.now() + days(1000));
  await maintenance.tidy();
  await maintenance.close();
  expect(await db.rows("SELECT count(*) FROM runs", [])).toEqual([[1]]);
});

test("freed pages of the file go back to the disk in pieces, and only while nothing else is to be done", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(folder.database());
  await migrateDatabase(db);
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
