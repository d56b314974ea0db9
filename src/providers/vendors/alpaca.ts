/** Alpaca Market Data (alpaca.markets): consolidated US bars since 2016, free with a delay of 15 minutes, and its crypto market. */

import { z } from "zod";
import { quote } from "../../domain/errors.ts";
import { tradingDate } from "../../domain/market/calendar.ts";
import type { CorporateAction } from "../../domain/market/corporate-actions.ts";
import { DAY, INTERVAL_SECONDS, type Interval } from "../../domain/market/interval.ts";
import { isoDate, isoSecond, parseIsoMoment } from "../../domain/time.ts";
import { nameIn } from "../http/bulk/bulk-spec.ts";
import type { Answer, Classification } from "../http/classify.ts";
import { exDate } from "../http/corporate-actions.ts";
import { type Rows, wire, wireTime } from "../http/rows.ts";
import { shareName, type Ticker } from "../http/ticker.ts";
import { type VendorQuery, type VendorSpec, windowOf } from "../http/vendor-spec.ts";
import { finalAfterExtended } from "../http/windows/final-bars.ts";
import type { Delay } from "../http/windows/request-window.ts";
import type { QuotaReport } from "../provider.ts";
import type { SettingValues } from "../setting.ts";

const bar = z.object({ t: z.string(), o: wire, h: wire, l: wire, c: wire, v: wire });
const schema = z.object({
  // A symbol without bars is absent, or the whole record is null; an answer without the record is invalid.
  bars: z.record(z.string(), z.array(z.unknown()).nullable()).nullable(),
  next_page_token: z.string().nullish(),
});

const TIMEFRAMES: Readonly<Partial<Record<Interval, string>>> = {
  "1m": "1Min",
  "5m": "5Min",
  "15m": "15Min",
  "1h": "1Hour",
  "1d": "1Day",
};
const PAGE_ROWS = 10_000;
const isCrypto = ({ market }: Pick<Ticker, "market">) => market === "crypto";
/** The days of a window around the clock that fill one page. */
const cryptoDays = (source: Interval) => Math.floor((PAGE_ROWS * INTERVAL_SECONDS[source]) / DAY);

/** Lists of actions, by their type; only the fields that are used. */
const actionLists = z.object({
  corporate_actions: z.record(z.string(), z.array(z.unknown()).nullable()).nullish(),
  next_page_token: z.string().nullish(),
});
const FACTS = { symbol: z.string().nullish(), ex_date: z.string() };
const action = z.discriminatedUnion("type", [
  z.object({ type: z.literal("forward_splits"), ...FACTS, new_rate: wireTime, old_rate: wireTime }),
  z.object({ type: z.literal("reverse_splits"), ...FACTS, new_rate: wireTime, old_rate: wireTime }),
  z.object({ type: z.literal("stock_dividends"), ...FACTS, rate: wireTime }),
  z.object({ type: z.literal("cash_dividends"), ...FACTS, rate: wireTime }),
]);
const ACTION_TYPES = "forward_split,reverse_split,stock_dividend,cash_dividend";
const PAGE_ACTIONS = 1_000;
/**
 * The vendor selects by the day on which it processes an action: that of a dividend's payment, weeks after the ex-date, or
 * the day before it where the ex-date follows the payment. Announced days in the future can be requested.
 */
const PROCESSED = { before: 14 * DAY, after: 180 * DAY } as const;
const FIRST_ACTIONS = Date.UTC(2000, 0, 1) / 1000;
/** Names of a request: its URL stays below 2,000 characters, and 40 days of them fill one page. */
const BULK_SYMBOLS = 200;

/** An asset of the list; only the fields that are used. */
const asset = z.object({ symbol: z.string(), name: z.string().nullish(), exchange: z.string().nullish() });

/** `BRK.B` as it is, a preferred share as `BAC.PRL`, a pair as `BTC/USD`. */
const wireName = ({ market, name, base, quote }: Ticker) =>
  market === "crypto" ? `${base}/${quote}` : shareName(name, { class: ".", preferred: ".PR" });

/** The actions with an ex-date between two days, epoch seconds, half open; and some others. */
const actionRequest = (
  tickers: readonly Ticker[],
  { from, to }: Pick<VendorQuery, "from" | "to">,
  page: string | null,
) => ({
  path: "/v1/corporate-actions",
  query: {
    symbols: tickers.map(wireName).join(","),
    types: ACTION_TYPES,
    start: isoDate(from - PROCESSED.before),
    end: isoDate(to - 1 + PROCESSED.after),
    limit: PAGE_ACTIONS,
    sort: "asc",
    page_token: page ?? undefined,
  },
  cost: 1,
});
const readActions = ({ corporate_actions, next_page_token }: z.infer<typeof actionLists>) => ({
  entries: Object.entries(corporate_actions ?? {}).flatMap(([type, list]) =>
    (list ?? []).map((entry) => (typeof entry === "object" ? { ...entry, type } : entry)),
  ),
  next: next_page_token || null,
});
function actionOf(entry: z.infer<typeof action>): CorporateAction {
  const date = exDate(entry.ex_date);
  if (entry.type === "cash_dividends") return { kind: "dividend", date, value: Number(entry.rate) };
  // A stock dividend of 0.05 gives 1.05 shares for each.
  const value =
    entry.type === "stock_dividends" ? 1 + Number(entry.rate) : Number(entry.new_rate) / Number(entry.old_rate);
  return { kind: "split", date, value };
}

const FEED = "ALPACA_FEED";
const feedOf = (values: SettingValues) => values[FEED] ?? "sip";

/** The newest 15 minutes of the consolidated tape need a paid plan; IEX's own trades and crypto do not. */
const delay = (ticker: Ticker, _source: Interval, values: SettingValues): Delay => ({
  after: "bar",
  seconds: isCrypto(ticker) || feedOf(values) === "iex" ? 60 : 16 * 60,
});

export const alpaca: VendorSpec<z.infer<typeof schema>> = {
  name: "alpaca",
  title: "Alpaca",
  summary:
    "US stocks and ETFs from the consolidated tape since 2016, crypto since 2021; a free account gives 200 requests a minute.",
  baseUrl: "https://data.alpaca.markets",
  domains: ["alpaca.markets"],
  plans: [
    "Basic (free): 200 requests a minute; all of the consolidated tape but its last 15 minutes",
    "Algo Trader Plus: 10,000 requests a minute, without that delay (set ALPACA_PER_MINUTE)",
  ],
  lacks: ["bars of shares before 2016, of pairs before 2021", "other exchanges"],
  keys: [
    { variable: "ALPACA_API_KEY", kind: "key", label: "Key ID", required: true },
    { variable: "ALPACA_API_SECRET", kind: "key", label: "Secret key", required: true },
  ],
  options: [{ variable: FEED, kind: "choice", label: "Feed", options: ["sip", "iex"], default: "sip" }],
  limits: [{ period: "minute", counts: "requests", limit: 200 }],
  // None is named: the paid plan's 10,000 a minute are 33 under way at 200 ms.
  maxInFlight: 64,
  // The vendor's 1h bars start at full hours and mix the open with the minutes before it; its 15m bars do not.
  sources: { "1m": "1m", "5m": "5m", "15m": "15m", "1h": "15m", "1d": "1d" },
  // Daily bars of crypto began at midnight in Chicago until July 2025; hours have always begun at full hours of UTC.
  cryptoSources: { "1h": "1h", "1d": "1h" },
  // About as many days as fill one page, extended hours included.
  maxDays: (source, ticker) =>
    isCrypto(ticker) ? cryptoDays(source) : ({ "1m": 31, "5m": 72, "15m": 218 }[source as string] ?? 3_650),
  historyStart: (_source, ticker) => Date.UTC(ticker && isCrypto(ticker) ? 2021 : 2016, 0, 1) / 1000,
  delay,
  final: finalAfterExtended(delay),
  traits: (ticker, _source, values) => ({ feed: isCrypto(ticker) ? "crypto_us" : feedOf(values), adjustment: "none" }),
  refuses: ({ exchange }) => (exchange === "US" ? null : "this adapter covers US stocks, ETFs and crypto pairs"),
  headers: (values) => ({
    "APCA-API-KEY-ID": values.ALPACA_API_KEY ?? "",
    "APCA-API-SECRET-KEY": values.ALPACA_API_SECRET ?? "",
  }),

  request({ ticker, interval, from, to, page }: VendorQuery, values) {
    const crypto = isCrypto(ticker);
    const query = {
      symbols: wireName(ticker),
      timeframe: TIMEFRAMES[interval]!,
      start: isoSecond(from),
      // Both ends are inclusive.
      end: isoSecond(to - 1),
      limit: PAGE_ROWS,
      adjustment: crypto ? undefined : "raw",
      feed: crypto ? undefined : feedOf(values),
      sort: "asc",
      page_token: page ?? undefined,
    };
    return { path: crypto ? "/v1beta3/crypto/us/bars" : "/v2/stocks/bars", query, cost: 1 };
  },

  schema,
  answer: { rows: PAGE_ROWS, more: "next" },
  read({ bars, next_page_token }, rows: Rows, query: VendorQuery) {
    const { ticker, interval } = query;
    const own = bars?.[wireName(ticker)];
    // Without a word, bars under another name would be none.
    for (const [name, list] of own === undefined ? Object.entries(bars ?? {}) : [])
      for (const element of list ?? []) rows.reject(element, windowOf(query), `a bar of ${quote(name)}`);
    rows.each(bar, own ?? [], windowOf(query), ({ t, o, h, l, c, v }) => {
      const ts = parseIsoMoment(t);
      rows.add(interval === "1d" ? tradingDate("us_equity", ts) : ts, o, h, l, c, v);
    });
    return next_page_token || null;
  },

  actions: [
    {
      request: (ticker, page) =>
        // Without dates the vendor answers for today alone.
        actionRequest([ticker], { from: FIRST_ACTIONS, to: Math.floor(Date.now() / 1000) }, page),
      schema: actionLists,
      most: PAGE_ACTIONS,
      read: readActions,
      entry: action,
      action: actionOf,
    },
  ],

  bulk: {
    code: wireName,
    bars: {
      by: "symbols",
      most: BULK_SYMBOLS,
      mostRows: PAGE_ROWS,
      request: ({ tickers, from, to, page }, values) => ({
        path: "/v2/stocks/bars",
        query: {
          symbols: tickers.map(wireName).join(","),
          timeframe: TIMEFRAMES["1d"]!,
          start: isoSecond(from),
          end: isoSecond(to - 1),
          limit: PAGE_ROWS,
          adjustment: "raw",
          feed: feedOf(values),
          sort: "asc",
          page_token: page ?? undefined,
        },
        cost: 1,
      }),
      schema,
      read: ({ bars, next_page_token }: z.infer<typeof schema>) => ({
        elements: Object.entries(bars ?? {}).flatMap(([code, list]) =>
          (list ?? []).map((each) => [code, each] as const),
        ),
        next: next_page_token || null,
      }),
      add: (rows, element, { from, to }) =>
        rows.each(bar, [element], `${isoDate(from)} to ${isoDate(to - 1)}`, ({ t, o, h, l, c, v }) =>
          rows.add(tradingDate("us_equity", parseIsoMoment(t)), o, h, l, c, v),
        ),
    },
    actions: [
      {
        by: "symbols",
        most: BULK_SYMBOLS,
        request: ({ tickers, page, ...days }) => actionRequest(tickers, days, page),
        schema: actionLists,
        mostRows: PAGE_ACTIONS,
        read: readActions,
        codeOf: (entry) => nameIn(entry, "symbol"),
        entry: action,
        action: actionOf,
      },
    ],
  },

  firstBar: {
    request: (ticker, _source, values) =>
      isCrypto(ticker)
        ? null
        : {
            path: "/v2/stocks/bars",
            query: {
              symbols: wireName(ticker),
              timeframe: TIMEFRAMES["1d"]!,
              start: "2016-01-01T00:00:00Z",
              // The newest minutes are not in every plan.
              end: isoSecond(Math.floor(Date.now() / 1000) - DAY),
              limit: 1,
              adjustment: "raw",
              feed: feedOf(values),
              sort: "asc",
            },
            cost: 1,
          },
    schema,
    read({ bars }: z.infer<typeof schema>) {
      const first = bar.safeParse(Object.values(bars ?? {})[0]?.[0]);
      return first.success ? parseIsoMoment(first.data.t) : null;
    },
  },

  companies: {
    exchanges: [
      { code: "US", title: "US stocks and ETFs" },
      { code: "CRYPTO", title: "Crypto pairs" },
    ],
    request: (exchange, { ALPACA_API_KEY = "" }) => ({
      // The account's own host; keys of paper accounts begin with PK and are known on theirs alone.
      host: `https://${ALPACA_API_KEY.startsWith("PK") ? "paper-api" : "api"}.alpaca.markets`,
      path: "/v2/assets",
      query: { status: "active", asset_class: exchange === "US" ? "us_equity" : "crypto" },
      cost: 1,
    }),
    schema: z.array(z.unknown()),
    entries: (answer: unknown[]) => answer,
    entry: asset,
    read: ({ symbol, name, exchange }: z.infer<typeof asset>, list) => ({
      symbol: symbol.replace("/", "-"),
      name: name ?? "",
      exchange: exchange ?? "",
      facts: list === "US" ? { country: "United States", currency: "USD" } : { type: "crypto" },
    }),
  },

  recognise({ status, text }: Answer): Classification | null {
    // Old and new wording of the same refusal: the last minutes need a paid plan.
    if ((status === 403 || status === 422) && /recent SIP|past 15 minutes|too late for subscription/i.test(text))
      return { kind: "plan", scope: "recent" };
    if ((status === 400 || status === 422) && /invalid symbol/i.test(text)) return { kind: "unknown_symbol" };
    return null;
  },

  quota({ headers }: Answer): QuotaReport {
    const limit = Number(headers.get("x-ratelimit-limit") ?? Number.NaN);
    const left = Number(headers.get("x-ratelimit-remaining") ?? Number.NaN);
    return limit > 0 && left >= 0 ? { used: { minute: limit - left }, limits: { minute: limit } } : {};
  },
};
