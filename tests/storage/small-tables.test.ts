import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Database, openDatabase } from "../../src/storage/db.ts";
import { LogStore, readLog } from "../../src/storage/log.ts";
import { UsageStore } from "../../src/storage/quotas/usage.ts";
import { line } from "../helpers/fixtures.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../helpers/folder.ts";

let folder: Folder;
let db: Database;
const errors: unknown[] = [];
const onError = (error: unknown) => void errors.push(error);

beforeEach(async () => {
  errors.length = 0;
  folder = temporaryFolder();
  db = await openDatabase(await migratedDatabase(folder));
});
afterEach(() => {
  db.close();
  folder[Symbol.dispose]();
});

describe("log lines", () => {
  test("log lines are all written, in order, and read back in pages by run and symbol", async () => {
    const store = new LogStore(db, onError);
    for (let i = 0; i < 1_000; i++) {
      store.save(line({ message: `${i}`, runId: i % 2 ? "odd" : "even", symbol: i % 4 ? "A" : "B" }));
      if (i === 500) void store.flush();
    }
    await store.flush();
    const newest = await readLog(db, { limit: 3 });
    expect(newest.map(({ message }) => message)).toEqual(["999", "998", "997"]);
    const older = await readLog(db, { limit: 2, before: newest.at(-1)!.id, runId: "even" });
    expect(older.map(({ message }) => message)).toEqual(["996", "994"]);
    expect((await readLog(db, { limit: 2_000, symbol: "B" })).length).toBe(250);
    store.save(line({ message: "Retry 1/5: 100 % of HTTP_503", level: "warn" }));
    store.save(line({ message: "sma_5", level: "debug" }));
    await store.close();
    const found = async (text: string) => (await readLog(db, { text, debug: false, limit: 5 })).map((row) => row.level);
    expect(await Promise.all(["WARN retry", "100 %", "http_503"].map(found))).toEqual([["warn"], ["warn"], ["warn"]]);
    expect(await Promise.all(["http-503", "0%", "sma"].map(found))).toEqual([[], [], []]);
    expect(errors).toEqual([]);
  });

  test("log lines that cannot be written are reported, not thrown", async () => {
    const store = new LogStore(db, onError);
    await db.write([{ sql: "DROP TABLE logs", args: [] }]);
    store.save(line());
    await store.flush();
    expect(String(errors[0])).toMatch(/no such table: logs/);
  });
});

describe("usage", () => {
  const MIDNIGHT = Date.UTC(2025, 5, 16);

  test("usage survives a restart, is counted by minute and by day, and starts again at midnight UTC", async () => {
    let now = MIDNIGHT + 3_600_000;
    const store = await UsageStore.open(db, onError, () => now);
    store.count("demo", 5);
    store.count("demo", 1, 0);
    now += 120_000;
    store.count("demo", 2);
    await store.flush();
    const again = await UsageStore.open(db, onError, () => now);
    const expected = [{ provider: "demo", lastMinute: { requests: 1, units: 2 }, today: { requests: 2, units: 8 } }];
    expect(again.usage()).toEqual(expected);
    again.count("demo", 1);
    await again.flush();
    now = MIDNIGHT + 86_400_000;
    const tomorrow = await UsageStore.open(db, onError, () => now);
    expect(tomorrow.usage().every(({ today }) => today.requests === 0)).toBe(true);
    expect(await db.rows("SELECT sum(requests), sum(units) FROM api_usage", [])).toEqual([[3, 9]]);
  });
});

describe("the last hour of requests", () => {
  test("the last hour of requests is kept minute by minute, over midnight and a restart", async () => {
    const midnight = Date.UTC(2025, 5, 16);
    let now = midnight - 30 * 60_000;
    const store = await UsageStore.open(db, onError, () => now);
    store.count("demo", 1);
    store.count("demo", 1);
    now = midnight + 61_000;
    store.count("acme", 5);
    await store.flush();
    for (const each of [store, await UsageStore.open(db, onError, () => now)]) {
      const minutes = each.minutes(60);
      expect(minutes.get("demo")!.indexOf(2)).toBe(28);
      expect(minutes.get("acme")!.at(-1)).toBe(1);
      now += 60_000;
      expect(each.minutes(60).get("acme")!.at(-2)).toBe(1);
      now += 60 * 60_000;
      expect(each.minutes(60).size).toBe(0);
      now = midnight + 61_000;
    }
  });
});
