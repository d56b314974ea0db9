/** Compares the stored bars of a series with the calendar, session by session. Pure. */

import type { Session } from "../../domain/market/calendar.ts";
import { INTERVAL_SECONDS, type Interval } from "../../domain/market/interval.ts";
import type { DayCount, Gap } from "../../storage/market/gaps.ts";

/** Sessions that make up a symbol's baseline. */
const BASELINE = 20;
/** Fewest sessions of a baseline. */
const MIN_BASELINE = 10;
/** A session with less than this share of the baseline's bars is sparse. */
const SPARSE = 0.5;
/** Seconds by which the bars of a session may begin later or end earlier than twice the baseline. */
const TOLERANCE_S = 15 * 60;

/** A session that has bars, compared with its hours. */
interface Traded {
  readonly session: Session;
  readonly day: DayCount;
  /** Bars per second. */
  readonly rate: number;
  /** Seconds without a bar after the open and before the close. */
  readonly late: number;
  readonly early: number;
}

/**
 * The gaps of `sessions` (ascending, all of them over), given the days that have bars. Sessions before the first bar
 * are not gaps: the symbol may not have been listed yet. A session's baseline is the median of the 20 sessions before
 * it; for the first sessions it is that of the first 20.
 */
export function findGaps(days: readonly DayCount[], sessions: readonly Session[], interval: Interval): Gap[] {
  const byDate = new Map(days.map((day) => [day.date, day]));
  const [firstDay, lastDay] = [days[0]?.date ?? Number.POSITIVE_INFINITY, days.at(-1)?.date ?? 0];
  const step = INTERVAL_SECONDS[interval];
  const gaps: Gap[] = [];
  const traded: Traded[] = [];
  for (const session of sessions) {
    const { date, open, close } = session;
    if (date < firstDay || date > lastDay) continue;
    const day = byDate.get(date);
    byDate.delete(date);
    if (day === undefined) gaps.push({ date, kind: "missing", rows: 0 });
    else {
      const [late, early] = [Math.max(0, day.first - open), Math.max(0, close - (day.last + step))];
      traded.push({ session, day, rate: day.rows / (close - open), late, early });
    }
  }
  // The remaining days have no session; those after the last session are not over yet.
  const end = sessions.at(-1)?.date ?? 0;
  for (const { date, rows } of byDate.values()) if (date <= end) gaps.push({ date, kind: "outside", rows });
  if (interval !== "1d") {
    for (const [at, { session, day }] of traded.entries()) {
      const kind = kindOf(traded, at, step);
      if (kind) gaps.push({ date: session.date, kind, rows: day.rows });
    }
  }
  return gaps.sort((a, b) => a.date - b.date);
}

function kindOf(traded: readonly Traded[], at: number, step: number): Gap["kind"] | null {
  const { session, day, rate, late, early } = traded[at]!;
  const baseline = at < MIN_BASELINE ? traded.slice(0, BASELINE) : traded.slice(Math.max(0, at - BASELINE), at);
  const known = baseline.length >= MIN_BASELINE;
  const usual = (field: "rate" | "late" | "early") => (known ? median(baseline.map((each) => each[field])) : 0);
  const tolerance = Math.max(step, TOLERANCE_S);
  if (late >= tolerance + 2 * usual("late") || early >= tolerance + 2 * usual("early")) return "truncated";
  if (rate < SPARSE * usual("rate")) return "sparse";
  return day.first < session.open || day.last >= session.close ? "outside" : null;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
