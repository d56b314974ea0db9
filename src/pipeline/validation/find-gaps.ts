/** Compares the stored bars of a series with the calendar, session by session. Pure. */

import type { Session } from "../../domain/market/calendar.ts";
import { BASELINE, holesIn, isSparse, joinNearest, type SessionBars, shortestHole } from "../../domain/market/holes.ts";
import { INTERVAL_SECONDS, type Interval } from "../../domain/market/interval.ts";
import type { Gap, Times } from "../../storage/market/quality/gaps.ts";
import type { DayCount, SessionCounts } from "../../storage/market/session-bars.ts";

/** Fewest sessions before one for it to be compared with those alone; else the first ones of the series count too. */
const MIN_BEFORE = 10;
/** The most holes that are stored of a session; beyond that the nearest are joined. */
const MOST_HOLES = 12;

/** The sessions of a series to be compared (ascending, all of them over), and what is stored of them. */
export interface Examined extends SessionCounts {
  readonly sessions: readonly Session[];
  readonly interval: Interval;
  /** Start of the first stored bar of the series, epoch seconds: what comes before it is no gap. */
  readonly firstBar: number;
}

/** How many bars a session has room for. */
function roomOf({ open, close, lunch }: Session, step: number): number {
  if (!lunch) return Math.ceil((close - open) / step);
  return Math.ceil((lunch.from - open) / step) + Math.ceil((close - lunch.to) / step);
}

/** The places of bars that start `minutes` after the open. */
function placesOf({ open, lunch }: Session, minutes: readonly number[], step: number): readonly number[] {
  if (!lunch && step === 60) return minutes;
  const morning = lunch ? Math.ceil((lunch.from - open) / step) : 0;
  const places: number[] = [];
  let last = -1;
  for (const minute of minutes) {
    const after = lunch ? open + minute * 60 - lunch.to : -1;
    // Bars inside the break have no place.
    if (lunch && after < 0 && open + minute * 60 >= lunch.from) continue;
    const place = after >= 0 ? morning + Math.floor(after / step) : Math.floor((minute * 60) / step);
    if (place > last) places.push(place);
    last = place;
  }
  return places;
}

/** The moments between the start of place `from` and the end of the place before `to`. */
function timesOf({ open, close, lunch }: Session, { from, to }: { from: number; to: number }, step: number): Times {
  const morning = lunch ? Math.ceil((lunch.from - open) / step) : Number.POSITIVE_INFINITY;
  const startOf = (place: number) => (place < morning ? open + place * step : lunch!.to + (place - morning) * step);
  const end = startOf(to - 1) + step;
  return [startOf(from), Math.min(end, to - 1 < morning && lunch ? lunch.from : close)];
}

/** A session with bars. */
interface Traded extends SessionBars {
  readonly session: Session;
  readonly day: DayCount;
}

function tradedOf({ sessions, days, interval }: Examined, minutesOf?: ReadonlyMap<number, readonly number[]>) {
  const step = INTERVAL_SECONDS[interval];
  const byDate = new Map(days.map((day) => [day.date, day]));
  return sessions.flatMap((session): Traded[] => {
    const day = byDate.get(session.date);
    if (day === undefined) return [];
    const minutes = minutesOf?.get(session.date);
    const places = minutes === undefined ? null : placesOf(session, minutes, step);
    return [{ session, day, room: roomOf(session, step), rows: places?.length ?? day.rows, places }];
  });
}

/** The sessions with which session `at` is compared: the 20 before it, or the first 20 of the series. */
function othersOf(traded: readonly Traded[], at: number): Traded[] {
  if (at >= MIN_BEFORE) return traded.slice(Math.max(0, at - BASELINE), at);
  return traded.slice(0, BASELINE + 1).filter((_, index) => index !== at);
}

/** The sessions whose bars `findGaps` needs: those that may have a hole, and those they are compared with. */
export function sessionsToRead(examined: Examined): Session[] {
  if (examined.interval === "1d") return [];
  const traded = tradedOf(examined);
  const least = shortestHole(INTERVAL_SECONDS[examined.interval]);
  const read = new Set<Traded>();
  for (const [at, each] of traded.entries()) {
    if (each.room - each.rows < least) continue;
    read.add(each);
    for (const other of othersOf(traded, at)) if (other.rows < other.room) read.add(other);
  }
  return traded.filter((each) => read.has(each)).map(({ session }) => session);
}

/**
 * The gaps of a series, ascending. Sessions before the first bar are none: the symbol may not have been listed yet; its
 * first session may begin late for the same reason. Nor are sessions after the last bar.
 * @param minutesOf the starts of the bars of `sessionsToRead`, in minutes after the open, by date
 */
export function findGaps(examined: Examined, minutesOf: ReadonlyMap<number, readonly number[]>): Gap[] {
  const { sessions, interval, days, outside, firstBar } = examined;
  const gaps: Gap[] = [];
  const step = INTERVAL_SECONDS[interval];
  const isDaily = interval === "1d";
  const [firstDay, lastDay] = [days[0]?.date ?? Number.POSITIVE_INFINITY, days.at(-1)?.date ?? 0];
  const dates = new Set(days.map(({ date }) => date));
  const known = new Set(sessions.map(({ date }) => date));
  for (const { date, open, close } of sessions) {
    if (date < firstDay || date > lastDay || dates.has(date)) continue;
    gaps.push({ date, kind: "missing", rows: 0, hours: isDaily ? null : [open, close], holes: [] });
  }
  // Days after the last session are not over yet.
  const end = sessions.at(-1)?.date ?? 0;
  for (const [date, rows] of outside) {
    if (!known.has(date) && date <= end) gaps.push({ date, kind: "outside", rows, hours: null, holes: [] });
  }
  if (!isDaily) {
    const traded = tradedOf(examined, minutesOf);
    for (const [at, each] of traded.entries()) {
      const { session, day, room } = each;
      const isFirst = day.first <= firstBar;
      const begins = isFirst ? (each.places?.[0] ?? 0) : 0;
      const own: SessionBars = isFirst && each.places !== null ? fromFirst(each, begins) : each;
      const others = othersOf(traded, at);
      const found = holesIn(
        own,
        others.map((other) => (begins > 0 ? fromFirst(other, begins) : other)),
        step,
      ).map(({ from, to }) => ({ from: from + begins, to: to + begins }));
      const holes = joinNearest(found, MOST_HOLES).map((stretch) => timesOf(session, stretch, step));
      const kind = found.some(({ from, to }) => from === 0 || to === room)
        ? "truncated"
        : found.length > 0
          ? "hole"
          : isSparse(own, others)
            ? "sparse"
            : outside.has(session.date)
              ? "outside"
              : null;
      const hours = [session.open, session.close] as const;
      if (kind !== null) gaps.push({ date: session.date, kind, rows: day.rows, hours, holes });
    }
  }
  return gaps.sort((a, b) => a.date - b.date);
}

/** A session as if it began at place `begins`. */
function fromFirst({ room, rows, places }: SessionBars, begins: number): SessionBars {
  if (places === null) return { room: Math.max(1, room - begins), rows: Math.max(0, rows - begins), places: null };
  const rest = Array.from(places)
    .filter((place) => place >= begins)
    .map((place) => place - begins);
  return { room: Math.max(1, room - begins), rows: rest.length, places: rest };
}
