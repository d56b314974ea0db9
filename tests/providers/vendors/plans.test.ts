/** What plans do to requests: refusals by date, today, market, symbol and interval, and answers that are cut. */

import { afterAll, describe, expect, test } from "bun:test";
import { BAR_FIELDS } from "../../../src/domain/market/bars.ts";
import { DAY, type Interval } from "../../../src/domain/market/interval.ts";
import type { PlanFact, PlanMemory } from "../../../src/domain/plan.ts";
import { isoDate } from "../../../src/domain/time.ts";
import { statedStart } from "../../../src/providers/http/windows/plan-window.ts";
import { providerOn } from "../../fakes/providers.ts";
import { fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeBinance } from "../../fakes/vendors/binance.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { reply } from "../../fakes/vendors/faults.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { fakeTiingo } from "../../fakes/vendors/tiingo.ts";
import { fakeTwelveData } from "../../fakes/vendors/twelvedata.ts";
import type { FakeVendor } from "../../fakes/vendors/vendor.ts";
import { at } from "../../helpers/inputs/bars.ts";
import { recordingContext } from "../fetch-context.ts";

/** Every vendor with the newest moment before now that its free plan may be asked for, in seconds. */
const VENDORS = [
  { name: "eodhd", start: fakeEodhd, symbols: ["AAPL", "BTC-USD"], delay: 0 },
  { name: "alpaca", start: fakeAlpaca, symbols: ["AAPL"], delay: 15 * 60 },
  { name: "massive", start: fakeMassive, symbols: ["AAPL", "BTC-USD"], delay: 15 * 60 },
  { name: "binance", start: fakeBinance, symbols: ["BTC-USDT"], delay: 0 },
  { name: "twelvedata", start: fakeTwelveData, symbols: ["AAPL", "BTC-USD"], delay: 0 },
  { name: "tiingo", start: fakeTiingo, symbols: ["AAPL"], delay: 0 },
] as const;

/** In a session, half an hour after its close, around midnight UTC, on a short day, on a Saturday. */
const MOMENTS = [
  "2024-11-26T18:00:00Z",
  "2024-11-26T21:30:00Z",
  "2024-11-27T00:05:00Z",
  "2024-11-29T18:10:00Z",
  "2024-11-30T12:00:00Z",
];

for (const { name, start, symbols, delay } of VENDORS) {
  describe(`${name} and the present`, () => {
    const fake = start();
    afterAll(fake.close);
    const provider = providerOn(fake, name);

    test(`${name} is never asked for what lies in the future, at any interval and time of day`, async () => {
      for (const moment of MOMENTS) {
        const asOf = at(moment);
        fake.market.now = asOf;
        fake.clock = () => asOf * 1000;
        fake.plan = { delay };
        for (const symbol of symbols) {
          for (const interval of provider.intervals) {
            const from = Math.floor(asOf / DAY) * DAY - 2 * DAY;
            const window = { symbol, interval, from, to: from + 3 * DAY, asOf };
            const { bars } = await provider.fetchBars(window, recordingContext());
            expect(`${moment} ${symbol} ${interval}: ${bars.ts.length > 0}`).toBe(
              `${moment} ${symbol} ${interval}: true`,
            );
          }
        }
      }
    });
  });
}

describe("alpaca and the present", () => {
  const fake = fakeAlpaca();
  afterAll(fake.close);

  test("half an hour after the close Alpaca's free plan gives the daily bar of today", async () => {
    const asOf = at("2026-11-25T21:30:00Z");
    fake.market.now = asOf;
    fake.clock = () => asOf * 1000;
    fake.plan = { delay: 15 * 60 };
    const window = { symbol: "AAPL", interval: "1d", from: at("2026-11-20"), to: at("2026-11-26"), asOf } as const;
    const { bars } = await providerOn(fake, "alpaca").fetchBars(window, recordingContext());
    expect(bars.ts.at(-1)).toBe(at("2026-11-25"));
    expect(fake.urls.map((url) => url.searchParams.get("end"))).toEqual(["2026-11-25T21:13:59Z"]);
  });
});

describe("massive and vendor days", () => {
  const fake = fakeMassive();
  afterAll(fake.close);

  test("Massive's days are named by date, so that no day before the window comes along", async () => {
    const window = { symbol: "AAPL", interval: "1d", from: at("2026-01-05"), to: at("2026-01-10") } as const;
    await providerOn(fake, "massive").fetchBars({ ...window, asOf: at("2026-03-01") }, recordingContext());
    expect(fake.urls[0]!.pathname).toEndWith("/range/1/day/2026-01-05/2026-01-09");
  });
});

/** What is remembered of a plan, in memory. */
function planMemory(): PlanMemory & { known: Map<string, PlanFact> } {
  const known = new Map<string, PlanFact>();
  return {
    known,
    facts: async () => [...known.values()],
    learn: async (facts) => void facts.map((fact) => known.set(`${fact.kind} ${fact.scope}`, fact)),
  };
}

const NOW = at("2026-11-25T22:00:00Z");
/** Where plans begin, and so soon after it that there are few bars within days. */
const [START, SOON] = [at("2024-11-27"), at("2025-01-31T22:00:00Z")];

/** Fetches with a memory; returns what came, the parts left out as dates, and the requests that it took. */
async function fetchWith(
  fake: FakeVendor,
  name: string,
  symbol: string,
  interval: Interval,
  from: string,
  plan = planMemory(),
  now = NOW,
) {
  fake.clock = () => now * 1000;
  fake.market.now = now;
  const before = fake.urls.length;
  const window = { symbol, interval, from: at(from), to: Math.ceil(now / DAY) * DAY, asOf: now };
  const { bars, notInPlan = [] } = await providerOn(fake, name).fetchBars(window, { ...recordingContext(), plan });
  const cuts = notInPlan.map((cut) => `${isoDate(cut.from)} to ${isoDate(cut.to - 1)}`);
  const words = [...new Set(notInPlan.map((cut) => cut.words))].join("; ");
  return { first: bars.ts[0], last: bars.ts.at(-1), bars, cuts, words, requests: fake.urls.length - before, plan };
}

describe("a plan that begins at a date", () => {
  for (const { name, start, symbols, intervals } of [
    { name: "alpaca", start: fakeAlpaca, symbols: ["AAPL"], intervals: ["1d", "1h"] },
    { name: "massive", start: fakeMassive, symbols: ["AAPL", "BTC-USD"], intervals: ["1d", "1h"] },
    { name: "twelvedata", start: fakeTwelveData, symbols: ["AAPL", "BTC-USD"], intervals: ["1d", "1h"] },
    { name: "tiingo", start: fakeTiingo, symbols: ["AAPL"], intervals: ["1d"] },
    { name: "eodhd", start: fakeEodhd, symbols: ["AAPL", "BTC-USD"], intervals: ["1d"] },
  ] as const) {
    for (const symbol of symbols) {
      for (const interval of intervals) {
        test(`${name} ${symbol} ${interval}: what is inside the plan lands, what is not is named, and the limit is remembered`, async () => {
          const fake = start();
          fake.plan = { from: START };
          const [from, now] = interval === "1d" ? ["2021-06-01", NOW] : ["2024-09-01", SOON];
          const asked = [fake, name, symbol, interval] as const;
          const { first, cuts, words, plan } = await fetchWith(...asked, from, planMemory(), now);
          // 2024-11-27 was a session.
          expect(isoDate(Math.floor(first! / DAY) * DAY)).toBe("2024-11-27");
          expect(cuts).toEqual([`${from} to 2024-11-26`]);
          expect(words).not.toBe("");
          const again = await fetchWith(...asked, from, plan, now);
          const inside = await fetchWith(...asked, "2024-11-27", planMemory(), now);
          expect(again.cuts).toEqual(cuts);
          expect(again.requests).toBe(inside.requests);
          expect(BAR_FIELDS.map((field) => [...again.bars[field]])).toEqual(
            BAR_FIELDS.map((field) => [...inside.bars[field]]),
          );
          await fake.close();
        });
      }
    }
  }

  test("a window before the plan's history is left out as a whole, and later windows cost no refusal", async () => {
    const fake = fakeMassive();
    fake.plan = { from: START };
    const plan = planMemory();
    fake.clock = () => NOW * 1000;
    const fetch = (from: string, to: string) => {
      const window = { symbol: "AAPL", interval: "1h", from: at(from), to: at(to), asOf: NOW } as const;
      return providerOn(fake, "massive").fetchBars(window, { ...recordingContext(), plan });
    };
    const old = await fetch("2023-12-01", "2024-02-01");
    expect([old.bars.ts.length, old.notInPlan!.map(({ from, to }) => [from, to])]).toEqual([
      0,
      [[at("2023-12-01"), at("2024-02-01")]],
    ]);
    expect(old.notInPlan![0]!.words).toStartWith("Your plan doesn't include this data timeframe.");
    expect(fake.urls.length).toBeLessThan(10);
    fake.urls.length = 0;
    expect((await fetch("2024-02-01", "2024-04-01")).bars.ts.length).toBe(0);
    expect(fake.urls.length).toBe(0);
    await fake.close();
  });

  test("a daily window that Massive trims without a word is not believed: the day before is asked for", async () => {
    const fake = fakeMassive();
    fake.plan = { from: START, cuts: true };
    const { first, cuts, plan } = await fetchWith(fake, "massive", "AAPL", "1d", "2021-06-01");
    expect([isoDate(first!), cuts]).toEqual(["2024-11-27", ["2021-06-01 to 2024-11-26"]]);
    expect(plan.known.get("history US 1d")?.value).toBe(START);
    await fake.close();
  });

  test("a share that was listed late is not taken for a cut answer", async () => {
    const fake = fakeMassive();
    fake.market.edit = (_symbol, _interval, bar) => (bar.ts < at("2025-03-03") ? null : bar);
    const { first, cuts, requests, plan } = await fetchWith(fake, "massive", "AAPL", "1d", "2021-06-01");
    expect([isoDate(first!), cuts, requests]).toEqual(["2025-03-03", [], 2]);
    // Once it is known that the plan reaches back, a late start costs no request.
    expect((await fetchWith(fake, "massive", "AAPL", "1d", "2021-06-01", plan)).requests).toBe(1);
    await fake.close();
  });

  test("EODHD's warning alone, for a window that is older than the plan, leaves out the window", async () => {
    const fake = fakeEodhd();
    fake.script.push(reply(200, [{ warning: "Data is limited by one year as you have free subscription" }]));
    const window = { symbol: "AAPL", interval: "1d", from: at("2019-01-01"), to: at("2020-01-01"), asOf: NOW } as const;
    const { bars, notInPlan } = await providerOn(fake, "eodhd").fetchBars(window, recordingContext());
    expect([bars.ts.length, notInPlan?.length, notInPlan?.[0]?.to]).toEqual([0, 1, at("2020-01-01")]);
    await fake.close();
  });
});

describe("a plan without today", () => {
  for (const { name, start, symbol } of [
    { name: "massive", start: fakeMassive, symbol: "AAPL" },
    { name: "alpaca", start: fakeAlpaca, symbol: "AAPL" },
    { name: "twelvedata", start: fakeTwelveData, symbol: "AAPL" },
    { name: "tiingo", start: fakeTiingo, symbol: "AAPL" },
  ] as const) {
    test(`${name}: the evening run gets everything but today, and says so`, async () => {
      const fake = start();
      fake.plan = { noToday: true };
      // Tiingo's bar of the day is asked for four hours after the close.
      const evening = at("2026-11-26T01:30:00Z");
      fake.clock = () => evening * 1000;
      fake.market.now = evening;
      const window = { symbol, interval: "1d", from: at("2026-11-16"), to: at("2026-11-26"), asOf: evening } as const;
      const { bars, notInPlan } = await providerOn(fake, name).fetchBars(window, recordingContext());
      expect(bars.ts.at(-1)).toBe(at("2026-11-24"));
      expect(notInPlan?.map(({ from, to }) => [from, to])).toEqual([[at("2026-11-25"), at("2026-11-26")]]);
      await fake.close();
    });
  }
});

describe("a plan without a symbol, market or interval", () => {
  for (const { name, start, plan, symbol, other, interval } of [
    {
      name: "massive",
      start: fakeMassive,
      plan: { markets: ["us_equity"] },
      symbol: "BTC-USD",
      other: "AAPL",
      interval: "1d",
    },
    {
      name: "twelvedata",
      start: fakeTwelveData,
      plan: { withoutSymbols: ["SPY"] },
      symbol: "SPY",
      other: "AAPL",
      interval: "1d",
    },
    {
      name: "alpaca",
      start: fakeAlpaca,
      plan: { withoutSymbols: ["SPY"] },
      symbol: "SPY",
      other: "AAPL",
      interval: "1d",
    },
    {
      name: "tiingo",
      start: fakeTiingo,
      plan: { withoutSymbols: ["SPY"] },
      symbol: "SPY",
      other: "AAPL",
      interval: "1d",
    },
    { name: "eodhd", start: fakeEodhd, plan: { intervals: ["1d"] }, symbol: "AAPL", other: "AAPL", interval: "1m" },
  ] as const) {
    test(`${name} refuses ${symbol} at ${interval} as not in the plan, in its own words, and nothing else`, async () => {
      const fake = start();
      fake.plan = plan;
      const memory = planMemory();
      const error = await fetchWith(fake, name, symbol, interval, "2026-11-02", memory).catch((thrown) => thrown);
      expect([error.kind, error.refusal?.words.length > 10]).toEqual(["plan", true]);
      const rest = await fetchWith(fake, name, other, "1d", "2026-11-02", memory);
      expect([rest.cuts, rest.bars.ts.length > 10]).toEqual([[], true]);
      await fake.close();
    });
  }

  test("a refusal of one symbol's daily bars in words about intervals leaves other symbols alone", async () => {
    const fake = fakeEodhd();
    fake.always = (_request, { pathname }) =>
      pathname.includes("MSFT") ? new Response("Only EOD data allowed for free users.", { status: 403 }) : null;
    const memory = planMemory();
    const error = await fetchWith(fake, "eodhd", "MSFT", "1d", "2026-11-02", memory).catch((thrown) => thrown);
    expect(error.kind).toBe("plan");
    const rest = await fetchWith(fake, "eodhd", "AAPL", "1d", "2026-11-02", memory);
    expect([rest.cuts, rest.bars.ts.length > 10]).toEqual([[], true]);
    await fake.close();
  });

  test("a refusal in words about a market is not remembered of one whose history is known to be given in part", async () => {
    const fake = fakeMassive();
    const memory = planMemory();
    const since = {
      kind: "history",
      scope: "crypto 1d",
      value: START,
      words: "two years",
      seenAt: Date.now(),
    } as const;
    await memory.learn([since]);
    fake.always = (_request, { pathname }) =>
      pathname.includes("ETH")
        ? Response.json({ message: "You are not entitled to this data." }, { status: 403 })
        : null;
    await fetchWith(fake, "massive", "ETH-USD", "1d", "2026-11-02", memory).catch(() => {});
    const rest = await fetchWith(fake, "massive", "BTC-USD", "1d", "2026-11-02", memory);
    expect([rest.cuts, rest.bars.ts.length > 10]).toEqual([[], true]);
    await fake.close();
  });
});

test("Tiingo's limit of symbols a month refuses the new symbol alone, and holds no request for another", async () => {
  const fake = fakeTiingo();
  const detail =
    "Error: You have run over your 500 symbol look up for this month. Please upgrade to have it increased.";
  for (const status of [200, 429]) {
    fake.script.push(reply(status, { detail }));
    const context = recordingContext();
    const from = Date.UTC(2024, 10, 18) / 1000;
    const window = { symbol: "AAPL", interval: "1d", from, to: from + 5 * 86_400, asOf: from + 30 * 86_400 } as const;
    const error = await providerOn(fake, "tiingo")
      .fetchBars(window, context)
      .catch((thrown) => thrown);
    expect([error.kind, error.refusal?.scope]).toEqual(["plan", "symbol"]);
    expect(error.message).toContain("500 symbol look up");
    expect(context.reports.some(({ holdSeconds, used }) => holdSeconds !== undefined || used !== undefined)).toBe(
      false,
    );
  }
  await fake.close();
});

describe("statedStart", () => {
  test("the years, months and days of a note are read as a date", () => {
    const start = (words: string) => isoDate(statedStart(words, at("2026-11-25")) ?? 0);
    expect(start("Data is limited by one year as you have free subscription")).toBe("2025-11-25");
    expect(start("limited to 30 days")).toBe("2026-10-26");
    expect(start("only 2 years of history")).toBe("2024-11-25");
    expect(statedStart("limited as you have a free subscription", NOW)).toBeNull();
  });
});

describe("hosts and feeds", () => {
  test("Alpaca's other feed is asked for up to now and is a series of its own", async () => {
    const fake = fakeAlpaca();
    const asOf = at("2026-11-25T18:00:00Z");
    fake.market.now = asOf;
    const provider = providerOn(fake, "alpaca", { ALPACA_FEED: "iex" });
    expect(provider.traits("AAPL", "1m").feed).toBe("iex");
    const window = { symbol: "AAPL", interval: "1m", from: at("2026-11-25"), to: at("2026-11-26"), asOf } as const;
    const { bars } = await provider.fetchBars(window, recordingContext());
    expect(fake.urls[0]!.searchParams.get("feed")).toBe("iex");
    expect(bars.ts.at(-1)).toBe(at("2026-11-25T17:58:00Z"));
    await fake.close();
  });

  test("the refusal of a region by Binance names the variable to set", async () => {
    const fake = fakeBinance();
    fake.plan = { markets: [] };
    const window = {
      symbol: "BTC-USDT",
      interval: "1d",
      from: at("2026-11-20"),
      to: at("2026-11-25"),
      asOf: NOW,
    } as const;
    const error = await providerOn(fake, "binance")
      .fetchBars(window, recordingContext())
      .catch((thrown) => thrown);
    expect(error.message).toContain("set BINANCE_BASE_URL to https://data-api.binance.vision");
    await fake.close();
  });

  test("a redirect on the vendor's own host is followed, and one to another host is refused without sending the key", async () => {
    const [fake, other] = [fakeTiingo(), fakeTiingo()];
    const redirect = (to: string) => () => new Response(null, { status: 302, headers: { location: to } });
    const window = { symbol: "AAPL", interval: "1d", from: at("2026-11-16"), to: at("2026-11-20"), asOf: NOW } as const;
    const path = "/tiingo/daily/AAPL/prices?startDate=2026-11-16&endDate=2026-11-19";
    fake.script.push(redirect(path));
    const context = recordingContext();
    expect((await providerOn(fake, "tiingo").fetchBars(window, context)).bars.ts.length).toBe(4);
    // Both requests were sent, so both are counted.
    expect([fake.urls.length, context.costs]).toEqual([2, [1, 1]]);
    expect(context.ends.map(({ code }) => code)).toEqual(["302", "200"]);
    fake.always = redirect(`${other.url}${path}`);
    const error = await providerOn(fake, "tiingo")
      .fetchBars(window, recordingContext())
      .catch((thrown) => thrown);
    expect(error.message).toContain("which was not followed: check the base URL");
    expect(other.urls.length).toBe(0);
    await fake.close();
    await other.close();
  });
});
