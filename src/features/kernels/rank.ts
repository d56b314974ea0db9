/** Where a value stands among the last n. */

import { type Series, windowed } from "../define.ts";
import { fillWindow, lowerIndex, replaceInWindow } from "./sorted-window.ts";

/**
 * rank_n(x): rank of the current value in the window, ties averaged, divided by n. Counted directly, each comparison a
 * number instead of a branch: up to some hundred values this is faster than keeping them in order.
 */
export function rankByCounting(x: Series, n: number): Series {
  return windowed(`rank${n}`, [x], {
    delay: n - 1,
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) {
        const value = x[t]!;
        let below = 0;
        let notAbove = 0;
        for (let i = t - n + 1; i <= t; i++) {
          below += +(x[i]! < value);
          notAbove += +(x[i]! <= value);
        }
        out[t] = Number.isNaN(value) ? Number.NaN : (below + notAbove + 1) / 2 / n;
      }
    },
  });
}

/** Two values this close to each other, relative to them, are tied: rounding set them apart. */
const TIED = 1e-12;

/** rank_n(x) of values x ≥ 0 that are results of rounding, from an ordered window. */
export function rank(x: Series, n: number): Series {
  const window = new Float64Array(n);
  return windowed(`rank${n}_ordered`, [x], {
    delay: n - 1,
    reach: n,
    compute(out, { from, to }, x) {
      fillWindow(window, x, from + 1);
      for (let t = from; t < to; t++) {
        const value = x[t]!;
        const at = t > from ? replaceInWindow(window, x[t - n]!, value) : lowerIndex(window, value);
        const least = value - TIED * value;
        const most = value + TIED * value;
        let below = at;
        while (below > 0 && window[below - 1]! >= least) below--;
        let notAbove = at + 1;
        while (notAbove < n && window[notAbove]! <= most) notAbove++;
        out[t] = (below + notAbove + 1) / 2 / n;
      }
    },
  });
}

/**
 * Percentage of the n values before the current one that are below it (Connors 2012, percent rank). Two bars at a time,
 * as nearly all values count for both.
 */
export function percentRank(x: Series, n: number): Series {
  return windowed(`percent_rank${n}`, [x], {
    delay: n,
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t += 2) {
        const value = x[t]!;
        const next = t + 1 < to ? x[t + 1]! : Number.NaN;
        let below = +(x[t - n]! < value);
        let belowNext = +(value < next);
        for (let i = t - n + 1; i < t; i++) {
          const other = x[i]!;
          below = (below + +(other < value)) | 0;
          belowNext = (belowNext + +(other < next)) | 0;
        }
        out[t] = (100 * below) / n;
        if (t + 1 < to) out[t + 1] = (100 * belowNext) / n;
      }
    },
  });
}
