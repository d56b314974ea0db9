/** Alpaca's bars: keys in headers, inclusive RFC 3339 windows, pages by token that may be short. */

import { newYorkTime } from "../../../src/domain/market/calendar.ts";
import type { Interval } from "../../../src/domain/market/interval.ts";
import { type FakeVendor, type PlanRefusal, refusalOf, startFake } from "./vendor.ts";

export interface FakeAlpaca extends FakeVendor {
  /** Rows of a page, whatever the limit asked for. */
  pageRows: number;
}

export const FAKE_SECRET = "s3cret-half-of-the-pair";
const INTERVALS: Record<string, Interval> = { "1Min": "1m", "5Min": "5m", "15Min": "15m", "1Day": "1d" };

const REFUSALS: Record<PlanRefusal, string> = {
  market: "subscription does not permit querying this data",
  symbol: "subscription does not permit querying this data",
  interval: "subscription does not permit querying this data",
  history: "subscription does not permit querying historical data before this date",
  recent: "subscription does not permit querying recent SIP data",
};

export function fakeAlpaca(): FakeAlpaca {
  const vendor: FakeAlpaca = Object.assign(
    startFake({
      isAuthorized: ({ headers }, _url, key) =>
        headers.get("apca-api-key-id") === key && headers.get("apca-api-secret-key") === FAKE_SECRET,
      refuseKey: () => Response.json({ message: "forbidden." }, { status: 403 }),
      refuseRate: () =>
        Response.json(
          { message: "too many requests." },
          { status: 429, headers: { "x-ratelimit-limit": "200", "x-ratelimit-remaining": "0" } },
        ),
      async answer(url, market) {
        const query = url.searchParams;
        const interval = INTERVALS[query.get("timeframe") ?? ""];
        if (url.pathname !== "/v2/stocks/bars" || !interval) return null;
        if (query.get("page_token") === "null")
          return Response.json({ message: "invalid page token" }, { status: 400 });
        const [symbol, start, end] = [
          query.get("symbols")!,
          Date.parse(query.get("start")!) / 1000,
          Date.parse(query.get("end")!) / 1000,
        ];
        if (!market.known.has(symbol)) return Response.json({ message: `invalid symbol: ${symbol}` }, { status: 400 });
        const refused = refusalOf(vendor, { symbol, interval, from: start, to: end });
        if (refused) return Response.json({ message: REFUSALS[refused] }, { status: 403 });
        const from = interval === "1d" ? start - (start % 86_400) : start;
        const bars = (await market.bars(symbol, interval, from, end)) ?? [];
        const skip = Number(atob(query.get("page_token") ?? "") || 0);
        const rows = Math.min(vendor.pageRows, Number(query.get("limit") ?? 1_000));
        const page = bars.slice(skip, skip + rows);
        const stamp = (ts: number) =>
          new Date((interval === "1d" ? newYorkTime(ts, 0) : ts) * 1000).toISOString().replace(".000", "");
        return Response.json({
          bars:
            page.length === 0
              ? {}
              : {
                  [symbol]: page.map((bar) => ({
                    t: stamp(bar.ts),
                    o: bar.open,
                    h: bar.high,
                    l: bar.low,
                    c: bar.close,
                    v: bar.volume,
                    n: 31,
                    vw: bar.close,
                  })),
                },
          next_page_token: skip + rows < bars.length ? btoa(String(skip + rows)) : null,
        });
      },
    }),
    { pageRows: 10_000 },
  );
  return vendor;
}
