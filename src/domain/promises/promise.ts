/** Promises: which series shall be up to date by a time of the day, and what came of each deadline. */

import { EXCHANGES, type Exchange } from "../market/exchanges/exchanges.ts";
import type { Interval } from "../market/interval.ts";

/** Which symbols a promise is about: those it names, those of a watchlist, or all that have a stored profile. */
export const PROMISE_SCOPES = ["symbols", "watchlist", "stored"] as const;
export type PromiseScope = (typeof PROMISE_SCOPES)[number];

/** On which days it has a deadline: those on which its venue trades, Monday to Friday, or all. */
export const PROMISE_DAYS = ["trading_days", "weekdays", "every_day"] as const;
export type PromiseDays = (typeof PROMISE_DAYS)[number];

/** The venues whose trading days can be chosen. */
export const PROMISE_VENUES = ["us_equity", ...(Object.keys(EXCHANGES) as Exchange[])] as const;
export type PromiseVenue = (typeof PROMISE_VENUES)[number];

export const venueTitle = (venue: PromiseVenue): string =>
  venue === "us_equity" ? "New York" : EXCHANGES[venue].title;

/** What came of a deadline. `unknown`: neither can be proved. */
export const PROMISE_OUTCOMES = ["kept", "missed", "unknown"] as const;
export type PromiseOutcome = (typeof PROMISE_OUTCOMES)[number];

/**
 * What is to be expected of the next deadline, from the best to the worst but for `unknown`. `fresh`: all that it needs
 * is stored already.
 */
export const FORECASTS = ["fresh", "on_track", "unknown", "at_risk", "will_be_missed"] as const;
export type ForecastState = (typeof FORECASTS)[number];

/** A promise as people write it. */
export interface PromiseInput {
  readonly name: string;
  readonly scope: PromiseScope;
  /** For the scope `symbols`; empty otherwise. */
  readonly symbols: readonly string[];
  /** For the scope `watchlist`; `null` otherwise, and when the watchlist was deleted. */
  readonly watchlistId: number | null;
  readonly interval: Interval;
  /** `null`: the series that stands for the symbol, of whichever provider. */
  readonly provider: string | null;
  /** `07:00` on the clock of `timeZone`. */
  readonly byTime: string;
  /** An IANA name. */
  readonly timeZone: string;
  readonly days: PromiseDays;
  /** Whose trading days, for `trading_days`. */
  readonly venue: PromiseVenue;
  /** Most gaps of all its series together, in the `gapDays` days before the deadline. */
  readonly maxGaps: number;
  readonly gapDays: number;
  /** From how many hours before a deadline on it is reported to be at risk. */
  readonly warnHours: number;
  readonly enabled: boolean;
}

/** `FreshnessPromise`, because `Promise` is a name of the language. */
export interface FreshnessPromise extends PromiseInput {
  readonly id: number;
  /** The results of all deadlines up to this moment (epoch milliseconds) are recorded. */
  readonly checkedAt: number;
}

export const PROMISE_DEFAULTS = {
  interval: "1d",
  byTime: "07:00",
  timeZone: "America/New_York",
  days: "trading_days",
  venue: "us_equity",
  maxGaps: 0,
  gapDays: 30,
  warnHours: 6,
} as const;

/** Longest time before a deadline at which it is reported to be at risk, hours; and most days that are searched for gaps. */
export const MAX_WARN_HOURS = 72;
export const MAX_GAP_DAYS = 3_650;
export const MAX_GAPS = 100_000;

/** How many of its symbols have what a deadline needs. */
export interface FreshnessCounts {
  readonly total: number;
  readonly fresh: number;
  readonly missing: number;
  /** Neither can be proved, e.g. no calendar. */
  readonly unknown: number;
}

/** What came of one deadline. Times are epoch milliseconds. */
export interface PromiseResult extends FreshnessCounts {
  readonly deadline: number;
  readonly outcome: PromiseOutcome;
  readonly judgedAt: number;
  /** Gaps in its days; `null`: not known. */
  readonly gaps: number | null;
  /** Why, in one sentence; empty for one that was kept. */
  readonly note: string;
  /** The first of the symbols that were missing. */
  readonly symbols: readonly string[];
  /** When all that a missed deadline needed was there after all. */
  readonly recoveredAt: number | null;
}

/** Symbols of a result that are named. */
export const NAMED_SYMBOLS = 50;

/** The outcome of a deadline, from what is proved. @param gaps `null`: not known */
export function outcomeOf(
  { total, missing, unknown }: FreshnessCounts,
  gaps: number | null,
  maxGaps: number,
): PromiseOutcome {
  if (missing > 0 || (gaps !== null && gaps > maxGaps)) return "missed";
  // A promise about no symbol says nothing that could be kept.
  return total === 0 || unknown > 0 || gaps === null ? "unknown" : "kept";
}
