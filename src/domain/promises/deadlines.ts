/** When a promise is due, and which bar each symbol must have by then. Pure; deadlines are epoch milliseconds. */

import { barStarts, type Calendar, knownDays, type Session, tradingDate } from "../market/calendar.ts";
import { closingAuction, type Venue } from "../market/exchanges/exchanges.ts";
import { parseTime } from "../market/exchanges/sessions.ts";
import { DAY, type Interval } from "../market/interval.ts";
import { offsetAt, wallToUtc } from "../zone.ts";
import type { PromiseInput } from "./promise.ts";

type Due = Pick<PromiseInput, "byTime" | "timeZone" | "days" | "venue">;

/** Days that are searched for the next deadline, and for the last session: no market is closed for longer. */
const MAX_CLOSURE = 40;

/** The deadline on a date (midnight UTC of the date on the promise's clock, epoch seconds), whether it is due then or not. */
export const deadlineOn = ({ byTime, timeZone }: Due, date: number): number =>
  wallToUtc(timeZone, date + parseTime(byTime)) * 1_000;

/** The date on the clock of a time zone, as midnight UTC in epoch seconds. */
export function dateIn(timeZone: string, at: number): number {
  const ts = at / 1_000;
  return Math.floor((ts + offsetAt(timeZone, ts)) / DAY) * DAY;
}

/** Whether a promise has a deadline on a date. Beyond the known days of a calendar, weekdays count as trading days. */
function isDueOn({ days, venue }: Due, date: number, calendar: Calendar): boolean {
  if (days === "every_day") return true;
  const { from, to } = knownDays(venue);
  if (days === "trading_days" && date >= from && date < to) return calendar.sessionOn(venue, date) !== null;
  const weekday = new Date(date * 1_000).getUTCDay();
  return weekday !== 0 && weekday !== 6;
}

/** The deadlines after `after` up to and including `until`, ascending; the newest `limit` of them. */
export function deadlinesBetween(
  due: Due,
  calendar: Calendar,
  { after, until, limit }: { readonly after: number; readonly until: number; readonly limit: number },
): number[] {
  const found: number[] = [];
  const first = dateIn(due.timeZone, after) - DAY;
  for (let date = dateIn(due.timeZone, until) + DAY; date >= first && found.length < limit; date -= DAY) {
    if (!isDueOn(due, date, calendar)) continue;
    const at = deadlineOn(due, date);
    // A zone that skips a date has one deadline on both sides of it.
    if (at > after && at <= until && at !== found[0]) found.unshift(at);
  }
  return found;
}

/** The first deadline after `after`; `null` if none is near. */
export function nextDeadline(due: Due, calendar: Calendar, after: number): number | null {
  const first = dateIn(due.timeZone, after) - DAY;
  for (let date = first; date < first + MAX_CLOSURE * DAY; date += DAY) {
    const at = deadlineOn(due, date);
    if (at > after && isDueOn(due, date, calendar)) return at;
  }
  return null;
}

/** What a symbol must have: the last bar of a session. Epoch seconds. */
export interface RequiredBar {
  readonly session: Session;
  /** The start of the session's last bar. */
  readonly ts: number;
}

/**
 * The bar that a series must have to be fresh at a moment: the last one of the newest session that was over by then, with
 * its closing auction for bars of a day. `null` where the calendar does not say.
 * @param at epoch seconds
 */
export function requiredBar(calendar: Calendar, venue: Venue, interval: Interval, at: number): RequiredBar | null {
  const known = knownDays(venue);
  const auction = interval === "1d" ? closingAuction(venue) : 0;
  const today = tradingDate(venue, at) + DAY;
  // A session of a later year could have come since.
  if (today < known.from || today - DAY >= known.to) return null;
  for (let date = today; date > today - MAX_CLOSURE * DAY; date -= DAY) {
    const session = calendar.sessionOn(venue, date);
    if (session === null || session.close + auction > at) continue;
    return session.date >= known.from ? { session, ts: barStarts(session, interval).at(-1)! } : null;
  }
  return null;
}
