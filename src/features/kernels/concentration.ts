/** How unevenly a quantity is spread over the bars of a window. */

import { type Series, windowed } from "../define.ts";
import { fillWindow, replaceInWindow } from "./ordered.ts";

/**
 * Gini coefficient of the last n values: 2·Σ i·x(i)/(n·Σ x) − (n + 1)/n, x(1) ≤ … ≤ x(n) sorted. 0 when all are equal,
 * near 1 when one bar has it all; NaN when their sum is 0.
 */
export function gini(x: Series, n: number): Series {
  const window = new Float64Array(n);
  return windowed(`gini${n}`, [x], {
    delay: n - 1,
    reach: n,
    compute(out, { from, to }, x) {
      fillWindow(window, x, from + 1);
      for (let t = from; t < to; t++) {
        if (t > from) replaceInWindow(window, x[t - n]!, x[t]!);
        let sum = 0;
        let weighted = 0;
        for (let i = 0; i < n; i++) {
          const value = window[i]!;
          sum += value;
          weighted += i * value;
        }
        // Ranks count from 1: Σ i·x(i) = weighted + sum.
        out[t] = (2 * (weighted + sum)) / (n * sum) - (n + 1) / n;
      }
    },
  });
}
