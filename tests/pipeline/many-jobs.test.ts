/**
 * Many jobs at work on one thread with slow requests: what happens to one does not affect the others. The tests run
 * together, as they mostly wait; each has a server of its own.
 */

import { expect, test } from "bun:test";
import { openDatabase } from "../../src/storage/db.ts";
import { startApp, type TestApp } from "../helpers/app.ts";
import { migratedDatabase, temporaryFolder } from "../helpers/folder.ts";
import { spawnServer } from "../helpers/server.ts";

/** One thread, and requests that take far longer than what is computed between them. */
const SLOW = { BARKEEP_WORKERS: "1", DEMO_LATENCY_MS: "150" };
const SYMBOLS = Array.from({ length: 8 }, (_, i) => `S${i}`);

const ledger = async (app: TestApp, symbol: string) =>
  (await app.app.db.rows("SELECT attempts FROM batches JOIN series ON id = series_id WHERE symbol = ?1", [symbol])).map(
    ([attempts]) => attempts,
  );

/** Waits until so many jobs of the run are at work at once. */
async function atWork({ app }: TestApp, runId: string, jobs: number): Promise<void> {
  while ((app.hub.runs().find(({ id }) => id === runId)?.counts.running ?? 0) < jobs) await Bun.sleep(5);
}

test.concurrent("one thread works on many symbols at once; pausing, cancelling and failing ones do not affect the others", async () => {
  await using app = await startApp({ env: SLOW });
  const runId = await app.start({ symbols: [...SYMBOLS, "DEMO-FAIL", "VOD@LSE"], years: 1 });
  await atWork(app, runId, 6);
  expect(app.app.pool.size).toBe(1);
  await app.post(`/api/runs/${runId}/jobs/S1/pause`);
  await app.post(`/api/runs/${runId}/jobs/S2/cancel`);
  const { jobs } = await app.waitForRun(runId, "paused");
  const states = Object.fromEntries(jobs.map(({ symbol, state }) => [symbol, state]));
  expect(states).toEqual({
    ...Object.fromEntries(SYMBOLS.map((symbol) => [symbol, "complete"])),
    S1: "paused",
    S2: "cancelled",
    "DEMO-FAIL": "failed",
    "VOD@LSE": "failed",
  });
  expect(await ledger(app, "S0")).toEqual(Array(12).fill(1));
  expect((await ledger(app, "S1")).length).toBeLessThan(12);
  await app.post(`/api/runs/${runId}/jobs/S1/resume`);
  await app.waitForRun(runId, "failed");
  expect(await ledger(app, "S1")).toEqual(Array(12).fill(1));
}, 60_000);

test.concurrent("a symbol that crashes its thread fails after three crashes, and none of those that shared the thread", async () => {
  const workerScript = new URL("../fakes/workers/crashing-worker.ts", import.meta.url);
  await using app = await startApp({ workerScript, env: { ...SLOW, DEMO_LATENCY_MS: "60" } });
  const runId = await app.start({ symbols: [...SYMBOLS, "CRASHES"], years: 1 });
  const { jobs } = await app.waitForRun(runId, "failed");
  expect(jobs.filter(({ state }) => state !== "complete").map(({ symbol }) => symbol)).toEqual(["CRASHES"]);
  const crashes = await app.app.db.rows("SELECT symbol, deaths FROM jobs WHERE deaths > 0", []);
  const others = crashes.filter(([symbol]) => symbol !== "CRASHES").map(([, deaths]) => deaths);
  // It shared the thread with others once, and was alone from then on.
  expect(others.length).toBeGreaterThan(1);
  expect(new Set(others)).toEqual(new Set([1]));
  expect(crashes.find(([symbol]) => symbol === "CRASHES")?.[1]).toBe(3);
}, 60_000);

test.concurrent("`max_workers` bounds the symbols of a run that are at work at once", async () => {
  await using app = await startApp({ env: SLOW });
  const runId = await app.start({ symbols: SYMBOLS, years: 1, max_workers: 3 });
  let most = 0;
  const counts = () => app.app.hub.runs().find(({ id }) => id === runId)!.counts;
  for (let i = 0; i < 200 && counts().complete === 0; i++) {
    most = Math.max(most, counts().running);
    await Bun.sleep(10);
  }
  expect(most).toBe(3);
}, 60_000);

test.concurrent("SIGTERM stores the batch of every request that is under way", async () => {
  using folder = temporaryFolder();
  const url = await migratedDatabase(folder);
  const server = spawnServer({ BARKEEP_DB_URL: url, BARKEEP_WORKERS: "1", DEMO_LATENCY_MS: "3000" });
  const client = await server.listening;
  const { body } = await client.post("/api/runs", { symbols: SYMBOLS, years: 1 });
  const started = async () =>
    (await client.get(`/api/runs/${body.run.id}`)).body.run.jobs.every(
      (job: { micro_stage: string }) => job.micro_stage === "Batch 1/12: 0%",
    );
  while (!(await started())) await Bun.sleep(20);
  // The last of them has reported its start, and sends its request a moment later.
  await Bun.sleep(100);
  expect(await server.stop()).toBe(0);
  const db = await openDatabase(url);
  const stored = await db.rows(
    "SELECT symbol, count(*) FROM batches JOIN series ON id = series_id GROUP BY symbol",
    [],
  );
  const states = await db.rows("SELECT DISTINCT state FROM jobs", []);
  db.close();
  expect(stored).toEqual(SYMBOLS.map((symbol) => [symbol, 1]));
  expect(states).toEqual([["queued"]]);
}, 60_000);
