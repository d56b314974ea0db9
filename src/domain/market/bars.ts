/** Price bars as columns: the format shared by providers, storage, features and threads. */

/**
 * Bars of one symbol and interval in ascending time, one array per field, all of the same length.
 * `ts` is the START of each bar in epoch seconds UTC (for `1d`: midnight UTC of the trading date).
 * Prices are in the quote currency, `volume` in units of the instrument (may be fractional); NaN where it is unknown.
 */
export interface BarColumns {
  readonly ts: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
}

/** The names of the columns, in storage and export order. */
export const BAR_FIELDS = ["ts", "open", "high", "low", "close", "volume"] as const;

/** No bars, for everybody: six columns for each of the many parts of a batch took 4 % of the time of a worker. */
const NONE: BarColumns = Object.freeze(allocate(0));

/** Allocates `length` bars, all fields zero; without a length, the same columns each time. */
export const emptyBars = (length = 0): BarColumns => (length === 0 ? NONE : allocate(length));

function allocate(length: number): BarColumns {
  const column = () => new Float64Array(length);
  return { ts: column(), open: column(), high: column(), low: column(), close: column(), volume: column() };
}

/** Whether two values of a column are equal; an unknown volume equals an unknown one. */
export const sameValue = (a: number | undefined, b: number | undefined): boolean => Object.is(a, b) || a === b;

/** A view (no copy) of the bars `start` (inclusive) to `end` (exclusive); the same columns if those are all of them. */
export function sliceBars(bars: BarColumns, start: number, end: number): BarColumns {
  if (start === 0 && end >= bars.ts.length) return bars;
  if (start >= end && start >= 0 && end >= 0) return NONE;
  const cut = (column: Float64Array) => column.subarray(start, end);
  return {
    ts: cut(bars.ts),
    open: cut(bars.open),
    high: cut(bars.high),
    low: cut(bars.low),
    close: cut(bars.close),
    volume: cut(bars.volume),
  };
}

/** A copy of the bars `start` (inclusive) to `end` (exclusive). */
export const copyBars = (bars: BarColumns, start: number, end: number): BarColumns => ({
  ts: bars.ts.slice(start, end),
  open: bars.open.slice(start, end),
  high: bars.high.slice(start, end),
  low: bars.low.slice(start, end),
  close: bars.close.slice(start, end),
  volume: bars.volume.slice(start, end),
});

/** The bars of all parts, one after the other: a copy. */
export function concatBars(parts: readonly BarColumns[]): BarColumns {
  const all = emptyBars(parts.reduce((sum, { ts }) => sum + ts.length, 0));
  let at = 0;
  for (const part of parts) {
    for (const field of BAR_FIELDS) all[field].set(part[field], at);
    at += part.ts.length;
  }
  return all;
}

/** The bars of both, one after the other: a copy, unless one has none. */
export function joinBars(before: BarColumns, after: BarColumns): BarColumns {
  if (before.ts.length === 0) return after;
  if (after.ts.length === 0) return before;
  return concatBars([before, after]);
}

/** The first index whose value is at or after `time`: O(log n) on a sorted column, such as the `ts` of bars. */
export function lowerBound(ts: ArrayLike<number>, time: number): number {
  let low = 0;
  let high = ts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ts[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The bars with `from` <= ts < `to` (epoch seconds), as a view. */
export function barsBetween(bars: BarColumns, from: number, to: number): BarColumns {
  return sliceBars(bars, lowerBound(bars.ts, from), lowerBound(bars.ts, to));
}

/** The bars at the positions `at`; the same columns if those are all of them in their order. */
export function pickBars(bars: BarColumns, at: readonly number[]): BarColumns {
  if (at.length === bars.ts.length && at.every((place, index) => place === index)) return bars;
  const picked = emptyBars(at.length);
  for (const field of BAR_FIELDS) for (let i = 0; i < at.length; i++) picked[field][i] = bars[field][at[i]!]!;
  return picked;
}

/** The bars whose place passes `test`. */
export function filterBars(bars: BarColumns, test: (at: number) => boolean): BarColumns {
  const places: number[] = [];
  for (let at = 0; at < bars.ts.length; at++) if (test(at)) places.push(at);
  return pickBars(bars, places);
}
