/** Volume: its level, flow and shape. */

import { CUMULATIVE, type FeatureEntry, RECURSIVE, windowed, windowOf } from "../define.ts";
import { ema } from "../kernels/average.ts";
import { abs, lag, lnVolume, logReturn, quotient, volume } from "../kernels/bar.ts";
import { gini } from "../kernels/concentration.ts";
import { correlation } from "../kernels/correlation.ts";
import {
  accumulation,
  chaikinOscillator,
  directedMoney,
  easeOfMovement,
  force,
  moneyFlow,
  onBalanceVolume,
  priceVolumeTrend,
  volumeIndex,
} from "../kernels/flow.ts";
import { std, zScore } from "../kernels/moment.ts";
import { percentageOscillator } from "../kernels/nested-ema.ts";
import { slope } from "../kernels/regression.ts";
import { definedMean, mean, sum } from "../kernels/sum.ts";

const moneyFlowIndex = windowed("mfi", [sum(directedMoney(1), 14), sum(directedMoney(-1), 14)], {
  compute(out, { from, to }, up, down) {
    for (let t = from; t < to; t++) out[t] = 100 * (up[t]! / (up[t]! + down[t]!));
  },
});

export const volumeFamily: readonly FeatureEntry[] = [
  {
    name: "obv",
    formula: "v at index 0, then OBV[1] + sign(Δc)·v",
    source: "TA-Lib OBV",
    warmup: 0,
    memory: CUMULATIVE,
    unit: "volume",
    series: onBalanceVolume,
  },
  {
    name: "ad_line",
    formula: "running sum of CLV·v; CLV = ((c − l) − (h − c))/(h − l), 0 when h = l",
    source: "TA-Lib AD",
    warmup: 0,
    memory: CUMULATIVE,
    unit: "volume",
    series: accumulation,
  },
  {
    name: "adosc_3_10",
    formula: "e3 − e10 of ad_line; both EMAs start as ad_line at index 0; published from 9",
    source: "TA-Lib ADOSC(3,10)",
    warmup: 9,
    memory: RECURSIVE,
    unit: "volume",
    series: chaikinOscillator(3, 10),
  },
  {
    name: "cmf_20",
    formula: "sum_20(CLV·v)/sum_20(v); CLV as in ad_line",
    source: "Chaikin; TA-Lib development tree, CMF(20)",
    warmup: 19,
    memory: windowOf(20),
    unit: "−1..1",
    series: quotient(sum(moneyFlow, 20), sum(volume, 20)),
  },
  {
    name: "mfi_14",
    formula:
      "100·P/(P + N); P, N = sum over the last 14 bars of tp·v where Δtp > 0, Δtp < 0; |Δtp| ≤ 1e-14·(tp + tp[1]) is rounding and counts as 0",
    source: "TA-Lib MFI(14)",
    warmup: 14,
    memory: windowOf(15),
    unit: "0..100",
    series: moneyFlowIndex,
  },
  {
    name: "pvt",
    formula: "0 at index 0, then PVT[1] + R·v",
    source: "TA-Lib development tree, PVT",
    warmup: 0,
    memory: CUMULATIVE,
    unit: "volume",
    series: priceVolumeTrend,
  },
  {
    name: "nvi",
    formula: "1000 at index 0, then NVI[1]·(c/c[1] if v < v[1], else 1)",
    source: "Fosback (1976)",
    warmup: 0,
    memory: CUMULATIVE,
    unit: "index, 1000 at the start",
    series: volumeIndex(-1),
  },
  {
    name: "pvi",
    formula: "1000 at index 0, then PVI[1]·(c/c[1] if v > v[1], else 1)",
    source: "Fosback (1976)",
    warmup: 0,
    memory: CUMULATIVE,
    unit: "index, 1000 at the start",
    series: volumeIndex(1),
  },
  {
    name: "force_index_13",
    formula: "EMA_13(Δc·v)",
    source: "Elder (1993)",
    warmup: 13,
    memory: RECURSIVE,
    unit: "money",
    series: ema(force, 13),
  },
  {
    name: "eom_14",
    formula: "1e8 times the mean of Δmid·(h − l)/v over the bars with v > 0 among the last 14; NaN with fewer than 7",
    source: "Arms, ease of movement",
    warmup: 14,
    memory: windowOf(15),
    unit: "squared price per volume",
    series: definedMean(easeOfMovement, 14, 1e8),
  },
  {
    name: "volume_sma_20",
    formula: "mean_20(v)",
    source: "TA-Lib SMA(20) of v",
    warmup: 19,
    memory: windowOf(20),
    unit: "volume",
    series: mean(volume, 20),
  },
  {
    name: "rvol_20",
    formula: "v/mean_20(v)[1]: the current bar is not in its own baseline",
    source: "TA-Lib development tree, RVOL(20)",
    warmup: 20,
    memory: windowOf(21),
    unit: "ratio",
    series: quotient(volume, lag(mean(volume, 20), 1)),
  },
  {
    name: "volume_zscore_60",
    formula: "(x − mean_60(x))/std_60(x), x = ln(1 + v)",
    source: "pandas rolling(60) mean, std",
    warmup: 59,
    memory: windowOf(60),
    unit: "standard deviations",
    series: zScore(lnVolume, mean(lnVolume, 60), std(lnVolume, 60)),
  },
  {
    name: "volume_cv_20",
    formula: "std_20(v)/mean_20(v)",
    source: "qlib VSTD20/VMA20",
    warmup: 19,
    memory: windowOf(20),
    unit: "ratio",
    series: quotient(std(volume, 20), mean(volume, 20)),
  },
  {
    name: "pvo_12_26",
    formula: "100·(EMA_12(v) − EMA_26(v))/EMA_26(v); each EMA has its own seed, unlike MACD",
    source: "TA-Lib PPO(12,26,EMA) of v",
    warmup: 25,
    memory: RECURSIVE,
    unit: "percent",
    series: percentageOscillator(volume, 12, 26),
  },
  {
    name: "volume_slope_20",
    formula: "slope_20(ln(1 + v))",
    source: "TA-Lib LINEARREG_SLOPE(20) of ln(1 + v)",
    warmup: 19,
    memory: windowOf(20),
    unit: "log volume per bar",
    series: slope(lnVolume, 20),
  },
  {
    name: "volume_gini_60",
    formula: "2·Σ i·v(i)/(60·Σ v) − 61/60, v(1) ≤ … ≤ v(60) sorted",
    source: "Gini coefficient, sorted form",
    warmup: 59,
    memory: windowOf(60),
    unit: "0..1",
    series: gini(volume, 60),
  },
  {
    name: "volume_autocorr_1_60",
    formula: "corr_60(x, x[1]), x = ln(1 + v)",
    source: "pandas x.rolling(60).corr(x.shift(1))",
    warmup: 60,
    memory: windowOf(61),
    unit: "−1..1",
    series: correlation(lnVolume, lag(lnVolume, 1), 60),
  },
  {
    name: "volume_absret_corr_60",
    formula: "corr_60(|r|, ln(1 + v))",
    source: "Karpoff (1987)",
    warmup: 60,
    memory: windowOf(61),
    unit: "−1..1",
    series: correlation(abs(logReturn), lnVolume, 60),
  },
];
