/** Where a value stands among the last n. */

import { type Series, windowed } from "../define.ts";

/** rank_n(x): rank of the current value in the window, ties averaged, divided by n; counted directly (small n). */
export function rankByCounting(x: Series, n: number): Series {
  return windowed(`rank${n}`, [x], {
    delay: n - 1,
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) {
        const value = x[t]!;
        let twice = 1;
        for (let i = t - n + 1; i <= t; i++) {
          if (x[i]! < value) twice += 2;
          else if (x[i]! === value) twice++;
        }
        out[t] = Number.isNaN(value) ? Number.NaN : twice / 2 / n;
      }
    },
  });
}
