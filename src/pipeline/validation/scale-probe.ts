/** Requests stored bars around an answer again where it has too few of them to tell a new scale from corrections. */

import { type BarColumns, emptyBars, filterBars, joinBars } from "../../domain/market/bars.ts";
import { DAY } from "../../domain/market/interval.ts";
import type { Span } from "../../domain/runs/batch-plan.ts";
import type { JobStore } from "../store/job-store.ts";
import { type Comparison, compareBars } from "./compare-bars.ts";

/** Stored bars around an answer that are compared at most, in each direction. */
const MOST_BARS = 6;

const NONE: ReadonlySet<number> = new Set();

/** The bars of an answer and those stored for them; the same times may be absent from one of them. */
export interface Compared {
  readonly stored: BarColumns;
  readonly answer: BarColumns;
}

export interface ProbedSeries {
  readonly store: Pick<JobStore, "readBars" | "readLastBars">;
  readonly series: number;
  /** Stored bars from here on may differ because they were not final, epoch seconds. */
  readonly settledTo: number;
  /** The longest window that the vendor answers, days. */
  readonly maxDays: number;
  /** The vendor's bars for a window, valid row by row. */
  request(window: Span): Promise<BarColumns>;
  /** The bars without those of other providers. */
  own(bars: BarColumns): Promise<BarColumns>;
}

/**
 * Compares more stored bars, the nearest first, with what the vendor gives for them now: before the `window` because a
 * factor concerns all older bars, after it only where none can be compared before it.
 * @param known bars of the window whose comparison is undecided
 * @returns the comparison of all these bars; it may still be undecided if the vendor gives no more of them
 */
export async function probeScale(series: ProbedSeries, window: Span, known: Compared): Promise<Comparison> {
  let all = known;
  let result = compareBars(all.stored, all.answer, NONE);
  for (const next of [spanBefore, spanAfter]) {
    for (let reached = window, seen = 0; result.isUndecided && seen < MOST_BARS; ) {
      const span = await next(series, reached);
      if (span === null) break;
      const stored = await series.own(
        await series.store.readBars(series.series, span.from, Math.min(span.to, series.settledTo)),
      );
      const times = new Set(stored.ts);
      const given = await series.request(span);
      const answer = filterBars(given, (at) => times.has(given.ts[at]!));
      if (answer.ts.length < stored.ts.length) break;
      const isEarlier = span.from < window.from;
      const add = (more: BarColumns, bars: BarColumns) => (isEarlier ? joinBars(more, bars) : joinBars(bars, more));
      all = { stored: add(stored, all.stored), answer: add(answer, all.answer) };
      result = compareBars(all.stored, all.answer, NONE);
      reached = { from: Math.min(reached.from, span.from), to: Math.max(reached.to, span.to) };
      seen += stored.ts.length;
    }
  }
  return result;
}

const dayOf = (ts: number) => Math.floor(ts / DAY) * DAY;

/** The days of the last stored bars before a window, `null` if there are none. */
async function spanBefore({ store, series, maxDays }: ProbedSeries, { from }: Span): Promise<Span | null> {
  const { ts } = await store.readLastBars(series, from, MOST_BARS);
  if (ts.length === 0) return null;
  const to = Math.min(from, dayOf(ts[ts.length - 1]!) + DAY);
  return { from: Math.max(dayOf(ts[0]!), to - maxDays * DAY), to };
}

/** The days of the first stored bars after a window. */
async function spanAfter({ store, series, maxDays, settledTo }: ProbedSeries, { to }: Span): Promise<Span | null> {
  const { ts } = settledTo <= to ? emptyBars() : await store.readBars(series, to, settledTo, MOST_BARS);
  if (ts.length === 0) return null;
  const from = Math.max(to, dayOf(ts[0]!));
  return { from, to: Math.min(dayOf(ts[ts.length - 1]!) + DAY, from + maxDays * DAY) };
}
