/** Bars are judged before they are stored: what cannot be true is put aside with the reason, the rest goes on. */

import { isoMillisecond } from "../time.ts";
import { BAR_FIELDS, type BarColumns, emptyBars } from "./bars.ts";
import { DAY, type Interval } from "./interval.ts";

/** Something in a source that is not a usable bar: kept and shown, never silently dropped. */
export interface RejectedRow {
  /** Where it stood, e.g. `AAPL.csv:17` or the bar's time. */
  readonly where: string;
  readonly reason: string;
  readonly raw: string;
}

/** What was asked for, epoch seconds: `from` <= ts < `to`, seen from the moment `asOf`. */
interface ExpectedWindow {
  readonly interval: Interval;
  readonly from: number;
  readonly to: number;
  readonly asOf: number;
}

/** Why a bar is put aside; fixed texts, so that they can be counted. */
export const REASONS = {
  noTime: "the time is missing",
  offGrid: "the time is not on the interval's grid",
  outside: "outside the window asked for",
  future: "in the future",
  noPrice: "a price is missing",
  notPositive: "a price is zero or negative",
  noVolume: "the volume is missing",
  negativeVolume: "the volume is negative",
  highBelowLow: "the high is below the low",
  outsideRange: "open or close lies outside high and low",
  twice: "the same bar came twice",
  rival: "another bar of the same time has more volume",
  jump: "a lone jump tenfold away from its neighbours",
} as const;

export interface ValidatedBars {
  /** Ascending, without doubles, all of them believable. */
  readonly bars: BarColumns;
  readonly rejected: readonly RejectedRow[];
}

/**
 * An open or close this many times its neighbours', and gone again, is an error (a split stays; a crash is not tenfold).
 * A lone high or low is left alone: single trades far off the market do happen, and cost the bar nothing else.
 */
const ABSURD = 10;
/** How well the two sides of a jump must agree before the bar between them is blamed. */
const AGREE = 3;
/** How many bars on each side are consulted. */
const NEIGHBOURS = 3;

/**
 * Sorts out the bars of one fetched window. Missing numbers are NaN in `raw`, in any order and with any doubles.
 * Of two bars of the same time the one with more volume is kept, the first if they are equal. O(n log n), O(n) if sorted.
 */
export function validateBars(raw: BarColumns, window: ExpectedWindow): ValidatedBars {
  const rejected: RejectedRow[] = [];
  const reject = (at: number, reason: string) =>
    void rejected.push({ where: timeOf(raw.ts[at]!), reason, raw: rowText(raw, at) });

  const kept: number[] = [];
  for (const at of inOrder(raw.ts)) {
    const fault = faultOf(raw, at, window);
    if (fault) {
      reject(at, fault);
      continue;
    }
    const before = kept.at(-1);
    if (before === undefined || raw.ts[before] !== raw.ts[at]) {
      kept.push(at);
    } else if (sameBar(raw, before, at)) {
      reject(at, REASONS.twice);
    } else if (raw.volume[at]! > raw.volume[before]!) {
      reject(before, REASONS.rival);
      kept[kept.length - 1] = at;
    } else {
      reject(at, REASONS.rival);
    }
  }

  const calm: number[] = [];
  for (let place = 0; place < kept.length; place++) {
    if (isLoneJump(raw, calm, kept, place)) reject(kept[place]!, REASONS.jump);
    else calm.push(kept[place]!);
  }
  return { bars: calm.length === raw.ts.length && isSorted(raw.ts) ? raw : pick(raw, calm), rejected };
}

function faultOf(bars: BarColumns, at: number, { interval, from, to, asOf }: ExpectedWindow) {
  const ts = bars.ts[at]!;
  if (!Number.isFinite(ts)) return REASONS.noTime;
  if (ts % (interval === "1d" ? DAY : 60) !== 0) return REASONS.offGrid;
  if (ts >= asOf) return REASONS.future;
  if (ts < from || ts >= to) return REASONS.outside;
  const open = bars.open[at]!;
  const high = bars.high[at]!;
  const low = bars.low[at]!;
  const close = bars.close[at]!;
  const volume = bars.volume[at]!;
  if (!Number.isFinite(open + high + low + close)) return REASONS.noPrice;
  if (!(open > 0 && high > 0 && low > 0 && close > 0)) return REASONS.notPositive;
  if (!Number.isFinite(volume)) return REASONS.noVolume;
  if (volume < 0) return REASONS.negativeVolume;
  if (high < low) return REASONS.highBelowLow;
  if (open > high || open < low || close > high || close < low) return REASONS.outsideRange;
  return null;
}

/** Whether the bar at `place` stands at least tenfold off both sides (`calm` before, `kept` after), which agree. */
function isLoneJump(bars: BarColumns, calm: readonly number[], kept: readonly number[], place: number): boolean {
  // Cheap first: nearly every bar lies close to the one before it.
  const at = kept[place]!;
  const previous = bars.close[calm.at(-1) ?? at]!;
  const high = Math.max(bars.open[at]!, bars.close[at]!);
  const low = Math.min(bars.open[at]!, bars.close[at]!);
  if (high < previous * ABSURD && low * ABSURD > previous) return false;
  const left = medianClose(bars, calm.slice(-NEIGHBOURS));
  const right = medianClose(bars, kept.slice(place + 1, place + 1 + NEIGHBOURS));
  if (left === null || right === null || left > right * AGREE || right > left * AGREE) return false;
  return high >= ABSURD * Math.max(left, right) || low * ABSURD <= Math.min(left, right);
}

function medianClose(bars: BarColumns, rows: readonly number[]): number | null {
  const closes = rows.map((at) => bars.close[at]!).sort((a, b) => a - b);
  return closes[closes.length >> 1] ?? null;
}

/** Row numbers by time, rows without one last; the given order where times are equal. */
function inOrder(ts: Float64Array): Iterable<number> {
  if (isSorted(ts)) return ts.keys();
  const key = (at: number) => (Number.isNaN(ts[at]!) ? Number.POSITIVE_INFINITY : ts[at]!);
  return [...ts.keys()].sort((a, b) => (key(a) === key(b) ? a - b : key(a) - key(b)));
}

function isSorted(ts: Float64Array): boolean {
  for (let at = 1; at < ts.length; at++) if (!(ts[at]! >= ts[at - 1]!)) return false;
  return true;
}

function sameBar(bars: BarColumns, a: number, b: number): boolean {
  return BAR_FIELDS.every((field) => bars[field][a] === bars[field][b]);
}

function pick(bars: BarColumns, rows: readonly number[]): BarColumns {
  const picked = emptyBars(rows.length);
  for (const field of BAR_FIELDS) for (let at = 0; at < rows.length; at++) picked[field][at] = bars[field][rows[at]!]!;
  return picked;
}

function timeOf(ts: number): string {
  return Number.isFinite(ts) && Math.abs(ts) < 8e12 ? isoMillisecond(ts) : "no time";
}

/** The row as JSON; a missing number is null. */
function rowText(bars: BarColumns, at: number): string {
  return JSON.stringify(Object.fromEntries(BAR_FIELDS.map((field) => [field, bars[field][at]])));
}
