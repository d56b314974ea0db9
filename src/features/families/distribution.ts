/** Moments, tails, entropy and serial dependence of returns. */

import { type FeatureEntry, type Series, windowed, windowOf } from "../define.ts";
import { abs, changeSign, close, logReturn } from "../kernels/bar.ts";
import { histogramEntropy, permutationEntropy } from "../kernels/entropy.ts";
import { std, zScore } from "../kernels/moment.ts";
import { quantiles, shareBeyond } from "../kernels/quantile.ts";
import { autocorrelation, ljungBox } from "../kernels/serial.ts";
import { excessKurtosis, skewness } from "../kernels/shape.ts";
import { runsTest } from "../kernels/streak.ts";
import { mean } from "../kernels/sum.ts";
import { TAIL_HILL, TAIL_Q05, TAIL_Q95, TAILS, yearTails } from "../kernels/tail.ts";

const quartiles = quantiles(logReturn, 60, [0.25, 0.5, 0.75]);
const spread = std(logReturn, 60);

const quartileSpread = windowed("iqr_std", [quartiles, spread], {
  compute(out, { from, to }, q, std) {
    for (let t = from; t < to; t++) out[t] = (q[3 * t + 2]! - q[3 * t]!) / (1.349 * std[t]!);
  },
});

const bowley = windowed("bowley", [quartiles], {
  compute(out, { from, to }, q) {
    for (let t = from; t < to; t++) {
      const low = q[3 * t]!;
      const high = q[3 * t + 2]!;
      const isFlat = high - low <= 1e-12 * Math.max(Math.abs(low), Math.abs(high));
      out[t] = isFlat ? Number.NaN : (high + low - 2 * q[3 * t + 1]!) / (high - low);
    }
  },
});

const tailRatio = windowed("tail_ratio", [yearTails], {
  compute(out, { from, to }, tails) {
    for (let t = from; t < to; t++) {
      out[t] = Math.abs(tails[TAILS * t + TAIL_Q95]!) / Math.abs(tails[TAILS * t + TAIL_Q05]!);
    }
  },
});

const hill = windowed("hill", [yearTails], {
  compute(out, { from, to }, tails) {
    for (let t = from; t < to; t++) out[t] = tails[TAILS * t + TAIL_HILL]!;
  },
});

const outliers = shareBeyond(logReturn, mean(logReturn, 120), std(logReturn, 120), 2, 120);

/** A statistic of the last n returns. */
function statistic(
  name: string,
  n: number,
  formula: string,
  source: string,
  unit: string,
  series: Series,
  bars = n + 1,
): FeatureEntry {
  return { name, formula, source, warmup: bars - 1, memory: windowOf(bars), unit, series };
}

const skew = (n: number) =>
  statistic(
    `skew_${n}`,
    n,
    `√(${n}·${n - 1})/${n - 2}·m3/m2^1.5 of r; mk = k-th population central moment`,
    `pandas r.rolling(${n}).skew()`,
    "skewness",
    skewness(logReturn, n),
  );

const kurt = (n: number) =>
  statistic(
    `kurt_${n}`,
    n,
    `${n - 1}/(${n - 2}·${n - 3})·(${n + 1}·m4/m2² − 3·${n - 1}) of r: excess kurtosis`,
    `pandas r.rolling(${n}).kurt()`,
    "excess kurtosis",
    excessKurtosis(logReturn, n),
  );

export const distribution: readonly FeatureEntry[] = [
  skew(60),
  kurt(60),
  skew(250),
  kurt(250),
  statistic(
    "iqr_std_ratio_60",
    60,
    "(q_60(r, 0.75) − q_60(r, 0.25))/(1.349·std_60(r))",
    "pandas rolling(60).quantile, .std",
    "ratio, 1 for a normal law",
    quartileSpread,
  ),
  statistic(
    "bowley_skew_60",
    60,
    "(Q3 + Q1 − 2·Q2)/(Q3 − Q1), quartiles q_60(r, ·); NaN where they are equal up to 1e-12 of them",
    "Bowley (1901)",
    "−1..1",
    bowley,
  ),
  statistic("tail_ratio_250", 250, "|q_250(R, 0.95)|/|q_250(R, 0.05)|", "empyrical tail_ratio", "ratio", tailRatio),
  statistic(
    "hill_tail_250",
    250,
    "mean over the 12 largest X = −R of the last 250 of ln(X/X(13)), X(13) the 13th largest; NaN if X(13) ≤ 0",
    "Hill (1975), k = 12",
    "inverse tail index",
    hill,
  ),
  statistic(
    "return_zscore_60",
    60,
    "(r − mean_60(r))/std_60(r)",
    "pandas rolling(60) mean, std",
    "standard deviations",
    zScore(logReturn, mean(logReturn, 60), spread),
  ),
  statistic(
    "outlier_ratio_120",
    120,
    "share of the last 120 r with |r − mean_120(r)| > 2·std_120(r)",
    "direct count",
    "0..1",
    outliers,
  ),
  statistic(
    "shannon_entropy_60",
    60,
    "−Σ p·ln p/ln 10 over 10 equal-width bins between the min and the max of the last 60 r, last bin closed; NaN when min = max",
    "numpy histogram(bins=10)",
    "0..1",
    histogramEntropy(logReturn, 60, 10),
  ),
  statistic(
    "perm_entropy_3_60",
    60,
    "−Σ p·ln p/ln 6 over the order patterns of the 58 triples of consecutive closes in 60 bars; the earlier of equal closes ranks lower",
    "Bandt & Pompe (2002), order 3, delay 1",
    "0..1",
    permutationEntropy(close, 60),
    60,
  ),
  statistic(
    "acf_1_60",
    60,
    "acf_60(r, 1)",
    "statsmodels acf(adjusted=False)[1]",
    "−1..1",
    autocorrelation(logReturn, 60),
  ),
  statistic(
    "acf_abs_1_250",
    250,
    "acf_250(|r|, 1): volatility clustering",
    "statsmodels acf(adjusted=False)[1]",
    "−1..1",
    autocorrelation(abs(logReturn), 250),
  ),
  statistic(
    "ljung_box_10_120",
    120,
    "120·122·Σ_{k=1..10} acf_120(r, k)²/(120 − k)",
    "Ljung & Box (1978); statsmodels acorr_ljungbox",
    "χ² statistic, 10 degrees of freedom",
    ljungBox(logReturn, 120, 10),
  ),
  statistic(
    "runs_test_z_60",
    60,
    "(U − μ)/σ; U = runs of sign among the nonzero Δc of the last 60 bars, a up and b down; μ = 2ab/(a + b) + 1, σ² = (μ − 1)(μ − 2)/(a + b − 1); NaN if a, b or σ is 0",
    "Wald & Wolfowitz (1940)",
    "standard deviations",
    runsTest(changeSign, 60),
  ),
];
