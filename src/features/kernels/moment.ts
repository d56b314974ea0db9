/**
 * Variance over a sliding window, by suffixes and prefixes of blocks as for sums (sum.ts). Values count as distances from
 * the last one before the block; where that cancels too many digits, the window is computed about its newest value.
 */

import { type Series, windowed } from "../define.ts";

/** Least share of Σ d² that Σ (d − mean)² may be without too many digits having cancelled. */
const CANCELLED = 1e-4;

/**
 * A variance of at most this share of the mean square is rounding and counts as 0: values that differ by less than 1e-12
 * of themselves are equal.
 */
export const ROUNDING = 1e-24;

/** Per place of a block: the sum of the values from there on, and that of their squares. */
const suffixes = new Float64Array(2 * 1024);

/** Σ (x − mean)² over the n values up to position t, computed from these alone. */
function squaredDeviations(x: Float64Array, t: number, n: number): number {
  const anchor = x[t]!;
  let sum = 0;
  for (let i = t - n + 1; i < t; i++) sum += x[i]! - anchor;
  const mean = sum / n;
  let rest = 0;
  let squared = 0;
  for (let i = t - n + 1; i <= t; i++) {
    const d = x[i]! - anchor - mean;
    rest += d;
    squared += d * d;
  }
  return squared - (rest * rest) / n;
}

/** What is written of a window: scale · Σ (x − mean)², its root, or the mean and that root. */
const SQUARES = 0;
const ROOT = 1;
const MEAN_AND_ROOT = 2;

/** For each bar from `from` to `to`, `what` of its last n values. */
function slideDeviations(
  out: Float64Array,
  x: Float64Array,
  from: number,
  to: number,
  origin: number,
  n: number,
  scale: number,
  what: number,
): void {
  const part = 1 / n;
  const rounding = ROUNDING * n;
  for (let t = from; t < to; ) {
    const block = t - ((t - origin) % n);
    const anchor = x[block > origin ? block - 1 : block]!;
    let sum = 0;
    let squared = 0;
    suffixes[2 * n] = 0;
    suffixes[2 * n + 1] = 0;
    for (let i = block - 1, at = 2 * (n - 1); i > t - n; i--, at -= 2) {
      const d = x[i]! - anchor;
      sum += d;
      squared += d * d;
      suffixes[at] = sum;
      suffixes[at + 1] = squared;
    }
    sum = 0;
    squared = 0;
    for (let i = block; i < t; i++) {
      const d = x[i]! - anchor;
      sum += d;
      squared += d * d;
    }
    const end = Math.min(block + n, to);
    for (let older = 2 * (t - block + 1); t < end; t++, older += 2) {
      const newest = x[t]!;
      const d = newest - anchor;
      sum += d;
      squared += d * d;
      const all = suffixes[older + 1]! + squared;
      const total = suffixes[older]! + sum;
      let deviation = all - total * total * part;
      if (!(deviation > CANCELLED * all) && all !== 0) deviation = squaredDeviations(x, t, n);
      // Where all values are nearly equal, the newest one stands for their mean square.
      if (deviation <= rounding * newest * newest) deviation = 0;
      if (what === ROOT) out[t] = Math.sqrt(deviation * scale);
      else if (what === SQUARES) out[t] = deviation * scale;
      else {
        out[2 * t] = deviation > 0 ? anchor + total * part : newest;
        out[2 * t + 1] = Math.sqrt(deviation * scale);
      }
    }
  }
}

/** scale · Σ (x − mean_n)² over the last n values, or its root: exactly 0 when they are equal up to rounding. */
function scaledDeviations(name: string, x: Series, n: number, scale: number, what: number): Series {
  return windowed(`${name}${n}`, [x], {
    delay: n - 1,
    reach: n,
    width: what === MEAN_AND_ROOT ? 2 : 1,
    compute: (out, { from, to, origin }, x) => slideDeviations(out, x, from, to, origin, n, scale, what),
  });
}

/** Σ (x − mean_n)² over the last n values: exactly 0 when they are equal up to rounding. */
export function deviations(x: Series, n: number): Series {
  return scaledDeviations("deviations", x, n, 1, SQUARES);
}

/** std_n(x): the sample standard deviation (divisor n − 1). */
export function std(x: Series, n: number): Series {
  return scaledDeviations("std", x, n, 1 / (n - 1), ROOT);
}

/** Two values a bar: mean_n(x), where all are equal up to rounding the newest, and pstd_n(x) (divisor n). */
export function meanAndPstd(x: Series, n: number): Series {
  return scaledDeviations("mean_pstd", x, n, 1 / n, MEAN_AND_ROOT);
}

/** (x − mean)/std. */
export function zScore(x: Series, mean: Series, std: Series): Series {
  return windowed("z_score", [x, mean, std], {
    compute(out, { from, to }, x, mean, std) {
      for (let t = from; t < to; t++) out[t] = (x[t]! - mean[t]!) / std[t]!;
    },
  });
}
