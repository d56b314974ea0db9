/** Profiles at intervals that are not stored: their page, and what it is computed from. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import { derivedIntervals } from "../../../src/domain/market/interval.ts";
import { healthClock } from "../../../src/domain/profiles/health.ts";
import { FEATURES } from "../../../src/features/catalog.ts";
import type { Analysis } from "../../../src/pipeline/analysis/analysis.ts";
import type { DerivedTask } from "../../../src/pipeline/analysis/derive-profile.ts";
import { DerivedProfiles } from "../../../src/pipeline/analysis/derived-profiles.ts";
import { PanelRequests } from "../../../src/routes/exports/panel-request.ts";
import { panelQuery } from "../../../src/routes/exports/parameters.ts";
import { derivedMatches, derivedRows } from "../../../src/routes/profiles/derived-list.tsx";
import { findProfile } from "../../../src/storage/profiles/profiles.ts";
import { startApp, type TestApp } from "../../helpers/app.ts";
import { readTable } from "../exports/read-table.ts";

setDefaultTimeout(60_000);

let app: TestApp;
beforeAll(async () => {
  app = await startApp();
  await app.waitForRun(await app.start({ symbols: ["AAPL"], interval: "1h", years: 2 }), "complete");
  await app.waitForRun(await app.start({ symbols: ["MSFT", "IBM"], interval: "1h", years: 1 }), "complete");
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

describe("derived profiles in the API", () => {
  const list = async (query: Record<string, string>) => {
    const { status, body } = await app.get(`/api/profiles?${new URLSearchParams(query)}`);
    return { status, profiles: body.profiles as Profile[] };
  };
  interface Profile {
    readonly symbol: string;
    readonly features: Record<string, number | null>;
    readonly [field: string]: unknown;
  }

  test("the list at an interval that is not stored has the last row of each symbol, and says what it is", async () => {
    const { status, profiles } = await list({ interval: "4h" });
    expect([status, profiles.map(({ symbol }) => symbol)]).toEqual([200, ["AAPL", "IBM", "MSFT"]]);
    for (const profile of profiles) {
      const { symbol, features, ...rest } = profile;
      const rows = await readTable(await fetch(`${app.url}/api/features/${symbol}?interval=4h`), "json");
      const { timestamp, ...last } = rows.at(-1)!;
      expect(features as Record<string, unknown>).toEqual(last);
      const bars = await readTable(await fetch(`${app.url}/api/bars/${symbol}?interval=4h`), "json");
      expect(rest).toMatchObject({
        interval: "4h",
        derived_from: "1h",
        provider: "demo",
        last_bar: `${`${timestamp}`.slice(0, -1)}.000Z`,
        last_close: bars.at(-1)!.close,
      });
      const one = (await app.get(`/api/profiles/${symbol}?interval=4h`)).body;
      expect(one).toEqual({ ...profile, findings: expect.any(Array) });
    }
  });

  test("where, sort, q, limit and offset apply to derived profiles", async () => {
    const all = (await list({ interval: "4h", sort: "-rsi_14" })).profiles;
    const values = all.map(({ features }) => features.rsi_14!);
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    const symbols = async (query: Record<string, string>) =>
      (await list({ interval: "4h", ...query })).profiles.map(({ symbol }) => symbol);
    expect(await symbols({ where: `rsi_14 >= ${values[1]}` })).toEqual([all[0]!.symbol, all[1]!.symbol].toSorted());
    expect(await symbols({ sort: "-rsi_14", limit: "1", offset: "1" })).toEqual([all[1]!.symbol]);
    expect(await symbols({ q: "MS" })).toEqual(["MSFT"]);
    expect(await symbols({ sort: "-health" })).toHaveLength(3);
    expect(await symbols({ offset: "3" })).toEqual([]);
  });

  test("an interval at which nothing is stored or can be derived has no profiles", async () => {
    expect(await list({ interval: "30m" })).toEqual({ status: 200, profiles: [] });
    expect((await app.get("/api/profiles/AAPL?interval=30m")).status).toBe(404);
    expect((await app.get("/api/profiles?interval=2h")).status).toBe(422);
    expect((await app.get("/profiles?interval=30m")).text).toContain("No profile matches");
  });

  test("a panel takes the symbols of a screen at a derived interval", async () => {
    const [top] = (await list({ interval: "4h", sort: "-rsi_14" })).profiles;
    const where = `rsi_14 >= ${top!.features.rsi_14}`;
    const query = new URLSearchParams({ where, interval: "4h", names: "rsi_14" });
    const rows = await readTable(await fetch(`${app.url}/api/panel?${query}`), "json");
    expect([...new Set(rows.map(({ symbol }) => symbol))]).toEqual([top!.symbol]);
    expect(rows.at(-1)!.rsi_14).toBe(top!.features.rsi_14);
    expect((await app.get(`/panel?${query}`)).status).toBe(200);
  });

  test("downloads and pages of the screener at a derived interval have its rows", async () => {
    const { profiles } = await list({ interval: "4h" });
    const json = await app.get("/profiles?interval=4h&format=json");
    expect(JSON.parse(json.text).profiles).toEqual(profiles);
    const lines = (await app.get("/profiles?interval=4h&format=csv&where=rsi_14>0")).text.trim().split("\r\n");
    expect(lines.map((line) => line.split(",").at(-1))).toEqual([
      "rsi_14",
      ...profiles.map(({ features }) => `${features.rsi_14}`),
    ]);
    const second = (await app.get("/profiles?interval=4h&page=2")).text;
    expect(second).toContain('href="/profiles?interval=4h">Previous');
    expect(second).not.toContain('<th scope="row">');
  });

  test("a request for all derived profiles is refused while they are computed, with how many are ready", async () => {
    const { db, profiles } = app.app;
    const never = { runLater: () => new Promise<never>(() => {}) } as unknown as Analysis;
    const derived = new DerivedProfiles(db, profiles, never, 1);
    const query = { interval: "4h", search: "", where: undefined, sort: undefined, columns: [] } as const;
    const refusal = await derived.selectWhole(query).catch((error: unknown) => error);
    derived.close();
    expect(refusal).toMatchObject({ kind: "unavailable", message: expect.stringContaining("0 of 3 symbols") });
  });

  test("symbols that cannot be computed are named, in a list and as missing in a panel", async () => {
    const { db, profiles } = app.app;
    const broken = {
      runLater: ({ symbol }: DerivedTask) =>
        symbol === "IBM" ? Promise.reject(new Error("broken")) : app.app.derived.find(sources.get(symbol)!, "4h"),
    } as unknown as Analysis;
    const sources = new Map((await app.app.derived.sourcesOf("4h")).map((source) => [source.symbol, source]));
    const derived = new DerivedProfiles(db, profiles, broken);
    const services = { ...app.app, derived };
    const panel = new PanelRequests(services);
    const query = panelQuery.parse({ where: "rsi_14 > 0", interval: "4h", names: "rsi_14" });
    const { request, missing } = await panel.read(query);
    expect([request.series.map(({ symbol }) => symbol), missing]).toEqual([["AAPL", "MSFT"], ["IBM"]]);
    const found = await derivedMatches(
      services,
      { filter: {}, interval: "4h", clock: healthClock(CALENDAR, Date.now()) },
      "whole",
    );
    expect(derivedRows("4h", found, []).derived.failed).toEqual(["IBM"]);
  });
});
