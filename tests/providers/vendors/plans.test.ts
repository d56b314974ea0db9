/** What plans do to requests: refusals by date, today, market, symbol and interval, and answers that are cut. */

import { afterAll, describe, expect, test } from "bun:test";
import { DAY } from "../../../src/domain/market/interval.ts";
import { providerOn } from "../../fakes/providers.ts";
import { fakeAlpaca } from "../../fakes/vendors/alpaca.ts";
import { fakeBinance } from "../../fakes/vendors/binance.ts";
import { fakeEodhd } from "../../fakes/vendors/eodhd.ts";
import { fakeMassive } from "../../fakes/vendors/massive.ts";
import { fakeTiingo } from "../../fakes/vendors/tiingo.ts";
import { fakeTwelveData } from "../../fakes/vendors/twelvedata.ts";
import { recordingContext } from "../fetch-context.ts";

const at = (date: string) => Date.parse(date.length === 10 ? `${date}T00:00:00Z` : date) / 1000;

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
