/** What an incremental job has to fetch, counted in sessions of the calendar, not in days. */

import { barStarts, type Calendar, type Session, tradingDate } from "../../domain/market/calendar.ts";
import type { Venue } from "../../domain/market/exchanges/exchanges.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import { uncovered } from "../../domain/runs/batch-plan.ts";
import type { JobContext } from "../job-context.ts";

/** Sessions fetched again, the last stored one included, to find late corrections. */
const OVERLAP_SESSIONS = { intraday: 2, daily: 10 } as const;
/** The longest closure of a market, days. */
const MAX_CLOSURE = 40;

/** Midnight UTC of the trading date `count` sessions back from the bar at `ts`, its own session being the first. */
export function overlapStart(calendar: Calendar, market: Venue, interval: Interval, ts: number): number {
  const count = interval === "1d" ? OVERLAP_SESSIONS.daily : OVERLAP_SESSIONS.intraday;
  const last = interval === "1d" ? ts : tradingDate(market, ts);
  let start = last;
  for (let date = last, left = count - 1; left > 0 && last - date < (count + MAX_CLOSURE) * DAY; ) {
    date -= DAY;
    if (calendar.sessionOn(market, date) === null) continue;
    start = date;
    left -= 1;
  }
  return start;
}

/** The newest session with a final bar at `asOf`, and the newest such bar. */
export function newestBar(
  calendar: Calendar,
  market: Venue,
  interval: Interval,
  asOf: number,
  finalAt: (ts: number) => number,
): { session: Session; ts: number } | null {
  const today = Math.floor(asOf / DAY) * DAY;
  for (let date = today + DAY; date > today - MAX_CLOSURE * DAY; date -= DAY) {
    const session = calendar.sessionOn(market, date);
    const ts = session && barStarts(session, interval).findLast((start) => finalAt(start) <= asOf);
    if (session && ts !== null && ts !== undefined) return { session, ts };
  }
  return null;
}

/** When the job's provider has the bar that starts at `ts`, epoch seconds. */
function availableAtOf(job: JobContext): (ts: number) => number {
  const { provider } = job.io;
  const { symbol, interval } = job.task;
  return provider.availableAt ? (ts) => provider.availableAt!(symbol, interval, ts) : finalAtOf(job);
}

/** When the bar that starts at `ts` is final at the job's provider, epoch seconds. */
export function finalAtOf({ io, task, market }: JobContext): (ts: number) => number {
  const { symbol, interval } = task;
  return (ts) => io.provider.finalAt?.(symbol, interval, ts) ?? io.calendar.barEnd(market, interval, ts);
}

/**
 * Where an incremental job begins to fetch (epoch seconds): `overlapStart` of the last stored bar. `null` if there is
 * nothing to fetch: the newest session is stored, and it and the overlap were fetched after it was final.
 */
export async function incrementStart(job: JobContext): Promise<number | null> {
  const { io, task, series, market } = job;
  const last = (await io.store.readLastBars(series, task.rangeTo, 1)).ts[0];
  if (last === undefined) return task.rangeFrom;
  const from = overlapStart(io.calendar, market, task.interval, last);
  // A provisional bar is fetched once, and again when it is final.
  const newestAvailable = newestBar(io.calendar, market, task.interval, task.asOf, availableAtOf(job));
  if (newestAvailable === null || last < newestAvailable.session.date) return from;
  const finalAt = finalAtOf(job);
  const newest = newestBar(io.calendar, market, task.interval, task.asOf, finalAt);
  if (newest === null || last < newest.session.date) return from;
  const fetched = await io.store.windowsAsOf(series, from, finalAt(newest.ts));
  return uncovered({ from, to: newest.ts + 1 }, fetched).length === 0 ? null : from;
}
