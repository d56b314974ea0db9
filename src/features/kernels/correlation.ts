/** How two series vary together over a sliding window of pairs, by blocks about anchors as in moment.ts. */

import { type Series, windowed } from "../define.ts";
import { ROUNDING } from "./moment.ts";

/** Least share of Σ d² that Σ (d − mean)² may be without too many digits having cancelled. */
const CANCELLED = 1e-3;

/** Σ dx, Σ dy, Σ dx², Σ dy² and Σ dx·dy from a place of a block on, side by side. */
const SUMS = 5;
const suffixes = new Float64Array(SUMS * 1024);

const sumX = new Float64Array(1024);
const sumY = new Float64Array(1024);
const sumXX = new Float64Array(1024);
const sumYY = new Float64Array(1024);
const sumXY = new Float64Array(1024);

/** Σ dx², Σ dy², Σ dx·dy of one bar. */
const direct = new Float64Array(3);

/** Writes Σ dx², Σ dy², Σ dx·dy of the n pairs up to position t, computed from these alone. */
function covaryAt(out: Float64Array, x: Float64Array, y: Float64Array, t: number, n: number): void {
  const anchorX = x[t]!;
  const anchorY = y[t]!;
  let meanX = 0;
  let meanY = 0;
  for (let i = t - n + 1; i < t; i++) {
    meanX += x[i]! - anchorX;
    meanY += y[i]! - anchorY;
  }
  meanX /= n;
  meanY /= n;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  let restX = 0;
  let restY = 0;
  for (let i = t - n + 1; i <= t; i++) {
    const dx = x[i]! - anchorX - meanX;
    const dy = y[i]! - anchorY - meanY;
    restX += dx;
    restY += dy;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  out[0] = xx - (restX * restX) / n;
  out[1] = yy - (restY * restY) / n;
  out[2] = xy - (restX * restY) / n;
}

/** Of the n pairs up to each bar from `from` to `to`: the sums of `covariation`, or the correlation made of them. */
function covary(
  out: Float64Array,
  from: number,
  to: number,
  origin: number,
  n: number,
  correlates: boolean,
  x: Float64Array,
  y: Float64Array,
): void {
  const part = 1 / n;
  const rounding = ROUNDING * n;
  for (let t = from; t < to; ) {
    const block = t - ((t - origin) % n);
    const before = block > origin ? block - 1 : block;
    const anchorX = x[before]!;
    const anchorY = y[before]!;
    let a = 0;
    let b = 0;
    let aa = 0;
    let bb = 0;
    let ab = 0;
    for (let sum = 0; sum < SUMS; sum++) suffixes[SUMS * n + sum] = 0;
    for (let i = block - 1, at = SUMS * (n - 1); i > t - n; i--, at -= SUMS) {
      const dx = x[i]! - anchorX;
      const dy = y[i]! - anchorY;
      suffixes[at] = a += dx;
      suffixes[at + 1] = b += dy;
      suffixes[at + 2] = aa += dx * dx;
      suffixes[at + 3] = bb += dy * dy;
      suffixes[at + 4] = ab += dx * dy;
    }
    a = b = aa = bb = ab = 0;
    for (let i = block; i < t; i++) {
      const dx = x[i]! - anchorX;
      const dy = y[i]! - anchorY;
      a += dx;
      b += dy;
      aa += dx * dx;
      bb += dy * dy;
      ab += dx * dy;
    }
    const end = Math.min(block + n, to);
    for (let at = SUMS * (t - block + 1); t < end; t++, at += SUMS) {
      const newestX = x[t]!;
      const newestY = y[t]!;
      const dx = newestX - anchorX;
      const dy = newestY - anchorY;
      a += dx;
      b += dy;
      aa += dx * dx;
      bb += dy * dy;
      ab += dx * dy;
      const sx = suffixes[at]! + a;
      const sy = suffixes[at + 1]! + b;
      const sxx = suffixes[at + 2]! + aa;
      const syy = suffixes[at + 3]! + bb;
      const meanX = sx * part;
      let xx = sxx - sx * meanX;
      let yy = syy - sy * (sy * part);
      let xy = suffixes[at + 4]! + ab - sy * meanX;
      if (!(xx >= CANCELLED * sxx && yy >= CANCELLED * syy)) {
        covaryAt(direct, x, y, t, n);
        xx = direct[0]!;
        yy = direct[1]!;
        xy = direct[2]!;
      }
      if (xx <= rounding * newestX * newestX) xx = xy = 0;
      if (yy <= rounding * newestY * newestY) yy = xy = 0;
      if (correlates) out[t] = clamped(xy / Math.sqrt(xx * yy));
      else {
        out[3 * t] = xx;
        out[3 * t + 1] = yy;
        out[3 * t + 2] = xy;
      }
    }
  }
}

/** Of the last n pairs, three values a bar: Σ (x − mx)², Σ (y − my)², Σ (x − mx)·(y − my); 0 up to rounding. */
export function covariation(x: Series, y: Series, n: number): Series {
  return windowed(`covariation${n}`, [x, y], {
    delay: n - 1,
    reach: n,
    width: 3,
    compute: (out, { from, to, origin }, x, y) => covary(out, from, to, origin, n, false, x, y),
  });
}

/** −1..1; the branches, never taken but for rounding, are faster than Math.min and Math.max. */
function clamped(value: number): number {
  if (value > 1) return 1;
  if (value < -1) return -1;
  return value;
}

/** corr_n(x, y): Pearson's correlation, −1..1; NaN where one of them does not vary. */
export function correlation(x: Series, y: Series, n: number): Series {
  return windowed(`corr${n}`, [x, y], {
    delay: n - 1,
    reach: n,
    compute: (out, { from, to, origin }, x, y) => covary(out, from, to, origin, n, true, x, y),
  });
}

/** cov_n(x, y): the sample covariance (divisor n − 1). */
export function covariance(x: Series, y: Series, n: number): Series {
  return windowed(`cov${n}`, [covariation(x, y, n)], {
    compute(out, { from, to }, s) {
      for (let t = from; t < to; t++) out[t] = s[3 * t + 2]! / (n - 1);
    },
  });
}

/** Slope, with intercept, of the least-squares line of y on x over the last n pairs. */
export function slopeOn(x: Series, y: Series, n: number): Series {
  return windowed(`slope_on${n}`, [covariation(x, y, n)], {
    compute(out, { from, to }, s) {
      for (let t = from; t < to; t++) out[t] = s[3 * t + 2]! / s[3 * t]!;
    },
  });
}

/** The t statistic of that slope; NaN when the squared residuals are at most 1e-12 of the variation of y. */
export function slopeOnTStatistic(x: Series, y: Series, n: number): Series {
  return windowed(`slope_on_t${n}`, [x, y, covariation(x, y, n)], {
    reach: [n - 1, n - 1, 0],
    compute(out, { from, to }, x, y, s) {
      for (let t = from; t < to; t++) {
        const xx = s[3 * t]!;
        const yy = s[3 * t + 1]!;
        const slope = s[3 * t + 2]! / xx;
        let residuals = yy - slope * s[3 * t + 2]!;
        if (residuals < 1e-3 * yy) residuals = residualsAt(x, y, t, n, slope);
        out[t] = residuals > 1e-12 * yy ? slope / Math.sqrt(residuals / (n - 2) / xx) : Number.NaN;
      }
    },
  });
}

/** Σ of the squared residuals about the line with that slope, of the n pairs up to position t. */
function residualsAt(x: Float64Array, y: Float64Array, t: number, n: number, slope: number): number {
  let mean = 0;
  for (let i = t - n + 1; i < t; i++) mean += y[i]! - y[t]! - slope * (x[i]! - x[t]!);
  mean /= n;
  let squared = 0;
  for (let i = t - n + 1; i <= t; i++) {
    const d = y[i]! - y[t]! - slope * (x[i]! - x[t]!) - mean;
    squared += d * d;
  }
  return squared;
}

const pairs = new Float64Array(1024);

/**
 * corr_n over the pairs whose y is defined (not NaN); NaN below n/2 of them. x and y are taken as they are, so both
 * should vary about zero, or not far from it.
 */
export function definedCorrelation(x: Series, y: Series, n: number): Series {
  return windowed(`defined_corr${n}`, [x, y], {
    delay: n - 1,
    compute(out, { from, to, origin }, x, y) {
      let t = from;
      while (t < to) {
        const block = t - ((t - origin) % n);
        let count = 0;
        let a = 0;
        let b = 0;
        let aa = 0;
        let bb = 0;
        let ab = 0;
        sumX[n] = sumY[n] = sumXX[n] = sumYY[n] = sumXY[n] = pairs[n] = 0;
        for (let i = n - 1; i > t - block; i--) {
          const dy = y[block - n + i]!;
          if (!Number.isNaN(dy)) {
            const dx = x[block - n + i]!;
            count++;
            a += dx;
            b += dy;
            aa += dx * dx;
            bb += dy * dy;
            ab += dx * dy;
          }
          pairs[i] = count;
          sumX[i] = a;
          sumY[i] = b;
          sumXX[i] = aa;
          sumYY[i] = bb;
          sumXY[i] = ab;
        }
        count = a = b = aa = bb = ab = 0;
        const end = Math.min(block + n, to);
        for (let i = block; i < end; i++) {
          const dy = y[i]!;
          if (!Number.isNaN(dy)) {
            const dx = x[i]!;
            count++;
            a += dx;
            b += dy;
            aa += dx * dx;
            bb += dy * dy;
            ab += dx * dy;
          }
          if (i < t) continue;
          const older = i - block + 1;
          const all = pairs[older]! + count;
          const sx = sumX[older]! + a;
          const sy = sumY[older]! + b;
          const sxx = sumXX[older]! + aa;
          const syy = sumYY[older]! + bb;
          const xx = sxx - (sx * sx) / all;
          const yy = syy - (sy * sy) / all;
          if (2 * all < n) out[i] = Number.NaN;
          else if (xx >= CANCELLED * sxx && yy >= CANCELLED * syy) {
            out[i] = clamped((sumXY[older]! + ab - (sx * sy) / all) / Math.sqrt(xx * yy));
          } else out[i] = definedCorrelationAt(x, y, i, n);
        }
        t = end;
      }
    },
  });
}

/** The correlation of the defined pairs among the n up to position t, computed from these alone. */
function definedCorrelationAt(x: Float64Array, y: Float64Array, t: number, n: number): number {
  const xs = sumX.subarray(n + 1, 2 * n + 1);
  const ys = sumY.subarray(n + 1, 2 * n + 1);
  let count = 0;
  for (let i = t - n + 1; i <= t; i++) {
    if (Number.isNaN(y[i]!)) continue;
    xs[count] = x[i]!;
    ys[count++] = y[i]!;
  }
  covaryAt(direct, xs, ys, count - 1, count);
  const isFlat = (squares: number, newest: number) => squares <= ROUNDING * count * newest * newest;
  if (isFlat(direct[0]!, xs[count - 1]!) || isFlat(direct[1]!, ys[count - 1]!)) return Number.NaN;
  return clamped(direct[2]! / Math.sqrt(direct[0]! * direct[1]!));
}
