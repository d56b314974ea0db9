/** Estimators of the bid-ask spread from open, high, low and close. */

import { windowed } from "../define.ts";
import { lnClose, lnHigh, lnLow } from "./bar.ts";
import { mean } from "./sum.ts";

/** tanh x for x ≥ 0: below 1/16 by its series, whose rest is under 1e-16 of it, which is faster than an exponential. */
function hyperbolicTangent(x: number): number {
  if (x > 1 / 16) {
    const growth = Math.exp(2 * x);
    return (growth - 1) / (growth + 1);
  }
  const s = x * x;
  return x * (1 + s * (-1 / 3 + s * (2 / 15 + s * (-17 / 315 + s * (62 / 2835 - s * (1382 / 155925))))));
}

/**
 * Corwin & Schultz's two-bar spread 2·(e^α − 1)/(1 + e^α) = 2·tanh(α/2), floored at 0: with logs H and L,
 * β = (H − L)² + (H[1] − L[1])², γ the squared range of both bars without the gap from the close before,
 * α = (√(2β) − √β)/(3 − 2√2) − √(γ/(3 − 2√2)).
 */
const corwinSchultzTerm = windowed("corwin_schultz", [lnHigh, lnLow, lnClose], {
  delay: 1,
  compute(out, { from, to }, H, L, C) {
    const k = 3 - 2 * Math.SQRT2;
    const own = (Math.SQRT2 - 1) / k;
    const joint = 1 / Math.sqrt(k);
    for (let t = from; t < to; t++) {
      const h = H[t]!;
      const l = L[t]!;
      const h1 = H[t - 1]!;
      const l1 = L[t - 1]!;
      const c1 = C[t - 1]!;
      const gap = +(c1 > h) * (c1 - h) + +(c1 < l) * (c1 - l);
      const beta = (h - l) * (h - l) + (h1 - l1) * (h1 - l1);
      // The larger high and the lower low without a branch.
      const rises = +(h + gap > h1);
      const falls = +(l + gap < l1);
      const top = rises * (h + gap) + (1 - rises) * h1;
      const bottom = falls * (l + gap) + (1 - falls) * l1;
      const alpha = own * Math.sqrt(beta) - joint * (top - bottom);
      out[t] = 2 * hyperbolicTangent((alpha + Math.abs(alpha)) / 4);
    }
  },
});

export const corwinSchultz = (n: number) => mean(corwinSchultzTerm, n);

/** √max(0, 4·(C[1] − η[1])·(C[1] − η)), η = (H + L)/2, in logs (Abdi & Ranaldo 2017, two-bar corrected). */
const abdiRanaldoTerm = windowed("abdi_ranaldo", [lnHigh, lnLow, lnClose], {
  delay: 1,
  compute(out, { from, to }, H, L, C) {
    for (let t = from; t < to; t++) {
      const c = C[t - 1]!;
      const half = 2 * (c - (H[t - 1]! + L[t - 1]!) / 2) * (c - (H[t]! + L[t]!) / 2);
      // x + |x| is 2·max(0, x).
      out[t] = Math.sqrt(half + Math.abs(half));
    }
  },
});

export const abdiRanaldo = (n: number) => mean(abdiRanaldoTerm, n);
