import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "../../src/storage/db.ts";
import { countBars, insertBars, readBars, seriesId } from "../../src/storage/market/bars.ts";
import { insertRun } from "../../src/storage/runs/runs.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";
import { rampBars } from "../helpers/inputs/bars.ts";
import { databaseContract } from "./database.contract.ts";

describe("a database file", () => {
  databaseContract(async () => {
    const folder = temporaryFolder();
    return { url: await migratedDatabase(folder), close: () => folder[Symbol.dispose]() };
  });
});

describe("several threads writing to one file", () => {
  const WRITERS = 4;
  const BATCHES = 12;
  const ROWS = 700;

  test("parallel writers lose nothing and never see SQLITE_BUSY", async () => {
    using folder = temporaryFolder();
    const url = await migratedDatabase(folder);
    const db = await openDatabase(url);
    const symbols = Array.from({ length: WRITERS + 1 }, (_, i) => `S${i}`);
    const traits = { provider: "demo", feed: "x", interval: "1m", adjustment: "none", sessions: "regular" } as const;
    const series: number[] = [];
    for (const symbol of symbols) series.push(await seriesId(db, { symbol, ...traits }));
    const run = { mode: "full", interval: "1m", provider: "demo", years: "1", batchDays: 30, maxWorkers: 4 } as const;
    await insertRun(db, { ...run, id: "r", rangeFrom: 0, rangeTo: 1e9, asOf: 1e9, createdAt: 1 }, symbols);

    const script = new URL("../fakes/workers/writing-worker.ts", import.meta.url);
    const threads = series.slice(1).map((id) => {
      const thread = new Worker(script);
      const end = new Promise<string | null>((resolve) => {
        thread.onmessage = ({ data }) => resolve(data);
        thread.onerror = (event) => resolve(event.message);
      });
      thread.postMessage({ url, series: id, batches: BATCHES, rows: ROWS });
      return { thread, end };
    });
    // The main thread writes its small rows meanwhile, on both of its connections.
    let writing = true;
    const ends = Promise.all(threads.map(({ end }) => end)).finally(() => {
      writing = false;
    });
    let own = 0;
    while (writing) {
      await db.write(insertBars(series[0]!, rampBars(3, 60 * 3 * own++)));
      await db.orm.run(`UPDATE runs SET finished_at = ${own}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await ends).toEqual(Array(WRITERS).fill(null));
    for (const { thread } of threads) thread.terminate();
    expect(own).toBeGreaterThan(1);
    expect(await countBars(db, series[0]!, 0, 1e12)).toBe(3 * own);
    for (const id of series.slice(1)) {
      expect(await readBars(db, id, 0, 1e12)).toEqual(rampBars(BATCHES * ROWS));
    }
    const jobs = await db.rows("SELECT api_calls, data_points FROM jobs ORDER BY id", []);
    expect(jobs).toEqual([[0, 0], ...Array(WRITERS).fill([BATCHES, BATCHES * ROWS])]);
    expect(await db.rows("PRAGMA integrity_check", [])).toEqual([["ok"]]);
    db.close();
  }, 60_000);
});

describe("the URL of a file", () => {
  for (const name of ["with space.db", "per%20cent.db", "ümlaut.db", "a%b.db", "deep/er/folder.db"]) {
    test(`file:…/${name} is one file for both connections`, async () => {
      using folder = temporaryFolder();
      const db = await openDatabase(folder.database(name));
      await db.script("CREATE TABLE runs (id TEXT)");
      expect(await db.rows("SELECT count(*) FROM runs", [])).toEqual([[0]]);
      db.close();
    });
  }
});

test("a folder in the place of the database is called a folder", async () => {
  using folder = temporaryFolder();
  await expect(openDatabase(`file:${folder.path}`)).rejects.toThrow(/cannot be opened: it is a folder, not a file$/);
});

test("opening a file that is there writes nothing: it can be opened while its disk is full", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "quiet.db");
  const first = await openDatabase(`file:${path}`);
  await first.write([{ sql: "CREATE TABLE t (a)", args: [] }]);
  await first.script("PRAGMA wal_checkpoint(TRUNCATE)");
  const second = await openDatabase(`file:${path}`);
  expect(statSync(`${path}-wal`).size).toBe(0);
  expect(await second.rows("PRAGMA auto_vacuum", [])).toEqual([[2]]);
  second.close();
  first.close();
});
