/** Least-squares line through the last n values on 1..n, and what follows from it. */

import { type Series, windowed } from "../define.ts";
import { deviations } from "./moment.ts";

const sums = new Float64Array(1024);
const weighted = new Float64Array(1024);

/** Σ (i − mean of i)² over 1..n. */
const squaresOfIndex = (n: number) => (n * (n * n - 1)) / 12;

/** slope_n(x): least-squares slope of x on 1..n, per bar; by blocks about anchors as in moment.ts. */
export function slope(x: Series, n: number): Series {
  const scale = 1 / squaresOfIndex(n);
  const middle = (n + 1) / 2;
  return windowed(`slope${n}`, [x], {
    delay: n - 1,
    reach: n,
    compute(out, { from, to, origin }, x) {
      let t = from;
      while (t < to) {
        const block = t - ((t - origin) % n);
        const anchor = x[block > origin ? block - 1 : block]!;
        // weighted[i]: the values from i on weighted 1, 2, …; one more in front moves all weights up by one.
        let sum = 0;
        let weight = 0;
        sums[n] = 0;
        weighted[n] = 0;
        for (let i = n - 1; i > t - block; i--) {
          sum += x[block - n + i]! - anchor;
          weight += sum;
          sums[i] = sum;
          weighted[i] = weight;
        }
        sum = 0;
        weight = 0;
        const end = Math.min(block + n, to);
        for (let i = block; i < end; i++) {
          const j = i - block;
          const d = x[i]! - anchor;
          sum += d;
          weight += (j + 1) * d;
          if (i < t) continue;
          const all = weighted[j + 1]! + weight + (n - 1 - j) * sum;
          out[i] = (all - middle * (sums[j + 1]! + sum)) * scale;
        }
        t = end;
      }
    },
  });
}

/** Σ of the squared residuals about the line of the n values up to position t, computed from these alone. */
function residualsAt(x: Float64Array, t: number, n: number, slope: number): number {
  const anchor = x[t]!;
  let mean = 0;
  for (let i = t - n + 1; i < t; i++) mean += x[i]! - anchor;
  mean /= n;
  let squared = 0;
  let rest = 0;
  let tilt = 0;
  for (let i = t - n + 1; i <= t; i++) {
    const index = i - t + (n - 1) / 2;
    const d = x[i]! - anchor - mean - slope * index;
    squared += d * d;
    rest += d;
    tilt += d * index;
  }
  return squared - (rest * rest) / n - (tilt * tilt) / squaresOfIndex(n);
}

/** The t statistic of slope_n(x); NaN when the residuals are at most 1e-12 of the whole variation. */
export function slopeTStatistic(x: Series, n: number): Series {
  const squares = squaresOfIndex(n);
  return windowed(`slope_t${n}`, [x, slope(x, n), deviations(x, n)], {
    reach: [n - 1, 0, 0],
    compute(out, { from, to }, x, slope, deviations) {
      for (let t = from; t < to; t++) {
        const b = slope[t]!;
        const total = deviations[t]!;
        let residuals = total - b * b * squares;
        if (residuals < 1e-3 * total) residuals = residualsAt(x, t, n, b);
        out[t] = residuals > 1e-12 * total ? b / Math.sqrt(residuals / (n - 2) / squares) : Number.NaN;
      }
    },
  });
}

/** R² of the line through the last n values; NaN where they do not vary. */
export function rSquared(x: Series, n: number): Series {
  const squares = squaresOfIndex(n);
  return windowed(`r_squared${n}`, [slope(x, n), deviations(x, n)], {
    compute(out, { from, to }, slope, deviations) {
      for (let t = from; t < to; t++) out[t] = (slope[t]! * slope[t]! * squares) / deviations[t]!;
    },
  });
}
