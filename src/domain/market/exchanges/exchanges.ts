/** Exchanges with their hours and the suffixes by which symbols name them. */

import type { Interval } from "../interval.ts";
import { type Market, marketOf } from "../symbol.ts";

/** Hours on the exchange's clock, from a date on. */
interface Hours {
  /** `YYYY-MM-DD`; the first one holds before too. */
  readonly from: string;
  /** `HH:MM-HH:MM`, with a lunch break `HH:MM-HH:MM,HH:MM-HH:MM`. */
  readonly hours: string;
}

interface ExchangeEntry {
  readonly title: string;
  /** Name of the IANA database. */
  readonly zone: string;
  readonly hours: readonly Hours[];
  /** Minutes after the close at which the closing price is determined, where an auction follows. */
  readonly auction?: number;
  /** What stands behind the `@` of its symbols, besides its code. */
  readonly suffixes: readonly string[];
  /** The last year whose holidays are known. */
  readonly until: number;
}

const euronext = (title: string, zone: string, suffixes: readonly string[]): ExchangeEntry => ({
  title,
  zone,
  hours: [{ from: "2000-01-01", hours: "09:00-17:30" }],
  auction: 5,
  suffixes,
  until: 9_999,
});

/** By market identifier code (ISO 10383). Holidays are known from 2000 on. */
export const EXCHANGES = {
  XLON: {
    title: "London",
    zone: "Europe/London",
    hours: [{ from: "2000-01-01", hours: "08:00-16:30" }],
    auction: 5,
    suffixes: ["LSE", "L", "LON", "LN"],
    until: 9_999,
  },
  XETR: {
    title: "Xetra",
    zone: "Europe/Berlin",
    hours: [{ from: "2000-01-01", hours: "09:00-17:30" }],
    auction: 5,
    suffixes: ["XETRA", "DE", "ETR", "GY"],
    until: 9_999,
  },
  XPAR: euronext("Paris", "Europe/Paris", ["PA", "PAR", "EPA", "FP"]),
  XAMS: euronext("Amsterdam", "Europe/Amsterdam", ["AS", "AMS", "NA"]),
  XBRU: euronext("Brussels", "Europe/Brussels", ["BR", "BRU", "EBR", "BB"]),
  XTSE: {
    title: "Toronto",
    zone: "America/Toronto",
    hours: [{ from: "2000-01-01", hours: "09:30-16:00" }],
    suffixes: ["TO", "TSX", "TOR", "CN"],
    until: 9_999,
  },
  XSWX: {
    title: "Zurich",
    zone: "Europe/Zurich",
    hours: [{ from: "2000-01-01", hours: "09:00-17:30" }],
    suffixes: ["SW", "SIX", "SWX", "EBS", "VX"],
    until: 9_999,
  },
  XTKS: {
    title: "Tokyo",
    zone: "Asia/Tokyo",
    hours: [
      { from: "2000-01-01", hours: "09:00-11:30,12:30-15:00" },
      { from: "2024-11-05", hours: "09:00-11:30,12:30-15:30" },
    ],
    suffixes: ["TSE", "T", "TYO", "JPX", "JP"],
    until: 2028,
  },
  XHKG: {
    title: "Hong Kong",
    zone: "Asia/Hong_Kong",
    hours: [
      { from: "2000-01-01", hours: "10:00-12:00,13:00-16:00" },
      { from: "2011-03-07", hours: "09:30-12:00,13:00-16:00" },
    ],
    auction: 10,
    suffixes: ["HK", "HKEX", "HKG", "SEHK"],
    until: 2028,
  },
  XASX: {
    title: "Sydney",
    zone: "Australia/Sydney",
    hours: [{ from: "2000-01-01", hours: "10:00-16:00" }],
    auction: 12,
    suffixes: ["ASX", "AX", "AU"],
    until: 9_999,
  },
  XBOM: {
    title: "Mumbai",
    zone: "Asia/Kolkata",
    hours: [{ from: "2000-01-01", hours: "09:15-15:30" }],
    auction: 10,
    suffixes: ["NSE", "BSE", "XNSE", "NS", "BO"],
    until: 2026,
  },
} as const satisfies Record<string, ExchangeEntry>;

export type Exchange = keyof typeof EXCHANGES;
export const isExchange = (code: string): code is Exchange => Object.hasOwn(EXCHANGES, code);
/** Seconds from the close to the moment at which the closing price is known. */
export const closingAuction = (venue: Venue): number => 60 * (isExchange(venue) ? (entryOf(venue).auction ?? 0) : 0);
export const entryOf = (exchange: Exchange): ExchangeEntry => EXCHANGES[exchange];

/** Where a series trades: decides its sessions. `unknown` is an exchange without a calendar. */
export type Venue = Market | Exchange | "forex" | "unknown";

/** The days of a year on which a venue trades, and the minutes of such a day. */
export interface TradingYear {
  readonly days: number;
  readonly minutes: number;
}

const minuteOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
const minutesOf = (hours: string) =>
  hours
    .split(",")
    .map((part) => part.split("-").map(minuteOf) as [number, number])
    .reduce((sum, [open, close]) => sum + close - open, 0);

/**
 * The year that deviations of a venue are scaled to: 252 sessions of its present length, as is usual for exchanges, 260
 * days of currencies, 365 of crypto. A venue without a calendar counts as New York.
 */
export function tradingYear(venue: Venue): TradingYear {
  if (venue === "crypto") return { days: 365, minutes: 1_440 };
  if (venue === "forex") return { days: 260, minutes: 1_440 };
  if (venue === "us_equity" || venue === "unknown") return { days: 252, minutes: 390 };
  return { days: 252, minutes: minutesOf(entryOf(venue).hours.at(-1)!.hours) };
}

const NEW_YORK = ["US", "NYSE", "NASDAQ", "AMEX", "ARCA", "BATS", "XNYS", "XNAS", "ARCX", "XASE"];
const BY_SUFFIX: ReadonlyMap<string, Venue> = new Map<string, Venue>([
  ...NEW_YORK.map((suffix) => [suffix, "us_equity"] as const),
  ...["FOREX", "FX", "CURRENCY"].map((suffix) => [suffix, "forex"] as const),
  ...["CC", "CRYPTO"].map((suffix) => [suffix, "crypto"] as const),
  ...Object.keys(EXCHANGES)
    .filter(isExchange)
    .flatMap((code) => [code, ...EXCHANGES[code].suffixes].map((suffix) => [suffix, code] as const)),
]);

const CURRENCY = "USD|EUR|GBP|JPY|CHF|AUD|NZD|CAD|SEK|NOK|DKK|CNH|SGD|HKD|ZAR|MXN|TRY|PLN|HUF|CZK|ILS|THB";
const PAIR = new RegExp(`^(${CURRENCY})(?!\\1)(${CURRENCY})$`);

/** The venue of a symbol, by the exchange behind its `@`; without one, New York unless it is a pair of currencies. */
export function venueOf(symbol: string): Venue {
  const [name = "", suffix] = symbol.split("@");
  if (suffix === undefined) return PAIR.test(name) ? "forex" : marketOf(name);
  return BY_SUFFIX.get(suffix) ?? "unknown";
}

/** What decides the venue of a stored series. */
export interface SeriesVenue {
  readonly symbol: string;
  readonly provider: string;
  readonly sessions: string;
}

/** The venue of a series: that of its symbol where it names one; files may also hold pairs of currencies. */
export function venueOfSeries({ symbol, provider, sessions }: SeriesVenue): Venue {
  if (sessions === "continuous") return "crypto";
  if (symbol.includes("@") || provider === "files") return venueOf(symbol);
  return sessions === "regular" ? "us_equity" : "crypto";
}

/** Whether the sessions of a series are known, so that missing bars can be found; extended ones only day by day. */
export function areSessionsKnown(series: SeriesVenue, interval: Interval): boolean {
  if (venueOfSeries(series) === "unknown") return false;
  return series.sessions !== "extended" || (series.symbol.includes("@") && interval === "1d");
}

/** What is said of a series whose sessions are not known. */
export function noCalendar(symbol: string): string {
  const [, exchange] = symbol.split("@");
  return `no calendar for ${exchange ?? `the sessions of ${symbol}`}: gaps unknown`;
}

/** The IANA name of the clock of a venue. */
export function zoneOf(venue: Venue): string {
  if (isExchange(venue)) return EXCHANGES[venue].zone;
  return venue === "us_equity" || venue === "forex" ? "America/New_York" : "UTC";
}
