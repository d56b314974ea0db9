/** Estimators of the bid-ask spread from open, high, low and close. */

import { windowed } from "../define.ts";
import { lnClose, lnHigh, lnLow } from "./bar.ts";
import { mean } from "./sum.ts";

/**
 * Corwin & Schultz's two-bar spread, floored at 0: with logs H and L, e the gap from the close before to the bar's
 * range, β = (H − L)² + (H[1] − L[1])², γ the squared range of both bars with the gap taken out,
 * α = (√(2β) − √β)/(3 − 2√2) − √(γ/(3 − 2√2)) and S = 2·(e^α − 1)/(1 + e^α).
 */
const corwinSchultzTerm = windowed("corwin_schultz", [lnHigh, lnLow, lnClose], {
  delay: 1,
  compute(out, { from, to }, H, L, C) {
    const k = 3 - 2 * Math.SQRT2;
    for (let t = from; t < to; t++) {
      const [h, l, h1, l1, c1] = [H[t]!, L[t]!, H[t - 1]!, L[t - 1]!, C[t - 1]!];
      const gap = c1 > h ? c1 - h : c1 < l ? c1 - l : 0;
      const beta = (h - l) * (h - l) + (h1 - l1) * (h1 - l1);
      const both = Math.max(h + gap, h1) - Math.min(l + gap, l1);
      const alpha = (Math.SQRT2 - 1) * (Math.sqrt(beta) / k) - both / Math.sqrt(k);
      const growth = Math.exp(Math.max(0, alpha));
      out[t] = (2 * (growth - 1)) / (growth + 1);
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
      const squared = 4 * (c - (H[t - 1]! + L[t - 1]!) / 2) * (c - (H[t]! + L[t]!) / 2);
      out[t] = Math.sqrt(Math.max(0, squared));
    }
  },
});

export const abdiRanaldo = (n: number) => mean(abdiRanaldoTerm, n);
