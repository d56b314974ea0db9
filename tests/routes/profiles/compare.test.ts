/** `/profiles/:symbol/compare`: two stored providers of one symbol. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { startApp, type TestApp } from "../../helpers/app.ts";

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL", "MSFT"], years: 2 }), "complete", "failed");
  const [[id]] = (await app.app.db.rows("SELECT id FROM series WHERE symbol = 'AAPL'", [])) as [[number]];
  const write = (sql: string, ...args: unknown[]) => app.app.db.write([{ sql, args }]);
  await write(`INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions)
    VALUES (99, 'AAPL', 'tiingo', 'iex', '1d', 'splits', 'regular')`);
  // Half of its prices up to a split, a price that is off, and a bar that is missing.
  await write(
    `INSERT INTO bars SELECT 99, ts, open * f, high * f, low * f, close * f, volume FROM (SELECT *, CASE
     WHEN row_number() OVER (ORDER BY ts) <= 100 THEN 0.5 WHEN row_number() OVER (ORDER BY ts) = 200 THEN 1.1 ELSE 1 END AS f
     FROM bars WHERE series_id = ?)`,
    id,
  );
  await write(
    "DELETE FROM bars WHERE series_id = 99 AND ts = (SELECT ts FROM bars WHERE series_id = 99 ORDER BY ts LIMIT 1 OFFSET 300)",
  );
});
afterAll(() => app[Symbol.asyncDispose]());

test("two providers are compared bar by bar, with what is the same and where they differ", async () => {
  const { body } = await app.get("/api/profiles/AAPL/compare?interval=1d");
  expect(body.stored).toEqual(["demo", "tiingo"]);
  const { sides, counts, runs, next } = body.comparison;
  expect(sides).toEqual([
    { provider: "demo", synthetic: true, feed: "synthetic", adjustment: "none" },
    { provider: "tiingo", synthetic: false, feed: "iex", adjustment: "splits" },
  ]);
  expect(counts).toMatchObject({ ratio: 101, only_first: 1, only_second: 0, shifted: 0, differ: 0, tick: 0 });
  expect(counts.agree).toBeGreaterThan(300);
  expect(runs[0]).toMatchObject({ verdict: "ratio", bars: 100, ratio: 0.5 });
  expect(next).toBeNull();
});

test("a range and the sides can be chosen", async () => {
  const { body: all } = await app.get("/api/profiles/AAPL/compare?interval=1d&first=tiingo");
  expect(all.comparison.sides.map(({ provider }: { provider: string }) => provider)).toEqual(["tiingo", "demo"]);
  const from = all.comparison.runs[0].to.slice(0, 10);
  const { body } = await app.get(`/api/profiles/AAPL/compare?interval=1d&from=${from}`);
  expect(body.comparison.counts.ratio).toBe(2);
  for (const [query, status] of [
    ["first=demo&second=demo", 422],
    ["second=eodhd", 404],
    ["from=yesterday", 422],
    ["interval=1m", 404],
    ["other=1", 422],
  ]) {
    expect((await app.get(`/api/profiles/AAPL/compare?interval=1d&${query}`.replace("1d&interval=", ""))).status).toBe(
      status as number,
    );
  }
});

test("the page has summary, chart and the stretches; with one provider it says how a second one is stored", async () => {
  const { text } = await app.get("/profiles/AAPL/compare?interval=1d");
  expect(text).toContain("By a ratio");
  expect(text).toContain('class="compare-chart"');
  expect(text).toMatch(/<td class="num">0\.5<\/td>/);
  expect((await app.get("/profiles/MSFT/compare")).text).toContain("Only demo has 1d bars of MSFT here.");
  expect((await app.get("/profiles/MSFT")).text).toContain('href="/profiles/MSFT/compare?interval=1d"');
  expect((await app.get("/profiles/NOPE/compare")).status).toBe(404);
});

test("more bars than can be compared at once are compared in parts, none twice and none left out", async () => {
  const { db } = app.app;
  for (const [id, provider] of [
    [101, "demo"],
    [102, "tiingo"],
  ]) {
    await db.write([
      {
        sql: `INSERT INTO series (id, symbol, provider, feed, interval, adjustment, sessions)
          VALUES (?, 'LONG', ?, 'x', '1m', 'none', 'continuous')`,
        args: [id, provider],
      },
      {
        sql: `INSERT INTO bars WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 24999)
          SELECT ?, 1700000000 / 60 * 60 + i * 60, 5, 6, 4, 5 + i % 7 * 0.1, 1 FROM n`,
        args: [id],
      },
    ]);
  }
  let [from, bars] = ["2020-01-01", 0];
  const parts: number[] = [];
  while (from !== null) {
    const { body } = await app.get(`/api/profiles/LONG/compare?interval=1m&from=${from}`);
    parts.push(body.comparison.counts.agree);
    bars += body.comparison.counts.agree;
    from = body.comparison.next;
  }
  expect([bars, parts]).toEqual([25_000, [10_000, 10_000, 5_000]]);
  // Without a range, the newest.
  const { body } = await app.get("/api/profiles/LONG/compare?interval=1m");
  expect([body.comparison.counts.agree, body.comparison.next]).toEqual([5_001, null]);
});
