import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { emptyBars } from "../../../src/domain/market/bars.ts";
import type { Interval } from "../../../src/domain/market/interval.ts";
import { isoDate } from "../../../src/domain/time.ts";
import { insertBars, seriesId } from "../../../src/storage/market/bars.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp({ env: { BARKEEP_WORKERS: "1", EODHD_PER_DAY: "40", YAHOO: "on" } });
});
afterAll(() => app[Symbol.asyncDispose]());

const preview = async (order: Record<string, string>, headers: Record<string, string> = {}) => {
  const answer = await fetch(`${app.url}/runs/preview`, {
    method: "POST",
    headers: { Origin: app.url, ...headers },
    body: new URLSearchParams({ mode: "full", interval: "1d", years: "1", provider: "eodhd", ...order }),
  });
  return answer.text();
};

test("a run's estimated units are those that its provider declares, also before the first request", async () => {
  // Daily bars in one request, then splits and dividends.
  expect(await preview({ symbols: "AAPL, MSFT" })).toStartWith("2 symbols: 6 calls");
  // A year of minutes in windows of 90 days at 5 units each; crypto has no splits and dividends.
  expect(await preview({ symbols: "AAPL", interval: "1m" })).toMatch(
    /^1 symbol: 6 calls \(22 units\), (?:under|about) \d+s if it answers as usual\. About [\d,]+ bars \([\d.]+ MB\), \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d\.$/,
  );
  expect(await preview({ symbols: "BTC-USD", interval: "1m" })).toStartWith("1 symbol: 4 calls (20 units)");
  // 44 units do not fit into a day of 40.
  expect(await preview({ symbols: "AAPL, MSFT", interval: "1m" })).toContain("finishes after the quota reset at ");
  expect(await preview({ symbols: "AAPL", interval: "1m", mode: "reprocess" })).toStartWith("1 symbol: no calls");
});

test("what a vendor no longer keeps costs no requests", async () => {
  // 29 days in windows of 7, and the rest of the batch in which they begin; the whole year would take 60.
  const calls = Number(/(\d+) calls/.exec(await preview({ symbols: "AAPL", provider: "yahoo", interval: "1m" }))?.[1]);
  expect(calls).toBeGreaterThanOrEqual(5);
  expect(calls).toBeLessThanOrEqual(10);
  expect(await preview({ symbols: "AAPL", provider: "yahoo", interval: "1d" })).toStartWith("1 symbol: 1 call");
});

test("the reset that a run waits for is shown in the reader's zone", async () => {
  const order = { symbols: "AAPL, MSFT", interval: "1m" };
  const midnight = /finishes after the quota reset at <time[^>]*>\d{4}-\d\d-\d\d 00:00 UTC<\/time>\. About /;
  expect(await preview(order)).toMatch(midnight);
  const evening = /at <time[^>]*>\d{4}-\d\d-\d\d (?:19:00 EST|20:00 EDT)<\/time>/;
  expect(await preview(order, { Cookie: "barkeep-zone=exchange" })).toMatch(evening);
});

test("bars of another provider are not stored already, those of the run's own are, whose profile it may no longer be", async () => {
  await app.waitForRun(
    await app.start({ symbols: ["AAPL", "MSFT"], provider: "demo", years: 1 }),
    "complete",
    "failed",
  );
  expect(await preview({ symbols: "AAPL, MSFT" })).not.toContain("stored already");
  const demo = { symbols: "AAPL, MSFT, IBM", provider: "demo" };
  expect(await preview(demo)).toMatch(/ 2 of them are stored already, up to \d{4}-\d\d-\d\d\.$/);
  expect(await preview({ ...demo, interval: "1h" })).not.toContain("stored already");
  await app.app.db.write([{ sql: "UPDATE profiles SET provider = 'eodhd'", args: [] }]);
  expect(await preview(demo)).toContain("2 of them are stored already");
});

test("a run for bars that can be built from stored ones says so before it costs calls", async () => {
  const { db } = app.app;
  const store = async (symbol: string, interval: Interval, bars: number) => {
    const key = { symbol, provider: "eodhd", feed: "x", interval, adjustment: "none", sessions: "regular" };
    const id = await seriesId(db, key);
    if (bars > 0) await db.write(insertBars(id, emptyBars(bars)));
  };
  await store("FINE", "1m", 1);
  await store("BOTH", "1m", 1);
  await store("BOTH", "1h", 1);
  await store("NONE", "1m", 0);
  const order = { interval: "1h" };
  const sentence = "1h bars can be read without calls, built from stored 1m bars.";
  expect(await preview({ ...order, symbols: "FINE" })).toEndWith(` Its ${sentence}`);
  // Made-up bars say nothing of those of another provider.
  expect(await preview({ ...order, symbols: "FINE", provider: "demo" })).not.toContain("built from");
  expect(await preview({ ...order, symbols: "FINE, BOTH, NONE, ELSE" })).toEndWith(` Of 1 of them, ${sentence}`);
  for (const symbols of ["BOTH", "NONE", "ELSE"])
    expect(await preview({ ...order, symbols })).not.toContain("built from");
  for (const [name, value] of [
    ["interval", "1m"],
    ["mode", "incremental"],
    ["mode", "reprocess"],
  ] as const)
    expect(await preview({ ...order, symbols: "FINE", [name]: value })).not.toContain("built from");
});

test("bars that were deleted by choice cost no requests, unless the run names an earlier first day", async () => {
  const now = Math.floor(Date.now() / 1_000);
  const kept = Math.floor((now - 100 * 86_400) / 86_400) * 86_400;
  const { db } = app.app;
  for (const symbol of ["NFLX", "AMD"]) {
    const key = {
      symbol,
      provider: "eodhd",
      feed: "x",
      interval: "1m",
      adjustment: "none",
      sessions: "regular",
    } as const;
    const id = await seriesId(db, key);
    if (symbol === "NFLX") await db.write([{ sql: "UPDATE series SET kept_from = ? WHERE id = ?", args: [kept, id] }]);
  }
  const day = isoDate(kept);
  // A year of minutes takes five windows of 90 days; of the kept 100 days two, and two lists of actions.
  expect(await preview({ symbols: "AMD", interval: "1m" })).toStartWith("1 symbol: 6 calls");
  const one = await preview({ symbols: "NFLX", interval: "1m" });
  expect(one).toMatch(/^1 symbol: [34] calls/);
  expect(one).toContain(` Bars before ${day} were deleted by choice and are not requested.`);
  expect(await preview({ symbols: "NFLX, AMD", interval: "1m" })).toContain(
    ` Old bars of 1 of them, before ${day} at the latest, were deleted by choice and are not requested.`,
  );
  const named = await preview({ symbols: "NFLX", interval: "1m", from: isoDate(now - 365 * 86_400) });
  expect(named).toStartWith("1 symbol: 6 calls");
  expect(named).not.toContain("deleted");
});
