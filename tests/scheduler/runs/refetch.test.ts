/** Fetching again: the dry run equals what is requested. */

import { describe, expect, test } from "bun:test";
import { planRefetch, refetch, sizeOf } from "../../../src/scheduler/runs/refetch.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";

const picks = () => true;
/** Windows in order of time with how often they were asked for. */
const asked = async ({ app }: TestApp, symbol: string) => {
  const sql =
    "SELECT from_ts, to_ts, attempts FROM batches JOIN series ON id = series_id WHERE symbol = ?1 ORDER BY from_ts";
  const rows = (await app.db.rows(sql, [symbol])) as number[][];
  return rows.map(([from, to, attempts]) => ({ from: from!, to: to!, attempts: attempts! }));
};

describe("an ended job", () => {
  test("an ended job can request the days of a cell, everything, or nothing again, and no more than was stated", async () => {
    await using app = await startApp();
    const runId = await app.start({ symbols: ["AAPL"], years: 1 });
    await app.waitForRun(runId, "complete");
    const before = await asked(app, "AAPL");
    const callsOf = () => app.app.hub.job(runId, "AAPL")!.apiCalls;
    expect(before.map(({ attempts }) => attempts)).toEqual(Array(12).fill(1));

    const plan = await planRefetch(app.app, { runId, picks });
    const symbols = ["AAPL"];
    expect(plan).toMatchObject({
      missing: { symbols: [], batches: 0 },
      unanswered: { symbols: [], batches: 0 },
      all: { symbols, batches: 12, calls: 12 },
      features: { symbols, batches: 0, calls: 0 },
    });

    const within = { from: before[4]!.from, to: before[5]!.to };
    const calls = callsOf();
    const cell = await refetch(app.app, { runId, picks, scope: "all", within });
    expect(cell.plan.all).toMatchObject({ batches: 2, calls: 2 });
    const row = await app.waitForJob("AAPL", (job) => job.state === "queued" || job.state === "running");
    expect(row.coverage?.cells).toStartWith("ffff");
    await app.waitForRun(runId, "complete");
    expect((await asked(app, "AAPL")).map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 1, 1]);
    expect(callsOf() - calls).toBe(2);

    // A confirmation of other numbers has no effect.
    expect((await refetch(app.app, { runId, picks, scope: "all", expected: "1.11" })).done).toBe(false);
    expect((await refetch(app.app, { runId, picks, scope: "all", expected: sizeOf(plan.all!) })).done).toBe(true);
    await app.waitForRun(runId, "complete");
    expect((await asked(app, "AAPL")).map(({ attempts }) => attempts)).toEqual([2, 2, 2, 2, 3, 3, 2, 2, 2, 2, 2, 2]);

    const all = callsOf();
    await refetch(app.app, { runId, picks, scope: "features" });
    await app.waitForRun(runId, "complete");
    expect(callsOf()).toBe(all);
    await expect(refetch(app.app, { runId, picks, scope: "missing" })).rejects.toThrow("Nothing is left");
  });

  test("a stopped job lacks what it did not reach; a queued one is left alone", async () => {
    await using app = await startApp({ env: { DEMO_LATENCY_MS: "10" } });
    const runId = await app.start({ symbols: ["AAPL", "MSFT"], years: 1, max_workers: 1 });
    await app.waitForJob("AAPL", ({ microStage }) => microStage.startsWith("Batch 5/"));
    await expect(planRefetch(app.app, { runId, picks })).rejects.toThrow("still in the queue");
    await app.post(`/api/runs/${runId}/cancel`);
    const waiting = await planRefetch(app.app, { runId, picks: ({ symbol }) => symbol === "MSFT" });
    expect(waiting.missing).toMatchObject({ symbols: ["MSFT"], batches: 12, calls: 12 });
    const { body } = await app.get(`/api/runs/${runId}`);
    expect(body.run.jobs.map((job: { state: string }) => job.state)).toEqual(["cancelled", "cancelled"]);
    await refetch(app.app, { runId, picks, scope: "missing" });
    await app.waitForRun(runId, "complete");
    expect((await asked(app, "AAPL")).length).toBe(12);
  });
});
