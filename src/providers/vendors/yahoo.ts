/**
 * Yahoo Finance's chart endpoint: prices adjusted for splits, without a key and without a promise. Intraday bars are kept
 * for some days only, and answers may be refused, hold empty rows, or end with a snapshot of the present.
 */

import { z } from "zod";
import { venueOf } from "../../domain/market/exchanges/exchanges.ts";
import { DAY, INTERVAL_SECONDS, type Interval } from "../../domain/market/interval.ts";
import { isMoment } from "../../domain/time.ts";
import { offsetAt } from "../../domain/zone.ts";
import { type Answer, type Classification, retryAfterOf } from "../http/classify.ts";
import { checkEcho, type Rows, UnreadableRows, wireBar, wireTime } from "../http/rows.ts";
import { shareName, type Ticker } from "../http/ticker.ts";
import { type VendorQuery, type VendorSpec, windowOf } from "../http/vendor-spec.ts";
import { finalAfterExtended } from "../http/windows/final-bars.ts";
import type { Delay } from "../http/windows/request-window.ts";

const PRICES = ["open", "high", "low", "close"] as const;
const column = z.array(z.unknown()).nullish();
const quote = z.object({ open: column, high: column, low: column, close: column, volume: column });
const meta = z.object({
  symbol: z.string().nullish().catch(null),
  dataGranularity: z.string().nullish().catch(null),
  currency: z.string().nullish(),
  exchangeTimezoneName: z.string().nullish(),
  currentTradingPeriod: z
    .object({ regular: z.object({ end: z.number() }).nullish() })
    .nullish()
    .catch(null),
});
/** Events by their time; each list is read by itself. */
const listed = z
  .union([z.record(z.string(), z.unknown()), z.array(z.unknown())])
  .nullish()
  .catch(null);
const events = z.object({ splits: listed, dividends: listed });
const result = z.object({
  meta,
  // Absent when there are no bars; the columns are then too.
  timestamp: z.array(z.unknown()).nullish(),
  events: events.nullish().catch(null),
  indicators: z.object({ quote: z.array(quote).min(1) }),
});
const schema = z.object({ chart: z.object({ result: z.array(result).min(1) }) });
type Result = z.infer<typeof result>;

const bar = z.object({ ts: wireTime, ...wireBar });
const split = z.object({ date: wireTime, numerator: wireTime, denominator: wireTime });
const dividend = z.object({ date: wireTime, amount: wireTime, currency: z.string().nullish() });
/** An error, as the chart or the server before it words it. */
const failure = z.object({ description: z.string() });
const failures = z.union([
  z.object({ chart: z.object({ error: failure }) }).transform(({ chart }) => chart.error.description),
  z.object({ finance: z.object({ error: failure }) }).transform(({ finance }) => finance.error.description),
]);

/** Days back from now for which bars are kept: a request that begins earlier is refused as a whole. One day of margin. */
const KEPT_DAYS: Readonly<Partial<Record<Interval, number>>> = { "1m": 29, "5m": 59, "15m": 59, "1h": 729 };
const MINUTE_DAYS = 7;
/** Other names of an interval in answers. */
const SAME_NAMES: Readonly<Partial<Record<Interval, readonly string[]>>> = { "1h": ["60m"] };
/** A day's bar is stamped with the open of its session: in Sydney the evening before by UTC. */
const MARGIN = 14 * 3600;
const OUTSIDE = "outside the window asked for";

/** The suffixes of the exchanges whose calendar is known; others go by the code behind the `@`. */
const BY_VENUE: Readonly<Record<string, string>> = {
  XLON: "L",
  XETR: "DE",
  XPAR: "PA",
  XAMS: "AS",
  XBRU: "BR",
  XTSE: "TO",
  XSWX: "SW",
  XTKS: "T",
  XHKG: "HK",
  XASX: "AX",
};
const BY_CODE: Readonly<Record<string, string>> = {
  NSE: "NS",
  XNSE: "NS",
  BSE: "BO",
  SHG: "SS",
  SHE: "SZ",
  KO: "KS",
  WAR: "WA",
  JSE: "JO",
  ...Object.fromEntries(
    "F BE MU SG DU HM MI MC LS VI HE IR ST CO OL SA MX KS KQ SS SZ TW TWO JO TA V CN NE NZ SI JK BK IS WA NS BO"
      .split(" ")
      .map((code) => [code, code]),
  ),
};

const suffixOf = ({ symbol, exchange }: Ticker): string | undefined => BY_VENUE[venueOf(symbol)] ?? BY_CODE[exchange];

/** `BRK-B`, a preferred share as `BAC-PL`, `VOD.L` for `VOD@LSE`, Hong Kong with four digits. */
function wireName(ticker: Ticker): string {
  if (ticker.market === "crypto") return ticker.name;
  const name = shareName(ticker.name, { class: "-", preferred: "-P" });
  if (ticker.exchange === "US") return name;
  const suffix = suffixOf(ticker);
  return `${suffix === "HK" && /^\d+$/.test(name) ? String(Number(name)).padStart(4, "0") : name}.${suffix}`;
}

/** The date on the exchange's clock, midnight UTC in epoch seconds; NaN of a time that is no number. */
function dateOf(ts: number, zone: string | null | undefined): number {
  if (!isMoment(ts)) return Number.NaN;
  const local = ts + (zone ? offsetAt(zone, ts) : 0);
  return Math.floor(local / DAY) * DAY;
}

/** Amounts of such prices are stated in pence or in pounds, and the answer does not say which. */
const isMinorUnit = (currency = "") => /[a-z]|^(?:ILA|GBX|ZAC)$/.test(currency);

const delay = (): Delay => ({ after: "bar", seconds: 20 * 60 });

export const yahoo: VendorSpec<z.infer<typeof schema>> = {
  name: "yahoo",
  title: "Yahoo Finance",
  summary:
    "Unofficial and split-adjusted: Yahoo's terms allow personal use only, and it may stop answering at any time. Off until you turn it on.",
  baseUrl: "https://query2.finance.yahoo.com",
  domains: ["yahoo.com"],
  plans: ["none: there is no key, and the limits are not documented; 60 requests a minute are our choice"],
  lacks: ["minutes older than 29 days, 5m and 15m than 59, hours than 729", "the volume of crypto"],
  keys: [],
  options: [{ variable: "YAHOO", kind: "choice", label: "Use", options: ["off", "on"], default: "off", wants: "on" }],
  limits: [{ period: "minute", counts: "requests", limit: 60 }],
  maxInFlight: 4,
  sources: { "1m": "1m", "5m": "5m", "15m": "15m", "1h": "1h", "1d": "1d" },
  maxDays: (source) => (source === "1m" ? MINUTE_DAYS : (KEPT_DAYS[source] ?? 36_500)),
  keptDays: (source) => KEPT_DAYS[source],
  historyStart: () => Date.UTC(1962, 0, 2) / 1000,
  delay,
  final: finalAfterExtended(delay),
  traits: () => ({ feed: "yahoo", adjustment: "splits" }),
  refuses: (ticker) =>
    ticker.market === "crypto" || ticker.exchange === "US" || suffixOf(ticker) !== undefined
      ? null
      : `its suffix for the exchange ${ticker.exchange} is not known`,
  // Clients that do not name themselves like a browser are answered with 429.
  headers: () => ({ "user-agent": "Mozilla/5.0 (compatible; barkeep)" }),

  request({ ticker, interval, from, to }: VendorQuery) {
    const margin = interval === "1d" && ticker.market !== "crypto" ? MARGIN : 0;
    const query = {
      period1: Math.floor(from) - margin,
      // No session opens after the end of its date in UTC.
      period2: Math.floor(to),
      interval,
      events: "div,splits",
      includePrePost: "false",
    };
    return { path: `/v8/finance/chart/${encodeURIComponent(wireName(ticker))}`, query, cost: 1 };
  },

  schema,
  answer: { rows: Number.POSITIVE_INFINITY, more: "none" },
  read({ chart }, rows: Rows, query: VendorQuery) {
    const [answer] = chart.result;
    checkEcho("symbol", answer!.meta.symbol, wireName(query.ticker));
    checkEcho("interval", answer!.meta.dataGranularity, query.interval, ...(SAME_NAMES[query.interval] ?? []));
    const zone = zoneIn(answer!);
    const days = new Map<number, z.infer<typeof bar>>();
    // Some lie in the margin, and the newest may come with any window.
    const others: unknown[] = [];
    rows.each(bar, elementsOf(answer!, query), windowOf(query), (row) => {
      const ts = query.interval === "1d" ? dateOf(Number(row.ts), zone) : Number(row.ts);
      const isOdd = ts < query.from - 2 * DAY || ts > Date.now() / 1_000 + DAY;
      if (isOdd) return rows.reject(row, windowOf(query), OUTSIDE);
      if (ts < query.from || ts >= query.to) return void others.push(row);
      // Volumes of pairs are amounts of money, not of coins.
      const volume = query.ticker.market === "crypto" ? null : row.volume;
      // Of two rows for one day the last is the newer: the same with more volume.
      if (query.interval === "1d") days.set(ts, { ...row, ts, volume });
      else rows.add(ts, row.open, row.high, row.low, row.close, volume);
    });
    for (const { ts, open, high, low, close, volume } of days.values())
      rows.add(Number(ts), open, high, low, close, volume);
    if (rows.length === 0 && others.length > 2) for (const row of others) rows.reject(row, windowOf(query), OUTSIDE);
    readActions(answer!, rows, zone, windowOf(query));
    return null;
  },

  recognise(answer: Answer): Classification | null {
    const { status, headers, json } = answer;
    if (status === 429) return { kind: "rate_limited", retryAfter: retryAfterOf(headers) ?? 120 };
    const says = failures.safeParse(json).data;
    if (says === undefined) return null;
    if (status === 401 || /invalid (?:crumb|cookie)/i.test(says)) {
      return { kind: "auth", says: `it wants the session of a browser (HTTP ${status}: ${says})` };
    }
    if (/only \d+ days? worth/i.test(says)) return { kind: "bad_request", tooLarge: true, says };
    if (/must be within the last/i.test(says)) return { kind: "plan", scope: "history", says };
    if (/data doesn't exist for/i.test(says)) return { kind: "no_data" };
    if (/too many requests|rate limit/i.test(says)) return { kind: "rate_limited", retryAfter: 120 };
    if (status === 404 || /no data found|delisted/i.test(says)) return { kind: "unknown_symbol", says };
    return status >= 500 || status === 200 ? { kind: "transient", says } : { kind: "bad_request", says };
  },
};

/** The exchange's time zone, if this machine knows it. */
function zoneIn({ meta: { exchangeTimezoneName } }: Result): string | null {
  if (!exchangeTimezoneName) return null;
  try {
    offsetAt(exchangeTimezoneName, 0);
    return exchangeTimezoneName;
  } catch {
    return null;
  }
}

/**
 * The columns as rows. Rows without any price are places where nothing was traded; the last row of an intraday answer
 * may be the last trade instead of a bar: off the grid, or after the close.
 */
function elementsOf({ meta, timestamp, indicators }: Result, { interval }: VendorQuery): unknown[] {
  const [columns] = indicators.quote;
  const times = timestamp ?? [];
  // Without its prices a time would be one at which nothing was traded.
  for (const field of PRICES) {
    const values = columns![field]?.length ?? 0;
    if (values !== times.length) throw new UnreadableRows(`${times.length} times have ${values} values of "${field}"`);
  }
  const close = meta.currentTradingPeriod?.regular?.end ?? Number.POSITIVE_INFINITY;
  // Sessions begin at quarters of an hour, and so do the hours of some.
  const grid = Math.min(INTERVAL_SECONDS[interval], 900);
  const isSnapshot = (ts: unknown) => interval !== "1d" && (Number(ts) % grid !== 0 || Number(ts) >= close);
  return times.flatMap((ts, at) => {
    const [open, high, low, last, volume] = ([...PRICES, "volume"] as const).map(
      (field) => columns![field]?.[at] ?? null,
    );
    if (typeof ts === "number" && [open, high, low, last].every((price) => price === null)) return [];
    if (at === times.length - 1 && isSnapshot(ts)) return [];
    return [{ ts, open: decimal(open), high: decimal(high), low: decimal(low), close: decimal(last), volume }];
  });
}

/** The shortest decimal number that rounds to the single-precision number sent: 206.78 for 206.77999877929688. */
function decimal(price: unknown): unknown {
  if (typeof price !== "number" || Math.fround(price) !== price) return price;
  for (const digits of [6, 7, 8]) {
    const short = Number(price.toPrecision(digits));
    if (Math.fround(short) === price) return short;
  }
  return price;
}

function readActions({ events, meta }: Result, rows: Rows, zone: string | null, where: string): void {
  const odd = (entry: unknown) => rows.reject(entry, where, "not a split or dividend");
  for (const entry of Object.values(events?.splits ?? {})) {
    const { data } = split.safeParse(entry);
    const value = Number(data?.numerator) / Number(data?.denominator);
    if (data && value > 0 && Number.isFinite(value))
      rows.actions.push({ kind: "split", date: dateOf(Number(data.date), zone), value });
    else odd(entry);
  }
  const currency = meta.currency ?? "";
  for (const entry of Object.values(events?.dividends ?? {})) {
    const { data } = dividend.safeParse(entry);
    const value = Number(data?.amount);
    if (data === undefined || Number.isNaN(value + Number(data.date))) odd(entry);
    if (!data || !(value > 0)) continue;
    const paid = isMinorUnit(currency) ? `${currency} or its hundredfold` : data.currency;
    const date = dateOf(Number(data.date), zone);
    rows.actions.push({ kind: "dividend", date, value, ...(paid && paid !== currency && { currency: paid }) });
  }
}
