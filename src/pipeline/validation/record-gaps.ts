/** Records which sessions of a series lack bars: after a job has fetched, and after an upgrade. */

import type { GapFound } from "../../domain/alerts.ts";
import { type Calendar, knownDays } from "../../domain/market/calendar.ts";
import {
  areSessionsKnown,
  noCalendar,
  type SeriesVenue,
  venueOfSeries,
} from "../../domain/market/exchanges/exchanges.ts";
import { GAP_RULES, isMissing } from "../../domain/market/holes.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import type { FetchContext } from "../../providers/provider.ts";
import type { Gap } from "../../storage/market/quality/gaps.ts";
import type { SeriesStore } from "../store/job-store.ts";
import { findGaps, sessionsToRead } from "./find-gaps.ts";

/** Days before the first checked one that are read for the baseline: at least 20 sessions. */
const BASELINE_DAYS = 45;

/** The series whose sessions are compared with the calendar. */
interface ComparedSeries extends SeriesVenue {
  readonly id: number;
  readonly interval: Interval;
  /** The rules by which its sessions were last checked. */
  readonly gapRules: number;
}

interface GapIo {
  readonly store: SeriesStore;
  readonly calendar: Calendar;
  readonly log: FetchContext["log"];
  /** Reports that an event was recorded that may be mailed. */
  alert(): void;
}

/** What counts as now, and when the bar that starts at `ts` is final at the series' provider: epoch seconds. */
interface Moments {
  readonly asOf: number;
  finalAt(ts: number): number;
}

/**
 * Checks the sessions of a series from `from` (epoch seconds) on again, all of them if they were last checked by an
 * earlier release; returns the number of unconfirmed gaps of the series.
 */
export async function recordGapsOf(io: GapIo, series: ComparedSeries, from: number, moments: Moments): Promise<number> {
  const { store } = io;
  const { id, symbol, interval } = series;
  const isOutdated = series.gapRules !== GAP_RULES;
  if (!areSessionsKnown(series, interval)) {
    if (venueOfSeries(series) === "unknown") io.log("warn", noCalendar(symbol));
    // An earlier version may have compared it with another exchange.
    if ((await store.listGaps(id)).length > 0) await store.replaceGaps(id, 0, [], []);
  } else {
    const start = isOutdated ? 0 : Math.floor(from / DAY) * DAY;
    const found = (await gapsSince(io, series, start, moments)).filter(({ date }) => date >= start);
    const before = await store.listGaps(id);
    if (
      !isSame(
        found,
        before.filter(({ date }) => date >= start),
      )
    ) {
      const knownDates = new Set(lacking(before).map(({ date }) => date));
      const fresh = lacking(found).filter(({ date }) => !knownDates.has(date));
      await store.replaceGaps(id, start, found, gapsFound(series, fresh));
      if (fresh.length > 0) io.alert();
    }
  }
  if (isOutdated) await store.saveGapRules(id);
  return (await store.listGaps(id)).filter(({ kind, confirmed }) => isMissing(kind) && !confirmed).length;
}

/** Compares the sessions from `start` (epoch seconds) on with the calendar, and those before it that show the pattern. */
async function gapsSince(
  { store, calendar }: GapIo,
  series: ComparedSeries,
  start: number,
  { asOf, finalAt }: Moments,
): Promise<Gap[]> {
  const { id, interval } = series;
  const market = venueOfSeries(series);
  const { firstBar, lastBar } = await store.barRange(id);
  if (firstBar === null || lastBar === null) return [];
  const known = knownDays(market);
  const isKnown = ({ date }: { readonly date: number }) => date >= known.from && date < known.to;
  const from = Math.max(Math.floor(firstBar / DAY) * DAY, start - BASELINE_DAYS * DAY);
  const sessions = calendar
    .sessionsBetween(market, from, Math.min(asOf, lastBar + 2 * DAY))
    .filter(isKnown)
    .filter(({ date, close }) => finalAt(interval === "1d" ? date : close - 60) <= asOf);
  if (interval === "1d") {
    const days = (await store.dayCounts(id, from)).filter(isKnown);
    const dates = new Set(sessions.map(({ date }) => date));
    const outside = new Map(days.filter(({ date }) => !dates.has(date)).map(({ date, rows }) => [date, rows]));
    return findGaps({ sessions, interval, days, outside, firstBar }, new Map());
  }
  const counts = await store.countSessions(id, sessions, from);
  const examined = { sessions, interval, firstBar, ...counts };
  return findGaps(examined, await store.readMinutes(id, sessionsToRead(examined)));
}

/** Whether the same gaps were found, in any order. */
function isSame(found: readonly Gap[], known: readonly Gap[]): boolean {
  const textOf = ({ kind, rows, hours, holes }: Gap) => JSON.stringify([kind, rows, hours, holes]);
  const byDate = new Map(known.map((gap) => [gap.date, textOf(gap)]));
  return found.length === known.length && found.every((gap) => byDate.get(gap.date) === textOf(gap));
}

const lacking = <Each extends Gap>(gaps: readonly Each[]) => gaps.filter(({ kind }) => isMissing(kind));

/** The event of newly found gaps; none if there are none. */
function gapsFound({ symbol, interval, provider }: ComparedSeries, gaps: readonly Gap[]): GapFound[] {
  const [first, last] = [gaps[0], gaps.at(-1)];
  if (first === undefined || last === undefined) return [];
  const [from, to] = [first.date, last.date];
  return [{ kind: "gap_found", at: Date.now(), symbol, interval, provider, missing: missingOf(gaps), from, to }];
}

/** `3 sessions`, `1 session cut short`, `3 sessions, 1 cut short and 2 with holes` */
function missingOf(gaps: readonly Gap[]): string {
  const count = (kinds: readonly string[]) => gaps.filter(({ kind }) => kinds.includes(kind)).length;
  const parts = [
    [count(["missing"]), ""],
    [count(["truncated"]), " cut short"],
    [count(["hole", "sparse"]), " with holes"],
  ] as const;
  const words = parts
    .filter(([sessions]) => sessions > 0)
    .map(([sessions, what], at) => `${sessions}${at === 0 ? (sessions === 1 ? " session" : " sessions") : ""}${what}`);
  return words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join("");
}
