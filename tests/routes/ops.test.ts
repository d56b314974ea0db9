/** What supervisors and programs read of the server itself. */

import { expect, test } from "bun:test";
import { startApp } from "../helpers/app.ts";

test("a running server is alive, ready, and reports its metrics", async () => {
  await using app = await startApp();
  app.app.pool.warm();
  const run = await app.start({ symbols: ["AAPL", "DEMO-FAIL"], years: 1, batch_days: 365 });
  await app.waitForRun(run, "failed", "complete");
  expect((await app.get("/healthz")).body).toEqual({ status: "ok" });
  // As a supervisor does: ask until every worker has started.
  let ready = await app.get("/readyz");
  while (ready.status === 503) {
    await Bun.sleep(20);
    ready = await app.get("/readyz");
  }
  expect(ready.status).toBe(200);
  expect(ready.body).toEqual({ status: "ready", database: true, workers: { alive: 2, wanted: 2 } });

  const { text } = await app.get("/metrics");
  expect(text).toContain('barkeep_jobs{state="complete"} 1\n');
  expect(text).toContain('barkeep_jobs{state="failed"} 1\n');
  expect(text).toContain("barkeep_workers_alive 2\n");
  expect(text).toMatch(/barkeep_requests_today\{provider="demo"\} [1-9]/);
  // Every line is a comment or `name{labels} number`, as scrapers want it.
  for (const line of text.trim().split("\n"))
    expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{[^}]*\})? -?[\d.e+]+)$/);
});

test("every route of the API is described, for programs and for people", async () => {
  await using app = await startApp();
  const { body: document } = await app.get("/api/openapi.json");
  const described = Object.entries<object>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  for (const route of [
    "POST /api/runs",
    "GET /api/runs/{id}",
    "POST /api/runs/{id}/{action}",
    "POST /api/runs/{id}/jobs/{symbol}/{action}",
    "GET /api/profiles/{symbol}",
    "DELETE /api/profiles/{symbol}",
    "GET /api/bars/{symbol}",
    "GET /api/features/{symbol}",
    "GET /api/usage",
    "GET /api/events",
  ]) {
    expect(described).toContain(route);
  }
  const page = await app.get("/api/docs");
  expect(page.status).toBe(200);
  for (const route of described) expect(page.text).toContain(route);
});
