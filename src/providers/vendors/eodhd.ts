/** EODHD (eodhd.com): raw minute bars since 2004 and daily bars, limited in weighted calls per day. */

import { z } from "zod";
import { cleanFacts } from "../../domain/companies.ts";
import type { CorporateAction } from "../../domain/market/corporate-actions.ts";
import { DAY } from "../../domain/market/interval.ts";
import { isoDate } from "../../domain/time.ts";
import { type BulkQuery, nameIn } from "../http/bulk/bulk-spec.ts";
import { type Answer, type Classification, classifyMessage } from "../http/classify.ts";
import { exDate } from "../http/corporate-actions.ts";
import { type Rows, wire, wireBar, wireTime } from "../http/rows.ts";
import { shareName, type Ticker } from "../http/ticker.ts";
import { type VendorQuery, type VendorSpec, windowOf } from "../http/vendor-spec.ts";
import type { QuotaReport } from "../provider.ts";
import type { SettingValues } from "../setting.ts";
import { currencyIn, inPriceCurrency, isInHundreds } from "./eodhd-currencies.ts";

const minuteBar = z.object({ timestamp: wireTime, ...wireBar });
/** A free key gets the rows of one year, each with a warning; an older window gets the warning alone. */
const dailyBar = z.object({ date: z.string(), ...wireBar, warning: z.string().nullish() });
const schema = z.array(z.unknown());

/** The vendor's own count of today's calls. It is stale until the first request after midnight UTC. */
const usage = z.object({
  apiRequests: z.coerce.number(),
  apiRequestsDate: z.string(),
  dailyRateLimit: z.coerce.number().nullish().catch(null),
});

/** A symbol of an exchange's list. */
const listed = z.object({
  Code: z.string(),
  Name: z.string().nullish(),
  Exchange: z.string().nullish(),
  Type: z.string().nullish(),
  Country: z.string().nullish(),
  Currency: z.string().nullish(),
  Isin: z.string().nullish(),
});

/** The general part of a company's fundamentals; funds and pairs lack most of it. */
const words = z.string().nullish();
const general = z.object({
  Code: z.string(),
  Type: words,
  Name: words,
  Exchange: words,
  CurrencyCode: words,
  CountryName: words,
  Sector: words,
  Industry: words,
  IPODate: words,
  DelistedDate: words,
  ISIN: words,
  OpenFigi: words,
});

const splitEntry = z.object({ date: z.string(), split: z.string() });
/** `value` is adjusted for later splits, `unadjustedValue` is what was paid. */
const dividend = z.object({
  date: z.string(),
  value: wireTime,
  unadjustedValue: wire,
  currency: z.string().nullish(),
});

/** The same in the list of all companies. */
const bulkDividend = z.object({
  date: z.string(),
  dividend: wireTime,
  unadjustedValue: wire,
  currency: z.string().nullish(),
});

const INTRADAY_COST = 5;
const FUNDAMENTALS_COST = 10;
/** One day of a whole exchange. */
const BULK_COST = 100;
const CRYPTO_EXCHANGE = "CC";

function code({ market, name, exchange }: Ticker): string {
  if (market === "crypto") return `${name}.${CRYPTO_EXCHANGE}`;
  // A share class is written with a dash: BRK-B, a preferred share as BAC-PL.
  return `${shareName(name, { class: "-", preferred: "-P" })}.${exchange}`;
}

/** The reverse of `code`: `BRK-B` of `US` is our `BRK.B`, `VOD` of `LSE` our `VOD@LSE`. */
function symbolOf(code: string, exchange: string): string {
  if (exchange === CRYPTO_EXCHANGE) return code;
  const name = code.replaceAll("-", ".");
  return exchange === "US" ? name : `${name}@${exchange}`;
}

const actionRequest = (list: string, ticker: Ticker, key = "demo") => ({
  path: `/${list}/${encodeURIComponent(code(ticker))}`,
  // Without `from` the vendor returns one year only.
  query: { api_token: key, fmt: "json", from: "1970-01-01" },
  cost: 1,
});

const readList = (answer: unknown[]) => ({ next: null, entries: answer });

/** `4.000000/1.000000` is four new shares for one. */
function splitOf({ date, split }: z.infer<typeof splitEntry>): CorporateAction {
  const [to = Number.NaN, from = 1] = split.split("/").map(Number);
  return { kind: "split", date: exDate(date), value: to / from };
}

/** One day of all US symbols. */
const bulkList = (type: "splits" | "dividends" | undefined) => ({
  by: "day" as const,
  request: ({ from }: BulkQuery, values: SettingValues) => ({
    path: "/eod-bulk-last-day/US",
    query: { api_token: values.EODHD_API_KEY ?? "demo", fmt: "json", date: isoDate(from), type },
    cost: BULK_COST,
  }),
  schema,
});

export const eodhd: VendorSpec<z.infer<typeof schema>> = {
  name: "eodhd",
  title: "EODHD",
  summary:
    "US and world exchanges, raw minute bars since 2004; the key “demo” works for AAPL, MSFT, TSLA, VTI and BTC-USD.",
  baseUrl: "https://eodhd.com/api",
  domains: ["eodhd.com", "eodhistoricaldata.com"],
  plans: [
    "free: 20 units a day, daily bars of one year",
    "EOD: daily bars, 100,000 units a day",
    "Intraday and All-in-One: minutes too",
  ],
  lacks: [
    "the vendor's own 5m and 1h bars, which are of one venue and begin in 2020",
    "days of a whole exchange in one request outside the US",
    "the date of the first bar of a symbol at 1d: one request has all its days",
  ],
  keys: [{ variable: "EODHD_API_KEY", kind: "key", label: "API token", default: "demo" }],
  limits: [
    { period: "minute", counts: "requests", limit: 1_000 },
    { period: "day", counts: "units", limit: 100_000 },
  ],
  // None is named: twice what 1,000 a minute keep under way at two seconds a request.
  maxInFlight: 64,
  // The vendor's own 5m and 1h bars come from one venue and only since 2020: bars are built from minutes.
  sources: { "1m": "1m", "5m": "1m", "15m": "1m", "1h": "1m", "1d": "1d" },
  maxDays: (source) => (source === "1d" ? 36_500 : 120),
  historyStart: (source) => (source === "1d" ? Date.UTC(1970, 0, 1) : Date.UTC(2004, 0, 1)) / 1000,
  // Minutes are final two to three hours after extended trading ends at 20:00; daily volume is corrected until then.
  planYears: [1],
  delay: ({ market }) =>
    market === "crypto" ? { after: "bar", seconds: 3 * 3600 } : { after: "session", seconds: 7.25 * 3600 },
  traits: () => ({ feed: "consolidated", adjustment: "none" }),
  refuses: () => null,

  request({ ticker, interval, from, to }: VendorQuery, values) {
    const auth = { api_token: values.EODHD_API_KEY ?? "demo", fmt: "json" };
    if (interval === "1d") {
      const query = { ...auth, period: "d", order: "a", from: isoDate(from), to: isoDate(to - 1) };
      return { path: `/eod/${encodeURIComponent(code(ticker))}`, query, cost: 1 };
    }
    const query = { ...auth, interval, from, to: to - 1 };
    return { path: `/intraday/${encodeURIComponent(code(ticker))}`, query, cost: INTRADAY_COST };
  },

  schema,
  answer: { rows: Number.POSITIVE_INFINITY, more: "none" },
  read(answer, rows: Rows, query: VendorQuery) {
    if (query.interval === "1d") {
      rows.each(dailyBar, answer, windowOf(query), ({ date, open, high, low, close, volume, warning }) => {
        if (warning) rows.note ??= warning;
        rows.add(exDate(date), open, high, low, close, volume);
      });
    } else {
      rows.each(minuteBar, answer, windowOf(query), ({ timestamp, open, high, low, close, volume }) =>
        rows.add(Number(timestamp), open, high, low, close, volume),
      );
    }
    return null;
  },

  bulk: {
    code: (ticker) => code(ticker).replace(/\.US$/, ""),
    bars: {
      ...bulkList(undefined),
      read: (answer: unknown[]) => ({
        elements: answer.map((each) => [nameIn(each, "code"), each] as const),
        next: null,
      }),
      add: (rows, element, { from }) =>
        rows.each(dailyBar, [element], isoDate(from), ({ date, open, high, low, close, volume, warning }) => {
          if (warning) rows.note ??= warning;
          if (exDate(date) === from) rows.add(from, open, high, low, close, volume);
          else rows.reject(element, isoDate(from), "of another day than the requested one");
        }),
    },
    actions: [
      {
        ...bulkList("splits"),
        read: readList,
        codeOf: (entry) => nameIn(entry, "code"),
        entry: splitEntry,
        action: splitOf,
      },
      {
        ...bulkList("dividends"),
        read: readList,
        codeOf: (entry) => nameIn(entry, "code"),
        entry: bulkDividend,
        action: ({ date, dividend, unadjustedValue, currency }: z.infer<typeof bulkDividend>, { exchange }) => ({
          kind: "dividend",
          date: exDate(date),
          ...inPriceCurrency(Number(unadjustedValue ?? dividend), currency, exchange),
        }),
      },
    ],
  },

  firstBar: {
    // Months are few rows. Minutes are never older than days, of which one request has all.
    request: (ticker, source, values) =>
      source === "1d"
        ? null
        : {
            path: `/eod/${encodeURIComponent(code(ticker))}`,
            query: {
              api_token: values.EODHD_API_KEY ?? "demo",
              fmt: "json",
              period: "m",
              order: "a",
              from: "1970-01-01",
            },
            cost: 1,
          },
    schema: z.array(z.object({ date: z.string(), warning: z.string().nullish() })),
    // A warning says that a plan has cut the beginning off.
    read: (months: { date: string; warning?: string | null }[]) =>
      months[0] === undefined || months.some(({ warning }) => warning)
        ? null
        : exDate(`${months[0].date.slice(0, 7)}-01`),
  },

  recognise({ status, text, json }: Answer): Classification | null {
    // The status of a refused key varies; the text does not.
    if (/^\s*unauthenticated/i.test(text)) return { kind: "auth" };
    // The same status stands for an unknown ticker and for a range without data.
    if (status === 404 && /no data|date range/i.test(text)) return { kind: "no_data" };
    if (status === 200 && typeof json === "object" && json !== null && "error" in json) return classifyMessage(text);
    return null;
  },

  quota({ status, headers, json }: Answer): QuotaReport {
    const limit = Number(headers.get("x-ratelimit-limit") ?? Number.NaN);
    const left = Number(headers.get("x-ratelimit-remaining") ?? Number.NaN);
    const minute = limit > 0 && left >= 0 ? { used: { minute: limit - left }, limits: { minute: limit } } : {};
    // A wrong symbol costs one call, any other error none.
    const charged = status === 404 ? { charged: 1 } : status >= 400 ? { charged: 0 } : {};
    const counted = usage.safeParse(json);
    if (!counted.success) return { ...minute, ...charged };
    const { apiRequests, apiRequestsDate, dailyRateLimit } = counted.data;
    const today = Date.now() / 1000;
    const used = apiRequestsDate === isoDate(today - (today % DAY)) ? apiRequests : 0;
    const day = dailyRateLimit ? { day: dailyRateLimit } : {};
    return { used: { ...minute.used, day: used }, limits: { ...minute.limits, ...day }, ...charged };
  },

  actions: [
    {
      request: (ticker, _page, values) => actionRequest("splits", ticker, values.EODHD_API_KEY),
      schema,
      read: readList,
      entry: splitEntry,
      action: splitOf,
    },
    {
      request: (ticker, _page, values) => actionRequest("div", ticker, values.EODHD_API_KEY),
      schema,
      read: readList,
      entry: dividend,
      // Funds in London are quoted in pounds or pence, whatever they pay.
      currency: {
        isNeeded: ({ currency }, { exchange }) => isInHundreds(currency, exchange),
        request: (ticker, { EODHD_API_KEY = "demo" }) => ({
          path: `/search/${encodeURIComponent(ticker.name)}`,
          query: { api_token: EODHD_API_KEY, fmt: "json", exchange: ticker.exchange },
          cost: 1,
        }),
        schema,
        read: (answer: unknown[], ticker) => currencyIn(answer, code(ticker)),
      },
      action: ({ date, value, unadjustedValue, currency }: z.infer<typeof dividend>, { exchange }, quoted) => ({
        kind: "dividend",
        date: exDate(date),
        ...inPriceCurrency(Number(unadjustedValue ?? value), currency, exchange, quoted),
      }),
    },
  ],

  companies: {
    exchanges: [
      { code: "US", title: "US stocks and ETFs" },
      { code: "CC", title: "Crypto pairs" },
      { code: "LSE", title: "London" },
      { code: "XETRA", title: "Xetra" },
      { code: "PA", title: "Paris" },
      { code: "AS", title: "Amsterdam" },
      { code: "SW", title: "Zurich" },
      { code: "TO", title: "Toronto" },
    ],
    request: (exchange, values) => ({
      path: `/exchange-symbol-list/${encodeURIComponent(exchange)}`,
      query: { api_token: values.EODHD_API_KEY ?? "demo", fmt: "json" },
      cost: 1,
    }),
    schema,
    entries: (answer: unknown[]) => answer,
    entry: listed,
    // Mutual funds have one price per day and no bars.
    read: ({ Code, Name, Exchange, Type, Country, Currency, Isin }: z.infer<typeof listed>, exchange) =>
      /fund$/i.test(Type ?? "") && !/etf/i.test(Type ?? "")
        ? null
        : {
            symbol: symbolOf(Code, exchange),
            name: Name ?? "",
            exchange: Exchange ?? exchange,
            facts: cleanFacts({ type: Type, country: Country, currency: Currency, isin: Isin }),
          },
  },

  facts: {
    request: (ticker, values) => ({
      path: `/fundamentals/${encodeURIComponent(code(ticker))}`,
      query: { api_token: values.EODHD_API_KEY ?? "demo", fmt: "json", filter: "General" },
      cost: FUNDAMENTALS_COST,
    }),
    schema: general,
    read: (of: z.infer<typeof general>) => ({
      name: of.Name ?? "",
      exchange: of.Exchange ?? "",
      facts: cleanFacts({
        type: of.Type,
        currency: of.CurrencyCode,
        country: of.CountryName,
        sector: of.Sector,
        industry: of.Industry,
        listed_on: of.IPODate,
        delisted_on: of.DelistedDate,
        isin: of.ISIN,
        figi: of.OpenFigi,
      }),
    }),
  },

  usage: {
    request: (values) => ({
      path: "/user",
      query: { api_token: values.EODHD_API_KEY ?? "demo", fmt: "json" },
      cost: 1,
    }),
  },
};
