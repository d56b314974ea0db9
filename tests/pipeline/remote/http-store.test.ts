/** The job store over the network: each write once, in its order, and only for the job that the worker has. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { emptyBars } from "../../../src/domain/market/bars.ts";
import type { SymbolTask } from "../../../src/pipeline/messages.ts";
import { BadMessage, decode, encode } from "../../../src/pipeline/remote/codec.ts";
import { OPERATIONS } from "../../../src/pipeline/remote/operations.ts";
import { type HeldJob, StoreExecutor } from "../../../src/pipeline/remote/store-executor.ts";
import type { StoreResult } from "../../../src/pipeline/remote/store-request.ts";
import { directJobStore } from "../../../src/pipeline/store/direct-store.ts";
import { newAttempt } from "../../../src/storage/runs/attempts.ts";
import { startJob } from "../../../src/storage/runs/jobs.ts";
import { insertRun, jobsOfRun } from "../../../src/storage/runs/runs.ts";
import { rampBars } from "../../helpers/inputs/bars.ts";
import { type Pipeline, startPipeline } from "../../helpers/pipeline.ts";
import { evening, vendorWith } from "../fetch/scenario.ts";
import { startFaultyNetwork } from "./faulty-network.ts";

const TRAITS = { feed: "memory", adjustment: "none", sessions: "regular" } as const;
const KEY = { symbol: "ACME", provider: "demo", interval: "1d", ...TRAITS } as const;
const RUN = {
  id: "r",
  mode: "full",
  interval: "1d",
  provider: "demo",
  years: "1",
  batchDays: 30,
  maxWorkers: 1,
  rangeFrom: 0,
  rangeTo: 86_400,
  asOf: 86_400,
  createdAt: 1,
} as const;

let pipeline: Pipeline;
beforeEach(async () => {
  pipeline = await startPipeline();
});
afterEach(() => pipeline[Symbol.dispose]());

/** A job that a worker has. */
async function heldJob(symbol = "ACME"): Promise<HeldJob & { task: SymbolTask }> {
  const { db } = pipeline;
  await insertRun(db, { ...RUN, id: `r-${symbol}` }, [symbol]);
  const [job] = await jobsOfRun(db, `r-${symbol}`);
  await startJob(db, job!.id, 1, false);
  const about = {
    jobId: job!.id,
    runId: job!.runId,
    symbol,
    interval: "1d",
    provider: "demo",
    repairProvider: null,
  } as const;
  const task: SymbolTask = { ...RUN, ...about, rebuild: false, dated: false, fetchMode: "unanswered" };
  return { ...about, task, attempt: (await newAttempt(db, job!.id))! };
}

const batch = (job: HeldJob, seriesId: number, n: number) => ({
  seriesId,
  barsId: seriesId,
  runId: job.runId,
  window: { from: n * 86_400, to: (n + 1) * 86_400 },
  bars: rampBars(1, n * 86_400),
  known: emptyBars(),
  rejected: [],
  events: [],
  counters: { jobId: job.jobId, apiCalls: n, fetchMs: 1, dataPoints: n },
});

test("a job over a network that loses most messages stores each batch once and in order", async () => {
  await using network = startFaultyNetwork(0.6);
  using remote = await startPipeline({ storeOf: network.storeOf });
  const vendor = vendorWith(200);
  expect((await remote.run(vendor, { asOf: evening(150), batchDays: 1 })).kind).toBe("done");
  expect(network.faults.size).toBe(3);
  const rows = await remote.db.rows("SELECT min(attempts), max(attempts), count(*) FROM batches", []);
  await pipeline.run(vendor, { asOf: evening(150), batchDays: 1 });
  const [[batches]] = (await pipeline.db.rows("SELECT count(*) FROM batches", [])) as [[number]];
  expect(rows).toEqual([[1, 1, batches]]);
  expect(await remote.stored(vendor)).toEqual(await pipeline.stored(vendor));
  // Nobody saw a bar twice.
  expect(await remote.db.rows("SELECT count(*) FROM arrivals", [])).toEqual([[0]]);
});

test("writes of a job reach the database in their order, also those that may wait", async () => {
  await using network = startFaultyNetwork(0.3);
  const job = await heldJob();
  const store = await network.storeOf(pipeline.db, job.task);
  const series = await store.seriesId(KEY);
  const writes = Array.from({ length: 40 }, (_, n) => store.saveBatch(batch(job, series, n)));
  await Promise.all([...writes, store.savePlanStart(job.jobId, 7, true)]);
  expect((await store.windowsOfRun(series, job.runId)).length).toBe(40);
  // The counters of the last one stay.
  expect(await store.findJobWork(job.jobId)).toMatchObject({ apiCalls: 39, planFrom: 7 });
});

test("a worker that has lost its job is told so by every write and stores nothing, while its reads go on", async () => {
  await using network = startFaultyNetwork(0);
  const job = await heldJob();
  const older = await network.storeOf(pipeline.db, job.task);
  const series = await older.seriesId(KEY);
  const newer = await network.storeOf(pipeline.db, job.task);
  const refused = older.saveBatch(batch(job, series, 1)).catch((error) => error.name);
  await newer.saveBatch(batch(job, series, 2));
  expect(await refused).toBe("JobLost");
  expect(await older.saveWork(job.jobId, { apiCalls: 1, fetchMs: 1, stageMs: {} }).catch((error) => error.name)).toBe(
    "JobLost",
  );
  expect((await older.windowsOfRun(series, job.runId)).map(({ from }) => from)).toEqual([2 * 86_400]);
});

test("a request that waits for the database is answered in time, asked for again, and executed once", async () => {
  const job = await heldJob();
  const series = await directJobStore(pipeline.db).seriesId(KEY);
  const operations = [{ number: 1, name: "saveBatch", args: [batch(job, series, 1)] }];
  const request = encode({ attempt: job.attempt, operations, answered: 1 });
  const release = Promise.withResolvers<void>();
  const write = pipeline.db.write;
  let writes = 0;
  pipeline.db.write = async (...args) => {
    writes += 1;
    await release.promise;
    return write(...args);
  };
  const waiting = new StoreExecutor(pipeline.db, 1);
  expect((await waiting.execute(job, request)).answer).toBeNull();
  expect((await waiting.execute(job, request)).answer).toBeNull();
  release.resolve();
  let answer: Uint8Array | null = null;
  while (answer === null) answer = (await waiting.execute(job, request)).answer;
  expect(decode(answer)).toEqual([{}]);
  expect(writes).toBe(1);
});

test("a request that is delivered after it was answered and acknowledged is refused", async () => {
  const job = await heldJob();
  const executor = new StoreExecutor(pipeline.db);
  const plan = (number: number, from: number) =>
    encode({
      attempt: job.attempt,
      operations: [{ number, name: "savePlanStart", args: [job.jobId, from, false] }],
      answered: number,
    });
  await executor.execute(job, plan(1, 100));
  await executor.execute(job, plan(2, 200));
  expect(executor.execute(job, plan(1, 100))).rejects.toThrow(BadMessage);
  expect(await directJobStore(pipeline.db).findJobWork(job.jobId)).toMatchObject({ planFrom: 200 });
});

test("a worker reads and writes nothing but the series, run, provider and job that it has", async () => {
  const job = await heldJob();
  const store = directJobStore(pipeline.db);
  const [own, other] = [await store.seriesId(KEY), await store.seriesId({ ...KEY, symbol: "OTHER" })];
  const executor = new StoreExecutor(pipeline.db);
  const send = async (name: string, ...args: unknown[]) => {
    const operations = [{ number: OPERATIONS[name as keyof typeof OPERATIONS]?.writes ? 1 : 0, name, args }];
    const bytes = encode({ attempt: job.attempt, operations, answered: 0 });
    try {
      const { answer } = await executor.execute(job, bytes);
      return decode(answer!) as StoreResult[];
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      return "refused";
    }
  };
  const good = batch(job, own, 1);
  const refusals = {
    "bars of another series": await send("readBars", other, 0, 10),
    "a batch of another series": await send("saveBatch", { ...good, seriesId: other, barsId: other }),
    "bars under the id of another series": await send("saveBatch", { ...good, barsId: other }),
    "a batch of another run": await send("saveBatch", { ...good, runId: "r-other" }),
    "counters of another job": await send("saveBatch", { ...good, counters: { ...good.counters, jobId: 99 } }),
    "a field that does not exist": await send("saveBatch", { ...good, extraWrites: [{ sql: "DROP TABLE bars" }] }),
    "columns of different lengths": await send("saveBatch", {
      ...good,
      bars: { ...good.bars, ts: new Float64Array(9) },
    }),
    "an alert that jobs do not raise": await send("saveBatch", {
      ...good,
      events: [{ kind: "key_refused", at: 1, provider: "x", reason: "y" }],
    }),
    "another symbol": await send("seriesId", { ...KEY, symbol: "OTHER" }),
    "another provider": await send("listActions", "eodhd", "ACME"),
    "symbols of another run": await send("symbolsOfRun", "r-other"),
    "another account": await send("planFacts", "eodhd:123"),
    "the end of another job": await send("savePlanStart", 99, 1, false),
    "an operation that does not exist": await send("constructor"),
    "an operation without its arguments": await send("readBars"),
  };
  expect(Object.entries(refusals).filter(([, answer]) => answer !== "refused")).toEqual([]);
  expect(await send("saveBatch", good)).toEqual([{}] as never);
  expect(await store.countBars(other, 0, 1e9)).toBe(0);
});
