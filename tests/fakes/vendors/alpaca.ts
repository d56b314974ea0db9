/** Alpaca's bars: keys in headers, inclusive RFC 3339 windows, pages by token that may be short, crypto days of Chicago. */

import { newYorkTime } from "../../../src/domain/market/calendar.ts";
import type { Interval } from "../../../src/domain/market/interval.ts";
import { isoDate } from "../../../src/domain/time.ts";
import type { FakeMarket } from "./market.ts";
import { type FakeVendor, type PlanRefusal, refusalOf, startFake } from "./vendor.ts";

export interface FakeAlpaca extends FakeVendor {
  /** Rows of a page, whatever the limit asked for. */
  pageRows: number;
}

export const FAKE_SECRET = "s3cret-half-of-the-pair";
const INTERVALS: Record<string, Interval> = { "1Min": "1m", "5Min": "5m", "15Min": "15m", "1Hour": "1h", "1Day": "1d" };
const CRYPTO_PATH = "/v1beta3/crypto/us/bars";

const REFUSALS: Record<PlanRefusal, string> = {
  market: "subscription does not permit querying this data",
  symbol: "subscription does not permit querying this data",
  interval: "subscription does not permit querying this data",
  history: "subscription does not permit querying historical data before this date",
  recent: "subscription does not permit querying recent SIP data",
};

/** Days from the ex-date of a dividend to its payment, which is when Alpaca processes it. */
const PAID_AFTER = 21 * 86_400;

/** Two actions a page, in lists by type; selected by the day on which they are processed, not by their ex-date. */
function corporateActions(query: URLSearchParams, market: FakeMarket): Response {
  const symbols = query.get("symbols")!.split(",");
  const wanted = query.get("types")!.split(",");
  const [start, end] = ["start", "end"].map((name) => Date.parse(`${query.get(name)}T00:00:00Z`) / 1000);
  const actions = symbols.flatMap((symbol) => (market.actions.get(symbol) ?? []).map((each) => ({ ...each, symbol })));
  const all = actions.flatMap(({ symbol, kind, date, value }): { type: string; entry: object }[] => {
    const type = kind === "dividend" ? "cash_dividend" : value >= 1 ? "forward_split" : "reverse_split";
    const processed = kind === "dividend" ? date + PAID_AFTER : date;
    if (!wanted.includes(type) || processed < start! || processed > end!) return [];
    const facts = { id: "a", symbol, ex_date: isoDate(date), process_date: isoDate(processed) };
    if (kind === "dividend") return [{ type, entry: { ...facts, rate: value, special: false, foreign: false } }];
    const [new_rate, old_rate] = value >= 1 ? [value, 1] : [1, 1 / value];
    return [{ type, entry: { ...facts, new_rate, old_rate } }];
  });
  const skip = Number(query.get("page_token") ?? 0);
  const lists = Object.groupBy(all.slice(skip, skip + 2), ({ type }) => `${type}s`);
  return Response.json({
    corporate_actions: Object.fromEntries(
      Object.entries(lists).map(([type, list]) => [type, list!.map(({ entry }) => entry)]),
    ),
    next_page_token: skip + 2 < all.length ? String(skip + 2) : null,
  });
}

const stampOf = (day: number) => new Date(newYorkTime(day, 0) * 1000).toISOString().replace(".000", "");

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
        if (url.pathname === "/v1/corporate-actions") return corporateActions(query, market);
        const interval = INTERVALS[query.get("timeframe") ?? ""];
        const isCrypto = url.pathname === CRYPTO_PATH;
        if ((url.pathname !== "/v2/stocks/bars" && !isCrypto) || !interval) return null;
        if (query.get("page_token") === "null")
          return Response.json({ message: "invalid page token" }, { status: 400 });
        const names = query.get("symbols")!.split(",");
        const symbolOf = (name: string) => (isCrypto ? name.replace("/", "-") : name);
        const [symbol, start, end] = [
          symbolOf(names[0]!),
          Date.parse(query.get("start")!) / 1000,
          Date.parse(query.get("end")!) / 1000,
        ];
        if (query.get("limit") === "1") {
          const first = await market.firstDay(symbol);
          return Response.json({
            bars: first === null ? {} : { [symbol]: [{ t: stampOf(first), o: 1, h: 1, l: 1, c: 1, v: 1 }] },
          });
        }
        const isUnknown = (name: string) =>
          !market.known.has(symbolOf(name)) || isCrypto !== /^[A-Z]+\/[A-Z]+$/.test(name);
        const unknown = names.find(isUnknown);
        if (unknown !== undefined) return Response.json({ message: `invalid symbol: ${unknown}` }, { status: 400 });
        const refused = refusalOf(vendor, { symbol, interval, from: start, to: end });
        if (refused) return Response.json({ message: REFUSALS[refused] }, { status: 403 });
        const from = interval === "1d" ? start - (start % 86_400) : start;
        const lists = await Promise.all(
          names.map(async (each) =>
            ((await market.bars(symbolOf(each), interval, from, end)) ?? []).map((bar) => ({ ...bar, symbol: each })),
          ),
        );
        const bars = lists.flat();
        const skip = Number(atob(query.get("page_token") ?? "") || 0);
        const rows = Math.min(vendor.pageRows, Number(query.get("limit") ?? 1_000));
        const page = bars.slice(skip, skip + rows);
        const stamp = (ts: number) =>
          new Date((interval === "1d" ? newYorkTime(ts, isCrypto ? 3_600 : 0) : ts) * 1000)
            .toISOString()
            .replace(".000", "");
        return Response.json({
          bars: Object.fromEntries(
            Object.entries(Object.groupBy(page, (bar) => bar.symbol)).map(([name, list]) => [
              name,
              list!.map((bar) => ({
                t: stamp(bar.ts),
                o: bar.open,
                h: bar.high,
                l: bar.low,
                c: bar.close,
                v: bar.volume,
                n: 31,
                vw: bar.close,
              })),
            ]),
          ),
          next_page_token: skip + rows < bars.length ? btoa(String(skip + rows)) : null,
        });
      },
    }),
    { pageRows: 10_000 },
  );
  return vendor;
}
