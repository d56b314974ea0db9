/** How unevenly a quantity is spread over the bars of a window. */

import { type Series, windowed } from "../define.ts";
import { fillWindow, replaceInWindow } from "./sorted-window.ts";

/**
 * Gini coefficient of the last n values: 2·Σ i·x(i)/(n·Σ x) − (n + 1)/n, x(1) ≤ … ≤ x(n) sorted. 0 when all are equal,
 * near 1 when one bar has it all; NaN when their sum is 0. n is a multiple of 4.
 */
export function gini(x: Series, n: number): Series {
  const window = new Float64Array(n);
  const m = n / 4;
  return windowed(`gini${n}`, [x], {
    delay: n - 1,
    reach: n,
    compute(out, { from, to }, x) {
      fillWindow(window, x, from + 1);
      for (let t = from; t < to; t++) {
        if (t > from) replaceInWindow(window, x[t - n]!, x[t]!);
        // Quarters in chains of their own, added side by side. The j-th of m values is in its running sums m − j + 1 times.
        let first = 0;
        let second = 0;
        let third = 0;
        let fourth = 0;
        let running = 0;
        let runningAbove = 0;
        for (let i = 0; i < m; i++) {
          first += window[i]!;
          second += window[m + i]!;
          third += window[2 * m + i]!;
          fourth += window[3 * m + i]!;
          running += first + second;
          runningAbove += third + fourth;
        }
        const low = first + second;
        const high = third + fourth;
        const weighted = (m + 1) * (low + high) - (running + runningAbove) + m * (second + 2 * third + 3 * fourth);
        out[t] = (2 * weighted) / (n * (low + high)) - (n + 1) / n;
      }
    },
  });
}
