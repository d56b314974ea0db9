/** Whether a price trends, wanders or turns back: scaling of its variance with the horizon. */

import { type Series, windowed } from "../define.ts";
import { difference, lnClose, logReturn } from "./bar.ts";
import { deviations } from "./moment.ts";
import { mean } from "./sum.ts";

/**
 * Hurst exponent from n closes: half the least-squares slope of ln V(τ) on ln τ, τ = 2, 4, 8, 16, 32; V(τ) is the population
 * variance of the differences of ln c over τ bars. As ln τ is evenly spaced, ln V has the weights −2, −1, 0, 1, 2.
 */
export function hurst(n: number): Series {
  const variation = (tau: number) => deviations(difference(lnClose, tau), n - tau);
  return windowed(`hurst${n}`, [variation(2), variation(4), variation(16), variation(32)], {
    compute(out, { from, to }, v2, v4, v16, v32) {
      const outer = (n - 2) / (n - 32);
      const inner = (n - 4) / (n - 16);
      for (let t = from; t < to; t++) {
        const wide = (outer * v32[t]!) / v2[t]!;
        out[t] = Math.log((wide * wide * inner * v16[t]!) / v4[t]!) / (20 * Math.LN2);
      }
    },
  });
}

/**
 * Lo & MacKinlay's variance ratio of n returns of mean μ, unbiased and overlapping: s_q²/s_1² with
 * s_1² = Σ (r − μ)²/(n − 1), s_q² = Σ (ln(c/c[q]) − q·μ)²/m over the n − q + 1 returns of q bars and
 * m = q·(n − q + 1)·(1 − q/n).
 */
export function varianceRatio(q: number, n: number): Series {
  const count = n - q + 1;
  const over = difference(lnClose, q);
  const inputs = [deviations(logReturn, n), mean(logReturn, n), deviations(over, count), mean(over, count)] as const;
  return windowed(`variance_ratio${q}_${n}`, inputs, {
    compute(out, { from, to }, one, mu, many, center) {
      const m = q * count * (1 - q / n);
      for (let t = from; t < to; t++) {
        const off = center[t]! - q * mu[t]!;
        out[t] = ((many[t]! + count * off * off) / m) * ((n - 1) / one[t]!);
      }
    },
  });
}
