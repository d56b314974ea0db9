/** Features 35–49: oscillators and momentum. */

import { ema, rsi, sma } from "./averages.ts";
import { type Bars, each, type Family, highest, lag, last, lowest, map, rolling, type Series } from "./bars.ts";
import { allEqual, ln, max, mean, min, ratio, sum } from "./notation.ts";
import { streak } from "./return.ts";

/**
 * Where the newest value stands between the lowest and the highest of the window, in percent. While the price stands
 * still, an RSI stays what it was but for rounding: a range within that rounding counts as zero.
 */
function stochastic(w: number[]): number {
  const [low, high] = [min(w), max(w)];
  return high - low <= 1e-12 * high ? Number.NaN : (100 * (w.at(-1)! - low)) / (high - low);
}

function cci(window: number[]): number {
  if (allEqual(window)) return Number.NaN;
  const m = mean(window);
  const deviation = mean(window.map((x) => Math.abs(x - m)));
  // Equal prices need not have equal typical prices, to the last digit: such a deviation is rounding.
  return deviation > 1e-12 * m ? (window.at(-1)! - m) / (0.015 * deviation) : Number.NaN;
}

function ultimate({ n, l, c, tr }: Bars): Series {
  const pressure = each(n, 1, (t) => c[t]! - Math.min(l[t]!, c[t - 1]!));
  const average = (k: number) => map(ratio, rolling(pressure, k, sum), rolling(tr, k, sum));
  return map((a, b, d) => (100 * (4 * a + 2 * b + d)) / 7, average(7), average(14), average(28));
}

/** Percentage of the previous 100 simple returns below the current one. */
const percentRank = ({ n, R }: Bars): Series =>
  each(n, 101, (t) => last(R, t - 1, 100).filter((x) => x < R[t]!).length);

export const momentum: Family = (bars) => {
  const { n, o, h, l, c, tp, dc, R } = bars;
  const fastK = map((price, low, high) => 100 * ratio(price - low, high - low), c, lowest(l, 14), highest(h, 14));
  const slowK = sma(fastK, 3);
  const body = map((a, b) => a - b, c, o);
  const symmetric = (x: Series) => each(n, 3, (t) => (x[t]! + 2 * x[t - 1]! + 2 * x[t - 2]! + x[t - 3]!) / 6);
  const twice = (x: Series) => ema(ema(x, 25), 13);
  const move10 = each(n, 10, (t) => ln(c[t]! / c[t - 10]!));
  return {
    rsi_2: rsi(c, 2),
    rsi_14: rsi(c, 14),
    stoch_14_3_3_k: each(n, 17, (t) => slowK[t]!),
    stoch_14_3_3_d: sma(slowK, 3),
    stochrsi_14_14_3_d: sma(rolling(rsi(c, 14), 14, stochastic), 3),
    willr_14: map((high, low, price) => -100 * ratio(high - price, high - low), highest(h, 14), lowest(l, 14), c),
    cci_14: rolling(tp, 14, cci),
    ultosc_7_14_28: ultimate(bars),
    tsi_25_13: map((a, b) => 100 * ratio(a, b), twice(dc), twice(dc.map(Math.abs))),
    crsi_3_2_100: map((a, b, d) => (a + b + d) / 3, rsi(c, 3), rsi(streak(bars), 2), percentRank(bars)),
    rvgi_10: map(ratio, rolling(symmetric(body), 10, sum), rolling(symmetric(bars.rng), 10, sum)),
    imi_14: rolling(body, 14, (w) => 100 * ratio(sum(w.map((x) => Math.max(x, 0))), sum(w.map(Math.abs)))),
    roc_accel_10: map((now, before) => now - before, move10, lag(move10, 10)),
    mom_252_21: each(n, 252, (t) => ln(c[t - 21]! / c[t - 252]!)),
    info_discreteness_60: each(n, 60, (t) => {
      const moves = last(R, t, 60);
      const losses = moves.filter((x) => x < 0).length;
      const gains = moves.filter((x) => x > 0).length;
      return (Math.sign(ln(c[t]! / c[t - 60]!)) * (losses - gains)) / 60;
    }),
  };
};
