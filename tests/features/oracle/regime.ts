/** Features 177–188: persistence, noise and state. */

import { ema, sma, wilder } from "./averages.ts";
import { type Bars, each, type Family, highest, last, lowest, map, rolling, type Series } from "./bars.ts";
import { leastSquares, ln, max, mean, min, pstd, pvariance, rank, ratio, share, std, sum } from "./notation.ts";

/** The exponent with which the spread of increments grows with their span. */
function hurst(y: number[]): number {
  const spans = [2, 4, 8, 16, 32];
  const spread = spans.map((span) => pvariance(y.slice(span).map((value, i) => value - y[i]!)));
  return leastSquares(spans.map(Math.log), spread.map(ln)).slope / 2;
}

/** Lo and MacKinlay's ratio of q-bar to one-bar variance, from n + 1 log prices. */
function varianceRatio(y: number[], q: number): number {
  const n = y.length - 1;
  const r = y.slice(1).map((value, i) => value - y[i]!);
  const mu = mean(r);
  const one = sum(r.map((x) => (x - mu) ** 2)) / (n - 1);
  const m = q * (n - q + 1) * (1 - q / n);
  const long = sum(y.slice(q).map((value, i) => (value - y[i]! - q * mu) ** 2)) / m;
  return r.every((x) => x === r[0]) ? Number.NaN : long / one;
}

/** Dickey and Fuller's regression of the change on the level before it. */
function dickeyFuller(y: number[]): { beta: number; t: number } {
  const change = y.slice(1).map((value, i) => value - y[i]!);
  const { slope, sse, sst, sxx } = leastSquares(y.slice(0, -1), change);
  return { beta: slope, t: sse <= 1e-12 * sst ? Number.NaN : slope / Math.sqrt(sse / (change.length - 2) / sxx) };
}

function choppiness(bars: Bars): Series {
  const span = map((a, b) => a - b, highest(bars.h, 14), lowest(bars.l, 14));
  return map((path, width) => (100 * Math.log10(ratio(path, width))) / Math.log10(14), rolling(bars.tr, 14, sum), span);
}

const fractalDimension = ({ n, h, l }: Bars): Series =>
  each(n, 29, (t) => {
    const span = (end: number, k: number) => (max(last(h, end, k)) - min(last(l, end, k))) / k;
    return (ln(span(t, 15) + span(t - 15, 15)) - ln(span(t, 30))) / Math.LN2;
  });

export const regime: Family = (bars) => {
  const { n, c, r, tr, dc, lnC } = bars;
  const path = rolling(dc.map(Math.abs), 20, sum);
  const [e12, e26, s50, s200] = [ema(c, 12), ema(c, 26), sma(c, 50), sma(c, 200)];
  // A difference of at most 1e-12 of the price is rounding: ticks make averages equal, but not to the digit.
  const above = each(n, 49, (t) => Number(c[t]! - s50[t]! > 1e-12 * c[t]!));
  return {
    hurst_250: rolling(lnC, 250, hurst),
    variance_ratio_5_120: rolling(lnC, 121, (w) => varianceRatio(w, 5)),
    variance_ratio_20_250: rolling(lnC, 251, (w) => varianceRatio(w, 20)),
    efficiency_ratio_20: each(n, 20, (t) => ratio(Math.abs(c[t]! - c[t - 20]!), path[t]!)),
    choppiness_14: choppiness(bars),
    fractal_dim_30: fractalDimension(bars),
    ttm_squeeze_ratio_20: map((s, range) => ratio(2 * s, 1.5 * range), rolling(c, 20, pstd), wilder(tr, 20)),
    vol_rank_250: rolling(rolling(r, 20, std), 250, (w) => rank(w, 1e-12)),
    ma_alignment: map(
      (price, fast, slow, middle, long) =>
        mean(
          [price - fast, fast - slow, slow - middle, middle - long].map((x) =>
            Math.abs(x) <= 1e-12 * price ? 0 : Math.sign(x),
          ),
        ),
      ...[c, e12, e26, s50, s200],
    ),
    df_tstat_60: rolling(lnC, 61, (w) => dickeyFuller(w).t),
    ou_speed_60: rolling(lnC, 61, (w) => -dickeyFuller(w).beta),
    above_sma_50_ratio_60: rolling(above, 60, (w) => share(w.map((flag) => flag === 1))),
  };
};
