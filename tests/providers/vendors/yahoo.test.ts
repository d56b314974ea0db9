/** What only Yahoo does: bars that are kept for some days, snapshots, empty rows, refusals, its own names. */

import { afterAll, describe, expect, test } from "bun:test";
import { DAY, type Interval } from "../../../src/domain/market/interval.ts";
import { providerOn } from "../../fakes/providers.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { chartError, fakeYahoo } from "../../fakes/vendors/yahoo.ts";
import { at } from "../../helpers/inputs/bars.ts";
import { recordingContext } from "../fetch-context.ts";

const NOW = at("2026-06-10T21:00:00Z");
const window = (symbol: string, interval: Interval, from: string, to: string) => ({
  symbol,
  interval,
  from: at(from),
  to: at(to),
  asOf: NOW,
});

const fake = fakeYahoo();
fake.clock = () => NOW * 1000;
afterAll(fake.close);
const provider = providerOn(fake, "yahoo");
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error) => error,
  );
/** An answer with the given columns. */
const chart = (meta: object, timestamp: number[], quote: object, events = {}) => ({
  chart: { result: [{ meta, timestamp, indicators: { quote: [quote] }, events }], error: null },
});
const same = (count: number, value: number | null = 10) => Array<number | null>(count).fill(value);
const flat = (count: number) => ({
  open: same(count),
  high: same(count),
  low: same(count),
  close: same(count),
  volume: same(count, 5),
});

test("times without as many prices are no answer, and not times at which nothing was traded", async () => {
  const times = [at("2026-06-08T13:30:00Z"), at("2026-06-09T13:30:00Z")];
  const days = window("AAPL", "1d", "2026-06-08", "2026-06-10");
  for (const quote of [{}, { ...flat(2), close: same(1) }]) {
    fake.script.push(...Array(3).fill(reply(200, chart({}, times, quote))));
    const error = await failureOf(provider.fetchBars(days, recordingContext()));
    expect([error.kind, error.message]).toEqual([
      "invalid_response",
      expect.stringMatching(/^Yahoo Finance: unexpected answer: 2 times have [01] values of "(?:open|close)"$/),
    ]);
  }
  fake.script.push(reply(200, chart({}, times, flat(2))));
  expect((await provider.fetchBars(days, recordingContext())).bars.ts.length).toBe(2);
});

describe("what Yahoo keeps", () => {
  test.each([
    ["1m", "2026-05-13", 5],
    ["5m", "2026-04-13", 1],
    ["1h", "2024-06-12", 2],
  ] as const)(
    "Yahoo's %s bars older than it keeps are not in the plan, and cost no request",
    async (interval, first, most) => {
      fake.urls.length = 0;
      const asked = window("AAPL", interval, "2024-01-01", "2026-06-10");
      const { bars, notInPlan } = await provider.fetchBars(asked, recordingContext());
      expect(bars.ts[0]!).toBeGreaterThanOrEqual(at(first));
      expect(bars.ts[0]!).toBeLessThan(at(first) + 4 * DAY);
      expect(notInPlan).toEqual([
        { from: at("2024-01-01"), to: at(first), words: expect.stringMatching(/^bars of \w+ are kept for \d+ days$/) },
      ]);
      expect(fake.urls.length).toBeLessThanOrEqual(most);
      for (const { searchParams } of fake.urls)
        expect(Number(searchParams.get("period1"))).toBeGreaterThanOrEqual(at(first));
    },
  );

  test("a window before all that Yahoo keeps is asked for not at all", async () => {
    const context = recordingContext();
    const { bars, notInPlan } = await provider.fetchBars(window("AAPL", "15m", "2025-01-01", "2025-02-01"), context);
    expect([bars.ts.length, context.costs.length]).toEqual([0, 0]);
    expect(notInPlan).toMatchObject([{ from: at("2025-01-01"), to: at("2025-02-01") }]);
  });

  test("daily bars go back to the first", async () => {
    const { bars, notInPlan } = await provider.fetchBars(
      window("AAPL", "1d", "2010-01-01", "2026-06-10"),
      recordingContext(),
    );
    expect([bars.ts[0], notInPlan]).toEqual([at("2010-01-04"), []]);
  });
});

describe("Yahoo's rows", () => {
  test("a row without prices is no bar, and one with some is rejected for it", async () => {
    const quote = {
      ...flat(3),
      open: [10, null, null],
      high: [10, null, 10],
      low: [10, null, 10],
      close: [10, null, 10],
    };
    const times = [0, 1, 2].map((n) => at("2026-06-08T13:30:00Z") + n * 300);
    fake.script.push(reply(200, chart({}, times, quote)));
    const { bars, rejected } = await provider.fetchBars(
      window("AAPL", "5m", "2026-06-08", "2026-06-09"),
      recordingContext(),
    );
    expect([...bars.ts]).toEqual([times[0]!, times[2]!]);
    expect([bars.open[1], rejected.length]).toEqual([Number.NaN, 0]);
  });

  test("prices rounded to single precision are read as the decimals they were", async () => {
    const [cents, thirds, whole] = [Math.fround(206.78), Math.fround(206.78 / 3), 34.25];
    const quote = { ...flat(1), open: [cents], high: [cents], low: [thirds], close: [whole] };
    fake.script.push(reply(200, chart({}, [at("2026-06-08T13:30:00Z")], quote)));
    const { bars } = await provider.fetchBars(window("AAPL", "1d", "2026-06-08", "2026-06-09"), recordingContext());
    expect([bars.open[0], bars.low[0], bars.close[0]]).toEqual([206.78, 68.92667, 34.25]);
  });

  test("the last row is left out if it is the last trade: off the grid, or after the close", async () => {
    const open = at("2026-06-08T13:30:00Z");
    for (const last of [open + 300 + 47, at("2026-06-08T20:00:00Z")]) {
      const meta = { currentTradingPeriod: { regular: { end: at("2026-06-08T20:00:00Z") } } };
      fake.script.push(reply(200, chart(meta, [open, open + 300, last], flat(3))));
      const asked = window("AAPL", "5m", "2026-06-08", "2026-06-09");
      const { bars, rejected } = await provider.fetchBars(asked, recordingContext());
      expect([[...bars.ts], rejected]).toEqual([[open, open + 300], []]);
    }
  });

  test("of two rows for one day the later one counts", async () => {
    const times = [at("2026-06-08T13:30:00Z"), at("2026-06-08T19:59:58Z")];
    fake.script.push(
      reply(200, chart({ exchangeTimezoneName: "America/New_York" }, times, { ...flat(2), volume: [5, 6] })),
    );
    const { bars } = await provider.fetchBars(window("AAPL", "1d", "2026-06-08", "2026-06-09"), recordingContext());
    expect([[...bars.ts], [...bars.volume]]).toEqual([[at("2026-06-08")], [6]]);
  });

  test("a day is dated on the exchange's clock, the morning of Sydney and the midnight of Tokyo too", async () => {
    for (const [symbol, zone, open] of [
      ["BHP@AU", "Australia/Sydney", "2026-01-07T23:00:00Z"],
      ["7203@TSE", "Asia/Tokyo", "2026-01-08T00:00:00Z"],
      ["VOD@LSE", "Europe/London", "2026-01-08T08:00:00Z"],
    ] as const) {
      fake.script.push(reply(200, chart({ exchangeTimezoneName: zone }, [at(open)], flat(1))));
      const { bars } = await provider.fetchBars(window(symbol, "1d", "2026-01-08", "2026-01-09"), recordingContext());
      expect([...bars.ts]).toEqual([at("2026-01-08")]);
      const { searchParams } = fake.urls.at(-1)!;
      expect(Number(searchParams.get("period1"))).toBeLessThan(at(open));
    }
  });

  test("Yahoo's volume of a pair is an amount of money: unknown here", async () => {
    const { bars } = await provider.fetchBars(window("BTC-USD", "1d", "2026-06-01", "2026-06-03"), recordingContext());
    expect([...bars.ts]).toEqual([at("2026-06-01"), at("2026-06-02")]);
    expect([...bars.volume]).toEqual([Number.NaN, Number.NaN]);
  });

  test("splits and dividends come with the bars; one in pence or pounds is not applied", async () => {
    const ex = at("2026-06-08T13:30:00Z");
    const events = {
      splits: { [ex]: { date: ex, numerator: 1, denominator: 10, splitRatio: "1:10" }, odd: { date: ex } },
      dividends: { [ex]: { date: ex, amount: 0.25 } },
    };
    const asked = window("AAPL", "1d", "2026-06-08", "2026-06-09");
    for (const [currency, extra] of [
      ["USD", {}],
      ["GBp", { currency: "GBp or its hundredfold" }],
    ] as const) {
      fake.script.push(
        reply(200, chart({ currency, exchangeTimezoneName: "America/New_York" }, [ex], flat(1), events)),
      );
      expect((await provider.fetchBars(asked, recordingContext())).actions).toEqual([
        { kind: "split", date: at("2026-06-08"), value: 0.1 },
        { kind: "dividend", date: at("2026-06-08"), value: 0.25, ...extra },
      ]);
    }
  });

  test("an odd list of splits leaves the dividends, and entries that cannot be read are put aside and said", async () => {
    const ex = at("2026-06-08T13:30:00Z");
    const dividends = {
      a: null,
      b: { date: ex, amount: 0.25 },
      c: { date: "soon", amount: 1 },
      d: { date: ex, amount: 4 },
    };
    const meta = { currency: "USD", exchangeTimezoneName: "America/New_York" };
    for (const splits of [[], 7, [{ date: ex, numerator: 1, denominator: 0 }]]) {
      fake.script.push(reply(200, chart(meta, [ex], flat(1), { splits, dividends })));
      const asked = window("AAPL", "1d", "2026-06-08", "2026-06-09");
      const { actions, rejected } = await provider.fetchBars(asked, recordingContext());
      expect(actions!.map(({ kind, value }) => [kind, value])).toEqual([
        ["dividend", 0.25],
        ["dividend", 4],
      ]);
      expect(rejected.map(({ reason }) => reason)).toContain("not a split or dividend");
    }
  });

  test("an answer without times is an empty one", async () => {
    fake.script.push(reply(200, { chart: { result: [{ meta: {}, indicators: { quote: [{}] } }], error: null } }));
    const { bars } = await provider.fetchBars(window("AAPL", "1d", "2026-06-08", "2026-06-09"), recordingContext());
    expect(bars.ts.length).toBe(0);
  });
});

describe("Yahoo's refusals", () => {
  const asked = window("AAPL", "1d", "2026-06-08", "2026-06-09");
  const unauthorized = (description: string) => ({
    finance: { result: null, error: { code: "Unauthorized", description } },
  });
  test.each([
    [
      "unknown_symbol",
      404,
      chartError("Not Found", "No data found, symbol may be delisted"),
      /AAPL is not known.*delisted/,
    ],
    ["auth", 401, unauthorized("Invalid Crumb"), /session of a browser \(HTTP 401: Invalid Crumb\)/],
    ["rate_limited", 429, "Too Many Requests\r\n", /HTTP 429: Too Many Requests/],
    ["transient", 500, chartError("Internal Server Error", "unable to process"), /unable to process/],
    ["transient", 200, chartError("Internal Server Error", "unable to process"), /unable to process/],
    ["bad_request", 400, chartError("Bad Request", "Invalid input - interval=2d is not supported"), /interval=2d/],
  ])("Yahoo refuses: %s (%p)", async (kind, status, body, words) => {
    fake.always = reply(status, body);
    const error = await failureOf(provider.fetchBars(asked, recordingContext()));
    fake.always = null;
    expect([error.kind, error.message]).toEqual([kind, expect.stringMatching(words)]);
  });

  test("a window before the first trade is empty, and no error", async () => {
    const words = "Data doesn't exist for startDate = 1577836800, endDate = 1578009600";
    fake.script.push(reply(400, chartError("Bad Request", words)));
    expect((await provider.fetchBars(asked, recordingContext())).bars.ts.length).toBe(0);
  });

  test("a start that Yahoo refuses after all is looked for, and the rest lands", async () => {
    fake.clock = () => (NOW + 5 * DAY) * 1000;
    const { bars, notInPlan } = await provider.fetchBars(
      window("AAPL", "5m", "2026-04-01", "2026-06-10"),
      recordingContext(),
    );
    fake.clock = () => NOW * 1000;
    const first = at("2026-04-17");
    expect(bars.ts[0]).toBe(at("2026-04-17T13:30:00Z"));
    expect(notInPlan).toMatchObject([{ from: at("2026-04-01"), to: first, words: expect.stringContaining("60 days") }]);
  });
});

test("Yahoo gets symbols in its own spelling, and an unknown exchange is refused without a request", async () => {
  fake.urls.length = 0;
  const symbols = ["BRK.B", "BAC.PL", "VOD@LSE", "SAP@XETRA", "700@HK", "RELIANCE@NSE", "005930@KO", "BTC-USD"];
  for (const symbol of symbols) {
    await failureOf(provider.fetchBars(window(symbol, "1d", "2026-06-01", "2026-06-03"), recordingContext()));
  }
  expect(fake.urls.map(({ pathname }) => decodeURIComponent(pathname.split("/").at(-1)!))).toEqual([
    "BRK-B",
    "BAC-PL",
    "VOD.L",
    "SAP.DE",
    "0700.HK",
    "RELIANCE.NS",
    "005930.KS",
    "BTC-USD",
  ]);
  const context = recordingContext();
  const error = await failureOf(provider.fetchBars(window("X@MOON", "1d", "2026-06-01", "2026-06-03"), context));
  expect([error.kind, error.message, context.costs.length]).toEqual([
    "unknown_symbol",
    "Yahoo Finance has no X@MOON: its suffix for the exchange MOON is not known",
    0,
  ]);
});
