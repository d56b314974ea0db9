/**
 * How the values of a feature are distributed over a year: histogram, percentile of the newest value, and drift of the
 * newest values against it as population stability index. Pure.
 */

import { lowerBound } from "../market/bars.ts";

/** Bins of the index: deciles of the reference, as is usual (Siddiqi 2006, Credit Risk Scorecards, chapter 7). */
const PSI_BINS = 10;
/** The least values for an index: fewer leave bins of the reference or of the newest values nearly empty by chance. */
export const LEAST_REFERENCE = 100;
export const LEAST_RECENT = 30;
/** From here on a population counts as changed a little, and as changed (Siddiqi 2006: 0.1 and 0.25; 0.2 is as common). */
export const PSI_MODERATE = 0.1;
export const PSI_CHANGED = 0.2;

/** The 95 % points of the chi-squared distribution with 1 to 9 degrees of freedom. */
const CHI_SQUARED_95 = [3.841, 5.991, 7.815, 9.488, 11.07, 12.592, 14.067, 15.507, 16.919];

/** Share of values at each end that a histogram counts in its outermost bins. */
const TAIL = 0.005;

export interface Drift {
  readonly psi: number;
  /**
   * What the index of independent values without any change stays below 95 times in 100: χ²(B − 1)·(1/N + 1/M) of B bins,
   * N reference and M newest values (Yurdakul and Naranjo 2020, Statistical properties of the population stability index).
   */
  readonly byChance: number;
}

/** A drift that is larger than 0.2 and than chance alone would explain. */
export const isDrifted = ({ psi, byChance }: Drift): boolean => psi > PSI_CHANGED && psi > byChance;

/** The quantile of ascending values, interpolated (type 7 of Hyndman and Fan 1996); NaN of none. */
export function quantile(ascending: ArrayLike<number>, share: number): number {
  const place = share * (ascending.length - 1);
  const low = Math.floor(place);
  const value = ascending[low] ?? Number.NaN;
  const next = ascending[low + 1];
  return next === undefined ? value : value + (place - low) * (next - value);
}

/** The index after the last value that is at most `value`. */
function upperBound(ascending: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The population stability index Σ (p − q)·ln(p/q) of the shares of the newest values (p) and of the reference (q) in the
 * deciles of the reference; equal deciles are one. Half a value is added to each bin, so that an empty one has a logarithm.
 * @param reference ascending, without NaN
 * @param recent in any order, without NaN
 * @returns `null` of too few values, or if the reference has fewer than two different ones
 */
export function driftOf(reference: ArrayLike<number>, recent: ArrayLike<number>): Drift | null {
  const [size, count] = [reference.length, recent.length];
  if (size < LEAST_REFERENCE || count < LEAST_RECENT || reference[0] === reference[size - 1]) return null;
  const edges: number[] = [];
  for (let bin = 1; bin < PSI_BINS; bin++) {
    const edge = quantile(reference, bin / PSI_BINS);
    // Above the greatest edge there must be values of the reference.
    if (edge !== edges.at(-1) && edge < reference[size - 1]!) edges.push(edge);
  }
  // Of a value that more than nine in ten have: those below it, and the rest.
  if (edges.length === 0) edges.push(reference[lowerBound(reference, reference[size - 1]!) - 1]!);
  const bins = edges.length + 1;
  const counts = new Float64Array(bins);
  for (let at = 0; at < count; at++) counts[lowerBound(edges, recent[at]!)]! += 1;
  let psi = 0;
  let before = 0;
  for (let bin = 0; bin < bins; bin++) {
    const end = bin === bins - 1 ? size : upperBound(reference, edges[bin]!);
    const p = (counts[bin]! + 0.5) / (count + 0.5 * bins);
    const q = (end - before + 0.5) / (size + 0.5 * bins);
    psi += (p - q) * Math.log(p / q);
    before = end;
  }
  return { psi, byChance: CHI_SQUARED_95[bins - 2]! * (1 / size + 1 / count) };
}

/** The share of values below `value`, those equal to it counted half, in percent; `null` without values. */
export function percentileOf(ascending: ArrayLike<number>, value: number): number | null {
  if (ascending.length === 0 || Number.isNaN(value)) return null;
  const below = lowerBound(ascending, value);
  const through = upperBound(ascending, value);
  return (100 * (below + through)) / 2 / ascending.length;
}

export interface Histogram {
  /** The least and the greatest edge; the outermost bins also count what lies beyond. */
  readonly low: number;
  readonly high: number;
  readonly counts: readonly number[];
}

/**
 * Counts in bins of equal width between the quantiles 0.5 % and 99.5 %, so that single extremes do not leave all others in
 * one bin; values beyond are counted in the outermost bins.
 * @param ascending without NaN
 * @returns `null` without values
 */
export function histogramOf(ascending: ArrayLike<number>, bins: number): Histogram | null {
  if (ascending.length === 0) return null;
  const low = quantile(ascending, TAIL);
  const high = quantile(ascending, 1 - TAIL);
  if (!(high > low)) return { low, high, counts: [ascending.length] };
  const counts: number[] = [];
  let before = 0;
  for (let bin = 1; bin <= bins; bin++) {
    const end = bin === bins ? ascending.length : lowerBound(ascending, low + ((high - low) * bin) / bins);
    counts.push(end - before);
    before = end;
  }
  return { low, high, counts };
}
