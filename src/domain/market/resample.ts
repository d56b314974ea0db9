/** Longer bars from shorter ones, anchored at the session: 1h bars start at 09:30, 10:30 … and the last one is short. */

import { wallToUtc } from "../zone.ts";
import { BAR_FIELDS, type BarColumns, emptyBars, joinBars, sliceBars } from "./bars.ts";
import { type Calendar, newYorkTime, tradingDate } from "./calendar.ts";
import { closingAuction, type Venue, zoneOf } from "./exchanges/exchanges.ts";
import { DAY, isDated, READ_SECONDS, type ReadInterval } from "./interval.ts";

/** Extended trading begins at 04:00 New York. */
const EXTENDED_OPEN = 4 * 3600;

/** Whether a venue trades around the clock in UTC, or nothing is known of its sessions. */
const isContinuous = (venue: Venue) => venue === "crypto" || venue === "unknown";

/**
 * The start of the `interval` bar that holds the moment `ts` (epoch seconds); the times of a daily `source` are dates. Bars
 * of an exchange are counted from the start of their part of the day (New York: 04:00; the open, the end of a break, the
 * close), so that none mixes two; around the clock from midnight UTC. Weeks begin on Monday.
 */
export function barStartAt(
  calendar: Calendar,
  venue: Venue,
  interval: ReadInterval,
  ts: number,
  source: ReadInterval = "1m",
): number {
  if (isDated(source)) return periodStart(interval, Math.floor(ts / DAY) * DAY);
  if (isDated(interval)) return periodStart(interval, tradingDate(venue, ts));
  const length = READ_SECONDS[interval];
  const anchor = isContinuous(venue) ? 0 : anchorAt(calendar, venue, ts);
  return anchor + Math.floor((ts - anchor) / length) * length;
}

/** The first of the bars that start at `times` which does not start where its session puts one. */
export const findOffSession = (
  calendar: Calendar,
  venue: Venue,
  interval: ReadInterval,
  times: readonly number[],
): number | undefined => times.find((ts) => barStartAt(calendar, venue, interval, ts, interval) !== ts);

function anchorAt(calendar: Calendar, venue: Venue, ts: number): number {
  const date = tradingDate(venue, ts);
  const session = calendar.sessionOn(venue, date);
  if (venue === "us_equity" && (!session || ts < session.open)) return newYorkTime(date, EXTENDED_OPEN);
  if (!session) return date;
  if (ts >= session.close) return session.close;
  const { lunch } = session;
  if (!lunch || ts < lunch.from) return session.open;
  return ts < lunch.to ? lunch.from : lunch.to;
}

/** The first day of the day, week (Monday) or month that holds `date` (midnight UTC). */
function periodStart(interval: ReadInterval, date: number): number {
  if (interval === "1d") return date;
  // 1970-01-05 was a Monday.
  if (interval === "1w") return date - ((((date / DAY - 4) % 7) + 7) % 7) * DAY;
  const day = new Date(date * 1_000);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), 1) / 1_000;
}

/** The first day after the period that begins on `start`. */
function periodEnd(interval: ReadInterval, start: number): number {
  if (interval !== "1mo") return start + READ_SECONDS[interval];
  const day = new Date(start * 1_000);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 1) / 1_000;
}

/**
 * The first moment after the bar of `interval` that starts at `ts`: its length, cut at a break and at the close. Days,
 * weeks and months end with their last session.
 */
export function barEndAt(calendar: Calendar, venue: Venue, interval: ReadInterval, ts: number): number {
  if (isDated(interval)) {
    const end = periodEnd(interval, ts);
    if (isContinuous(venue)) return end;
    for (let date = end - DAY; date >= ts; date -= DAY) {
      const session = calendar.sessionOn(venue, date);
      if (session) return session.close;
    }
    return end;
  }
  const end = ts + READ_SECONDS[interval];
  const session = isContinuous(venue) ? null : calendar.sessionOn(venue, tradingDate(venue, ts));
  if (!session) return end;
  const parts = [session.open, session.lunch?.from, session.lunch?.to, session.close];
  return Math.min(end, ...parts.filter((part) => part !== undefined && part > ts).map(Number));
}

/**
 * The first moment at which everything in a stored bar of `interval` is known. A day has its closing auction, or lasts
 * until midnight of the exchange without a session; an intraday bar is cut at a break or the close only if it is
 * counted from the open: one of full hours holds what lies on both sides.
 */
export function storedBarEndAt(calendar: Calendar, venue: Venue, interval: ReadInterval, ts: number): number {
  const end = ts + READ_SECONDS[interval];
  if (isContinuous(venue)) return isDated(interval) ? periodEnd(interval, ts) : end;
  if (isDated(interval)) {
    const session = calendar.sessionOn(venue, ts);
    if (session) return session.close + closingAuction(venue);
    return Math.max(end, wallToUtc(zoneOf(venue), end));
  }
  const session = calendar.sessionOn(venue, tradingDate(venue, ts));
  const isCounted = session !== null && ts >= session.open && ts === barStartAt(calendar, venue, interval, ts);
  return isCounted ? barEndAt(calendar, venue, interval, ts) : end;
}

/** Where bars come from and what is made of them. */
export interface Derivation {
  readonly calendar: Calendar;
  readonly venue: Venue;
  /** The interval of the shorter bars. */
  readonly source: ReadInterval;
  readonly interval: ReadInterval;
}

/**
 * Builds longer bars from chunks of shorter ones (ascending): first open, highest high, lowest low, last close, summed
 * volume (unknown if one of them is). An interval without trades gives no bar. Days and longer of an exchange hold its
 * sessions only, without trading before and after. Holds back the last bar until a later one has begun.
 */
export class BarDeriver {
  #open: BarColumns = emptyBars();

  readonly #startOf: (ts: number) => number;

  /** @param lastSources receives, by the start of each longer bar, the start of its last shorter one so far */
  constructor(
    derivation: Derivation,
    private readonly lastSources?: Map<number, number>,
  ) {
    this.#startOf = starter(derivation);
  }

  /** The bars that are whole with this chunk. */
  take(bars: BarColumns): BarColumns {
    const held = this.#open.ts.length;
    const result = emptyBars(held + bars.ts.length);
    for (const field of BAR_FIELDS) result[field].set(this.#open[field]);
    let length = held;
    let start = this.#open.ts[0] ?? Number.NaN;
    for (let at = 0; at < bars.ts.length; at++) {
      const ts = this.#startOf(bars.ts[at]!);
      if (Number.isNaN(ts)) continue;
      this.lastSources?.set(ts, bars.ts[at]!);
      if (ts === start) merge(result, length - 1, bars, at);
      else {
        start = ts;
        for (const field of BAR_FIELDS) result[field][length] = bars[field][at]!;
        result.ts[length++] = ts;
      }
    }
    const whole = Math.max(0, length - 1);
    this.#open = sliceBars(result, whole, length);
    return sliceBars(result, 0, whole);
  }

  /** The last bar, if there is one. */
  end(): BarColumns {
    const last = this.#open;
    this.#open = emptyBars();
    return last;
  }
}

/** Adds the bar `at` of `bars` to the bar `to` of `result`, which lies before it. */
function merge(result: BarColumns, to: number, bars: BarColumns, at: number): void {
  if (bars.high[at]! > result.high[to]!) result.high[to] = bars.high[at]!;
  if (bars.low[at]! < result.low[to]!) result.low[to] = bars.low[at]!;
  result.close[to] = bars.close[at]!;
  result.volume[to]! += bars.volume[at]!;
}

/** Returns the function that gives the start of the longer bar of a shorter one; NaN if it belongs to none. */
function starter({ calendar, venue, source, interval }: Derivation): (ts: number) => number {
  const isWholeDay = isDated(interval) && !isDated(source) && !isContinuous(venue);
  if (!isWholeDay) return (ts) => barStartAt(calendar, venue, interval, ts, source);
  return (ts) => {
    const date = tradingDate(venue, ts);
    const session = calendar.sessionOn(venue, date);
    const isOutside = session !== null && (ts < session.open || ts >= session.close);
    return isOutside ? Number.NaN : periodStart(interval, date);
  };
}

/** All longer bars of shorter ones. O(n). */
export function deriveBars(
  calendar: Calendar,
  venue: Venue,
  interval: ReadInterval,
  bars: BarColumns,
  source: ReadInterval = "1m",
): BarColumns {
  const deriver = new BarDeriver({ calendar, venue, source, interval });
  const whole = deriver.take(bars);
  return joinBars(whole, deriver.end());
}
