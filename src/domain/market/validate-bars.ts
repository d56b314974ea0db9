/** Validates bars before they are stored: impossible ones are rejected with a reason. */

import { isoDates, isoMillisecond } from "../time.ts";
import { findLoneJumps } from "./anomalies/lone-jumps.ts";
import { BAR_FIELDS, type BarColumns, emptyBars, filterBars, pickBars, sameValue, sliceBars } from "./bars.ts";
import { DAY, type Interval } from "./interval.ts";
import { isCoarser, isFiner } from "./spacing.ts";

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
  noTime: "the time is missing or cannot be read",
  offGrid: "the time is not on the interval's grid",
  finer: "the rows come faster than one an interval",
  coarser: "the rows are of a longer interval",
  outside: "outside the window asked for",
  noSession: "outside the sessions of the exchange",
  future: "in the future",
  noPrice: "a price is missing",
  notPositive: "a price is zero or negative",
  priceRange: "a price is not between 1e-15 and 1e15",
  noVolume: "the volume is not a number",
  negativeVolume: "the volume is negative",
  volumeRange: "the volume is larger than 1e18",
  highBelowLow: "the high is below the low",
  outsideRange: "open or close lies outside high and low",
  duplicate: "the same bar came twice",
  lowerVolume: "another bar of the same time has more volume",
  jump: "a lone jump tenfold away from its neighbours",
  part: "a shorter bar that it is built from was rejected",
} as const;

/** Reasons that say what a row's time is, and not what was traded then. */
const OF_TIME = new Set<string>(
  ["noTime", "offGrid", "finer", "coarser", "outside", "future"].map((name) => REASONS[name as keyof typeof REASONS]),
);

/** What no price or volume of any asset, currency or adjustment reaches; their products stay far from overflowing. */
const PRICES = { least: 1e-15, most: 1e15 } as const;
const MOST_VOLUME = 1e18;

/** Bars start at multiples of these; hours may be anchored at an open such as 09:30 or 09:15. */
const GRID_SECONDS: Readonly<Record<Interval, number>> = { "1m": 60, "5m": 300, "15m": 900, "1h": 900, "1d": DAY };

export interface ValidatedBars {
  /** Ascending, without duplicates, all plausible. */
  readonly bars: BarColumns;
  readonly rejected: readonly RejectedRow[];
  /** When something was traded of which the row is not usable, epoch seconds. A lone jump is known not to be a trade. */
  readonly unknown: readonly number[];
}

/**
 * Validates bars that are known to be all of their surroundings: each row, then each among its neighbours. Bars of a
 * series are judged among the stored ones instead (`pipeline/validation/surroundings.ts`).
 */
export function validateBars(raw: BarColumns, window: ExpectedWindow): ValidatedBars {
  const valid = validateRows(raw, window);
  return rejectJumps(valid, findLoneJumps(valid.bars));
}

/** Like `validateBars`, but each UTC day by itself: the result does not depend on the days requested together. */
export function validateDays(raw: BarColumns, window: ExpectedWindow): ValidatedBars {
  const valid = validateRows(raw, window);
  const { bars } = valid;
  const jumps: number[] = [];
  for (let start = 0, end = 0; start < bars.ts.length; start = end) {
    const day = Math.floor(bars.ts[start]! / DAY);
    while (end < bars.ts.length && Math.floor(bars.ts[end]! / DAY) === day) end++;
    for (const at of findLoneJumps(sliceBars(bars, start, end))) jumps.push(start + at);
  }
  return rejectJumps(valid, jumps);
}

/** Bars as rejected rows. */
export const rejectedBars = (bars: BarColumns, reason: string): RejectedRow[] =>
  [...bars.ts.keys()].map((at) => ({ where: timeOf(bars.ts[at]!), reason, raw: rowText(bars, at) }));

/** Impossible bars as rejected rows. */
export const jumpRows = (bars: BarColumns): RejectedRow[] => rejectedBars(bars, REASONS.jump);

function rejectJumps(valid: ValidatedBars, jumps: readonly number[]): ValidatedBars {
  if (jumps.length === 0) return valid;
  const { bars, rejected } = valid;
  const out = new Set(jumps);
  return {
    ...valid,
    bars: filterBars(bars, (at) => !out.has(at)),
    rejected: [...rejected, ...jumpRows(pickBars(bars, jumps))],
  };
}

/**
 * Validates each row of one fetched window by itself; `raw` may be unsorted and have duplicates, missing numbers are NaN.
 * An unknown volume (NaN) is valid. Of two bars of the same time the one with more volume is kept, the first if equal.
 * O(n log n), O(n) if sorted.
 */
export function validateRows(raw: BarColumns, window: ExpectedWindow): ValidatedBars {
  const rejected: RejectedRow[] = [];
  // Without a time a row is identified by its position in the answer: several would otherwise be counted as one.
  const placeOf = (at: number) =>
    Number.isFinite(raw.ts[at])
      ? timeOf(raw.ts[at]!)
      : `${isoDates(window.from, window.to - 1)}, no time, row ${at + 1}`;
  const reject = (at: number, reason: string) =>
    void rejected.push({ where: placeOf(at), reason, raw: rowText(raw, at) });

  // Rows of another interval may lie on the grid: those would be bars with the values of a part, or of several.
  const times = isSorted(raw.ts) ? raw.ts : raw.ts.toSorted();
  const misfit = isFiner(times, window.interval) ? "finer" : isCoarser(times, window.interval) ? "coarser" : null;
  if (misfit !== null) {
    for (const at of raw.ts.keys()) reject(at, REASONS[misfit]);
    return { bars: emptyBars(), rejected, unknown: [] };
  }

  const kept: number[] = [];
  const faulty: number[] = [];
  for (const at of inOrder(raw.ts)) {
    const fault = faultOf(raw, at, window);
    if (fault) {
      reject(at, fault);
      if (!OF_TIME.has(fault) && isTrade(raw, at)) faulty.push(raw.ts[at]!);
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

  const bars = pickBars(raw, kept);
  const valid = new Set(faulty.length === 0 ? [] : bars.ts);
  return { bars, rejected, unknown: faulty.filter((ts) => !valid.has(ts)) };
}

/** Whether a row has anything in it: vendors write one without prices where nothing was traded. */
const isTrade = (bars: BarColumns, at: number) =>
  (["open", "high", "low", "close", "volume"] as const).some(
    (field) => bars[field][at]! !== 0 && !Number.isNaN(bars[field][at]!),
  );

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
  if (Math.min(open, high, low, close) < PRICES.least || Math.max(open, high, low, close) > PRICES.most)
    return REASONS.priceRange;
  if (Math.abs(volume) === Number.POSITIVE_INFINITY) return REASONS.noVolume;
  if (volume < 0) return REASONS.negativeVolume;
  if (volume > MOST_VOLUME) return REASONS.volumeRange;
  if (high < low) return REASONS.highBelowLow;
  if (open > high || open < low || close > high || close < low) return REASONS.outsideRange;
  return null;
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

/** The place of a bar that no source has named: its time. */
export function timeOf(ts: number): string {
  return Number.isFinite(ts) && Math.abs(ts) < 8e12 ? isoMillisecond(ts) : "no time";
}

/** The row as JSON; a missing number is null. */
function rowText(bars: BarColumns, at: number): string {
  return JSON.stringify(Object.fromEntries(BAR_FIELDS.map((field) => [field, bars[field][at]])));
}
