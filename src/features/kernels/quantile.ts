/** Quantiles of a sliding window, and what lies beyond a distance from its mean. */

import { type Series, windowed } from "../define.ts";
import { LeastValues } from "./least-values.ts";
import { fillWindow, lowerIndex, replaceInWindow, valueAt } from "./sorted-window.ts";

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
  const places = Float64Array.from(ps, (p) => p * (n - 1));
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
        for (let k = 0; k < count; k++) out[width * t + k] = valueAt(window, places[k]!);
        if (!ranked) continue;
        let notAbove = below + 1;
        while (notAbove < n && window[notAbove] === value) notAbove++;
        out[width * t + count] = (below + notAbove + 1) / 2 / n;
      }
    },
  });
}

/** Values on either side of the mean that are expected beyond the distance; if all that are kept are, the window is read. */
const EXPECTED = 4;

/** The share of the last n values that lie more than `count` deviations from the mean; both over the same n. */
export function shareBeyond(x: Series, mean: Series, std: Series, count: number, n: number): Series {
  const smallest = new LeastValues(n, EXPECTED, 1);
  const largest = new LeastValues(n, EXPECTED, -1);
  return windowed(`share_beyond${n}_${count}`, [x, mean, std], {
    reach: [n, 0, 0],
    compute(out, { from, to }, x, mean, std) {
      smallest.fill(x, from + 1);
      largest.fill(x, from + 1);
      for (let t = from; t < to; t++) {
        if (t > from) {
          smallest.slide(x, t);
          largest.slide(x, t);
        }
        const far = count * std[t]!;
        // Without a deviation nothing is far: what is left of a distance is rounding.
        out[t] =
          far > 0 ? (countBeyond(smallest, x, t, mean[t]!, far) + countBeyond(largest, x, t, mean[t]!, far)) / n : 0;
      }
    },
  });
}

/** How many of the n values up to position t lie more than `far` below (`direction` 1) or above (−1) the centre. */
function countBeyond(
  { kept, count, n, direction }: LeastValues,
  x: Float64Array,
  t: number,
  center: number,
  far: number,
): number {
  let beyond = 0;
  while (beyond < count && direction * (direction * kept[beyond]! - center) < -far) beyond++;
  if (beyond < count || count === n) return beyond;
  beyond = 0;
  for (let i = t - n + 1; i <= t; i++) beyond += +(direction * (x[i]! - center) < -far);
  return beyond;
}
