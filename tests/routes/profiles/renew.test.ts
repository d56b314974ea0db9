/** `/profiles`: the health of each profile, and renewals of many at once. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_WORKERS: "1" } });
  await app.waitForRun(await app.start({ symbols: ["AAPL", "IBM", "KO", "MSFT", "PEP"], years: 1 }), "complete");
});
afterAll(() => app[Symbol.asyncDispose]());

const send = (path: string, fields: readonly (readonly [string, string])[]) =>
  fetch(app.url + path, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])),
    redirect: "manual",
  });
const list = async (query: string): Promise<string[]> =>
  (await app.get(`/api/profiles?${query}`)).body.profiles.map(
    ({ symbol, health }: { symbol: string; health: string }) => `${symbol} ${health}`,
  );
const change = (sql: string, symbol: string, ...args: (string | number)[]) =>
  app.app.db.write([{ sql: sql.replace("SERIES", `(SELECT id FROM series WHERE symbol = '${symbol}')`), args }]);
const runs = () => app.app.hub.runs();

test("each profile has the most serious health that applies; it can be filtered and sorted by", async () => {
  expect(await list("")).toEqual(["AAPL ok", "IBM ok", "KO ok", "MSFT ok", "PEP ok"]);
  const day = Date.UTC(2026, 0, 5) / 1000;
  await change("INSERT INTO gaps (series_id, date, kind, rows) VALUES (SERIES, ?, 'missing', 0)", "AAPL", day);
  await change("INSERT INTO gaps (series_id, date, kind, rows) VALUES (SERIES, ?, 'outside', 1)", "IBM", day);
  await change("INSERT INTO gaps (series_id, date, kind, rows) VALUES (SERIES, ?, 'missing', 0)", "IBM", day + 86_400);
  await change("UPDATE series SET revised_at = ? WHERE id = SERIES", "KO", Date.now() - 86_400_000);
  await change("UPDATE profiles SET last_bar = last_bar - 864000 WHERE series_id = SERIES", "MSFT");
  // After three empty answers it is no gap, and a revision of last month is not recent.
  await change(
    "INSERT INTO gaps (series_id, date, kind, rows, answers) VALUES (SERIES, ?, 'missing', 0, 3)",
    "PEP",
    day,
  );
  await change("UPDATE series SET suspect_at = ? WHERE id = SERIES", "PEP", Date.now() - 30 * 86_400_000);
  expect(await list("")).toEqual(["AAPL gaps", "IBM suspicious", "KO revised", "MSFT stale", "PEP ok"]);
  expect(await list("health=gaps,stale")).toEqual(["AAPL gaps", "MSFT stale"]);
  expect(await list("sort=-health")).toEqual(["IBM suspicious", "AAPL gaps", "MSFT stale", "KO revised", "PEP ok"]);
  expect((await app.get("/api/profiles/IBM")).body.health).toBe("suspicious");

  const page = (await app.get("/profiles?health=gaps,stale&sort=-health&q=a")).text;
  expect(page).toContain("Has gaps");
  expect(page).not.toContain("MSFT");
  expect((await app.get("/profiles?health=gaps&format=csv")).text).toMatch(/\r\nAAPL,1d,demo,gaps,/);
  expect((await app.get("/profiles/AAPL")).text).toContain("Has gaps");
});

test("a renewal of selected profiles is confirmed with its cost, then starts as confirmed", async () => {
  const picked = [
    ["order", "rebuild"],
    ["scope", "picked"],
    ["symbol", "AAPL/1d"],
    ["symbol", "KO/1d"],
  ] as const;
  const before = runs().length;
  const asked = await send("/profiles/renew", picked);
  const question = await asked.text();
  expect([asked.status, runs().length]).toEqual([200, before]);
  expect(question).toContain("Download again and rebuild: 2 profiles?");
  expect(question).toMatch(/2 symbols: \d+ calls/);
  const done = await send("/profiles/renew", [...picked, ["expect", "2"]]);
  expect([done.status, done.headers.get("location")]).toEqual([303, "/"]);
  const run = runs().toSorted((a, b) => (a.id < b.id ? 1 : -1))[0]!;
  expect([run.mode, run.total]).toEqual(["full", 2]);
  await app.waitForRun(run.id, "complete");
});

test("a renewal of all that match acts only on as many as were shown", async () => {
  await change("DELETE FROM gaps WHERE series_id = SERIES", "IBM");
  const fields = [
    ["order", "engineer"],
    ["scope", "all"],
  ] as const;
  const path = "/profiles/renew?health=gaps,stale";
  expect(await (await send(path, fields)).text()).toContain("Recompute features: 1 profile?");
  await change("UPDATE series SET suspect_at = ? WHERE id = SERIES", "MSFT", 0);
  await change("INSERT INTO gaps (series_id, date, kind, rows) VALUES (SERIES, 0, 'missing', 0)", "PEP");
  const again = await (await send(path, [...fields, ["expect", "1"]])).text();
  expect(again).toContain("Recompute features: 2 profiles?");
  expect(again).toContain("It was 1 when you were asked.");
  expect((await send(path, [...fields, ["expect", "2"]])).status).toBe(303);
  const run = runs().toSorted((a, b) => (a.id < b.id ? 1 : -1))[0]!;
  expect([run.mode, run.total]).toEqual(["reprocess", 2]);
  const { jobs } = await app.waitForRun(run.id, "complete");
  expect(jobs.every(({ apiCalls }) => apiCalls === 0)).toBe(true);

  // Programs do the same, and may ask first.
  const order = { order: "engineer", q: "p", where: "sma_5 > 0" };
  const asked = await app.post("/api/profiles/renew", { ...order, dry_run: true });
  expect([asked.status, asked.body]).toEqual([202, { profiles: 2, busy: 0, runs: [] }]);
  const { body } = await app.post("/api/profiles/renew", order);
  expect(body.runs.map(({ mode, total }: { mode: string; total: number }) => [mode, total])).toEqual([
    ["reprocess", 2],
  ]);
  await app.waitForRun(body.runs[0].id, "complete");
  const named = await app.post("/api/profiles/renew", {
    order: "update",
    profiles: ["AAPL/1d", "NONE/1d"],
    dry_run: true,
  });
  expect(named.body.profiles).toBe(1);
  expect((await app.post("/api/profiles/renew", { order: "burn" })).status).toBe(422);

  expect((await send("/profiles/renew", [["order", "engineer"]])).status).toBe(422);
  expect(
    (
      await send("/profiles/renew", [
        ["order", "burn"],
        ["scope", "all"],
      ])
    ).status,
  ).toBe(422);
});
