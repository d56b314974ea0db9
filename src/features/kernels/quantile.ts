/** Quantiles of a sliding window, and what lies beyond a distance from its mean. */

import { type Series, windowed } from "../define.ts";
import { fillWindow, lowerIndex, quantileOf, replaceInWindow } from "./sorted-window.ts";

/** Of the last n values, one a bar for each p: the quantile q_n(x, p). */
export function quantiles(x: Series, n: number, ps: readonly number[]): Series {
  return orderStatistics(`quantiles${n}_${ps.join("_")}`, x, n, ps, false);
}

/** The same, and after them rank_n(x) of the current value: its rank, ties averaged, divided by n. */
export function quantilesAndRank(x: Series, n: number, ps: readonly number[]): Series {
  return orderStatistics(`quantiles_rank${n}_${ps.join("_")}`, x, n, ps, true);
}

function orderStatistics(name: string, x: Series, n: number, ps: readonly number[], ranked: boolean): Series {
  const window = new Float64Array(n);
  const count = ps.length;
  const width = count + +ranked;
  return windowed(name, [x], {
    delay: n - 1,
    reach: n,
    width,
    compute(out, { from, to }, x) {
      fillWindow(window, x, from + 1);
      for (let t = from; t < to; t++) {
        const value = x[t]!;
        const below = t > from ? replaceInWindow(window, x[t - n]!, value) : lowerIndex(window, value);
        for (let k = 0; k < count; k++) out[width * t + k] = quantileOf(window, ps[k]!);
        if (!ranked) continue;
        let notAbove = below + 1;
        while (notAbove < n && window[notAbove] === value) notAbove++;
        out[width * t + count] = (below + notAbove + 1) / 2 / n;
      }
    },
  });
}

/** The share of the last n values that lie more than `count` deviations from the mean; both over the same n. */
export function shareBeyond(x: Series, mean: Series, std: Series, count: number, n: number): Series {
  return windowed(`share_beyond${n}_${count}`, [x, mean, std], {
    reach: [n - 1, 0, 0],
    compute(out, { from, to }, x, mean, std) {
      for (let t = from; t < to; t++) {
        const center = mean[t]!;
        const far = count * std[t]!;
        let beyond = 0;
        // Without a deviation nothing is far: what is left of a distance is rounding.
        for (let i = t - n + 1; far > 0 && i <= t; i++) beyond += +(Math.abs(x[i]! - center) > far);
        out[t] = beyond / n;
      }
    },
  });
}
