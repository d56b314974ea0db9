/** The analysis of a profile and the reports on its features: their pages, parts, and what they are computed from. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { DAY } from "../../../src/domain/market/interval.ts";
import { statisticsOf } from "../../../src/domain/profiles/statistics.ts";
import { isoDate } from "../../../src/domain/time.ts";
import { FEATURES } from "../../../src/features/catalog.ts";
import { RECENT_BARS } from "../../../src/pipeline/analysis/feature-report.ts";
import { findProfile } from "../../../src/storage/profiles/profiles.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";

setDefaultTimeout(60_000);

let app: TestApp;
const daysAgo = (days: number) => isoDate(Date.now() / 1_000 - days * DAY);
beforeAll(async () => {
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL", "MSFT"], years: 3 }), "complete");
  await app.waitForRun(await app.start({ symbols: ["SPY"], interval: "5m", years: 1 }), "complete");
  await app.waitForRun(await app.start({ symbols: ["IBM"], from: daysAgo(60), to: daysAgo(3) }), "complete", "failed");
});
afterAll(() => app[Symbol.asyncDispose]());

/** The text of a page without its markup. */
const wordsOf = (html: string) => html.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
const readJson = async (path: string) => (await app.get(path)).body.data as Record<string, number>[];
const stored = async (symbol: string, interval: "1d" | "5m") => (await findProfile(app.app.db, symbol, interval))!;

test("the report on features holds the newest bars against the year before, of the values that the API gives", async () => {
  const report = (await app.app.reports.features(await stored("AAPL", "1d"), "1d"))!;
  expect([report.bars, report.every, report.recentBars, report.isWholeYear]).toEqual([252, 1, RECENT_BARS, true]);
  const rows = await readJson("/api/features/AAPL?names=rsi_14,sma_200");
  const at = FEATURES.findIndex(({ name }) => name === "rsi_14");
  const values = rows.map(({ rsi_14 }) => rsi_14!);
  const year = values.slice(-RECENT_BARS - 252, -RECENT_BARS);
  const today = values.at(-1)!;
  const { value, count, percentile, histogram, drift } = report.features[at]!;
  expect([value, count]).toEqual([today, 252]);
  const below = year.filter((each) => each < today).length + year.filter((each) => each === today).length / 2;
  expect(percentile).toBeCloseTo((100 * below) / 252, 9);
  expect(histogram!.counts.reduce((sum, each) => sum + each, 0)).toBe(252);
  expect(drift!.psi).toBeGreaterThan(0);
  expect(Math.min(...report.features[at]!.lows)).toBe(Math.min(...values.slice(-RECENT_BARS - 252)));
});

test("a year of many bars is counted in whole stretches, and a short history says that it is less than a year", async () => {
  const long = (await app.app.reports.features(await stored("SPY", "5m"), "5m"))!;
  expect(long.every).toBe(2);
  const at = FEATURES.findIndex(({ name }) => name === "rsi_14");
  expect(long.features[at]!.count).toBeLessThanOrEqual(10_020);
  expect(long.features[at]!.count).toBeGreaterThan(9_000);
  const short = (await app.app.reports.features(await stored("IBM", "1d"), "1d"))!;
  expect(short.isWholeYear).toBe(false);
  expect(short.features[at]!.drift).toBeNull();
});

test("a report is computed once for the same bars", async () => {
  const source = await stored("AAPL", "1d");
  expect(await app.app.reports.features(source, "1d")).toBe(await app.app.reports.features(source, "1d"));
  expect(await app.app.reports.features({ ...source, updatedAt: 1 }, "1d")).not.toBe(
    await app.app.reports.features(source, "1d"),
  );
  const range = { from: 0, to: Number.MAX_SAFE_INTEGER };
  expect(await app.app.reports.series(source, "1d", range)).toBe(await app.app.reports.series(source, "1d", range));
});

test("statistics are those of the daily closes, of shorter bars the last of each day", async () => {
  const bars = await readJson("/api/bars/AAPL");
  const expected = statisticsOf(
    { ts: bars.map(({ timestamp }) => Date.parse(String(timestamp)) / 1_000), close: bars.map(({ close }) => close!) },
    252,
  );
  const range = { from: Number.MIN_SAFE_INTEGER, to: Number.MAX_SAFE_INTEGER };
  const daily = (await app.app.reports.series(await stored("AAPL", "1d"), "1d", range))!;
  expect(daily.statistics).toEqual(expected);
  expect([daily.unit, daily.perYear, daily.hourly]).toEqual(["day", 252, null]);
  const minutes = (await app.app.reports.series(await stored("SPY", "5m"), "5m", range))!;
  const days = await readJson("/api/bars/SPY?interval=1d");
  expect(minutes.statistics.closes).toBe(days.length);
  expect(minutes.statistics.totalReturn).toBeCloseTo(days.at(-1)!.close! / days[0]!.close! - 1, 9);
  expect(minutes.hourly!.rows).toEqual([9, 10, 11, 12, 13, 14, 15]);
  expect(minutes.hourly!.columns).toEqual([1, 2, 3, 4, 5]);
  expect(minutes.timeZone).toBe("America/New_York");
});

test("the analysis is a page with numbers and their definitions, and a part for the page of the profile", async () => {
  const page = await app.get("/profiles/AAPL/analysis?interval=1d");
  const words = wordsOf(page.text);
  for (const text of ["Sharpe a year", "× √252", "Volume by price", "Returns by month and year", "Definitions"])
    expect(words).toContain(text);
  const part = await fetch(`${app.url}/profiles/AAPL/analysis?interval=1d`, { headers: { "HX-Request": "true" } });
  const text = await part.text();
  expect(text).toStartWith("<section");
  expect(text).not.toContain("<html");
  expect(part.headers.get("vary")).toContain("HX-Request");
  expect((await app.get("/profiles/AAPL")).text).toContain("/profiles/AAPL/analysis?interval=1d");
});

test("an analysis of too few bars says what is missing", async () => {
  const words = wordsOf((await app.get("/profiles/AAPL/analysis?interval=1d&range=1m")).text);
  expect(words).toMatch(/less than a year: \d+ of 252 days/);
  expect(words).toMatch(/not enough closes: \d+ of 60 returns/);
  const weekly = wordsOf((await app.get("/profiles/AAPL/analysis?interval=1w")).text);
  expect(weekly).toContain("Months are not computed from weekly bars");
  expect(weekly).toContain("× √52");
});

test("hours are shown of bars of at most an hour", async () => {
  const words = wordsOf((await app.get("/profiles/SPY/analysis?interval=5m")).text);
  expect(words).toContain("Seasonality by hour and weekday");
  expect(words).toContain("on the clock of America/New_York");
  expect(wordsOf((await app.get("/profiles/SPY/analysis?interval=1d")).text)).not.toContain("Seasonality by hour");
});

test("a feature has a page with its percentile and what its drift is held against", async () => {
  const report = (await app.app.reports.features(await stored("AAPL", "1d"), "1d"))!;
  const at = FEATURES.findIndex(({ name }) => name === "rsi_14");
  const { percentile, drift } = report.features[at]!;
  const words = wordsOf((await app.get("/profiles/AAPL/features/rsi_14?interval=1d")).text);
  expect(words).toContain(`${percentile!.toFixed(1)}: above`);
  expect(words).toContain(drift!.psi.toFixed(2));
  expect(words).toContain("by the usual thresholds (0.1, 0.2)");
  expect(words).toContain(`up to ${drift!.byChance.toFixed(2)} by chance`);
  expect(wordsOf((await app.get("/profiles/IBM/features/rsi_14?interval=1d")).text)).toContain(
    "not known: too few values",
  );
});

test("what cannot be analysed is not found or refused", async () => {
  expect((await app.get("/profiles/AAPL/features/nonsense")).status).toBe(404);
  expect((await app.get("/profiles/NONE/features/rsi_14")).status).toBe(404);
  expect((await app.get("/profiles/NONE/analysis")).status).toBe(404);
  expect((await app.get("/profiles/AAPL/analysis?range=2y")).status).toBe(422);
  expect((await app.get("/profiles/AAPL/analysis?interval=2d")).status).toBe(422);
});

test("the list counts drift in the background, and says what it has not counted yet", async () => {
  const { profiles, reports } = app.app;
  const entries = (await profiles.all()).filter(({ interval }) => interval === "1d");
  let counts = await reports.driftCounts(entries);
  // Between two tasks of readers the thread does one in the background.
  for (let round = 1; counts.includes(undefined) && round < 50; round++) {
    await reports.series(await stored("AAPL", "1d"), "1d", { from: round, to: 100 });
    counts = await reports.driftCounts(entries);
  }
  const bySymbol = new Map(entries.map(({ symbol }, at) => [symbol, counts[at]]));
  expect(bySymbol.get("IBM")).toBeNull();
  expect(bySymbol.get("MSFT")!.of).toBeGreaterThan(100);
  const words = wordsOf((await app.get("/profiles?interval=1d")).text);
  expect(words).toContain(`${bySymbol.get("MSFT")!.drifted}/${bySymbol.get("MSFT")!.of}`);
  // A longer series is left to its own page.
  expect(await reports.driftCounts([{ ...entries[0]!, seriesId: -1, bars: 60_000 }])).toEqual([null]);
});
