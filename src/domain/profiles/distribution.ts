/**
 * How the values of a feature are distributed over a year: histogram, percentile of the newest value, and drift of the
 * newest values against it as population stability index. Pure.
 */

import { lowerBound } from "../market/bars.ts";

/** Bins of the index: deciles of the reference, as is usual (Siddiqi 2006, Credit Risk Scorecards, chapter 7). */
const PSI_BINS = 10;
/** The least values for an index: fewer leave bins of the reference or of the newest values nearly empty by chance. */
const LEAST_REFERENCE = 100;
const LEAST_RECENT = 30;
/** From here on a population counts as changed a little, and as changed (Siddiqi 2006: 0.1 and 0.25; 0.2 is as common). */
export const PSI_MODERATE = 0.1;
export const PSI_CHANGED = 0.2;

/** The 95 % points of the chi-squared distribution with 1 to 9 degrees of freedom. */
const CHI_SQUARED_95 = [3.841, 5.991, 7.815, 9.488, 11.07, 12.592, 14.067, 15.507, 16.919];

/** Share of values at each end that a histogram counts in its outermost bins. */
const TAIL = 0.005;

/** The fewest stretches of the year to compare with, and the share of them that a drift exceeds. */
const LEAST_STRETCHES = 8;
const USUAL_SHARE = 0.95;

export interface Drift {
  readonly psi: number;
  /**
   * What the index of independent values without any change stays below 95 times in 100: χ²(B − 1)·(1/N + 1/M) of B bins,
   * N reference and M newest values (Yurdakul and Naranjo 2020, Statistical properties of the population stability index).
   */
  readonly byChance: number;
  /**
   * What the index of 95 % of the stretches of the year itself stays below, each against the rest of the year: the values
   * of neighbouring bars are alike, so any short stretch differs from a year. `null` of too few stretches.
   */
  readonly usual: number | null;
}

/** How many features of a profile have drifted, of those that are judged. */
export interface DriftCount {
  readonly drifted: number;
  readonly of: number;
}

/** A drift that is larger than 0.2, than chance alone would explain, and than is usual within the year. */
export const isDrifted = ({ psi, byChance, usual }: Drift): boolean =>
  usual !== null && psi > Math.max(PSI_CHANGED, byChance, usual);

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

export interface DriftInput {
  /** Values of the year in their order, and the same ascending without NaN. */
  readonly year: Float64Array;
  readonly ascending: Float64Array;
  /** The newest values. */
  readonly recent: Float64Array;
  /** After how many values the next stretch of the year begins, each as long as the newest values. */
  readonly step: number;
}

/**
 * The population stability index Σ (p − q)·ln(p/q) of the shares of the newest values (p) and of the year (q) in the
 * deciles of the year; equal deciles are one. Half a value is added to each bin, so that an empty one has a logarithm.
 * NaN are values that are not known.
 * @returns `null` of too few values, or if the year has fewer than two different ones
 */
export function driftOf({ year, ascending, recent, step }: DriftInput): Drift | null {
  const size = ascending.length;
  if (size < LEAST_REFERENCE || ascending[0] === ascending[size - 1]) return null;
  const edges = decileEdges(ascending);
  const bins = edges.length + 1;
  const binned = Int8Array.from(year, (value) => (Number.isNaN(value) ? -1 : lowerBound(edges, value)));
  const newest = countBins(
    Int8Array.from(recent, (value) => (Number.isNaN(value) ? -1 : lowerBound(edges, value))),
    bins,
  );
  const count = sumOf(newest);
  if (count < LEAST_RECENT) return null;
  const all = countBins(binned, bins);
  const stretches: number[] = [];
  for (let from = 0; from + recent.length <= year.length; from += step) {
    const stretch = countBins(binned.subarray(from, from + recent.length), bins);
    if (sumOf(stretch) < LEAST_RECENT) continue;
    const rest = all.map((each, bin) => each - stretch[bin]!);
    stretches.push(indexOf(stretch, rest));
  }
  return {
    psi: indexOf(newest, all),
    byChance: CHI_SQUARED_95[bins - 2]! * (1 / size + 1 / count),
    usual: stretches.length < LEAST_STRETCHES ? null : quantile(Float64Array.from(stretches).sort(), USUAL_SHARE),
  };
}

/** The values that divide a sample into tenths, each once, so that a value is in the bin of the first edge not below it. */
function decileEdges(ascending: ArrayLike<number>): number[] {
  const greatest = ascending[ascending.length - 1]!;
  const edges: number[] = [];
  for (let bin = 1; bin < PSI_BINS; bin++) {
    const edge = quantile(ascending, bin / PSI_BINS);
    // Above the last edge there must be values.
    if (edge !== edges.at(-1) && edge < greatest) edges.push(edge);
  }
  // Of a value that more than nine in ten have: those below it, and the rest.
  return edges.length > 0 ? edges : [ascending[lowerBound(ascending, greatest) - 1]!];
}

function countBins(binned: Int8Array, bins: number): Float64Array {
  const counts = new Float64Array(bins);
  for (const bin of binned) if (bin >= 0) counts[bin]! += 1;
  return counts;
}

const sumOf = (counts: Float64Array) => counts.reduce((sum, count) => sum + count, 0);

/** The index of counts against those of a reference in the same bins. */
function indexOf(counts: Float64Array, reference: Float64Array): number {
  const half = 0.5 * counts.length;
  const [count, size] = [sumOf(counts) + half, sumOf(reference) + half];
  let psi = 0;
  counts.forEach((each, bin) => {
    const p = (each + 0.5) / count;
    const q = (reference[bin]! + 0.5) / size;
    psi += (p - q) * Math.log(p / q);
  });
  return psi;
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
