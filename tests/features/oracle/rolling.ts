/** Features 103–121: the Alpha158 operators. */

import { type Bars, delta, each, type Family, highest, lowest, map, rolling, rolling2, type Series } from "./bars.ts";
import { corr, leastSquares, max, mean, min, quantile, rank, ratio, slope, std, steps, sum } from "./notation.ts";

/** Correlation of price and volume changes over the pairs with a volume to compare with, at least half of them. */
const changeCorr = ({ n, c, v }: Bars, span: number): Series =>
  each(n, span, (t) => {
    const bars = Array.from({ length: span }, (_, i) => t - i).filter((i) => v[i - 1]! > 0);
    if (bars.length < span / 2) return Number.NaN;
    return corr(
      bars.map((i) => c[i]! / c[i - 1]!),
      bars.map((i) => Math.log1p(v[i]! / v[i - 1]!)),
    );
  });

function rSquared(y: number[]): number {
  const { sse, sst } = leastSquares(steps(y.length), y);
  return 1 - ratio(sse, sst);
}

/** The current value less the line's at the last bar. */
function residual(y: number[]): number {
  const line = leastSquares(steps(y.length), y);
  return y.at(-1)! - (line.intercept + line.slope * y.length);
}

export const rollingOperators: Family = (bars) => {
  const { c, h, l, v, dc, R, lnV } = bars;
  const perClose = (x: Series) => map(ratio, x, c);
  const turnover = map((move, volume) => Math.abs(move) * volume, R, v);
  return {
    rolling_beta_20: perClose(rolling(c, 20, slope)),
    rolling_rsqr_20: rolling(c, 20, rSquared),
    rolling_resi_20: perClose(rolling(c, 20, residual)),
    rolling_std_60: perClose(rolling(c, 60, std)),
    rolling_max_20: perClose(highest(h, 20)),
    rolling_min_20: perClose(lowest(l, 20)),
    rolling_qtlu_60: perClose(rolling(c, 60, (w) => quantile(w, 0.8))),
    rolling_qtld_60: perClose(rolling(c, 60, (w) => quantile(w, 0.2))),
    rolling_rank_60: rolling(c, 60, rank),
    rolling_imax_60: rolling(h, 60, (w) => (w.indexOf(max(w)) + 1) / 60),
    rolling_imin_60: rolling(l, 60, (w) => (w.indexOf(min(w)) + 1) / 60),
    rolling_corr_20: rolling2(c, lnV, 20, corr),
    rolling_corr_60: rolling2(c, lnV, 60, corr),
    rolling_cord_20: changeCorr(bars, 20),
    rolling_cord_60: changeCorr(bars, 60),
    rolling_cntd_60: rolling(dc, 60, (w) => mean(w.map(Math.sign))),
    rolling_wvma_20: rolling(turnover, 20, (w) => ratio(std(w), mean(w))),
    rolling_wvma_60: rolling(turnover, 60, (w) => ratio(std(w), mean(w))),
    rolling_vsumd_20: rolling(delta(v), 20, (w) => ratio(sum(w), sum(w.map(Math.abs)))),
  };
};
