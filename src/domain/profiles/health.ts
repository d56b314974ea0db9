/** Data health: how far the bars behind a profile can be relied on, however well its job went. */

import type { Calendar } from "../market/calendar.ts";
import {
  EXCHANGES,
  type Exchange,
  type SeriesVenue,
  type Venue,
  venueOfSeries,
} from "../market/exchanges/exchanges.ts";
import { DAY } from "../market/interval.ts";
import type { Market } from "../market/symbol.ts";

/** From the best to the worst; a profile has the worst that applies. */
export const HEALTHS = ["ok", "revised", "stale", "gaps", "suspicious"] as const;
export type Health = (typeof HEALTHS)[number];

/** Name and meaning of each. */
export const HEALTH_WORDS: Readonly<Record<Health, readonly [name: string, meaning: string]>> = {
  ok: ["OK", "no session is known to lack bars that its provider has, and none is overdue"],
  revised: ["Revised", "the vendor changed stored bars in the last 7 days"],
  stale: ["Stale", "a session that closed a day ago or more has no bars yet"],
  gaps: ["Has gaps", "sessions are missing, cut short or have holes, or a batch has no answer or is not in the plan"],
  suspicious: [
    "Suspicious",
    "prices and splits contradict each other, bars lie outside the sessions, or an answer of the last 7 days is implausible",
  ],
};

/** How long a revision counts as recent, milliseconds. */
const RECENT_MS = 7 * 86_400_000;
/** Days without a session that an exchange without a calendar may have. */
const LONGEST_HOLIDAYS = 12;
/** The longest closure of a market, days. */
const MAX_CLOSURE = 40;

/** What is known of a series, besides its bars. */
export interface SeriesFacts {
  /** Unconfirmed gaps: sessions that are missing, cut short or have holes, and days with bars outside the sessions. */
  readonly gaps: number;
  readonly outside: number;
  /** Changes of scale without an action, and splits that prices do not follow. */
  readonly doubts: number;
  /** Epoch milliseconds of the last revision and of the last implausible answer; `null` if never. */
  readonly revisedAt: number | null;
  readonly suspectAt: number | null;
}

/** The facts of a series of which nothing is wrong. */
export const NO_FAULTS: SeriesFacts = { gaps: 0, outside: 0, doubts: 0, revisedAt: null, suspectAt: null };

/** What the health of a profile depends on besides the facts of its series. */
interface History extends SeriesVenue {
  /** Start of the last bar, epoch seconds. */
  readonly lastBar: number;
  /** Whether a batch of its range was never answered. */
  readonly incomplete: boolean;
}

/** The facts behind the health of a profile. */
export interface HealthFacts extends SeriesFacts {
  readonly health: Health;
  /** Duplicate rows of the source. */
  readonly duplicates: number;
}

/** The limits of "recent" and "stale" at a moment. */
export interface HealthClock {
  /** Epoch milliseconds: earlier events are not recent. */
  readonly recentSince: number;
  /** Epoch seconds by venue: a series whose last bar starts earlier is stale. */
  readonly staleBefore: Readonly<Record<Market, number>> & { readonly [Each in Venue]?: number };
}

/** @param now epoch milliseconds */
export function healthClock(calendar: Calendar, now: number): HealthClock {
  const newest = (market: Venue) => {
    const today = Math.floor(now / 1000 / DAY) * DAY;
    for (let date = today; date > today - MAX_CLOSURE * DAY; date -= DAY) {
      const session = calendar.sessionOn(market, date);
      if (session && (session.close + DAY) * 1000 <= now) return session.date;
    }
    return today - MAX_CLOSURE * DAY;
  };
  const venues = [...(Object.keys(EXCHANGES) as Exchange[]), "us_equity", "crypto", "forex"] as const;
  const staleBefore: Partial<Record<Venue, number>> = { unknown: newest("crypto") - LONGEST_HOLIDAYS * DAY };
  // Computed on first use: the sessions of all exchanges together take long enough to delay a page.
  for (const venue of venues) {
    let known: number | undefined;
    Object.defineProperty(staleBefore, venue, {
      enumerable: true,
      get() {
        known ??= newest(venue);
        return known;
      },
    });
  }
  return { recentSince: now - RECENT_MS, staleBefore: staleBefore as HealthClock["staleBefore"] };
}

/** Epoch seconds: a series of this venue whose last bar starts earlier is stale. */
export const staleLimit = (series: SeriesVenue, { staleBefore }: Pick<HealthClock, "staleBefore">): number =>
  staleBefore[venueOfSeries(series)] ?? staleBefore.us_equity;

/** The worst health that applies to a profile. */
export function healthOf(history: History, facts: SeriesFacts, clock: HealthClock): Health {
  const { recentSince } = clock;
  if ((facts.suspectAt ?? 0) > recentSince || facts.outside > 0 || facts.doubts > 0) return "suspicious";
  if (facts.gaps > 0 || history.incomplete) return "gaps";
  if (history.lastBar < staleLimit(history, clock)) return "stale";
  return (facts.revisedAt ?? 0) > recentSince ? "revised" : "ok";
}
