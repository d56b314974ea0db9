/**
 * When markets trade: New York equity sessions (09:30–16:00, holidays, early closes, daylight saving time) from rules
 * plus exceptions, and around-the-clock days in UTC for crypto. Every other fact about sessions is derived from this file.
 */

import { parseIsoDate } from "../time.ts";
import { dayNumber, lastWeekday, newYorkHolidays, newYorkShortDays, nthWeekday, weekday } from "./holidays.ts";
import { DAY, INTERVAL_SECONDS, type Interval } from "./interval.ts";
import { NEW_YORK_EXCEPTIONS, type SessionExceptions } from "./session-exceptions.ts";
import type { Market } from "./symbol.ts";

/** One trading day. All times are epoch seconds UTC. */
export interface Session {
  /** Midnight UTC of the trading date: the `ts` of its daily bar. */
  readonly date: number;
  readonly open: number;
  /** The first moment after the session. */
  readonly close: number;
  /** Whether it ends before the regular time. */
  readonly early: boolean;
}

export interface Calendar {
  /** The session of the trading date that holds `date` (any moment of that date in UTC), or `null` on a closed day. */
  sessionOn(market: Market, date: number): Session | null;
  /** All sessions with `from` <= date < `to` (epoch seconds; compared with midnight UTC of the trading date). */
  sessionsBetween(market: Market, from: number, to: number): Session[];
  /** The session whose hours hold the moment `ts`, or `null`. */
  sessionAt(market: Market, ts: number): Session | null;
  /** The first moment after a bar: its start plus the interval, cut at the session's close; a daily bar ends at the close. */
  barEnd(market: Market, interval: Interval, ts: number): number;
  /** Whether a bar that starts at `ts` had ended at `asOf`. */
  isFinal(market: Market, interval: Interval, ts: number, asOf: number): boolean;
}

/** New York wall clock, in seconds after midnight. */
const OPEN = 9.5 * 3600;
const CLOSE = 16 * 3600;
const EARLY_CLOSE = 13 * 3600;

/** The first and last day of daylight saving time in New York; both change at 02:00, outside any session. */
function daylightSaving(year: number): { first: number; end: number } {
  if (year >= 2007) return { first: nthWeekday(year, 3, 2, 0), end: nthWeekday(year, 11, 1, 0) };
  if (year >= 1987) return { first: nthWeekday(year, 4, 1, 0), end: lastWeekday(year, 10, 0) };
  return { first: lastWeekday(year, 4, 0), end: lastWeekday(year, 10, 0) };
}

/** Seconds by which New York is behind UTC on a date at trading hours, given as midnight UTC: 14,400 or 18,000. */
export function newYorkOffset(date: number): number {
  const day = Math.floor(date / DAY);
  const { first, end } = daylightSaving(new Date(day * DAY * 1000).getUTCFullYear());
  return day >= first && day < end ? 4 * 3600 : 5 * 3600;
}

/** Midnight UTC of the trading date to which the moment `ts` belongs: the date in New York, in UTC for crypto. */
export function tradingDate(market: Market, ts: number): number {
  if (market === "crypto") return Math.floor(ts / DAY) * DAY;
  const standard = ts - 5 * 3600;
  const local = ts - newYorkOffset(standard);
  return Math.floor(local / DAY) * DAY;
}

/** Epoch seconds of a New York wall-clock time (`seconds` after midnight) on a date given as midnight UTC. */
export function newYorkTime(date: number, seconds: number): number {
  return date + newYorkOffset(date) + seconds;
}

/**
 * The starts of a session's bars, epoch seconds. Intraday bars are anchored at the open (1h: 09:30, 10:30 … 15:30, the
 * last one short); the daily bar starts at midnight UTC of the trading date.
 */
export function barStarts(session: Session, interval: Interval): number[] {
  if (interval === "1d") return [session.date];
  const starts: number[] = [];
  for (let ts = session.open; ts < session.close; ts += INTERVAL_SECONDS[interval]) starts.push(ts);
  return starts;
}

function parseTime(text: string): number {
  const [hours = Number.NaN, minutes = Number.NaN] = text.split(":").map(Number);
  return hours * 3600 + minutes * 60;
}

/** @throws RangeError naming the entry that is not a date or time. */
function readExceptions(lists: readonly SessionExceptions[]): Map<number, { close: number } | "closed" | "open"> {
  const result = new Map<number, { close: number } | "closed" | "open">();
  const put = (text: string, value: { close: number } | "closed" | "open") => {
    const day = parseIsoDate(text) / DAY;
    if (!Number.isInteger(day)) throw new RangeError(`calendar exceptions: "${text}" is not a date like 2025-01-09`);
    result.set(day, value);
  };
  for (const list of lists) {
    const unknownKey = Object.keys(list).find((name) => !["closed", "early", "open"].includes(name));
    if (unknownKey) throw new RangeError(`calendar exceptions: "${unknownKey}" is not one of closed, early, open`);
    for (const date of list.closed ?? []) put(date, "closed");
    for (const date of list.open ?? []) put(date, "open");
    for (const [date, time] of Object.entries(list.early ?? {})) {
      const close = parseTime(time);
      if (!(close > OPEN && close <= CLOSE)) {
        throw new RangeError(`calendar exceptions: "${time}" on ${date} is not a closing time like 13:00`);
      }
      put(date, { close });
    }
  }
  return result;
}

/**
 * A calendar of the built-in rules and exceptions, with `overrides` on top (for a closure announced after a release).
 * @throws RangeError when an override names no valid date or time.
 */
export function createCalendar(overrides: SessionExceptions = {}): Calendar {
  const exceptions = readExceptions([NEW_YORK_EXCEPTIONS, overrides]);
  /** Sessions of a year by day of the year; filled a year at a time, so a look-up is two array reads. */
  const years = new Map<number, readonly (Session | null)[]>();

  function buildYear(year: number): (Session | null)[] {
    const holidays = new Set(newYorkHolidays(year));
    const shortDays = new Set(newYorkShortDays(year));
    const saving = daylightSaving(year);
    const sessions: (Session | null)[] = [];
    const end = dayNumber(year + 1, 1, 1);
    for (let day = dayNumber(year, 1, 1); day < end; day++) {
      const exception = exceptions.get(day);
      const weekend = weekday(day) === 0 || weekday(day) === 6;
      if (exception === "closed" || (exception === undefined && (weekend || holidays.has(day)))) {
        sessions.push(null);
        continue;
      }
      const shortened = exception === undefined && shortDays.has(day) ? EARLY_CLOSE : CLOSE;
      const close = typeof exception === "object" ? exception.close : shortened;
      const midnight = day * DAY + (day >= saving.first && day < saving.end ? 4 : 5) * 3600;
      sessions.push({ date: day * DAY, open: midnight + OPEN, close: midnight + close, early: close < CLOSE });
    }
    return sessions;
  }

  function newYorkSession(day: number): Session | null {
    const year = new Date(day * DAY * 1000).getUTCFullYear();
    let table = years.get(year);
    if (!table) {
      table = buildYear(year);
      years.set(year, table);
    }
    return table[day - dayNumber(year, 1, 1)] ?? null;
  }

  function sessionOn(market: Market, date: number): Session | null {
    const day = Math.floor(date / DAY);
    if (market === "crypto") return { date: day * DAY, open: day * DAY, close: (day + 1) * DAY, early: false };
    return newYorkSession(day);
  }

  function sessionsBetween(market: Market, from: number, to: number): Session[] {
    const sessions: Session[] = [];
    for (let date = Math.ceil(from / DAY) * DAY; date < to; date += DAY) {
      const session = sessionOn(market, date);
      if (session) sessions.push(session);
    }
    return sessions;
  }

  function sessionAt(market: Market, ts: number): Session | null {
    const session = sessionOn(market, tradingDate(market, ts));
    return session && ts >= session.open && ts < session.close ? session : null;
  }

  function barEnd(market: Market, interval: Interval, ts: number): number {
    if (interval === "1d") return sessionOn(market, ts)?.close ?? ts + DAY;
    const end = ts + INTERVAL_SECONDS[interval];
    if (market === "crypto") return end;
    return Math.min(end, sessionAt(market, ts)?.close ?? end);
  }

  return {
    sessionOn,
    sessionsBetween,
    sessionAt,
    barEnd,
    isFinal: (market, interval, ts, asOf) => barEnd(market, interval, ts) <= asOf,
  };
}

/** The calendar of the built-in rules and exceptions. */
export const CALENDAR = createCalendar();
