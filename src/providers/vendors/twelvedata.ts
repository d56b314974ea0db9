/** Twelve Data: world-wide stocks and crypto, adjusted for splits; errors come inside a 200, bars newest first. */

import { z } from "zod";
import { cleanFacts } from "../../domain/companies.ts";
import { ProviderError } from "../../domain/errors.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { isoSecond } from "../../domain/time.ts";
import { type Answer, type Classification, classifyMessage, planWords } from "../http/classify.ts";
import { checkEcho, type Rows, wireBar } from "../http/rows.ts";
import type { Ticker } from "../http/ticker.ts";
import { type VendorQuery, type VendorSpec, windowOf } from "../http/vendor-spec.ts";
import { finalAfterExtended } from "../http/windows/final-bars.ts";
import type { Delay } from "../http/windows/request-window.ts";
import type { QuotaReport } from "../provider.ts";
import type { SettingValues } from "../setting.ts";
import { parseTimestamp } from "../timestamp.ts";

const bar = z.object({ datetime: z.string(), ...wireBar });
const said = z.string().nullish().catch(null);
const meta = z.object({ symbol: said, interval: said, exchange: said, exchange_timezone: said });
const schema = z.object({
  status: z.literal("ok"),
  meta: meta.nullish().catch(null),
  values: z.array(z.unknown()).nullish(),
});

/** A symbol of a list; only the fields that are used. */
const listed = z.object({
  symbol: z.string(),
  name: z.string().nullish(),
  exchange: z.string().nullish(),
  currency: z.string().nullish(),
  country: z.string().nullish(),
  type: z.string().nullish(),
  isin: z.string().nullish(),
  figi_code: z.string().nullish(),
  currency_base: z.string().nullish(),
  currency_quote: z.string().nullish(),
});

const INTERVAL_NAMES: Readonly<Partial<Record<Interval, string>>> = {
  "1m": "1min",
  "5m": "5min",
  "15m": "15min",
  "1d": "1day",
};
const MAX_ROWS = 5_000;
const NEW_YORK = "America/New_York";
/** Days that 5,000 rows cover: in regular New York hours, in ten hours a day elsewhere, and around the clock. */
const US_DAYS: Readonly<Partial<Record<Interval, number>>> = { "1m": 16, "5m": 89, "15m": 268 };
const WORLD_DAYS: Readonly<Partial<Record<Interval, number>>> = { "1m": 10, "5m": 57, "15m": 175 };
const CRYPTO_DAYS: Readonly<Partial<Record<Interval, number>>> = { "1m": 3, "5m": 17, "15m": 52 };
const stamp = (ts: number) => isoSecond(ts).slice(0, -1).replace("T", " ");

const nameOf = ({ market, name, base, quote, exchange }: Ticker) => ({
  symbol: market === "crypto" ? `${base}/${quote}` : name,
  exchange: market === "crypto" || exchange === "US" ? undefined : exchange,
});

const ADJUST = "TWELVEDATA_ADJUST";
const adjustmentOf = (values: SettingValues) => (values[ADJUST] === "none" ? "none" : "splits");

const delay = (): Delay => ({ after: "bar", seconds: 5 * 60 });

export const twelvedata: VendorSpec<z.infer<typeof schema>> = {
  name: "twelvedata",
  title: "Twelve Data",
  summary: "Stocks of many exchanges and crypto, split-adjusted; a free key gives 8 requests a minute and 800 a day.",
  baseUrl: "https://api.twelvedata.com",
  domains: ["twelvedata.com"],
  plans: [
    "Basic (free): 8 units a minute and 800 a day, US shares and crypto",
    "Grow, Pro and above: more units (set TWELVEDATA_PER_MINUTE), other exchanges",
  ],
  lacks: [
    "splits and dividends: prices are adjusted for splits, and a series is rebuilt at each; TWELVEDATA_ADJUST=none stores raw prices, which cannot be adjusted",
    "preferred shares: how their names are written there is not known",
    "the volume of crypto",
    "requests for many symbols that cost less than one each",
  ],
  keys: [{ variable: "TWELVEDATA_API_KEY", kind: "key", label: "API key", required: true }],
  options: [{ variable: ADJUST, kind: "choice", label: "Adjustment", options: ["splits", "none"], default: "splits" }],
  limits: [
    { period: "minute", counts: "units", limit: 8 },
    { period: "day", counts: "units", limit: 800 },
  ],
  // None is named: the largest plan's 1,600 a minute are 27 under way at a second.
  maxInFlight: 32,
  sources: { "1m": "1m", "5m": "5m", "15m": "15m", "1h": "15m", "1d": "1d" },
  maxDays: (source, { market, exchange }) =>
    (market === "crypto" ? CRYPTO_DAYS : exchange === "US" ? US_DAYS : WORLD_DAYS)[source] ?? 4_900,
  historyStart: (source) => (source === "1d" ? Date.UTC(1970, 0, 1) : Date.UTC(2020, 0, 1)) / 1000,
  delay,
  final: finalAfterExtended(delay),
  traits: (_ticker, _source, values) => ({ feed: "consolidated", adjustment: adjustmentOf(values) }),
  withoutActions: (values) => adjustmentOf(values) === "none",
  refuses: () => null,

  request({ ticker, interval, from, to }: VendorQuery, values) {
    const query = {
      ...nameOf(ticker),
      interval: INTERVAL_NAMES[interval]!,
      // Both dates bound the window; one alone does not, and a row count would cut it.
      start_date: stamp(from),
      end_date: stamp(to - 1),
      timezone: interval === "1d" ? undefined : "UTC",
      format: "JSON",
      // The vendor adjusts for splits unless this is set.
      adjust: adjustmentOf(values) === "none" ? "none" : undefined,
      apikey: values.TWELVEDATA_API_KEY,
    };
    return { path: "/time_series", query, cost: 1 };
  },

  schema,
  // The newest rows of a longer answer are sent, without a word.
  answer: { rows: MAX_ROWS, more: "none" },
  read({ meta, values }, rows: Rows, query: VendorQuery) {
    const { ticker, interval } = query;
    checkEcho("symbol", meta?.symbol, nameOf(ticker).symbol);
    checkEcho("interval", meta?.interval, INTERVAL_NAMES[interval]!);
    const { exchange, exchange_timezone: zone } = meta ?? {};
    // A name without an exchange that is not listed in New York is answered by that of another country.
    if (ticker.market === "us_equity" && ticker.exchange === "US" && zone && zone !== NEW_YORK)
      throw new ProviderError("unknown_symbol", `Twelve Data has it at ${exchange || zone}, and not in New York`);
    // Newest first; of two rows for one time the first is the newer.
    rows.each(bar, values ?? [], windowOf(query), ({ datetime, open, high, low, close, volume }) => {
      rows.add(parseTimestamp(datetime), open, high, low, close, volume);
    });
    return null;
  },

  companies: {
    exchanges: [
      { code: "US", title: "US stocks" },
      { code: "ETF", title: "US ETFs" },
      { code: "CRYPTO", title: "Crypto pairs" },
      { code: "LSE", title: "London" },
      { code: "XETR", title: "Xetra" },
      { code: "Euronext", title: "Euronext" },
      { code: "TSX", title: "Toronto" },
      { code: "SIX", title: "Zurich" },
      { code: "JPX", title: "Tokyo" },
      { code: "HKEX", title: "Hong Kong" },
      { code: "ASX", title: "Sydney" },
      { code: "NSE", title: "India" },
    ],
    request(exchange, { TWELVEDATA_API_KEY: apikey }) {
      if (exchange === "CRYPTO") return { path: "/cryptocurrencies", query: { apikey, format: "JSON" }, cost: 1 };
      const isUS = exchange === "US" || exchange === "ETF";
      const where = isUS ? { country: "United States" } : { exchange };
      return { path: exchange === "ETF" ? "/etfs" : "/stocks", query: { ...where, apikey, format: "JSON" }, cost: 1 };
    },
    schema: z.object({ data: z.array(z.unknown()) }),
    entries: ({ data }: { data: unknown[] }) => data,
    entry: listed,
    read({ symbol, name, exchange, currency, country, type, isin, figi_code, ...pair }: z.infer<typeof listed>, list) {
      if (list === "CRYPTO") {
        const title = `${pair.currency_base ?? ""} / ${pair.currency_quote ?? ""}`;
        return { symbol: symbol.replace("/", "-"), name: title, exchange: "", facts: { type: "crypto" } };
      }
      const facts = cleanFacts({ type: list === "ETF" ? "etf" : type, currency, country, isin, figi: figi_code });
      const isUS = list === "US" || list === "ETF";
      return {
        symbol: isUS ? symbol : `${symbol}@${list.toUpperCase()}`,
        name: name ?? "",
        exchange: exchange ?? "",
        facts,
      };
    },
  },

  firstBar: {
    request: (ticker, interval, values) => ({
      path: "/earliest_timestamp",
      query: {
        ...nameOf(ticker),
        interval: INTERVAL_NAMES[interval]!,
        timezone: "UTC",
        apikey: values.TWELVEDATA_API_KEY,
      },
      cost: 1,
    }),
    schema: z.object({ datetime: z.string(), unix_time: z.number().nullish() }),
    // The date is the exchange's, which in Asia is ahead of UTC.
    read: ({ datetime, unix_time }: { datetime: string; unix_time?: number | null }) =>
      Math.min(parseTimestamp(datetime), unix_time ?? Number.POSITIVE_INFINITY),
  },

  recognise({ status, json }: Answer): Classification | null {
    const body = json as { status?: unknown; code?: unknown; message?: unknown } | undefined;
    if (body?.status !== "error") return null;
    const message = String(body.message ?? "");
    const code = typeof body.code === "number" ? body.code : status;
    if (code === 429)
      return /for the day|daily/i.test(message) ? { kind: "quota_exceeded", period: "day" } : { kind: "rate_limited" };
    if (/no data is available|data not found/i.test(message)) return { kind: "no_data" };
    if (code === 401) return { kind: "auth" };
    // Before the unknown symbol: a symbol of a larger plan comes with a 404 too.
    if ((code === 403 || code === 404) && planWords(message)) return { kind: "plan" };
    if (code === 403) return { kind: "auth" };
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
