/** Recomputing what an older catalogue computed, and fields that only some modes use. */

import { expect, test } from "bun:test";
import { startApp } from "../../helpers/app.ts";

test("outdated profiles are recomputed without a request, and nothing else is", async () => {
  await using app = await startApp();
  const first = await app.start({ symbols: ["AAPL", "MSFT", "SPY"], years: 1 });
  await app.waitForRun(first, "complete", "failed");
  expect((await app.post("/api/runs/outdated")).body).toEqual({ runs: [] });
  await app.app.db.write([{ sql: "UPDATE profiles SET catalog_version = '0' WHERE symbol <> 'SPY'", args: [] }]);
  const { status, body } = await app.post("/api/runs/outdated");
  expect([status, body.runs.length, body.runs[0].mode]).toEqual([202, 1, "reprocess"]);
  const { jobs } = await app.waitForRun(body.runs[0].id, "complete", "failed");
  expect(jobs.map(({ symbol, state, apiCalls }) => [symbol, state, apiCalls])).toEqual([
    ["AAPL", "complete", 0],
    ["MSFT", "complete", 0],
  ]);
  expect((await app.post("/api/runs/outdated")).body).toEqual({ runs: [] });
});

test("a field that a mode does not use is refused at that field", async () => {
  await using app = await startApp();
  const wrong = [
    [{ mode: "incremental", rebuild: true }, "rebuild"],
    [{ mode: "full", repair_provider: "csv" }, "repair_provider"],
    [{ mode: "repair", repair_provider: "nobody" }, "repair_provider"],
    [{ mode: "repair", repair_provider: "demo" }, "repair_provider"],
    [{ mode: "full", rebuild: "yes" }, "rebuild"],
  ] as const;
  for (const [order, path] of wrong) {
    const { status, body } = await app.post("/api/runs", { symbols: ["AAPL"], ...order });
    expect([status, body.errors[0].path]).toEqual([422, path]);
  }
  expect((await app.get("/api/runs")).body.runs).toEqual([]);
});
