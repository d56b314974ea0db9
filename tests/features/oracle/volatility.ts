/** Features 50–71: ranges, bands and volatility estimators. */

import { ema, sma, wilder } from "./averages.ts";
import { each, type Family, lag, map, rolling, rolling2 } from "./bars.ts";
import { corr, ln, mean, pstd, rank, ratio, std, sum, variance } from "./notation.ts";

/** RiskMetrics: the seed is the mean of the first 20 squared returns, placed at the 20th. */
function ewmaVariance(r: number[]): number[] {
  let s = 0;
  return each(r.length, 20, (t) => {
    s = t === 20 ? mean(r.slice(1, 21).map((x) => x * x)) : 0.94 * s + 0.06 * r[t]! ** 2;
    return s;
  });
}

/** 1 − BV/RV: the share of the variance that bipower variation does not see. */
function jumpRatio(w: number[]): number {
  const realized = sum(w.map((x) => x * x));
  const pairs = sum(w.slice(1).map((x, i) => Math.abs(x) * Math.abs(w[i]!)));
  const bipower = (Math.PI / 2) * (60 / 59) * pairs;
  return Math.max(0, 1 - ratio(bipower, realized));
}

export const volatility: Family = ({ o, h, l, c, r, g, tr, rng, A }) => {
  const atr = wilder(tr, 14);
  const middle = sma(c, 20);
  const sigma = rolling(c, 20, pstd);
  const upper = map((m, s) => m + 2 * s, middle, sigma);
  const lower = map((m, s) => m - 2 * s, middle, sigma);
  const std10 = rolling(r, 10, std);
  const annual = (x: number[]) => x.map((s) => Math.sqrt(A) * s);
  const hv20 = annual(rolling(r, 20, std));
  const u = map((a, b) => ln(a / b), h, o);
  const d = map((a, b) => ln(a / b), l, o);
  const b = map((x, y) => ln(x / y), c, o);
  const hl = map((x, y) => ln(x / y), h, l);
  const q = map((up, down, body) => up * (up - body) + down * (down - body), u, d, b);
  const parkinson = rolling(hl, 20, (w) => Math.sqrt((A * mean(w.map((x) => x * x))) / (4 * Math.LN2)));
  const k = 0.34 / (1.34 + 21 / 19);
  const width = ema(rng, 10);
  return {
    atr_14: atr,
    natr_14: map((a, price) => (100 * a) / price, atr, c),
    bb_20_2_upper: upper,
    bb_20_2_lower: lower,
    bb_20_2_bandwidth: map((s, m) => (4 * s) / m, sigma, middle),
    bb_20_2_pctb: map((price, m, s) => ratio(price - m + 2 * s, 4 * s), c, middle, sigma),
    hist_vol_10: annual(std10),
    hist_vol_20: hv20,
    hist_vol_60: annual(rolling(r, 60, std)),
    ewma_vol_94: ewmaVariance(r).map((s) => Math.sqrt(A * s)),
    parkinson_vol_20: parkinson,
    garman_klass_vol_20: rolling(
      map((x, y) => 0.5 * x * x - (2 * Math.LN2 - 1) * y * y, hl, b),
      20,
      (w) => Math.sqrt(A * mean(w)),
    ),
    rogers_satchell_vol_20: rolling(q, 20, (w) => Math.sqrt(A * mean(w))),
    yang_zhang_vol_20: map(
      (overnight, open, within) => Math.sqrt(A * (overnight + k * open + (1 - k) * within)),
      rolling(g, 20, variance),
      rolling(b, 20, variance),
      rolling(q, 20, mean),
    ),
    jump_ratio_60: rolling(r, 60, jumpRatio),
    downside_var_share_60: rolling(r, 60, (w) =>
      ratio(sum(w.map((x) => Math.min(x, 0) ** 2)), sum(w.map((x) => x * x))),
    ),
    vol_of_vol_10_20: rolling(std10, 20, (w) => ratio(std(w), mean(w))),
    vol_ratio_10_60: map(ratio, std10, rolling(r, 60, std)),
    park_cc_ratio_20: map(ratio, parkinson, hv20),
    chaikin_vol_10_10: map((now, before) => 100 * (ratio(now, before) - 1), width, lag(width, 10)),
    range_rank_20: rolling(map(ratio, rng, c), 20, rank),
    leverage_corr_60: rolling2(lag(r, 1), r.map(Math.abs), 60, corr),
  };
};
