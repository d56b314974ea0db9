/** Yahoo's chart: columns beside a list of times, empty rows, a snapshot as the last row, and refusals by date. */

import { newYorkTime } from "../../../src/domain/market/calendar.ts";
import { DAY, type Interval } from "../../../src/domain/market/interval.ts";
import { marketOf } from "../../../src/domain/market/symbol.ts";
import { type FakeVendor, startFake } from "./vendor.ts";

export interface FakeYahoo extends FakeVendor {
  /** Whether the last row of an answer is the last trade, off the grid. */
  snapshot: boolean;
}

const KEPT: Readonly<Partial<Record<Interval, number>>> = { "1m": 30, "5m": 60, "15m": 60, "1h": 730 };
const OPEN = 9.5 * 3600;

export const chartError = (code: string, description: string) => ({
  chart: { result: null, error: { code, description } },
});

export function fakeYahoo(): FakeYahoo {
  const vendor: FakeYahoo = Object.assign(
    startFake({
      isAuthorized: ({ headers }) => headers.get("user-agent")?.startsWith("Mozilla/") === true,
      refuseKey: () => new Response("Edge: Too Many Requests", { status: 429 }),
      refuseRate: () => new Response("Too Many Requests\r\n", { status: 429, headers: { "retry-after": "1" } }),
      async answer(url, market) {
        const name = /^\/v8\/finance\/chart\/([^/]+)$/.exec(decodeURIComponent(url.pathname))?.[1];
        if (!name) return null;
        const symbol = name === "BRK-B" ? "BRK.B" : name;
        const interval = url.searchParams.get("interval") as Interval;
        const [from, to] = ["period1", "period2"].map((field) => Number(url.searchParams.get(field)));
        const asked = `startTime=${from} and endTime=${to}`;
        const kept = KEPT[interval];
        const refuse = (words: string) =>
          Response.json(chartError("Unprocessable Entity", `${interval} data not available for ${asked}. ${words}`), {
            status: 422,
          });
        if (kept && from! <= vendor.clock() / 1000 - kept * DAY)
          return refuse(`The requested range must be within the last ${kept} days.`);
        if (interval === "1m" && to! - from! > 8 * DAY)
          return refuse("Only 8 days worth of 1m granularity data are allowed to be fetched per request.");
        // Days are stamped with the open of their session.
        const isCrypto = marketOf(symbol) === "crypto";
        const stamp = (ts: number) => (interval === "1d" && !isCrypto ? newYorkTime(ts, OPEN) : ts);
        const bars = (await market.bars(symbol, interval, from! - DAY, to!))?.filter(
          ({ ts }) => stamp(ts) >= from! && stamp(ts) <= to!,
        );
        if (!bars)
          return Response.json(chartError("Not Found", "No data found, symbol may be delisted"), { status: 404 });
        const rows = bars.map((bar) => ({ ...bar, ts: stamp(bar.ts) }));
        const last = rows.at(-1);
        if (vendor.snapshot && last && interval !== "1d") {
          const price = last.close;
          const ts = last.ts + 47;
          rows.splice(1, 0, { ts: rows[0]!.ts + 1, open: null, high: null, low: null, close: null, volume: null });
          rows.push({ ts, open: price, high: price, low: price, close: price, volume: 0 });
        }
        const inWindow = (market.actions.get(symbol) ?? []).filter(({ date }) => date >= from! - DAY && date < to!);
        const events = Object.groupBy(inWindow, ({ kind }) => `${kind}s` as const);
        const listOf = (kind: "splits" | "dividends", entry: (value: number) => object) =>
          Object.fromEntries(
            (events[kind] ?? []).map(({ date, value }) => [stamp(date), { date: stamp(date), ...entry(value) }]),
          );
        const column = (field: "open" | "high" | "low" | "close" | "volume") => rows.map((row) => row[field]);
        return Response.json({
          chart: {
            result: [
              {
                meta: {
                  currency: "USD",
                  symbol: name,
                  exchangeTimezoneName: isCrypto ? "UTC" : "America/New_York",
                  dataGranularity: interval,
                },
                ...(rows.length > 0 && { timestamp: rows.map(({ ts }) => ts) }),
                events: {
                  splits: listOf("splits", (value) => ({ numerator: value, denominator: 1, splitRatio: `${value}:1` })),
                  dividends: listOf("dividends", (amount) => ({ amount })),
                },
                indicators: {
                  quote: [
                    rows.length === 0
                      ? {}
                      : {
                          open: column("open"),
                          high: column("high"),
                          low: column("low"),
                          close: column("close"),
                          volume: column("volume"),
                        },
                  ],
                },
              },
            ],
            error: null,
          },
        });
      },
    }),
    { snapshot: true },
  );
  return vendor;
}
