/** Massive, formerly Polygon.io: aggregates of all US trades, unadjusted on request, in pages of 50,000 base bars. */

import { z } from "zod";
import { cleanFacts } from "../../domain/companies.ts";
import { tradingDate } from "../../domain/market/calendar.ts";
import type { CorporateAction } from "../../domain/market/corporate-actions.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { isoDate } from "../../domain/time.ts";
import { type BulkQuery, nameIn } from "../http/bulk/bulk-spec.ts";
import type { Answer, Classification } from "../http/classify.ts";
import { exDate } from "../http/corporate-actions.ts";
import { checkEcho, type Rows, UnreadableRows, wire, wireTime } from "../http/rows.ts";
import { shareName, type Ticker } from "../http/ticker.ts";
import { type VendorQuery, type VendorSpec, windowOf } from "../http/vendor-spec.ts";
import { finalAfterExtended } from "../http/windows/final-bars.ts";
import type { Delay } from "../http/windows/request-window.ts";

const bar = z.object({ t: wireTime, o: wire, h: wire, l: wire, c: wire, v: wire });
const schema = z.object({
  status: z.enum(["OK", "DELAYED"]),
  ticker: z.string().nullish(),
  adjusted: z.boolean().nullish().catch(null),
  /** How many bars this page has. */
  resultsCount: z.number().nullish().catch(null),
  // Absent when there are no bars.
  results: z.array(z.unknown()).nullish(),
  next_url: z.string().nullish(),
});

const ADJUSTED = "its prices are adjusted for splits, and raw ones were requested";
/** The same of all shares on a day. */
const wholeDay = schema.extend({ adjusted: z.literal(false, ADJUSTED).nullish() });

const SPANS: Readonly<Partial<Record<Interval, string>>> = {
  "1m": "1/minute",
  "5m": "5/minute",
  "15m": "15/minute",
  "1h": "1/hour",
  "1d": "1/day",
};
/** Case counts: the `p` of a preferred share is small, as in `BACpL`. */
const code = ({ market, name, base, quote }: Ticker) =>
  market === "crypto" ? `X:${base}${quote}` : shareName(name, { class: ".", preferred: "p" });

const listing = z.object({ results: z.array(z.unknown()).nullish(), next_url: z.string().nullish() });
const split = z.object({ execution_date: z.string(), split_from: wireTime, split_to: wireTime });
const dividend = z.object({ ex_dividend_date: z.string(), cash_amount: wireTime, currency: z.string().nullish() });
/** Entries per page of a list of splits or dividends. */
const PAGE_ACTIONS = 1_000;
const reference = (list: string) => (ticker: Ticker, page: string | null) => ({
  path: page ?? `/v3/reference/${list}`,
  query: page === null ? { ticker: code(ticker), limit: PAGE_ACTIONS } : {},
  cost: 1,
});
/** The lists that are to replace those under `/v3/reference`: longer pages, entries of the same shape. */
const newer = (list: string) => (ticker: Ticker) => ({
  path: `/stocks/v1/${list}`,
  query: { ticker: code(ticker), limit: 5 * PAGE_ACTIONS },
  cost: 1,
});
const readListing = ({ results, next_url }: z.infer<typeof listing>) => ({
  entries: results ?? [],
  next: next_url || null,
});
const splitOf = ({ execution_date, split_from, split_to }: z.infer<typeof split>): CorporateAction => ({
  kind: "split",
  date: exDate(execution_date),
  value: Number(split_to) / Number(split_from),
});
const dividendOf = ({ ex_dividend_date, cash_amount, currency }: z.infer<typeof dividend>): CorporateAction => ({
  kind: "dividend",
  date: exDate(ex_dividend_date),
  value: Number(cash_amount),
  ...(currency && currency.toUpperCase() !== "USD" && { currency: currency.toUpperCase() }),
});
/** A list of all companies' splits or dividends between two dates. */
const bulkReference = (list: string, date: string) => ({
  by: "range" as const,
  request: ({ from, to, page }: BulkQuery) => ({
    path: page ?? `/v3/reference/${list}`,
    query:
      page === null ? { [`${date}.gte`]: isoDate(from), [`${date}.lte`]: isoDate(to - 1), limit: PAGE_ACTIONS } : {},
    cost: 1,
  }),
  schema: listing,
  mostRows: PAGE_ACTIONS,
  read: readListing,
  codeOf: (entry: unknown) => nameIn(entry, "ticker"),
});
const PAGE_ROWS = 50_000;

/** A ticker of the list; only the fields that are used. */
const listedTicker = z.object({
  ticker: z.string(),
  name: z.string().nullish(),
  primary_exchange: z.string().nullish(),
  type: z.string().nullish(),
  currency_name: z.string().nullish(),
  currency_symbol: z.string().nullish(),
  base_currency_symbol: z.string().nullish(),
  composite_figi: z.string().nullish(),
  delisted_utc: z.string().nullish(),
});
const details = listedTicker.extend({ sic_description: z.string().nullish(), list_date: z.string().nullish() });
/** `ELECTRONIC COMPUTERS` becomes `Electronic computers`. */
const inSentenceCase = (text: string) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase();
/** Codes of types whose words do not tell. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ["CS", "stock"],
  ["ADRC", "adr"],
  ["ADRP", "adr"],
  ["PFD", "preferred"],
  ["FUND", "fund"],
]);

/** `BACpL` is `BAC.PL`, `X:BTCUSD` the pair of its two currencies; `null` for other spellings with small letters. */
function symbolOf({ ticker, base_currency_symbol: base, currency_symbol: quote }: z.infer<typeof listedTicker>) {
  if (ticker.startsWith("X:")) return base && quote ? `${base}-${quote}` : null;
  const name = ticker.replace(/^([A-Z]+)p([A-Z])$/, "$1.P$2");
  return name === name.toUpperCase() ? name : null;
}

const delay = (): Delay => ({ after: "bar", seconds: 16 * 60 });

export const massive: VendorSpec<z.infer<typeof schema>> = {
  name: "massive",
  title: "Massive (Polygon)",
  summary: "US stocks and crypto, unadjusted; the free plan gives 5 requests a minute and two years.",
  baseUrl: "https://api.massive.com",
  domains: ["massive.com", "polygon.io"],
  plans: [
    "Basic (free): 5 requests a minute, two years, today's bars after the day is over",
    "Starter: five years, 15 minutes late; Developer: ten years; Advanced: all of it, without delay; no limit a minute (set MASSIVE_PER_MINUTE)",
    "stocks and crypto are separate plans",
  ],
  lacks: ["exchanges outside the US", "days of the whole market in one request for crypto"],
  keys: [{ variable: "MASSIVE_API_KEY", kind: "key", label: "API key", required: true }],
  limits: [{ period: "minute", counts: "requests", limit: 5 }],
  // Paid plans have no limit, but a recommended rate of under 100 requests a second; one takes a fifth of it or more.
  maxInFlight: 20,
  sources: { "1m": "1m", "5m": "5m", "15m": "15m", "1h": "15m", "1d": "1d" },
  // 50 sessions of 960 minutes fill a page; longer bars are counted by the minutes they are made of.
  maxDays: (source, { market }) => (source === "1d" ? 36_500 : market === "crypto" ? 34 : 70),
  historyStart: () => Date.UTC(2003, 8, 10) / 1000,
  planYears: [2, 5, 10],
  trims: true,
  delay,
  final: finalAfterExtended(delay),
  traits: () => ({ feed: "consolidated", adjustment: "none" }),
  refuses: ({ exchange }) => (exchange === "US" ? null : "this adapter covers US stocks and crypto pairs"),
  headers: (values) => ({ authorization: `Bearer ${values.MASSIVE_API_KEY ?? ""}` }),

  request({ ticker, interval, from, to, page }: VendorQuery) {
    // The link to the next page contains everything but the key, which is in the header.
    if (page !== null) return { path: page, query: {}, cost: 1 };
    // Both ends are inclusive. Days are named by date: an instant would be moved to midnight in New York, a day earlier.
    const ends = interval === "1d" ? `${isoDate(from)}/${isoDate(to - 1)}` : `${from * 1000}/${to * 1000 - 1}`;
    const path = `/v2/aggs/ticker/${encodeURIComponent(code(ticker))}/range/${SPANS[interval]}/${ends}`;
    return { path, query: { adjusted: "false", sort: "asc", limit: PAGE_ROWS }, cost: 1 };
  },

  schema,
  answer: { rows: PAGE_ROWS, more: "next" },
  read({ results, next_url, ...answer }, rows: Rows, query: VendorQuery) {
    const { ticker, interval } = query;
    checkEcho("ticker", answer.ticker, code(ticker));
    const count = results?.length ?? 0;
    if ((answer.resultsCount ?? count) > count)
      throw new UnreadableRows(`it has ${count} of the ${answer.resultsCount} rows that it states`);
    if (answer.adjusted && ticker.market !== "crypto") throw new UnreadableRows(ADJUSTED);
    rows.each(bar, results ?? [], windowOf(query), ({ t, o, h, l, c, v }) => {
      const ts = Number(t) / 1000;
      rows.add(interval === "1d" ? tradingDate(ticker.market, ts) : ts, o, h, l, c, v);
    });
    return next_url || null;
  },

  actions: [
    {
      request: reference("splits"),
      moved: newer("splits"),
      most: PAGE_ACTIONS,
      schema: listing,
      read: readListing,
      entry: split,
      action: splitOf,
    },
    {
      request: reference("dividends"),
      moved: newer("dividends"),
      most: PAGE_ACTIONS,
      schema: listing,
      read: readListing,
      entry: dividend,
      action: dividendOf,
    },
  ],

  companies: {
    exchanges: [
      { code: "US", title: "US stocks and ETFs" },
      { code: "DELISTED", title: "US stocks and ETFs, delisted" },
      { code: "CRYPTO", title: "Crypto pairs" },
    ],
    request(exchange, _values, page) {
      if (page !== null) return { path: page, query: {}, cost: 1 };
      const market = exchange === "CRYPTO" ? "crypto" : "stocks";
      const active = String(exchange !== "DELISTED");
      const query = { market, active, sort: "ticker", order: "asc", limit: PAGE_ACTIONS };
      return { path: "/v3/reference/tickers", query, cost: 1 };
    },
    schema: listing,
    most: PAGE_ACTIONS,
    entries: ({ results }: z.infer<typeof listing>) => results ?? [],
    next: ({ next_url }: z.infer<typeof listing>) => next_url || null,
    entry: listedTicker,
    read(ticker: z.infer<typeof listedTicker>, exchange) {
      const symbol = symbolOf(ticker);
      if (symbol === null) return null;
      const { name, primary_exchange, type, currency_name, currency_symbol, composite_figi, delisted_utc } = ticker;
      const facts = cleanFacts({
        type: exchange === "CRYPTO" ? "crypto" : (TYPES.get(type ?? "") ?? type),
        currency: currency_symbol ?? currency_name,
        country: exchange === "CRYPTO" ? undefined : "United States",
        figi: composite_figi,
        delisted_on: delisted_utc,
      });
      return { symbol, name: name ?? "", exchange: primary_exchange ?? "", facts };
    },
  },

  facts: {
    request: (ticker) => ({
      path: `/v3/reference/tickers/${encodeURIComponent(code(ticker))}`,
      query: {},
      cost: 1,
    }),
    schema: z.object({ results: details }),
    read: ({ results }: { results: z.infer<typeof details> }) => ({
      name: results.name ?? "",
      exchange: results.primary_exchange ?? "",
      facts: cleanFacts({
        type: TYPES.get(results.type ?? "") ?? results.type,
        currency: results.currency_symbol ?? results.currency_name,
        industry: results.sic_description && inSentenceCase(results.sic_description),
        listed_on: results.list_date,
        delisted_on: results.delisted_utc,
        figi: results.composite_figi,
      }),
    }),
  },

  bulk: {
    code,
    bars: {
      by: "day",
      request: ({ from }) => ({
        path: `/v2/aggs/grouped/locale/us/market/stocks/${isoDate(from)}`,
        // Shares that left their exchange are among the symbols too.
        query: { adjusted: "false", include_otc: "true" },
        cost: 1,
      }),
      schema: wholeDay,
      read: ({ results, next_url }: z.infer<typeof schema>) => ({
        elements: (results ?? []).map((element) => [nameIn(element, "T"), element] as const),
        next: next_url || null,
      }),
      // The time is that of the end of the day.
      add: (rows, element, { from }) =>
        rows.each(bar, [element], isoDate(from), ({ t, o, h, l, c, v }) => {
          if (tradingDate("us_equity", Number(t) / 1000) === from) rows.add(from, o, h, l, c, v);
          else rows.reject(element, isoDate(from), "of another day than the requested one");
        }),
    },
    actions: [
      { ...bulkReference("splits", "execution_date"), entry: split, action: splitOf },
      { ...bulkReference("dividends", "ex_dividend_date"), pageDays: 7, entry: dividend, action: dividendOf },
    ],
  },

  firstBar: {
    isStated: true,
    request: (ticker) =>
      ticker.market === "crypto"
        ? null
        : { path: `/v3/reference/tickers/${encodeURIComponent(code(ticker))}`, query: {}, cost: 1 },
    schema: z.object({ results: z.object({ list_date: z.string().nullish() }) }),
    read: ({ results }: { results: { list_date?: string | null } }) =>
      results.list_date ? exDate(results.list_date) : null,
  },

  recognise({ json, text }: Answer): Classification | null {
    const status = (json as { status?: unknown } | undefined)?.status;
    if (status === "NOT_AUTHORIZED") {
      // Of a crypto pair the market is refused, of a share that share only.
      if (/not entitled/i.test(text)) return { kind: "plan", scope: "exchange" };
      return { kind: "plan" };
    }
    if (status !== "ERROR") return null;
    if (/unknown api key|api key was not provided/i.test(text)) return { kind: "auth" };
    return /maximum requests per minute/i.test(text) ? { kind: "rate_limited" } : null;
  },
};
