/** Twelve Data's time series: numbers as text, newest first, and nearly every error inside a 200. */

import type { Interval } from "../../../src/domain/market/interval.ts";
import { marketOf } from "../../../src/domain/market/symbol.ts";
import { parseTimestamp } from "../../../src/providers/timestamp.ts";
import { type FakeVendor, type PlanRefusal, refusalOf, startFake } from "./vendor.ts";

const INTERVALS: Record<string, Interval> = { "1min": "1m", "5min": "5m", "15min": "15m", "1day": "1d" };
const refuse = (code: number, message: string) => Response.json({ code, message, status: "error" });
const MOST_ROWS = 5_000;

const UPGRADE = "Consider upgrading your API Key now at https://example.com/pricing";
const REFUSALS: Record<PlanRefusal, string> = {
  market: `This symbol is available starting with the Grow or Venture plan. ${UPGRADE}`,
  symbol: `This symbol is available starting with the Grow or Venture plan. ${UPGRADE}`,
  interval: `The requested **interval** is available exclusively with the pro plan. ${UPGRADE}`,
  history: `Historical data before this date is available exclusively with the pro plan. ${UPGRADE}`,
  recent: `Real-time data is available exclusively with the pro plan. ${UPGRADE}`,
};

export function fakeTwelveData(): FakeVendor {
  const vendor: FakeVendor = startFake({
    isAuthorized: (_request, url, key) => url.searchParams.get("apikey") === key,
    refuseKey: () => refuse(401, "**apikey** parameter is incorrect or not specified."),
    refuseRate: () =>
      refuse(
        429,
        "You have run out of API credits for the current minute. 9 API credits were used, with the current limit being 8.",
      ),
    async answer(url, market) {
      const query = url.searchParams;
      if (url.pathname === "/earliest_timestamp") {
        const first = await market.firstDay(query.get("symbol")!.replace("/", "-"));
        if (first === null) return refuse(400, "No data is available");
        return Response.json({ datetime: new Date(first * 1000).toISOString().slice(0, 10), unix_time: first });
      }
      const interval = INTERVALS[query.get("interval") ?? ""];
      const [start, end] = [parseTimestamp(query.get("start_date") ?? ""), parseTimestamp(query.get("end_date") ?? "")];
      if (url.pathname !== "/time_series" || !interval) return null;
      if (Number.isNaN(start + end)) return refuse(400, "Invalid **start_date** or **end_date**");
      const symbol = query.get("symbol")!.replace("/", "-");
      const refused = refusalOf(vendor, { symbol, interval, from: start, to: end });
      if (refused) return refuse(refused === "symbol" || refused === "market" ? 404 : 403, REFUSALS[refused]);
      const bars = await market.bars(symbol, interval, start, end);
      if (!bars)
        return refuse(404, "**symbol** or **figi** parameter is missing or invalid. Please provide a valid symbol.");
      if (bars.length === 0)
        return refuse(400, "No data is available on the specified dates. Try setting different start/end dates.");
      const stamp = ({ ts }: { ts: number }) =>
        new Date(ts * 1000)
          .toISOString()
          .slice(0, interval === "1d" ? 10 : 19)
          .replace("T", " ");
      // The newest rows win when there are more than fit.
      const newest = bars.reverse().slice(0, MOST_ROWS);
      return Response.json({
        meta: {
          symbol: query.get("symbol"),
          interval: query.get("interval"),
          currency: "USD",
          exchange_timezone: "America/New_York",
          exchange: "NASDAQ",
          type: "Common Stock",
        },
        values: newest.map((bar) => ({
          datetime: stamp(bar),
          open: `${bar.open}`,
          high: `${bar.high}`,
          low: `${bar.low}`,
          close: `${bar.close}`,
          // Digital currencies have no volume.
          ...(marketOf(symbol) === "crypto" ? {} : { volume: `${bar.volume}` }),
        })),
        status: "ok",
      });
    },
  });
  return vendor;
}
