/** The contract of storage on every kind of database. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { emptyBars } from "../../src/domain/market/bars.ts";
import { type Database, isUniqueViolation, migrateDatabase, openDatabase } from "../../src/storage/db.ts";
import { barPages, countBars, insertBars, readBars, readLastBars, seriesId } from "../../src/storage/market/bars.ts";
import {
  countProfiles,
  deleteProfile,
  findFeatureState,
  findProfile,
  storeProfile,
} from "../../src/storage/profiles/profiles.ts";
import { guardWrites, newAttempt } from "../../src/storage/runs/attempts.ts";
import { answeredWindows, storeBatch, storeFailedBatch } from "../../src/storage/runs/batches.ts";
import { findJobWork, startJob, storedState } from "../../src/storage/runs/jobs.ts";
import { activeJobs, insertRun, jobsOfRun, moveJobs, openRuns, setRunState } from "../../src/storage/runs/runs.ts";
import { startApp } from "../helpers/app.ts";
import { rampBars } from "../helpers/inputs/bars.ts";

const KEY = {
  symbol: "AAPL",
  provider: "demo",
  feed: "x",
  interval: "1m",
  adjustment: "none",
  sessions: "regular",
} as const;
const RUN = {
  id: "r",
  mode: "full",
  interval: "1m",
  provider: "demo",
  years: "1",
  batchDays: 30,
  maxWorkers: 1,
  rangeFrom: 0,
  rangeTo: 86_400,
  asOf: 86_400,
  createdAt: 1,
} as const;

interface Host {
  readonly url: string;
  close(): unknown;
}

/** Runs the suite on databases that `fresh` makes: an empty one of the newest schema each time. */
export function databaseContract(fresh: () => Promise<Host>): void {
  let host: Host;
  let db: Database;
  beforeEach(async () => {
    host = await fresh();
    db = await openDatabase(host.url);
  });
  afterEach(async () => {
    db.close();
    await host.close();
  });

  const batch = (series: number, jobId: number, from: number, bars: ReturnType<typeof rampBars>) => ({
    seriesId: series,
    barsId: series,
    runId: "r",
    window: { from, to: from + 6_000 },
    bars,
    known: emptyBars(),
    rejected: [],
    counters: { jobId, apiCalls: 3, fetchMs: 7, dataPoints: bars.ts.length },
  });

  async function order(symbols: string[], id = "r"): Promise<number[]> {
    await insertRun(db, { ...RUN, id }, symbols);
    return (await jobsOfRun(db, id)).map((job) => job.id);
  }

  test("migrations may be applied again", async () => {
    await migrateDatabase(db);
    expect(await db.rows("SELECT count(*) FROM bars", [])).toEqual([[0]]);
  });

  test("a series has one id, whoever asks first", async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => seriesId(db, KEY)));
    expect(new Set(ids).size).toBe(1);
    expect(await seriesId(db, { ...KEY, adjustment: "splits" })).not.toBe(ids[0]);
  });

  test("bars come back as stored, in ranges, pages and from the end, at every size", async () => {
    const series = await seriesId(db, KEY);
    for (const count of [1, 2, 7, 999, 1_000, 1_001, 2_345]) {
      const bars = rampBars(count, 60_000);
      await db.write([{ sql: "DELETE FROM bars", args: [] }, ...insertBars(series, bars)]);
      expect(await readBars(db, series, 0, 1e12)).toEqual(bars);
      expect(await countBars(db, series, 0, 1e12)).toBe(count);
      const half = 60_000 + 60 * Math.floor(count / 2);
      expect((await readBars(db, series, half, 1e12)).ts[0]).toBe(half);
      expect((await readBars(db, series, 0, half)).ts.length).toBe(Math.floor(count / 2));
      expect((await readBars(db, series, 0, 1e12, 3)).ts).toEqual(bars.ts.slice(0, 3));
      expect((await readLastBars(db, series, 1e12, 3)).ts).toEqual(bars.ts.slice(-3));
      const pages: number[] = [];
      for await (const page of barPages(db, series, 0, 1e12, 500)) pages.push(...page.ts);
      expect(pages).toEqual([...bars.ts]);
    }
  });

  test("a bar that is stored again takes the new values and stays one bar", async () => {
    const series = await seriesId(db, KEY);
    await db.write(insertBars(series, rampBars(1_500)));
    await db.write(insertBars(series, rampBars(1_500, 60 * 1_000, 5)));
    const all = await readBars(db, series, 0, 1e12);
    expect(all.ts.length).toBe(2_500);
    expect(all.close[1_200]).toBe(rampBars(1, 60 * 1_200, 5).close[0]);
    expect(all.close[999]).toBe(rampBars(1, 60 * 999).close[0]);
  });

  test("stored numbers keep every bit", async () => {
    const series = await seriesId(db, KEY);
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    await fc.assert(
      fc.asyncProperty(fc.array(number, { minLength: 1, maxLength: 20 }), async (values) => {
        const bars = rampBars(values.length);
        bars.close.set(values);
        await db.write([{ sql: "DELETE FROM bars", args: [] }, ...insertBars(series, bars)]);
        // SQLite knows one zero.
        const wanted = values.map((value) => (value === 0 ? 0 : value));
        expect([...(await readBars(db, series, 0, 1e12)).close]).toEqual(wanted);
      }),
      { numRuns: 25 },
    );
  });

  test("a failing statement leaves nothing of its transaction", async () => {
    const series = await seriesId(db, KEY);
    const broken = [...insertBars(series, rampBars(10)), { sql: "INSERT INTO bars VALUES (?1, 1)", args: [series] }];
    await expect(db.write(broken)).rejects.toThrow();
    const foreign = insertBars(999, rampBars(10));
    await expect(db.write([...insertBars(series, rampBars(10)), ...foreign])).rejects.toThrow(/FOREIGN KEY/);
    expect(await countBars(db, series, 0, 1e12)).toBe(0);
    await db.write(insertBars(series, rampBars(10)));
    expect(await countBars(db, series, 0, 1e12)).toBe(10);
  });

  test("a write whose statements return rows ends, takes effect as a whole, and leaves nothing if one of them fails", async () => {
    await db.script("CREATE TABLE t (x INTEGER PRIMARY KEY, y INTEGER NOT NULL)");
    const insert = (x: number, y: number | null = x) => ({
      sql: "INSERT INTO t VALUES (?1, ?2), (?1 + 1, ?2) RETURNING x, y",
      args: [x, y],
    });
    const stored = async () => (await db.rows("SELECT x, y FROM t ORDER BY x", [])).map((row) => [...row]);
    await Promise.all([db.write([insert(1), insert(3)]), db.write([insert(5)])]);
    const first = [
      [1, 1],
      [2, 1],
      [3, 3],
      [4, 3],
      [5, 5],
      [6, 5],
    ];
    expect(await stored()).toEqual(first);
    const refused = [insert(1), insert(9, null)].map((statement) => db.write([insert(7), statement]));
    expect((await Promise.allSettled(refused)).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(await stored()).toEqual(first);
    await db.write([{ sql: "UPDATE t SET y = 0 WHERE x > ? RETURNING x", args: [1] }]);
    await db.write([{ sql: "DELETE FROM t WHERE y = ? RETURNING x", args: [0] }]);
    expect(await stored()).toEqual([[1, 1]]);
    // Whatever comes next is written as well: no statement stayed open.
    expect(await db.change([insert(7)])).toEqual([
      [
        [7, 7],
        [8, 7],
      ].map((row) => expect.objectContaining(row)),
    ]);
  });

  test("a batch is stored with its line in the ledger and the job's counters", async () => {
    const series = await seriesId(db, KEY);
    const [job] = await order(["AAPL"]);
    await storeBatch(db, batch(series, job!, 0, rampBars(40)));
    await storeBatch(db, batch(series, job!, 6_000, rampBars(0)));
    await storeFailedBatch(db, {
      seriesId: series,
      runId: "r",
      window: { from: 12_000, to: 18_000 },
      error: "HTTP 503",
      counters: { jobId: job!, apiCalls: 9, fetchMs: 11 },
    });
    const ledger = await db.rows("SELECT from_ts, status, rows, first_ts, last_ts, attempts, error FROM batches", []);
    expect(ledger).toEqual([
      [0, "ok", 40, 0, 39 * 60, 1, null],
      [6_000, "empty", 0, null, null, 1, null],
      [12_000, "failed", 0, null, null, 1, "HTTP 503"],
    ]);
    expect(await answeredWindows(db, series)).toEqual([
      { from: 0, to: 6_000 },
      { from: 6_000, to: 12_000 },
    ]);
    expect(await findJobWork(db, job!)).toMatchObject({ apiCalls: 9, fetchMs: 11 });
    expect((await jobsOfRun(db, "r"))[0]!.dataPoints).toBe(0);
    // A window once answered stays answered.
    await storeFailedBatch(db, {
      seriesId: series,
      runId: "r2",
      window: { from: 0, to: 6_000 },
      error: "later",
      counters: { jobId: job!, apiCalls: 9, fetchMs: 11 },
    });
    expect((await answeredWindows(db, series)).length).toBe(2);
  });

  test("jobs move only along their transitions, and a symbol is active once per interval", async () => {
    const [a, b] = await order(["A", "B"]);
    expect(await moveJobs(db, [a!, b!], "resume")).toEqual(new Set());
    expect(await moveJobs(db, [a!], "start", { startedAt: 1 })).toEqual(new Set([a!]));
    expect(await moveJobs(db, [a!, b!], "pause")).toEqual(new Set([a!, b!]));
    expect((await activeJobs(db, ["A", "B", "C"], "1m")).map(({ symbol }) => symbol)).toEqual(["A", "B"]);
    const clash = await insertRun(db, { ...RUN, id: "r2" }, ["C", "A"]).catch((error) => error);
    expect(isUniqueViolation(clash)).toBe(true);
    expect(await jobsOfRun(db, "r2")).toEqual([]);
    expect((await openRuns(db)).map(({ id }) => id)).toEqual(["r"]);
    await moveJobs(db, [a!, b!], "cancel");
    await setRunState(db, "r", "cancelled", 5);
    expect(await openRuns(db)).toEqual([]);
    // After a crash, a job that was just retried restores its run.
    await moveJobs(db, [a!], "retry");
    expect((await openRuns(db)).map(({ id }) => id)).toEqual(["r"]);
    await insertRun(db, { ...RUN, id: "r2" }, ["B", "C"]);
  });

  test("a profile is stored with the job that made it, unless that was stopped", async () => {
    const series = await seriesId(db, KEY);
    const [job] = await order(["AAPL"]);
    const profile = {
      symbol: "AAPL",
      interval: "1m",
      seriesId: series,
      provider: "demo",
      firstBar: 0,
      lastBar: 60,
      lastClose: 1.5,
      features: { sma_5: 0.1 + 0.2, rsi_14: null },
      catalogVersion: "1",
      backfill: {
        history_complete: true,
        history_rows: 2,
        api_calls_used: 1,
        fetch_duration_seconds: 0.1,
        feature_count: 2,
        batch_size_days: 30,
      },
      state: new Uint8Array([0, 255, 7]),
    } as const;
    const end = { jobId: job!, seconds: 1, workedMs: 1_000, dataPoints: 2, apiCalls: 1, gaps: 2 };
    await storeProfile(db, profile, end);
    expect(await storedState(db, job!)).toBe("queued");
    await moveJobs(db, [job!], "start");
    await storeProfile(db, profile, end);
    expect(await storedState(db, job!)).toBe("complete");
    expect(await findProfile(db, "AAPL", "1m")).toMatchObject({
      features: profile.features,
      backfill: profile.backfill,
    });
    const kept = (await findFeatureState(db, "AAPL", "1m"))!;
    expect([...kept.state]).toEqual([0, 255, 7]);
    expect(await countProfiles(db)).toBe(1);
    await deleteProfile(db, "AAPL", "1m");
    expect(await findFeatureState(db, "AAPL", "1m")).toBeUndefined();
  });

  test("a worker writes for a job until another has it, or it is queued again", async () => {
    const [job] = await order(["AAPL"]);
    const series = await seriesId(db, KEY);
    const { db: guarded, during } = guardWrites(db);
    const writeAs = (attempt: string, from: number) =>
      during({ jobId: job!, attempt }, () => storeBatch(guarded, batch(series, job!, from, rampBars(1, from)))).then(
        () => "stored",
        (error) => error.name,
      );
    expect(await newAttempt(db, job!)).toBeNull();
    await startJob(db, job!, 1, false);
    const first = (await newAttempt(db, job!))!;
    expect(await writeAs(first, 0)).toBe("stored");
    const second = (await newAttempt(db, job!))!;
    expect([await writeAs(first, 6_000), await writeAs(second, 12_000)]).toEqual(["JobLost", "stored"]);
    // What was fetched before a pause is kept.
    await moveJobs(db, [job!], "pause");
    expect(await writeAs(second, 18_000)).toBe("stored");
    await moveJobs(db, [job!], "resume");
    expect(await writeAs(second, 24_000)).toBe("JobLost");
    await startJob(db, job!, 2, false);
    expect(await writeAs(second, 24_000)).toBe("JobLost");
    expect((await answeredWindows(db, series)).map(({ from }) => from)).toEqual([0, 12_000, 18_000]);
    expect(await countBars(db, series, 0, 100_000)).toBe(3);
  });

  test("a whole run works on the database, and again after a restart", async () => {
    {
      await using app = await startApp({ dbUrl: host.url });
      const runId = await app.start({ symbols: ["AAPL", "BTC-USD"], years: 1 });
      const { jobs } = await app.waitForRun(runId, "complete");
      expect(jobs.map(({ progress }) => progress)).toEqual([100, 100]);
    }
    await using app = await startApp({ dbUrl: host.url });
    const runId = await app.start({ symbols: ["AAPL"], mode: "incremental", years: 1 });
    await app.waitForRun(runId, "complete");
    const { body } = await app.get("/api/profiles/AAPL");
    // Nothing had to be fetched, so the profile is that of the run that computed it.
    expect(body.backfill_metadata).toMatchObject({ history_complete: true, mode: "full" });
    expect(body.backfill_metadata.history_rows).toBeGreaterThan(240);
    const csv = await app.get("/api/bars/AAPL?format=csv");
    expect(csv.text.trim().split("\n").length).toBe(body.backfill_metadata.history_rows + 1);
  }, 60_000);
}
