/**
 * When markets trade: New York equity sessions (09:30–16:00, holidays, early closes, daylight saving time) from rules
 * plus exceptions, those of other exchanges (exchanges/), currencies from Sunday to Friday 17:00 New York, and days in UTC
 * for crypto and for exchanges without a calendar. Every other fact about sessions is derived from this file.
 */

import { isMoment, parseIsoDate } from "../time.ts";
import { offsetAt, wallToUtc } from "../zone.ts";
import { type Exchange, entryOf, isExchange, type Venue, venueOf, zoneOf } from "./exchanges/exchanges.ts";
import { buildSessions, hoursOn, parseTime, type Session } from "./exchanges/sessions.ts";
import { dayNumber, lastWeekday, newYorkHolidays, newYorkShortDays, nthWeekday, weekday } from "./holidays.ts";
import { DAY, INTERVAL_SECONDS, type Interval, isDated, READ_SECONDS, type ReadInterval } from "./interval.ts";
import { type CalendarOverrides, NEW_YORK_EXCEPTIONS, type SessionExceptions } from "./session-exceptions.ts";

export type { Session } from "./exchanges/sessions.ts";

/** The days (epoch seconds, half open) whose sessions are known; outside of them nothing is a gap. */
export function knownDays(venue: Venue): { readonly from: number; readonly to: number } {
  if (venue === "unknown") return { from: 0, to: 0 };
  if (!isExchange(venue)) return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  return { from: Date.UTC(2000, 0, 1) / 1_000, to: dayNumber(entryOf(venue).until + 1, 1, 1) * DAY };
}

export interface Calendar {
  /** The session of the trading date that holds `date` (any moment of that date in UTC), or `null` on a closed day. */
  sessionOn(venue: Venue, date: number): Session | null;
  /** All sessions with `from` <= date < `to` (epoch seconds; compared with midnight UTC of the trading date). */
  sessionsBetween(venue: Venue, from: number, to: number): Session[];
  /** The session whose hours hold the moment `ts`, or `null`. */
  sessionAt(venue: Venue, ts: number): Session | null;
  /** The first moment after a bar: its start plus the interval, cut at the session's close; a daily bar ends at the close. */
  barEnd(venue: Venue, interval: Interval, ts: number): number;
  /** Whether a bar that starts at `ts` had ended at `asOf`. */
  isFinal(venue: Venue, interval: Interval, ts: number, asOf: number): boolean;
}

/** New York wall clock, in seconds after midnight. */
const OPEN = 9.5 * 3600;
const CLOSE = 16 * 3600;
const EARLY_CLOSE = 13 * 3600;

/** No exchange has sessions before or after these years (days since 1970): tables of other years would fill the memory. */
const FIRST_DAY = dayNumber(1792, 1, 1);
const END_DAY = dayNumber(2223, 1, 1);

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

/**
 * Midnight UTC of the trading date to which the moment `ts` belongs: the date on the exchange's clock, in UTC for crypto;
 * NaN for a number that is no moment.
 */
export function tradingDate(venue: Venue, ts: number): number {
  if (!isMoment(ts)) return Number.NaN;
  if (venue === "crypto" || venue === "unknown") return Math.floor(ts / DAY) * DAY;
  if (venue !== "us_equity") {
    // The day of currencies begins at 17:00 New York of the date before.
    const local = ts + offsetAt(zoneOf(venue), ts) + (venue === "forex" ? 7 * 3600 : 0);
    return Math.floor(local / DAY) * DAY;
  }
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
 * last one short), and again after a break; the daily bar starts at midnight UTC of the trading date.
 */
export function barStarts({ date, open, close, lunch }: Session, interval: ReadInterval): number[] {
  if (isDated(interval)) return [date];
  const starts: number[] = [];
  const add = (from: number, to: number) => {
    for (let ts = from; ts < to; ts += READ_SECONDS[interval]) starts.push(ts);
  };
  add(open, lunch?.from ?? close);
  if (lunch) add(lunch.to, close);
  return starts;
}

/** @throws RangeError naming the entry that is not a date, or not a time within the hours of its date */
function checkExceptions(list: SessionExceptions, hours: (date: string) => { open: number; close: number }): void {
  const fault = (what: string) => new RangeError(`calendar exceptions: ${what}`);
  const unknownKey = Object.keys(list).find((name) => !["closed", "early", "open"].includes(name));
  if (unknownKey) throw fault(`"${unknownKey}" is not one of closed, early, open, or an exchange like XLON`);
  for (const date of [...(list.closed ?? []), ...(list.open ?? []), ...Object.keys(list.early ?? {})]) {
    if (Number.isNaN(parseIsoDate(date))) throw fault(`"${date}" is not a date like 2025-01-09`);
  }
  for (const [date, time] of Object.entries(list.early ?? {})) {
    const { open, close } = hours(date);
    const at = parseTime(time);
    if (!(at > open && at <= close)) throw fault(`"${time}" on ${date} is not a closing time like 13:00`);
  }
}

/** Overrides by exchange, New York's own without a code. @throws RangeError as `checkExceptions` */
function splitOverrides(overrides: CalendarOverrides): {
  newYork: SessionExceptions;
  others: ReadonlyMap<string, SessionExceptions>;
} {
  const others = new Map<string, SessionExceptions>();
  const newYork: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(overrides)) {
    const venue = venueOf(`A@${name.toUpperCase()}`);
    if (!isExchange(venue)) newYork[name] = value;
    else {
      checkExceptions(value as SessionExceptions, (date) => hoursOn(venue, date));
      others.set(venue, value as SessionExceptions);
    }
  }
  return { newYork, others };
}

function readExceptions(lists: readonly SessionExceptions[]): Map<number, { close: number } | "closed" | "open"> {
  const result = new Map<number, { close: number } | "closed" | "open">();
  const put = (text: string, value: { close: number } | "closed" | "open") =>
    void result.set(parseIsoDate(text) / DAY, value);
  for (const list of lists) {
    checkExceptions(list, () => ({ open: OPEN, close: CLOSE }));
    for (const date of list.closed ?? []) put(date, "closed");
    for (const date of list.open ?? []) put(date, "open");
    for (const [date, time] of Object.entries(list.early ?? {})) put(date, { close: parseTime(time) });
  }
  return result;
}

/** The sessions of one year, from its first day to before `end` (day numbers). */
interface YearTable {
  readonly venue: Exchange | "us_equity";
  readonly first: number;
  readonly end: number;
  readonly sessions: readonly (Session | null)[];
}

/**
 * A calendar of the built-in rules and exceptions, with `overrides` on top (for a closure announced after a release).
 * @throws RangeError when an override names no valid date or time.
 */
export function createCalendar(overrides: CalendarOverrides = {}): Calendar {
  const { newYork, others } = splitOverrides(overrides);
  const exceptions = readExceptions([NEW_YORK_EXCEPTIONS, newYork]);
  /** Sessions of a year by day of the year; filled a year at a time. */
  const tables = new Map<Exchange | "us_equity", Map<number, YearTable>>();
  let latest: YearTable | undefined;

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

  function yearTable(venue: Exchange | "us_equity", day: number): YearTable {
    const year = new Date(day * DAY * 1000).getUTCFullYear();
    const years = tables.getOrInsertComputed(venue, () => new Map());
    return years.getOrInsertComputed(year, () => ({
      venue,
      first: dayNumber(year, 1, 1),
      end: dayNumber(year + 1, 1, 1),
      sessions: venue === "us_equity" ? buildYear(year) : buildSessions(venue, year, others.get(venue) ?? {}),
    }));
  }

  function exchangeSession(venue: Exchange | "us_equity", day: number): Session | null {
    if (day < FIRST_DAY || day >= END_DAY) return null;
    // Nearly all look-ups are of the year of the one before: the year of a day costs more than the rest.
    let table = latest;
    if (table === undefined || table.venue !== venue || day < table.first || day >= table.end) {
      table = yearTable(venue, day);
      latest = table;
    }
    return table.sessions[day - table.first] ?? null;
  }

  function sessionOn(venue: Venue, date: number): Session | null {
    if (!isMoment(date)) return null;
    const day = Math.floor(date / DAY);
    if (venue === "us_equity" || isExchange(venue)) return exchangeSession(venue, day);
    if (venue !== "forex") return { date: day * DAY, open: day * DAY, close: (day + 1) * DAY, early: false };
    if (weekday(day) === 0 || weekday(day) === 6) return null;
    const at = (date: number) => wallToUtc(zoneOf(venue), date * DAY + 17 * 3600);
    return { date: day * DAY, open: at(day - 1), close: at(day), early: false };
  }

  function sessionsBetween(venue: Venue, from: number, to: number): Session[] {
    const sessions: Session[] = [];
    for (let date = Math.ceil(from / DAY) * DAY; date < to; date += DAY) {
      const session = sessionOn(venue, date);
      if (session) sessions.push(session);
    }
    return sessions;
  }

  function sessionAt(venue: Venue, ts: number): Session | null {
    const session = sessionOn(venue, tradingDate(venue, ts));
    if (!session || ts < session.open || ts >= session.close) return null;
    const { lunch } = session;
    return lunch && ts >= lunch.from && ts < lunch.to ? null : session;
  }

  function barEnd(venue: Venue, interval: Interval, ts: number): number {
    if (interval === "1d") return sessionOn(venue, ts)?.close ?? ts + DAY;
    const end = ts + INTERVAL_SECONDS[interval];
    if (venue === "crypto" || venue === "unknown") return end;
    const session = sessionAt(venue, ts);
    if (session === null) return end;
    return Math.min(end, session.lunch && ts < session.lunch.from ? session.lunch.from : session.close);
  }

  return {
    sessionOn,
    sessionsBetween,
    sessionAt,
    barEnd,
    isFinal: (venue, interval, ts, asOf) => barEnd(venue, interval, ts) <= asOf,
  };
}

/** The calendar of the built-in rules and exceptions. */
export const CALENDAR = createCalendar();
