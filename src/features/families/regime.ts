/** Persistence, noise and state of the market. */

import { type FeatureEntry, measure, RECURSIVE, windowed } from "../define.ts";
import { efficiencyRatio, ema, wilder } from "../kernels/average.ts";
import { close, high, lag, lnClose, logReturn, low, minus, trueRange } from "../kernels/bar.ts";
import { slopeOn, slopeOnTStatistic } from "../kernels/correlation.ts";
import { max, min } from "../kernels/extreme.ts";
import { meanAndPstd, std } from "../kernels/moment.ts";
import { hurst, varianceRatio } from "../kernels/persistence.ts";
import { rank } from "../kernels/rank.ts";
import { mean, sum } from "../kernels/sum.ts";

const choppiness = windowed("choppiness", [sum(trueRange, 14), max(high, 14), min(low, 14)], {
  compute(out, { from, to }, path, top, bottom) {
    const scale = 100 / Math.log10(14);
    for (let t = from; t < to; t++) out[t] = scale * Math.log10(path[t]! / (top[t]! - bottom[t]!));
  },
});

const span = (n: number) => minus(max(high, n), min(low, n));

const fractalDimension = windowed("fractal", [span(15), span(30)], {
  reach: [15, 0],
  compute(out, { from, to }, half, whole) {
    for (let t = from; t < to; t++) {
      const parts = (half[t]! + half[t - 15]!) / 15;
      out[t] = Math.log(parts / (whole[t]! / 30)) / Math.LN2;
    }
  },
});

const squeeze = windowed("squeeze", [meanAndPstd(close, 20), wilder(trueRange, 20)], {
  compute(out, { from, to }, m, range) {
    for (let t = from; t < to; t++) out[t] = (2 * m[2 * t + 1]!) / (1.5 * range[t]!);
  },
});

const averages = [close, ema(close, 12), ema(close, 26), mean(close, 50), mean(close, 200)] as const;
/** Differences of at most this share of the price are rounding: averages of prices in ticks can be equal but for it. */
const ROUNDING = 1e-12;

const alignment = windowed("alignment", averages, {
  compute(out, { from, to }, c, e12, e26, s50, s200) {
    for (let t = from; t < to; t++) {
      const rounding = ROUNDING * c[t]!;
      const a = c[t]! - e12[t]!;
      const b = e12[t]! - e26[t]!;
      const d = e26[t]! - s50[t]!;
      const e = s50[t]! - s200[t]!;
      const above = +(a > rounding) + +(b > rounding) + +(d > rounding) + +(e > rounding);
      const below = +(-a > rounding) + +(-b > rounding) + +(-d > rounding) + +(-e > rounding);
      out[t] = (above - below) / 4;
    }
  },
});

/** 1 where the close is above its average by more than rounding, else 0. */
const aboveAverage = windowed("above_average", [close, mean(close, 50)], {
  compute(out, { from, to }, c, mean) {
    for (let t = from; t < to; t++) out[t] = c[t]! - mean[t]! > ROUNDING * c[t]! ? 1 : 0;
  },
});

const before = lag(lnClose, 1);

const reversionSpeed = windowed("reversion_speed", [slopeOn(before, logReturn, 60)], {
  compute(out, { from, to }, slope) {
    for (let t = from; t < to; t++) out[t] = -slope[t]!;
  },
});

const ratioOfVariance = (q: number, n: number) =>
  measure(
    `variance_ratio_${q}_${n}`,
    `s_q²/s_1², ${n} returns of mean μ; s_1² = Σ(r − μ)²/${n - 1}; s_q² = Σ(ln(c/c[${q}]) − ${q}μ)²/m over the ${n - q + 1} overlapping ${q}-bar returns, m = ${q}·${n - q + 1}·(1 − ${q}/${n})`,
    "Lo & MacKinlay (1988), unbiased overlapping form",
    n + 1,
    "ratio, 1 for a random walk",
    varianceRatio(q, n),
  );

export const regime: readonly FeatureEntry[] = [
  measure(
    "hurst_250",
    "½·least-squares slope of ln V(τ) on ln τ, τ = 2, 4, 8, 16, 32; V(τ) = population variance of ln c_i − ln c_{i−τ} over all pairs inside the last 250 closes",
    "Mandelbrot & Van Ness (1968), variance of increments",
    250,
    "exponent, 0.5 for a random walk",
    hurst(250),
  ),
  ratioOfVariance(5, 120),
  ratioOfVariance(20, 250),
  measure("efficiency_ratio_20", "|c − c[20]|/sum_20(|Δc|)", "Kaufman (1995)", 21, "0..1", efficiencyRatio(20)),
  measure(
    "choppiness_14",
    "100·log10(sum_14(TR)/(max_14(h) − min_14(l)))/log10(14)",
    "Dreiss; TA-Lib SUM, MAX, MIN composed",
    15,
    "0 and more, higher is choppier; above 100 only where a gap lies outside the window",
    choppiness,
  ),
  measure(
    "fractal_dim_30",
    "(ln(N1 + N2) − ln N3)/ln 2; N1, N2 = (max(h) − min(l))/15 of the newer and older 15 bars, N3 = (max_30(h) − min_30(l))/30",
    "Ehlers (2005), the dimension inside FRAMA",
    30,
    "dimension, 1..2",
    fractalDimension,
  ),
  measure(
    "ttm_squeeze_ratio_20",
    "2·pstd_20(c)/(1.5·WS_20(TR))",
    "TA-Lib STDDEV(20,2)/(1.5·ATR(20)); Carter (2005)",
    21,
    "ratio, below 1 the Bollinger bands are inside the Keltner bands",
    squeeze,
    RECURSIVE,
  ),
  measure(
    "vol_rank_250",
    "rank_250(std_20(r)), ties averaged; deviations within 1e-12 of each other are tied",
    "pandas r.rolling(20).std().rolling(250).rank(pct=True)",
    270,
    "0..1",
    rank(std(logReturn, 20), 250),
  ),
  measure(
    "ma_alignment",
    "mean of the signs of c − e12, e12 − e26, e26 − s50, s50 − s200; e12 = ema_12, e26 = ema_26, s50 = sma_50, s200 = sma_200; a difference of at most 1e-12·c is rounding and has sign 0",
    "TA-Lib EMA, SMA",
    200,
    "−1..1 in steps of ¼",
    alignment,
    RECURSIVE,
  ),
  measure(
    "df_tstat_60",
    "t statistic of β in Δx = α + β·x[1] + ε over 60 bars, x = ln c, residual variance over 58; NaN when SSE ≤ 1e-12·SST",
    "Dickey & Fuller (1979), constant, no lag",
    61,
    "t statistic",
    slopeOnTStatistic(before, logReturn, 60),
  ),
  measure(
    "ou_speed_60",
    "−β of the regression of df_tstat_60: mean-reversion speed per bar",
    "Uhlenbeck & Ornstein (1930), AR(1) form",
    61,
    "per bar",
    reversionSpeed,
  ),
  measure(
    "above_sma_50_ratio_60",
    "share of the last 60 bars with c > mean_50(c); a difference of at most 1e-12·c is rounding and does not count",
    "pandas (c > sma_50).rolling(60).mean()",
    109,
    "0..1",
    mean(aboveAverage, 60),
  ),
];
