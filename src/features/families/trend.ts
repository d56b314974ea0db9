/** Direction, strength and levels of the trend. */

import { type FeatureEntry, RECURSIVE, type Series, windowed, windowOf } from "../define.ts";
import { ema } from "../kernels/average.ts";
import { close, high, lag, lnClose, low, minus, quotient, range, trueRange } from "../kernels/bar.ts";
import { aroonDown, aroonUp, max, min } from "../kernels/extreme.ts";
import { averageOverItsAverage, convergence } from "../kernels/nested-ema.ts";
import { slopeTStatistic } from "../kernels/regression.ts";
import { mean, sum } from "../kernels/sum.ts";
import {
  averageDirection,
  minusDirection,
  parabolicSar,
  plusDirection,
  superTrendLine,
  superTrendSide,
  tdSetup,
} from "../kernels/trend.ts";

const macdLine = convergence(close, 12, 26);
const macdSignal = ema(macdLine, 9);

function halfWay(x: Series, y: Series): Series {
  return windowed("half_way", [x, y], {
    compute(out, { from, to }, x, y) {
      for (let t = from; t < to; t++) out[t] = (x[t]! + y[t]!) / 2;
    },
  });
}

const middleOf = (n: number) => halfWay(max(high, n), min(low, n));
const tenkan = middleOf(9);
const kijun = middleOf(26);

const vortexPlus = windowed("vortex_plus", [high, low], {
  delay: 1,
  compute(out, { from, to }, h, l) {
    for (let t = from; t < to; t++) out[t] = Math.abs(h[t]! - l[t - 1]!);
  },
});

const vortexMinus = windowed("vortex_minus", [high, low], {
  delay: 1,
  compute(out, { from, to }, h, l) {
    for (let t = from; t < to; t++) out[t] = Math.abs(l[t]! - h[t - 1]!);
  },
});

const smaRatio = windowed("sma_ratio", [mean(close, 50), mean(close, 200)], {
  compute(out, { from, to }, fast, slow) {
    for (let t = from; t < to; t++) out[t] = fast[t]! / slow[t]! - 1;
  },
});

export const trend: readonly FeatureEntry[] = [
  {
    name: "macd_12_26_9_line",
    formula: "F − EMA_26(c); F is a 12-bar EMA seeded with the mean of c at indices 14..25; published from 33",
    source: "TA-Lib MACD(12,26,9) macd",
    warmup: 33,
    memory: RECURSIVE,
    unit: "price",
    series: macdLine,
  },
  {
    name: "macd_12_26_9_signal",
    formula: "EMA_9 of the MACD line",
    source: "TA-Lib MACD(12,26,9) signal",
    warmup: 33,
    memory: RECURSIVE,
    unit: "price",
    series: macdSignal,
  },
  {
    name: "macd_12_26_9_hist",
    formula: "macd_12_26_9_line − macd_12_26_9_signal",
    source: "TA-Lib MACD(12,26,9) hist",
    warmup: 33,
    memory: RECURSIVE,
    unit: "price",
    series: minus(macdLine, macdSignal),
  },
  {
    name: "adx_14",
    formula:
      "Wilder's smoothing of DX = 100·|P − M|/(P + M), P = plus_di_14, M = minus_di_14; seed = mean of DX at 14..27, an undefined DX counts 0; held when DX is undefined",
    source: "TA-Lib ADX(14)",
    warmup: 27,
    memory: RECURSIVE,
    unit: "0..100",
    series: averageDirection(14),
  },
  {
    name: "plus_di_14",
    formula: "100·S(+DM)/S(TR); S starts as the sum over indices 1..13, then S = S[1] − S[1]/14 + x",
    source: "TA-Lib PLUS_DI(14)",
    warmup: 14,
    memory: RECURSIVE,
    unit: "0..100",
    series: plusDirection(14),
  },
  {
    name: "minus_di_14",
    formula: "100·S(−DM)/S(TR); S as in plus_di_14",
    source: "TA-Lib MINUS_DI(14)",
    warmup: 14,
    memory: RECURSIVE,
    unit: "0..100",
    series: minusDirection(14),
  },
  {
    name: "aroon_25_up",
    formula: "100·(25 − bars since the highest h of the last 26 bars)/25; newest wins ties",
    source: "TA-Lib AROON(25) up",
    warmup: 25,
    memory: windowOf(26),
    unit: "0..100",
    series: aroonUp(25),
  },
  {
    name: "aroon_25_down",
    formula: "100·(25 − bars since the lowest l of the last 26 bars)/25; newest wins ties",
    source: "TA-Lib AROON(25) down",
    warmup: 25,
    memory: windowOf(26),
    unit: "0..100",
    series: aroonDown(25),
  },
  {
    name: "psar_002_020",
    formula: "Parabolic SAR, step 0.02, cap 0.20",
    source: "TA-Lib SAR(0.02, 0.2); Wilder (1978)",
    warmup: 1,
    memory: RECURSIVE,
    unit: "price",
    series: parabolicSar,
  },
  {
    name: "supertrend_10_3",
    formula: "active band of SuperTrend: (h + l)/2 ± 3·WS_10(TR), ratcheted",
    source: "TA-Lib development tree, SUPERTREND(10, 3) line",
    warmup: 10,
    memory: RECURSIVE,
    unit: "price",
    series: superTrendLine(10, 3),
  },
  {
    name: "supertrend_10_3_dir",
    formula: "+1 while supertrend_10_3 is the lower band, −1 while it is the upper",
    source: "TA-Lib development tree, SUPERTREND(10, 3) trend flag",
    warmup: 10,
    memory: RECURSIVE,
    unit: "−1 or 1",
    series: superTrendSide(10, 3),
  },
  {
    name: "ichimoku_tenkan_9",
    formula: "(max_9(h) + min_9(l))/2",
    source: "TA-Lib MIDPRICE(9)",
    warmup: 8,
    memory: windowOf(9),
    unit: "price",
    series: tenkan,
  },
  {
    name: "ichimoku_kijun_26",
    formula: "(max_26(h) + min_26(l))/2",
    source: "TA-Lib MIDPRICE(26)",
    warmup: 25,
    memory: windowOf(26),
    unit: "price",
    series: kijun,
  },
  {
    name: "ichimoku_senkou_a",
    formula:
      "(T + K)/2 of 26 bars ago; T = ichimoku_tenkan_9, K = ichimoku_kijun_26: the span drawn above the current bar",
    source: "TA-Lib MIDPRICE(9), MIDPRICE(26), shifted by 26",
    warmup: 51,
    memory: windowOf(52),
    unit: "price",
    series: lag(halfWay(tenkan, kijun), 26),
  },
  {
    name: "ichimoku_senkou_b",
    formula: "(max_52(h) + min_52(l))/2 of 26 bars ago",
    source: "TA-Lib MIDPRICE(52), shifted by 26",
    warmup: 77,
    memory: windowOf(78),
    unit: "price",
    series: lag(middleOf(52), 26),
  },
  {
    name: "vortex_14_plus",
    formula: "sum_14(|h − l[1]|)/sum_14(TR)",
    source: "Botes & Siepman (2010)",
    warmup: 14,
    memory: windowOf(15),
    unit: "ratio, about 1",
    series: quotient(sum(vortexPlus, 14), sum(trueRange, 14)),
  },
  {
    name: "vortex_14_minus",
    formula: "sum_14(|l − h[1]|)/sum_14(TR)",
    source: "Botes & Siepman (2010)",
    warmup: 14,
    memory: windowOf(15),
    unit: "ratio, about 1",
    series: quotient(sum(vortexMinus, 14), sum(trueRange, 14)),
  },
  {
    name: "dpo_20",
    formula: "c[11] − mean_20(c): the causal form, never the centred one",
    source: "TA-Lib development tree, DPO(20)",
    warmup: 19,
    memory: windowOf(20),
    unit: "price",
    series: minus(lag(close, 11), mean(close, 20)),
  },
  {
    name: "sma_50_200_ratio",
    formula: "mean_50(c)/mean_200(c) − 1",
    source: "TA-Lib SMA(50)/SMA(200) − 1",
    warmup: 199,
    memory: windowOf(200),
    unit: "ratio",
    series: smaRatio,
  },
  {
    name: "high_proximity_250",
    formula: "c/max_250(h)",
    source: "George & Hwang (2004), in bars",
    warmup: 249,
    memory: windowOf(250),
    unit: "0..1",
    series: quotient(close, max(high, 250)),
  },
  {
    name: "linreg_tstat_60",
    formula: "t statistic of the slope of ln c on 1..60: b/√(SSE/58/Sxx); NaN when SSE ≤ 1e-12·SST",
    source: "scipy linregress slope/stderr",
    warmup: 59,
    memory: windowOf(60),
    unit: "t statistic",
    series: slopeTStatistic(lnClose, 60),
  },
  {
    name: "mass_index_9_25",
    formula: "sum_25(E/EMA_9(E)), E = EMA_9(h − l)",
    source: "Dorsey (1992)",
    warmup: 40,
    memory: RECURSIVE,
    unit: "sum of 25 ratios, about 25",
    series: sum(averageOverItsAverage(range, 9), 25),
  },
  {
    name: "td_setup",
    formula:
      "signed count of consecutive bars with c > c[4] (positive) or c < c[4] (negative); 0 on equality; not capped",
    source: "DeMark (1994), setup count",
    warmup: 4,
    memory: RECURSIVE,
    unit: "bars, signed",
    series: tdSetup,
  },
];
