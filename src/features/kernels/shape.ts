/** Central moments up to the fourth over a sliding window, and the skewness and kurtosis made of them. */

import { type Series, windowed } from "../define.ts";
import { ROUNDING } from "./moment.ts";

/**
 * Least share of Σ x² that Σ (x − mean)² may be: the fourth moment loses the square of the digits the second does, so
 * a mean ten deviations away from zero is where the window is computed directly.
 */
const CANCELLED = 1e-2;

const power1 = new Float64Array(1024);
const power2 = new Float64Array(1024);
const power3 = new Float64Array(1024);
const power4 = new Float64Array(1024);

/** Writes mean and population central moments 2 to 4 of the n values up to position t to out[at…]. */
function momentsAt(out: Float64Array, at: number, x: Float64Array, t: number, n: number): void {
  const anchor = x[t]!;
  let shift = 0;
  for (let i = t - n + 1; i < t; i++) shift += x[i]! - anchor;
  shift /= n;
  let rest = 0;
  let m2 = 0;
  let m3 = 0;
  let m4 = 0;
  for (let i = t - n + 1; i <= t; i++) {
    const d = x[i]! - anchor - shift;
    const squared = d * d;
    rest += d;
    m2 += squared;
    m3 += squared * d;
    m4 += squared * squared;
  }
  out[at] = anchor + shift;
  out[at + 1] = (m2 - (rest * rest) / n) / n;
  out[at + 2] = m3 / n;
  out[at + 3] = m4 / n;
}

/**
 * Of the last n values, four a bar: the mean and the population central moments 2, 3 and 4. Joined from the power sums
 * of blocks (see sum.ts) about zero: meant for returns, whose mean is small.
 */
export function moments(x: Series, n: number): Series {
  return windowed(`moments${n}`, [x], {
    delay: n - 1,
    width: 4,
    compute(out, { from, to, origin }, x) {
      let t = from;
      while (t < to) {
        const block = t - ((t - origin) % n);
        let s1 = 0;
        let s2 = 0;
        let s3 = 0;
        let s4 = 0;
        power1[n] = power2[n] = power3[n] = power4[n] = 0;
        for (let i = n - 1; i > t - block; i--) {
          const d = x[block - n + i]!;
          const squared = d * d;
          power1[i] = s1 += d;
          power2[i] = s2 += squared;
          power3[i] = s3 += squared * d;
          power4[i] = s4 += squared * squared;
        }
        s1 = s2 = s3 = s4 = 0;
        const end = Math.min(block + n, to);
        for (let i = block; i < end; i++) {
          const d = x[i]!;
          const squared = d * d;
          s1 += d;
          s2 += squared;
          s3 += squared * d;
          s4 += squared * squared;
          if (i < t) continue;
          const older = i - block + 1;
          const mean = (power1[older]! + s1) / n;
          const second = (power2[older]! + s2) / n;
          const m2 = second - mean * mean;
          if (m2 >= CANCELLED * second) {
            const third = (power3[older]! + s3) / n;
            out[4 * i] = mean;
            out[4 * i + 1] = m2;
            out[4 * i + 2] = third - 3 * mean * second + 2 * mean * mean * mean;
            out[4 * i + 3] =
              (power4[older]! + s4) / n - 4 * mean * third + 6 * mean * mean * second - 3 * mean * mean * mean * mean;
          } else {
            momentsAt(out, 4 * i, x, i, n);
          }
          if (out[4 * i + 1]! <= ROUNDING * x[i]! * x[i]!) out.fill(0, 4 * i + 1, 4 * i + 4);
        }
        t = end;
      }
    },
  });
}

/** √(n·(n − 1))/(n − 2)·m3/m2^1.5: the sample skewness. */
export function skewness(x: Series, n: number): Series {
  const scale = Math.sqrt(n * (n - 1)) / (n - 2);
  return windowed(`skew${n}`, [moments(x, n)], {
    compute(out, { from, to }, m) {
      for (let t = from; t < to; t++) {
        const m2 = m[4 * t + 1]!;
        out[t] = (scale * m[4 * t + 2]!) / (m2 * Math.sqrt(m2));
      }
    },
  });
}

/** (n − 1)/((n − 2)(n − 3))·((n + 1)·m4/m2² − 3·(n − 1)): the sample excess kurtosis. */
export function excessKurtosis(x: Series, n: number): Series {
  const scale = (n - 1) / ((n - 2) * (n - 3));
  return windowed(`kurt${n}`, [moments(x, n)], {
    compute(out, { from, to }, m) {
      for (let t = from; t < to; t++) {
        const m2 = m[4 * t + 1]!;
        out[t] = scale * (((n + 1) * m[4 * t + 3]!) / (m2 * m2) - 3 * (n - 1));
      }
    },
  });
}
