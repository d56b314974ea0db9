/** Binance spot: crypto bars around the clock without a key; requests are weighted and limited by minute and IP address. */

import { z } from "zod";
import { INTERVAL_SECONDS } from "../../domain/market/interval.ts";
import { marketOf } from "../../domain/market/symbol.ts";
import type { Answer, Classification } from "../http/classify.ts";
import type { Rows } from "../http/rows.ts";
import type { VendorQuery, VendorSpec } from "../http/vendor.ts";
import type { QuotaReport } from "../provider.ts";

/** Open time (ms), open, high, low, close, volume, and six more that are not needed. */
const bar = z.tuple([z.number(), z.string(), z.string(), z.string(), z.string(), z.string()], z.unknown());
const schema = z.array(bar);

/** A pair of the list; only the fields that are used. */
const pair = z.object({ status: z.string(), baseAsset: z.string(), quoteAsset: z.string() });
const pairs = z.object({ symbols: z.array(pair) });

const PAGE_ROWS = 1_000;
const WEIGHT = 2;
const LIST_WEIGHT = 20;

export const binance: VendorSpec<z.infer<typeof schema>> = {
  name: "binance",
  title: "Binance",
  summary: "Crypto pairs such as BTC-USDT around the clock; no key needed.",
  baseUrl: "https://api.binance.com",
  keys: [],
  limits: [{ period: "minute", counts: "units", limit: 6_000 }],
  sources: { "1m": "1m", "5m": "5m", "15m": "15m", "1h": "1h", "1d": "1d" },
  maxDays: (source) => (source === "1d" ? 3_650 : 366),
  historyStart: () => Date.UTC(2017, 6, 14) / 1000,
  delay: () => ({ after: "bar", seconds: 2 }),
  traits: () => ({ feed: "spot", adjustment: "none" }),
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
  read(answer, rows: Rows, { interval, to }: VendorQuery) {
    for (const [t, o, h, l, c, v] of answer) rows.add(t / 1000, o, h, l, c, v);
    const last = answer.at(-1);
    if (!last || answer.length < PAGE_ROWS) return null;
    const next = last[0] + INTERVAL_SECONDS[interval] * 1000;
    return next < to * 1000 ? String(next) : null;
  },

  recognise({ status, json, text }: Answer): Classification | null {
    const code = (json as { code?: unknown } | undefined)?.code;
    if (code === -1121)
      return { kind: "unknown_symbol", says: "Invalid symbol (the main exchange quotes in USDT, as in BTC-USDT)" };
    if (code === -1003) return { kind: "rate_limited" };
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
    read: ({ symbols }: z.infer<typeof pairs>) =>
      symbols
        .filter(({ status }) => status === "TRADING")
        .map(({ baseAsset, quoteAsset }) => ({
          symbol: `${baseAsset}-${quoteAsset}`,
          name: `${baseAsset} / ${quoteAsset}`,
          exchange: "Binance",
        }))
        // Other names would be taken for stocks.
        .filter(({ symbol }) => marketOf(symbol) === "crypto"),
  },
};
