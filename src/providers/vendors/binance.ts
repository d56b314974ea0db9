/** Binance spot: crypto bars around the clock without a key; requests are weighted and limited by minute and IP address. */

import { z } from "zod";
import { DAY, INTERVAL_SECONDS } from "../../domain/market/interval.ts";
import { type Answer, type Classification, retryAfterOf } from "../http/classify.ts";
import { type Rows, UnreadableRows, wireTime } from "../http/rows.ts";
import { type VendorQuery, type VendorSpec, windowOf } from "../http/vendor-spec.ts";
import type { QuotaReport } from "../provider.ts";

const number = wireTime.nullable();
/** Open time (ms), open, high, low, close, volume, and six more that are not needed. */
const bar = z.tuple([wireTime, number, number, number, number, number], z.unknown());
const schema = z.array(z.unknown());

/** A pair of the list; only the fields that are used. */
const pair = z.object({ status: z.string(), baseAsset: z.string(), quoteAsset: z.string() });
const pairs = z.object({ symbols: z.array(z.unknown()) });

const PAGE_ROWS = 1_000;
const WEIGHT = 2;
const LIST_WEIGHT = 20;

/** Unknown error, disconnected, unexpected response, timeout, overloaded, shutting down. */
const FAILURES = new Set([-1000, -1001, -1006, -1007, -1008, -1016]);
/** How long bans last, seconds. */
const BAN = { shortest: 120, longest: 3 * 86_400 } as const;

/** How long an address is banned (seconds), by the header or the words of a refusal: `IP banned until 1525182310123`. */
function banIn({ status, headers, text }: Answer): { readonly retryAfter?: number } {
  const until = Number(/banned until (\d{13})\b/.exec(text)?.[1] ?? Number.NaN);
  const seconds = Math.ceil((until - Date.now()) / 1_000);
  const retryAfter = retryAfterOf(headers) ?? (seconds > 0 && seconds <= BAN.longest ? seconds : undefined);
  if (retryAfter !== undefined) return { retryAfter };
  return status === 418 ? { retryAfter: BAN.shortest } : {};
}

export const binance: VendorSpec<z.infer<typeof schema>> = {
  name: "binance",
  title: "Binance",
  summary: "Crypto pairs such as BTC-USDT around the clock; no key needed.",
  // The host for market data alone, which needs no key and answers more regions.
  baseUrl: "https://data-api.binance.vision",
  domains: ["binance.com", "binance.vision", "binance.us"],
  plans: ["none: every address has 6,000 units a minute"],
  lacks: ["shares", "requests from some regions: set BINANCE_BASE_URL to https://api.binance.us in the United States"],
  keys: [],
  limits: [{ period: "minute", counts: "units", limit: 6_000 }],
  // Weights are the only limit: 3,000 requests a minute are 100 under way at two seconds.
  maxInFlight: 128,
  sources: { "1m": "1m", "5m": "5m", "15m": "15m", "1h": "1h", "1d": "1d" },
  maxDays: (source) => (source === "1d" ? 3_650 : 366),
  pageDays: (source) => (PAGE_ROWS * INTERVAL_SECONDS[source]) / DAY,
  historyStart: () => Date.UTC(2017, 6, 14) / 1000,
  delay: () => ({ after: "bar", seconds: 2 }),
  traits: () => ({ feed: "spot", adjustment: "none" }),
  pairs: true,
  refuses: ({ market }) => (market === "crypto" ? null : "it trades crypto pairs such as BTC-USDT"),

  request({ ticker, interval, from, to, page }: VendorQuery) {
    const query = {
      symbol: `${ticker.base}${ticker.quote}`,
      interval,
      startTime: page ?? from * 1000,
      // Both ends are inclusive.
      endTime: to * 1000 - 1,
      limit: PAGE_ROWS,
    };
    return { path: "/api/v3/klines", query, cost: WEIGHT };
  },

  schema,
  answer: { rows: PAGE_ROWS, more: "on" },
  read(answer, rows: Rows, query: VendorQuery) {
    const { interval, to } = query;
    let last = Number.NEGATIVE_INFINITY;
    rows.each(bar, answer, windowOf(query), ([t, o, h, l, c, v]) => {
      // The next page begins after the last row of this one: a row of another time must not move it.
      if (Number(t) < to * 1000) last = Math.max(last, Number(t));
      rows.add(Number(t) / 1000, o, h, l, c, v);
    });
    if (answer.length < PAGE_ROWS) return null;
    if (last === Number.NEGATIVE_INFINITY) throw new UnreadableRows("none of its rows is before the end of the window");
    const next = last + INTERVAL_SECONDS[interval] * 1000;
    return next < to * 1000 ? String(next) : null;
  },

  firstBar: {
    request: ({ base, quote }, interval) => ({
      path: "/api/v3/klines",
      query: { symbol: `${base}${quote}`, interval, startTime: 0, limit: 1 },
      cost: WEIGHT,
    }),
    schema: z.array(bar),
    read: ([first]: z.infer<typeof bar>[]) => (first === undefined ? null : Number(first[0]) / 1000),
  },

  recognise(answer: Answer): Classification | null {
    const { status, json, text } = answer;
    const code = (json as { code?: unknown } | undefined)?.code;
    if (code === -1121)
      return { kind: "unknown_symbol", says: "Invalid symbol (the main exchange quotes in USDT, as in BTC-USDT)" };
    if (status === 451) {
      const hosts = "https://data-api.binance.vision, or https://api.binance.us in the United States";
      return { kind: "auth", says: `not offered from this region (HTTP 451): set BINANCE_BASE_URL to ${hosts}` };
    }
    if (code === -1003 || status === 418) return { kind: "rate_limited", ...banIn(answer) };
    // The vendor's own troubles: none is answered by another request, whatever the status.
    if (typeof code === "number" && FAILURES.has(code)) return { kind: "transient" };
    // The firewall answers with an HTML page: too many requests from this address.
    if (status === 403 && !text.includes("{")) return { kind: "rate_limited", retryAfter: 300 };
    return null;
  },

  quota({ headers }: Answer): QuotaReport {
    const used = Number(headers.get("x-mbx-used-weight-1m") ?? Number.NaN);
    return Number.isFinite(used) ? { used: { minute: used } } : {};
  },

  companies: {
    exchanges: [{ code: "SPOT", title: "Spot pairs" }],
    request: () => ({ path: "/api/v3/exchangeInfo", query: {}, cost: LIST_WEIGHT }),
    schema: pairs,
    entries: ({ symbols }: z.infer<typeof pairs>) => symbols,
    entry: pair,
    read: ({ status, baseAsset, quoteAsset }: z.infer<typeof pair>) => {
      const symbol = `${baseAsset}-${quoteAsset}`;
      if (status !== "TRADING") return null;
      return { symbol, name: `${baseAsset} / ${quoteAsset}`, exchange: "Binance" };
    },
  },
};
