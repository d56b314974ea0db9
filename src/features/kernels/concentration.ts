/** How unevenly a quantity is spread over the bars of a window. */

import { type Series, windowed } from "../define.ts";
import { fillWindow, replaceInWindow } from "./sorted-window.ts";

/**
 * Gini coefficient of the last n values: 2·Σ i·x(i)/(n·Σ x) − (n + 1)/n, x(1) ≤ … ≤ x(n) sorted. 0 when all are equal,
 * near 1 when one bar has it all; NaN when their sum is 0. n is even.
 */
export function gini(x: Series, n: number): Series {
  const window = new Float64Array(n);
  const half = n / 2;
  return windowed(`gini${n}`, [x], {
    delay: n - 1,
    reach: n,
    compute(out, { from, to }, x) {
      fillWindow(window, x, from + 1);
      for (let t = from; t < to; t++) {
        if (t > from) replaceInWindow(window, x[t - n]!, x[t]!);
        // The lower and the upper half in chains of their own, which the processor adds side by side.
        let low = 0;
        let lowWeighted = 0;
        let high = 0;
        let highWeighted = 0;
        for (let i = 0; i < half; i++) {
          const below = window[i]!;
          const above = window[half + i]!;
          low += below;
          lowWeighted += i * below;
          high += above;
          highWeighted += i * above;
        }
        // Ranks count from 1, and in the upper half from half + 1.
        const weighted = lowWeighted + low + highWeighted + (half + 1) * high;
        out[t] = (2 * weighted) / (n * (low + high)) - (n + 1) / n;
      }
    },
  });
}
