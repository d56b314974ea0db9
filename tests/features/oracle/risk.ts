/** Features 150–163: loss, drawdown and risk-adjusted return. */

import { each, type Family, highest, last, map, rolling } from "./bars.ts";
import { ln, mean, min, moments, pstd, quantile, ratio, share, sorted, std } from "./notation.ts";

/** Cornish-Fisher value at risk at 95 %. */
function modifiedVar(w: number[]): number {
  const z = -1.6448536269514722;
  const s = pstd(w);
  const [m2, m3, m4] = moments(w, [2, 3, 4]) as [number, number, number];
  const S = ratio(m3, m2 ** 1.5);
  const K = ratio(m4, m2 ** 2) - 3;
  const quantileZ = z + ((z ** 2 - 1) * S) / 6 + ((z ** 3 - 3 * z) * K) / 24 - ((2 * z ** 3 - 5 * z) * S ** 2) / 36;
  return -(mean(w) + quantileZ * s);
}

/** The lowest c_j/c_i − 1 of all pairs i ≤ j. */
function maxDrawdown(w: number[]): number {
  let worst = 0;
  let peak = 0;
  for (const price of w) {
    peak = Math.max(peak, price);
    worst = Math.min(worst, price / peak - 1);
  }
  return worst;
}

export const risk: Family = ({ n, c, R, A }) => {
  const peak = each(n, 0, (t) => c.slice(0, t + 1).reduce((a, b) => Math.max(a, b)));
  const drawdown = map((price, high) => price / high - 1, c, peak);
  const depth = rolling(c, 250, maxDrawdown);
  const below = map((price, high) => 100 * (price / high - 1), c, highest(c, 14));
  const five = each(n, 5, (t) => ln(c[t]! / c[t - 5]!));
  return {
    var_95_250: rolling(R, 250, (w) => -quantile(w, 0.05)),
    cvar_95_250: rolling(R, 250, (w) => -mean(sorted(w).slice(0, 13))),
    mvar_95_60: rolling(R, 60, modifiedVar),
    drawdown,
    max_drawdown: each(n, 0, (t) => drawdown.slice(0, t + 1).reduce((a, b) => Math.min(a, b))),
    drawdown_duration: each(n, 0, (t) => t - c.lastIndexOf(peak[t]!, t)),
    max_drawdown_60: rolling(c, 60, maxDrawdown),
    max_drawdown_250: depth,
    ulcer_index_14: rolling(below, 14, (w) => Math.sqrt(mean(w.map((u) => u * u)))),
    sharpe_60: rolling(R, 60, (w) => Math.sqrt(A) * ratio(mean(w), std(w))),
    sortino_120: rolling(
      R,
      120,
      (w) => Math.sqrt(A) * ratio(mean(w), Math.sqrt(mean(w.map((x) => Math.min(x, 0) ** 2)))),
    ),
    calmar_250: each(n, 249, (t) => ratio((A / 249) * ln(c[t]! / c[t - 249]!), Math.abs(depth[t]!))),
    time_under_water_250: each(n, 249, (t) => share(last(drawdown, t, 250).map((x) => x < 0))),
    worst_5bar_return_60: rolling(five, 60, min),
  };
};
