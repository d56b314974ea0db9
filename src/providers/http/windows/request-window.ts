/** Turns a job's window into the span to request from a vendor, and the answer into the bars of the window. */

import { BAR_FIELDS, type BarColumns, barsBetween, emptyBars } from "../../../domain/market/bars.ts";
import { type Calendar, knownDays, type Session } from "../../../domain/market/calendar.ts";
import { isExchange, type Venue } from "../../../domain/market/exchanges/exchanges.ts";
import { DAY, type Interval } from "../../../domain/market/interval.ts";
import { barStartAt, deriveBars } from "../../../domain/market/resample.ts";
import { REASONS, type RejectedRow, rejectedBars, type ValidatedBars } from "../../../domain/market/validate-bars.ts";
import type { BarWindow } from "../../provider.ts";
import type { Ticker } from "../ticker.ts";

/** A job's window with the vendor's way to serve it. */
export interface RequestWindow extends BarWindow {
  readonly ticker: Ticker;
  /** The interval requested from the vendor. */
  readonly source: Interval;
  /** When the vendor has a bar. */
  readonly delay: Delay;
}

/** Seconds after a bar's own end, or after the close of its session. */
export interface Delay {
  readonly after: "bar" | "session";
  readonly seconds: number;
}

/** Regular sessions alone are requested of New York's shares; bars of other exchanges are requested around the clock. */
function hasRegularBars({ market, exchange }: Ticker): boolean {
  return market === "us_equity" && exchange === "US";
}

/** Whose sessions decide what is requested: days in UTC where bars are requested around the clock or dates are not known. */
function requestedVenue({ ticker, interval, from, to }: RequestWindow): Venue {
  if (hasRegularBars(ticker)) return "us_equity";
  const known = knownDays(ticker.venue);
  const isKnown = isExchange(ticker.venue) && from >= known.from && to <= known.to;
  return interval === "1d" && isKnown ? ticker.venue : "crypto";
}

/** The sessions of the window of which the vendor has bars by `asOf`; without any there is nothing to request. */
export function sessionsToRequest(calendar: Calendar, requestWindow: RequestWindow, historyStart: number): Session[] {
  const { from, to, asOf, interval } = requestWindow;
  const start = Math.floor(Math.max(from, historyStart) / DAY) * DAY;
  return calendar
    .sessionsBetween(requestedVenue(requestWindow), start, Math.min(to, asOf))
    .filter((session) => interval === "1d" || (session.close > from && session.open < to))
    .filter((session) => interval !== "1d" || (session.date >= from && session.date < to))
    .filter((session) => firstBarAt(calendar, requestWindow, session) <= asOf);
}

/** Whether an answer to a window begins later than its first session. */
export function isLate(
  calendar: Calendar,
  { market }: Ticker,
  { from, to }: { readonly from: number; readonly to: number },
  first = Number.POSITIVE_INFINITY,
): boolean {
  const day = Math.floor(from / DAY) * DAY;
  const [session] = calendar.sessionsBetween(market, day, Math.min(to, first));
  return session !== undefined && session.date < Math.floor(first / DAY) * DAY;
}

/** The end of `delay` after the bar that starts at `ts`, epoch seconds. */
export function readyAt(
  calendar: Calendar,
  venue: Venue,
  { interval, ts, delay }: { readonly interval: Interval; readonly ts: number; readonly delay: Delay },
): number {
  const session = calendar.sessionAt(venue, ts) ?? calendar.sessionOn(venue, ts);
  const end = calendar.barEnd(venue, interval, ts);
  return (delay.after === "session" ? (session?.close ?? end) : end) + delay.seconds;
}

/** When the vendor has the first bar of a session, epoch seconds. */
function firstBarAt(calendar: Calendar, { delay, ticker, interval }: RequestWindow, session: Session): number {
  if (delay.after === "session" || interval === "1d") return session.close + delay.seconds;
  return calendar.barEnd(ticker.venue, interval, session.open) + delay.seconds;
}

/**
 * The span to request: from the first session to the end of the last, with the window's last bar whole. It never ends
 * later than the newest moment that the vendor can have: free plans refuse a request that does.
 */
export function sourceSpan(
  calendar: Calendar,
  requestWindow: RequestWindow,
  sessions: readonly Session[],
): { from: number; to: number } {
  const { interval, ticker, asOf, delay } = requestWindow;
  const first = sessions[0]!;
  const last = sessions.at(-1)!;
  const newest = Math.floor(asOf - delay.seconds);
  if (interval === "1d") return { from: first.date, to: Math.min(last.date + DAY, newest) };
  const from = Math.max(requestWindow.from, first.open);
  const end = Math.min(requestWindow.to, last.close);
  // A longer bar that begins in the window is requested to its end.
  const lastStart = barStartAt(calendar, ticker.venue, interval, end - 1);
  return { from, to: Math.min(newest, Math.max(end, calendar.barEnd(ticker.venue, interval, lastStart))) };
}

/**
 * The bars of the window: inside sessions, built to the requested interval, and whole by `asOf`. Those of other days stay,
 * to be rejected: without them, an answer of wrong times would be taken for an empty one.
 */
export function barsOfWindow(calendar: Calendar, requestWindow: RequestWindow, source: BarColumns): BarColumns {
  const { ticker, interval, delay, asOf, from, to } = requestWindow;
  const intraday = interval !== "1d";
  const isOther = (ts: number) => ts < from - DAY || ts >= Math.min(to, asOf) + DAY;
  const inside =
    intraday && hasRegularBars(ticker)
      ? filterBars(source, (ts) => isOther(ts) || calendar.sessionAt("us_equity", ts) !== null)
      : source;
  const bars = interval === requestWindow.source ? inside : deriveBars(calendar, ticker.venue, interval, inside);
  const isReady = (ts: number) => {
    if (isOther(ts)) return true;
    const session =
      delay.after === "session" ? (calendar.sessionAt(ticker.venue, ts) ?? calendar.sessionOn(ticker.venue, ts)) : null;
    const end = session?.close ?? calendar.barEnd(ticker.venue, interval, ts);
    return end + delay.seconds <= asOf;
  };
  const ready = filterBars(bars, isReady);
  return interval === requestWindow.source ? ready : barsBetween(ready, from, to);
}

/** The bars of an answer that can be used, and what of it cannot be. */
export function usableBars(
  calendar: Calendar,
  requestWindow: RequestWindow,
  { bars: source, rejected, unknown }: ValidatedBars,
): Pick<ValidatedBars, "bars" | "rejected"> {
  const { ticker, interval } = requestWindow;
  const bars = barsOfWindow(calendar, requestWindow, source);
  if (bars.ts.length === 0)
    return { bars, rejected: [...rejected, ...outsideSessions(calendar, requestWindow, source)] };
  // Without one of its parts, a built bar would be another one than was traded.
  const starts = new Set(unknown.map((ts) => barStartAt(calendar, ticker.venue, interval, ts)));
  if (starts.size === 0) return { bars, rejected };
  const partial = filterBars(bars, (ts) => starts.has(ts));
  return {
    bars: filterBars(bars, (ts) => !starts.has(ts)),
    rejected: [...rejected, ...rejectedBars(partial, REASONS.part)],
  };
}

/**
 * The bars of a window before the open and after the close, as rejected rows. They are usual beside other bars; alone it
 * may be that all times are wrong.
 */
function outsideSessions(
  calendar: Calendar,
  { ticker, interval, from, to }: RequestWindow,
  source: BarColumns,
): RejectedRow[] {
  if (interval === "1d" || !hasRegularBars(ticker)) return [];
  const isOutside = (ts: number) => ts >= from && ts < to && calendar.sessionAt("us_equity", ts) === null;
  return rejectedBars(filterBars(source, isOutside), REASONS.noSession);
}

/** The bars whose time passes `test` or is missing (validation rejects those); the same columns if all do. */
function filterBars(bars: BarColumns, test: (ts: number) => boolean): BarColumns {
  const kept: number[] = [];
  for (let at = 0; at < bars.ts.length; at++) if (Number.isNaN(bars.ts[at]!) || test(bars.ts[at]!)) kept.push(at);
  if (kept.length === bars.ts.length) return bars;
  const result = emptyBars(kept.length);
  for (const field of BAR_FIELDS) for (let at = 0; at < kept.length; at++) result[field][at] = bars[field][kept[at]!]!;
  return result;
}
