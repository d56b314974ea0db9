/** What supervisors and programs read of the server itself. */

import { expect, test } from "bun:test";
import { version } from "../../../package.json";
import { startApp } from "../../helpers/app.ts";

test("a running server is alive, says its version, and is ready before the first job and with its workers", async () => {
  await using app = await startApp({ env: { BARKEEP_COMMIT: "0123456789abcdef0123456789abcdef01234567" } });
  expect((await app.get("/healthz")).body).toEqual({ status: "ok", version, commit: "0123456789ab" });
  const idle = await app.get("/readyz");
  expect([idle.status, idle.body]).toEqual([
    200,
    { status: "ready", database: true, queue: true, workers: { alive: 0, wanted: 0 } },
  ]);
  await app.waitForRun(await app.start({ symbols: ["AAPL"], years: 1 }), "complete");
  const { status, body } = await app.get("/readyz");
  expect([status, body]).toEqual([
    200,
    { status: "ready", database: true, queue: true, workers: { alive: 1, wanted: 1 } },
  ]);
  expect((await app.get("/")).text).toContain(`Barkeep ${version} (0123456789ab)`);
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
