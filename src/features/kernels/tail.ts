/** The tails of the distribution of returns, read off its smallest and largest values. */

import { type Series, windowed } from "../define.ts";
import { simpleReturn } from "./bar.ts";
import { LeastValues } from "./least-values.ts";
import { between } from "./sorted-window.ts";

/** Positions of what `tails` gives for a bar. */
export const TAIL_Q05 = 0;
export const TAIL_Q95 = 1;
export const TAIL_WORST_MEAN = 2;
export const TAIL_HILL = 3;
export const TAILS = 4;

/**
 * Of the last n returns, four a bar: the 0.05 and 0.95 quantiles; the mean of the `worst` smallest; Hill's estimator of
 * the loss tail, the mean of ln(X/X(k + 1)) over the k largest losses X, NaN if X(k + 1) is no loss.
 */
function tails(R: Series, n: number, worst: number, k: number): Series {
  const lowPlace = 0.05 * (n - 1);
  const highPlace = 0.95 * (n - 1);
  const lowBelow = Math.floor(lowPlace);
  // The largest values count from the top, with the opposite sign.
  const highBelow = n - 1 - Math.floor(highPlace);
  const reach = Math.max(worst, k + 1, lowBelow + 2, highBelow + 1);
  const smallest = new LeastValues(n, reach, 1);
  const largest = new LeastValues(n, reach, -1);
  return windowed(`tails${n}_${worst}_${k}`, [R], {
    delay: n - 1,
    reach: n,
    width: TAILS,
    compute(out, { from, to }, R) {
      smallest.fill(R, from + 1);
      largest.fill(R, from + 1);
      const low = smallest.kept;
      const high = largest.kept;
      let q05 = 0;
      let q95 = 0;
      let worstMean = 0;
      let hill = 0;
      for (let t = from; t < to; t++) {
        if (t === from || largest.slide(R, t)) q95 = between(-high[highBelow]!, -high[highBelow - 1]!, highPlace % 1);
        if (t === from || smallest.slide(R, t)) {
          q05 = between(low[lowBelow]!, low[lowBelow + 1]!, lowPlace % 1);
          let sum = 0;
          for (let i = 0; i < worst; i++) sum += low[i]!;
          worstMean = sum / worst;
          // One logarithm for all: a loss lies between 1e-17 and 1, so neither product leaves the range of numbers.
          let losses = 1;
          let thresholds = 1;
          for (let i = 0; i < k; i++) {
            losses *= low[i]!;
            thresholds *= low[k]!;
          }
          hill = low[k]! < 0 ? Math.log(losses / thresholds) / k : Number.NaN;
        }
        out[TAILS * t + TAIL_Q05] = q05;
        out[TAILS * t + TAIL_Q95] = q95;
        out[TAILS * t + TAIL_WORST_MEAN] = worstMean;
        out[TAILS * t + TAIL_HILL] = hill;
      }
    },
  });
}

export const yearTails = tails(simpleReturn, 250, 13, 12);
