/** Twelve Data: world-wide stocks and crypto, adjusted for splits; errors come inside a 200, bars newest first. */

import { z } from "zod";
import type { Interval } from "../../domain/market/interval.ts";
import { isoSecond } from "../../domain/time.ts";
import { type Answer, type Classification, classifyMessage } from "../http/classify.ts";
import type { Rows } from "../http/rows.ts";
import type { VendorQuery, VendorSpec } from "../http/vendor.ts";
import type { QuotaReport } from "../provider.ts";
import { parseTimestamp } from "../timestamp.ts";

const price = z.union([z.string(), z.number(), z.null()]).optional();
const bar = z.object({ datetime: z.string(), open: price, high: price, low: price, close: price, volume: price });
const schema = z.object({ status: z.literal("ok"), values: z.array(bar).nullish() });

const INTERVAL_NAMES: Readonly<Partial<Record<Interval, string>>> = {
  "1m": "1min",
  "5m": "5min",
  "15m": "15min",
  "1d": "1day",
};
/** Days that 5,000 rows cover: in regular New York hours, and around the clock for crypto. */
const US_DAYS: Readonly<Partial<Record<Interval, number>>> = { "1m": 16, "5m": 89, "15m": 268 };
const CRYPTO_DAYS: Readonly<Partial<Record<Interval, number>>> = { "1m": 3, "5m": 17, "15m": 52 };
const stamp = (ts: number) => isoSecond(ts).slice(0, -1).replace("T", " ");

export const twelvedata: VendorSpec<z.infer<typeof schema>> = {
  name: "twelvedata",
  title: "Twelve Data",
  summary: "Stocks of many exchanges and crypto, split-adjusted; a free key gives 8 requests a minute and 800 a day.",
  baseUrl: "https://api.twelvedata.com",
  keys: [{ variable: "TWELVEDATA_API_KEY", kind: "key", label: "API key", required: true }],
  limits: [
    { period: "minute", counts: "units", limit: 8 },
    { period: "day", counts: "units", limit: 800 },
  ],
  sources: { "1m": "1m", "5m": "5m", "15m": "15m", "1h": "15m", "1d": "1d" },
  maxDays: (source, market) => (market === "crypto" ? CRYPTO_DAYS : US_DAYS)[source] ?? 4_900,
  historyStart: (source) => (source === "1d" ? Date.UTC(1970, 0, 1) : Date.UTC(2020, 0, 1)) / 1000,
  delay: () => ({ after: "bar", seconds: 5 * 60 }),
  traits: () => ({ feed: "consolidated", adjustment: "splits" }),
  refuses: () => null,

  request({ ticker, interval, from, to }: VendorQuery, values) {
    const { market, name, base, quote, exchange } = ticker;
    const query = {
      symbol: market === "crypto" ? `${base}/${quote}` : name,
      exchange: market === "crypto" || exchange === "US" ? undefined : exchange,
      interval: INTERVAL_NAMES[interval]!,
      // Both dates bound the window; one alone does not, and a row count would cut it.
      start_date: stamp(from),
      end_date: stamp(to - 1),
      timezone: interval === "1d" ? undefined : "UTC",
      format: "JSON",
      apikey: values.TWELVEDATA_API_KEY,
    };
    return { path: "/time_series", query, cost: 1 };
  },

  schema,
  read({ values }, rows: Rows) {
    // Newest first; of two rows for one time the first is the newer.
    for (const { datetime, open, high, low, close, volume } of values ?? []) {
      rows.add(parseTimestamp(datetime), open, high, low, close, volume);
    }
    return null;
  },

  recognise({ status, json }: Answer): Classification | null {
    const body = json as { status?: unknown; code?: unknown; message?: unknown } | undefined;
    if (body?.status !== "error") return null;
    const message = String(body.message ?? "");
    const code = typeof body.code === "number" ? body.code : status;
    if (code === 429)
      return /for the day|daily/i.test(message) ? { kind: "quota_exceeded", period: "day" } : { kind: "rate_limited" };
    if (/no data is available/i.test(message)) return { kind: "no_data" };
    if (code === 401) return { kind: "auth" };
    if (code === 403) return { kind: /plan|upgrade/i.test(message) ? "plan" : "auth" };
    if (/symbol|figi|missing or invalid/i.test(message) && (code === 404 || code === 400))
      return { kind: "unknown_symbol" };
    if (code >= 500) return { kind: "transient" };
    return classifyMessage(message) ?? { kind: "bad_request" };
  },

  quota({ headers }: Answer): QuotaReport {
    const used = Number(headers.get("api-credits-used") ?? Number.NaN);
    return Number.isFinite(used) ? { used: { minute: used } } : {};
  },
};
