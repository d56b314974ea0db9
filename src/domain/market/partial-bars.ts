/** Whether the first and the last bar built from shorter ones hold less than their whole time. */

import type { Calendar } from "./calendar.ts";
import type { Venue } from "./exchanges/exchanges.ts";
import { DAY, isDated, READ_SECONDS, type ReadInterval } from "./interval.ts";
import { barEndAt, barStartAt, type Derivation } from "./resample.ts";

export interface PartialBars {
  readonly first: boolean;
  readonly last: boolean;
}

/** The first and the last derived bar of a history, by their starts, and whether they are partial. */
export interface DerivedEdges {
  readonly first: number;
  readonly last: number;
  readonly partial: PartialBars;
}

/** Days that are searched for a session. */
const LONGEST_CLOSURE = 40;

/**
 * A derived bar is partial if the stored bars begin after its beginning or end before its end, also where nobody
 * traded then.
 * @param stored starts of the first and the last bar of the whole stored history, epoch seconds
 */
export function derivedEdges(
  { calendar, venue, source, interval }: Derivation,
  stored: { readonly first: number; readonly last: number },
): DerivedEdges {
  const begins =
    source !== interval && isDated(interval) ? inSession(calendar, venue, source, stored.first) : stored.first;
  const startOf = (ts: number) => barStartAt(calendar, venue, interval, ts, source);
  const [first, last] = [startOf(begins), startOf(stored.last)];
  if (source === interval) return { first: stored.first, last: stored.last, partial: { first: false, last: false } };
  // A date stands for its whole day.
  const until = stored.last + (isDated(source) ? DAY : READ_SECONDS[source]);
  return {
    first,
    last,
    partial: {
      first: begins > beginningOf(calendar, venue, interval, source, first),
      last: until < barEndAt(calendar, venue, interval, last),
    },
  };
}

const hasSessions = (venue: Venue) => venue !== "crypto" && venue !== "unknown";

/** The first moment from `ts` on that counts for a day: bars after the close belong to none. */
function inSession(calendar: Calendar, venue: Venue, source: ReadInterval, ts: number): number {
  if (isDated(source) || !hasSessions(venue)) return ts;
  const date = barStartAt(calendar, venue, "1d", ts);
  const session = calendar.sessionOn(venue, date);
  if (session === null || ts < session.close) return ts;
  return nextSession(calendar, venue, date + DAY)?.open ?? ts;
}

function nextSession(calendar: Calendar, venue: Venue, from: number) {
  for (let date = from; date < from + LONGEST_CLOSURE * DAY; date += DAY) {
    const session = calendar.sessionOn(venue, date);
    if (session !== null) return session;
  }
  return null;
}

/** When the first shorter bar of a longer one starts if there is one for each moment of its sessions. */
function beginningOf(
  calendar: Calendar,
  venue: Venue,
  interval: ReadInterval,
  source: ReadInterval,
  start: number,
): number {
  if (!isDated(interval) || !hasSessions(venue)) return start;
  const session = nextSession(calendar, venue, start);
  if (session === null) return start;
  return isDated(source) ? session.date : session.open;
}
