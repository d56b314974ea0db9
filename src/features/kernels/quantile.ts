/** Quantiles of a sliding window, and what lies beyond a distance from its mean. */

import { type Series, windowed } from "../define.ts";
import { fillWindow, quantileOf, replaceInWindow } from "./sorted-window.ts";

/** Of the last n values, one a bar for each p: the quantile q_n(x, p). */
export function quantiles(x: Series, n: number, ps: readonly number[]): Series {
  const window = new Float64Array(n);
  const width = ps.length;
  return windowed(`quantiles${n}_${ps.join("_")}`, [x], {
    delay: n - 1,
    reach: n,
    width,
    compute(out, { from, to }, x) {
      fillWindow(window, x, from + 1);
      for (let t = from; t < to; t++) {
        if (t > from) replaceInWindow(window, x[t - n]!, x[t]!);
        for (let k = 0; k < width; k++) out[width * t + k] = quantileOf(window, ps[k]!);
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
        for (let i = t - n + 1; i <= t; i++) beyond += +(Math.abs(x[i]! - center) > far);
        out[t] = beyond / n;
      }
    },
  });
}
