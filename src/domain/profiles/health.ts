/** Data health, beside the health of the work: how far the bars behind a profile can be relied on. */

import type { Calendar } from "../market/calendar.ts";
import { DAY } from "../market/interval.ts";
import type { Market } from "../market/symbol.ts";

/** From the best to the gravest; a profile has the gravest that applies. */
export const HEALTHS = ["ok", "revised", "stale", "gaps", "suspicious"] as const;
export type Health = (typeof HEALTHS)[number];

/** Name and meaning of each. */
export const HEALTH_WORDS: Readonly<Record<Health, readonly [name: string, meaning: string]>> = {
  ok: ["OK", "every session is there, and none is overdue"],
  revised: ["Revised", "the vendor changed stored bars in the last 7 days"],
  stale: ["Stale", "a session that closed a day ago or more has no bars yet"],
  gaps: ["Has gaps", "sessions are missing or cut short, or a batch was never answered"],
  suspicious: ["Suspicious", "bars outside the sessions, or an answer in the last 7 days that was not believed"],
};

/** For so long a revision is news, milliseconds. */
const NEWS_MS = 7 * 86_400_000;
/** No market is closed for longer, days. */
const LONGEST_CLOSURE = 40;

/** What is known of a series, besides its bars. */
export interface SeriesFacts {
  readonly sessions: string;
  /** Unconfirmed gaps: sessions that are missing or cut short, and days with bars outside the sessions. */
  readonly gaps: number;
  readonly outside: number;
  /** Epoch milliseconds of the last revision and of the last implausible answer; `null` if never. */
  readonly revisedAt: number | null;
  readonly suspectAt: number | null;
}

/** What the health of a profile depends on besides its series. */
interface History {
  /** Start of the last bar, epoch seconds. */
  readonly lastBar: number;
  /** Whether a batch of its range was never answered. */
  readonly incomplete: boolean;
}

/** The facts behind the health of a profile. */
export interface HealthFacts extends Omit<SeriesFacts, "sessions"> {
  readonly health: Health;
  /** Duplicate rows of the source. */
  readonly duplicates: number;
}

/** What "late" and "lately" mean at a moment. */
export interface HealthClock {
  /** Epoch milliseconds: what happened before is no news. */
  readonly newsSince: number;
  /** Epoch seconds: a series of that market whose last bar starts before is stale. */
  readonly staleBefore: Readonly<Record<Market, number>>;
}

/** @param now epoch milliseconds */
export function healthClock(calendar: Calendar, now: number): HealthClock {
  const newest = (market: Market) => {
    const today = Math.floor(now / 1000 / DAY) * DAY;
    for (let date = today; date > today - LONGEST_CLOSURE * DAY; date -= DAY) {
      const session = calendar.sessionOn(market, date);
      if (session && (session.close + DAY) * 1000 <= now) return session.date;
    }
    return today - LONGEST_CLOSURE * DAY;
  };
  return { newsSince: now - NEWS_MS, staleBefore: { us_equity: newest("us_equity"), crypto: newest("crypto") } };
}

/** The gravest health that applies to a profile. */
export function healthOf({ lastBar, incomplete }: History, series: SeriesFacts, clock: HealthClock): Health {
  const { newsSince, staleBefore } = clock;
  const market = series.sessions === "continuous" ? "crypto" : "us_equity";
  if ((series.suspectAt ?? 0) > newsSince || series.outside > 0) return "suspicious";
  if (series.gaps > 0 || incomplete) return "gaps";
  if (lastBar < staleBefore[market]) return "stale";
  return (series.revisedAt ?? 0) > newsSince ? "revised" : "ok";
}
