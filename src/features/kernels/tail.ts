/** The tails of the distribution of returns, read off one ordered window. */

import { type Series, windowed } from "../define.ts";
import { simpleReturn } from "./bar.ts";
import { fillWindow, quantileOf, replaceInWindow } from "./sorted-window.ts";

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
  const window = new Float64Array(n);
  return windowed(`tails${n}_${worst}_${k}`, [R], {
    delay: n - 1,
    reach: n,
    width: TAILS,
    compute(out, { from, to }, R) {
      fillWindow(window, R, from + 1);
      for (let t = from; t < to; t++) {
        if (t > from) replaceInWindow(window, R[t - n]!, R[t]!);
        let sum = 0;
        for (let i = 0; i < worst; i++) sum += window[i]!;
        // One logarithm for all: a loss lies between 1e-17 and 1, so neither product leaves the range of numbers.
        let losses = 1;
        let thresholds = 1;
        for (let i = 0; i < k; i++) {
          losses *= window[i]!;
          thresholds *= window[k]!;
        }
        out[TAILS * t + TAIL_Q05] = quantileOf(window, 0.05);
        out[TAILS * t + TAIL_Q95] = quantileOf(window, 0.95);
        out[TAILS * t + TAIL_WORST_MEAN] = sum / worst;
        out[TAILS * t + TAIL_HILL] = window[k]! < 0 ? Math.log(losses / thresholds) / k : Number.NaN;
      }
    },
  });
}

export const yearTails = tails(simpleReturn, 250, 13, 12);
