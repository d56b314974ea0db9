/** Whether a price trends, wanders or turns back: scaling of its variance with the horizon. */

import { type Series, windowed } from "../define.ts";
import { difference, lnClose, logReturn } from "./bar.ts";
import { deviations } from "./moment.ts";
import { mean } from "./sum.ts";

/**
 * Hurst exponent from n closes: half the least-squares slope of ln V(τ) on ln τ for τ = 2, 4, 8, 16, 32; V(τ) is the
 * population variance of the differences of ln c over τ bars, over all pairs inside the window.
 */
export function hurst(n: number): Series {
  const variation = (tau: number) => deviations(difference(lnClose, tau), n - tau);
  const inputs = [variation(2), variation(4), variation(8), variation(16), variation(32)] as const;
  return windowed(`hurst${n}`, inputs, {
    compute(out, { from, to }, v2, v4, v8, v16, v32) {
      // ln τ is evenly spaced, so the slope weighs the ends −2, −1, 0, 1, 2 and divides by 10·ln 2.
      const scale = 0.5 / (10 * Math.LN2);
      for (let t = from; t < to; t++) {
        const outer = Math.log(v32[t]! / (n - 32)) - Math.log(v2[t]! / (n - 2));
        const inner = Math.log(v16[t]! / (n - 16)) - Math.log(v4[t]! / (n - 4));
        out[t] = v8[t]! > 0 ? scale * (2 * outer + inner) : Number.NaN;
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
