/** Profiles at intervals that are not stored: their page, and what it is computed from. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { derivedIntervals } from "../../../src/domain/market/interval.ts";
import { FEATURES } from "../../../src/features/catalog.ts";
import { findProfile } from "../../../src/storage/profiles/profiles.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { readTable } from "../exports/read-table.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL"], interval: "1h", years: 2 }), "complete");
});
afterAll(() => app[Symbol.asyncDispose]());

test("derived intervals are those that a stored one divides and that are not stored, each with the finest source", () => {
  expect(derivedIntervals(["1d"])).toEqual([
    { interval: "1w", source: "1d" },
    { interval: "1mo", source: "1d" },
  ]);
  expect(derivedIntervals(["15m", "1d"])).toEqual([
    { interval: "30m", source: "15m" },
    { interval: "1h", source: "15m" },
    { interval: "4h", source: "15m" },
    { interval: "1w", source: "15m" },
    { interval: "1mo", source: "15m" },
  ]);
  expect(derivedIntervals([])).toEqual([]);
});

test.each(["4h", "1d"] as const)(
  "a derived profile at %s equals the last row of the features of that interval",
  async (interval) => {
    const source = (await findProfile(app.app.db, "AAPL", "1h"))!;
    const found = (await app.app.derived.find(source, interval))!;
    const rows = await readTable(await fetch(`${app.url}/api/features/AAPL?interval=${interval}`), "json");
    const last = rows.at(-1)!;
    expect(FEATURES.map((_, at) => (Number.isNaN(found.values[at]) ? null : found.values[at]))).toEqual(
      FEATURES.map(({ name }) => last[name] as number | null),
    );
    expect([found.bars, found.lastBar]).toEqual([rows.length, Date.parse(`${last.timestamp}`) / 1_000]);
  },
);

test("a derived profile is computed again only when the stored profile behind it has changed", async () => {
  const source = (await findProfile(app.app.db, "AAPL", "1h"))!;
  const first = await app.app.derived.find(source, "4h");
  expect(await app.app.derived.find(source, "4h")).toBe(first);
  const changed = await app.app.derived.find({ ...source, updatedAt: source.updatedAt + 1 }, "4h");
  expect(changed).not.toBe(first);
  expect(changed!.values).toEqual(first!.values);
});

test("the page of a derived interval says what it is derived from, and offers nothing that needs stored bars", async () => {
  const { status, text } = await app.get("/profiles/AAPL?interval=4h");
  expect(status).toBe(200);
  expect(text).toContain("4h is not stored");
  expect(text).toContain('data-levels="4h=14400 1d=86400 1w=604800 1mo=2592000"');
  expect(text.match(/class="spark"/g)?.length).toBe(200);
  for (const action of ["Recompute features", "/delete?", "Repair"]) expect(text).not.toContain(action);
});

test("the tabs of a profile list its stored interval and, marked, those that can be derived", async () => {
  const { text } = await app.get("/profiles/AAPL");
  const tabs = /<nav class="tabs" aria-label="Interval">(.*?)<\/nav>/s.exec(text)![1]!;
  const words = [...tabs.matchAll(/<a [^>]*>(.*?)<\/a>/gs)].map(([, word]) => word!.replace(/<[^>]*>/g, ""));
  expect(words).toEqual(["1h", "4h derived", "1d derived", "1w derived", "1mo derived"]);
  expect(text).not.toContain("is not stored");
});

test("an interval that nothing stored divides, or that does not exist, is 404", async () => {
  for (const interval of ["30m", "5m", "2h", ""]) {
    expect((await app.get(`/profiles/AAPL?interval=${interval}`)).status).toBe(404);
  }
});

test("the screener at an interval that is not stored has the values of the derived bars, and says what they are", async () => {
  await app.waitForRun(await app.start({ symbols: ["MSFT", "IBM"], interval: "1h", years: 1 }), "complete");
  const last = async (symbol: string) => {
    const rows = await readTable(await fetch(`${app.url}/api/features/${symbol}?interval=4h&names=rsi_14`), "json");
    return rows.at(-1)!.rsi_14 as number;
  };
  const values = new Map<string, number>();
  for (const symbol of ["AAPL", "IBM", "MSFT"]) values.set(symbol, await last(symbol));
  const [low, high] = [...values].toSorted(([, a], [, b]) => a - b).slice(1) as [[string, number], [string, number]];
  const limit = (low[1] + high[1]) / 2;
  const page = async (where: string, sort = "") => {
    const { text } = await app.get(`/profiles?${new URLSearchParams({ interval: "4h", where, sort })}`);
    expect(text).toContain("No 4h profile is stored: the values are derived from stored 1h bars");
    return [...text.matchAll(/<th scope="row"><a href="([^"]+)">(.*?)<\/a>/g)].map(([, , symbol]) => symbol!);
  };
  expect(await page(`rsi_14 > ${limit}`)).toEqual([high[0]]);
  const byValue = [...values].toSorted(([, a], [, b]) => b - a).map(([symbol]) => symbol);
  expect(await page("rsi_14 > -1", "-rsi_14")).toEqual(byValue);
  expect((await app.get("/profiles?interval=1h")).text).not.toContain("derived from");
});

test("a screen that cannot be read is refused at a derived interval too", async () => {
  expect((await app.get("/profiles?interval=4h&where=rsi_14%20<")).status).toBe(422);
});
