/** Validates bars before they are stored: impossible ones are rejected with a reason. */

import { isoMillisecond } from "../time.ts";
import { BAR_FIELDS, type BarColumns, emptyBars, sameValue } from "./bars.ts";
import { DAY, type Interval } from "./interval.ts";
import { isFiner } from "./spacing.ts";

/** A row of a source that is not a usable bar: stored and shown, never dropped silently. */
export interface RejectedRow {
  /** Where the row was found, e.g. `AAPL.csv:17` or the bar's time. */
  readonly where: string;
  readonly reason: string;
  readonly raw: string;
  /** Whether whoever found it has reported it already, together with others of its kind. */
  readonly isReported?: boolean;
}

/** The requested window, epoch seconds: `from` <= ts < `to`, at the moment `asOf`. */
interface ExpectedWindow {
  readonly interval: Interval;
  readonly from: number;
  readonly to: number;
  readonly asOf: number;
}

/** Why a bar is rejected; fixed texts, so that they can be counted. */
export const REASONS = {
  noTime: "the time is missing",
  offGrid: "the time is not on the interval's grid",
  finer: "the rows come faster than one an interval",
  outside: "outside the window asked for",
  future: "in the future",
  noPrice: "a price is missing",
  notPositive: "a price is zero or negative",
  noVolume: "the volume is not a number",
  negativeVolume: "the volume is negative",
  highBelowLow: "the high is below the low",
  outsideRange: "open or close lies outside high and low",
  duplicate: "the same bar came twice",
  lowerVolume: "another bar of the same time has more volume",
  jump: "a lone jump tenfold away from its neighbours",
} as const;

/** Bars start at multiples of these; hours may be anchored at an open such as 09:30 or 09:15. */
const GRID_SECONDS: Readonly<Record<Interval, number>> = { "1m": 60, "5m": 300, "15m": 900, "1h": 900, "1d": DAY };

export interface ValidatedBars {
  /** Ascending, without duplicates, all plausible. */
  readonly bars: BarColumns;
  readonly rejected: readonly RejectedRow[];
}

/**
 * An open or close this many times that of its neighbours on both sides is an error (a split stays; a crash is not
 * tenfold). A lone high or low is accepted: single trades far off the market do happen.
 */
const JUMP_FACTOR = 10;
/** The highest ratio between the prices on both sides of a jump; if it is higher, the bar is not rejected. */
const MAX_SIDE_RATIO = 3;
/** Bars compared on each side. */
const NEIGHBOURS = 3;

/**
 * Validates the bars of one fetched window; `raw` may be unsorted and have duplicates, missing numbers are NaN.
 * An unknown volume (NaN) is valid. Of two bars of the same time the one with more volume is kept, the first if equal.
 * O(n log n), O(n) if sorted.
 */
export function validateBars(raw: BarColumns, window: ExpectedWindow): ValidatedBars {
  const rejected: RejectedRow[] = [];
  const reject = (at: number, reason: string) =>
    void rejected.push({ where: timeOf(raw.ts[at]!), reason, raw: rowText(raw, at) });

  // Rows of a shorter interval lie on the grid now and then: those would be bars with the values of a part.
  const isAscending = isSorted(raw.ts);
  if (isFiner(isAscending ? raw.ts : raw.ts.toSorted(), window.interval)) {
    for (const at of raw.ts.keys()) reject(at, REASONS.finer);
    return { bars: emptyBars(), rejected };
  }

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
      reject(at, REASONS.duplicate);
    } else if (raw.volume[at]! > raw.volume[before]! || (isUnknown(raw, before) && !isUnknown(raw, at))) {
      reject(before, REASONS.lowerVolume);
      kept[kept.length - 1] = at;
    } else {
      reject(at, REASONS.lowerVolume);
    }
  }

  const accepted: number[] = [];
  for (let place = 0; place < kept.length; place++) {
    if (isLoneJump(raw, accepted, kept, place)) reject(kept[place]!, REASONS.jump);
    else accepted.push(kept[place]!);
  }
  return { bars: accepted.length === raw.ts.length && isAscending ? raw : pick(raw, accepted), rejected };
}

function faultOf(bars: BarColumns, at: number, { interval, from, to, asOf }: ExpectedWindow) {
  const ts = bars.ts[at]!;
  if (!Number.isFinite(ts)) return REASONS.noTime;
  if (ts % GRID_SECONDS[interval] !== 0) return REASONS.offGrid;
  if (ts >= asOf) return REASONS.future;
  if (ts < from || ts >= to) return REASONS.outside;
  const open = bars.open[at]!;
  const high = bars.high[at]!;
  const low = bars.low[at]!;
  const close = bars.close[at]!;
  const volume = bars.volume[at]!;
  if (!Number.isFinite(open + high + low + close)) return REASONS.noPrice;
  if (!(open > 0 && high > 0 && low > 0 && close > 0)) return REASONS.notPositive;
  if (Math.abs(volume) === Number.POSITIVE_INFINITY) return REASONS.noVolume;
  if (volume < 0) return REASONS.negativeVolume;
  if (high < low) return REASONS.highBelowLow;
  if (open > high || open < low || close > high || close < low) return REASONS.outsideRange;
  return null;
}

/** Whether the bar at `place` is at least tenfold off both sides (`accepted` before, `kept` after), which agree. */
function isLoneJump(bars: BarColumns, accepted: readonly number[], kept: readonly number[], place: number): boolean {
  // The cheap test first: nearly every bar is close to the one before it.
  const at = kept[place]!;
  const previous = bars.close[accepted.at(-1) ?? at]!;
  const high = Math.max(bars.open[at]!, bars.close[at]!);
  const low = Math.min(bars.open[at]!, bars.close[at]!);
  if (high < previous * JUMP_FACTOR && low * JUMP_FACTOR > previous) return false;
  const left = medianClose(bars, accepted.slice(-NEIGHBOURS));
  const right = medianClose(bars, kept.slice(place + 1, place + 1 + NEIGHBOURS));
  if (left === null || right === null || left > right * MAX_SIDE_RATIO || right > left * MAX_SIDE_RATIO) return false;
  return high >= JUMP_FACTOR * Math.max(left, right) || low * JUMP_FACTOR <= Math.min(left, right);
}

function medianClose(bars: BarColumns, rows: readonly number[]): number | null {
  const closes = rows.map((at) => bars.close[at]!).sort((a, b) => a - b);
  return closes[closes.length >> 1] ?? null;
}

/** Row numbers by time, rows without a time last; equal times in the given order. */
function inOrder(ts: Float64Array): Iterable<number> {
  if (isSorted(ts)) return ts.keys();
  const key = (at: number) => (Number.isNaN(ts[at]!) ? Number.POSITIVE_INFINITY : ts[at]!);
  return [...ts.keys()].sort((a, b) => (key(a) === key(b) ? a - b : key(a) - key(b)));
}

function isSorted(ts: Float64Array): boolean {
  for (let at = 1; at < ts.length; at++) if (!(ts[at]! >= ts[at - 1]!)) return false;
  return true;
}

const isUnknown = (bars: BarColumns, at: number) => Number.isNaN(bars.volume[at]);

function sameBar(bars: BarColumns, a: number, b: number): boolean {
  return BAR_FIELDS.every((field) => sameValue(bars[field][a], bars[field][b]));
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
