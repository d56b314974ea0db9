/** Price averages. All in price units. */

import { type FeatureEntry, RECURSIVE, windowed, windowOf } from "../define.ts";
import { ema, kama10 } from "../kernels/average.ts";
import { close, volume } from "../kernels/bar.ts";
import { dema, tema } from "../kernels/nested-ema.ts";
import { mean, weightedMean, wma } from "../kernels/sum.ts";

const hullInput = windowed("hull20", [wma(close, 10), wma(close, 20)], {
  compute(out, { from, to }, fast, slow) {
    for (let t = from; t < to; t++) out[t] = 2 * fast[t]! - slow[t]!;
  },
});

const sma = (n: number): FeatureEntry => ({
  name: `sma_${n}`,
  formula: `mean_${n}(c)`,
  source: `TA-Lib SMA(${n})`,
  warmup: n - 1,
  memory: windowOf(n),
  unit: "price",
  series: mean(close, n),
});

export const movingAverage: readonly FeatureEntry[] = [
  sma(5),
  sma(20),
  sma(50),
  sma(200),
  {
    name: "ema_12",
    formula: "EMA_12(c)",
    source: "TA-Lib EMA(12)",
    warmup: 11,
    memory: RECURSIVE,
    unit: "price",
    series: ema(close, 12),
  },
  {
    name: "ema_26",
    formula: "EMA_26(c)",
    source: "TA-Lib EMA(26)",
    warmup: 25,
    memory: RECURSIVE,
    unit: "price",
    series: ema(close, 26),
  },
  {
    name: "dema_20",
    formula: "2·E1 − E2; E1 = EMA_20(c), E2 = EMA_20(E1)",
    source: "TA-Lib DEMA(20)",
    warmup: 38,
    memory: RECURSIVE,
    unit: "price",
    series: dema(close, 20),
  },
  {
    name: "tema_20",
    formula: "3·E1 − 3·E2 + E3; E1, E2 as in dema_20, E3 = EMA_20(E2)",
    source: "TA-Lib TEMA(20)",
    warmup: 57,
    memory: RECURSIVE,
    unit: "price",
    series: tema(close, 20),
  },
  {
    name: "kama_10",
    formula:
      "k = k[1] + s²·(c − k[1]); s = ER·(2/3 − 2/31) + 2/31; ER = |c − c[10]|/sum_10(|Δc|), 1 on a flat path; k starts as c at index 9",
    source: "TA-Lib KAMA(10)",
    warmup: 10,
    memory: RECURSIVE,
    unit: "price",
    series: kama10,
  },
  {
    name: "hma_20",
    formula: "WMA_4(2·WMA_10(c) − WMA_20(c))",
    source: "Hull (2005); TA-Lib WMA composed",
    warmup: 22,
    memory: windowOf(23),
    unit: "price",
    series: wma(hullInput, 4),
  },
  {
    name: "vwma_20",
    formula: "sum_20(c·v)/sum_20(v)",
    source: "pandas (c*v).rolling(20).sum()/v.rolling(20).sum()",
    warmup: 19,
    memory: windowOf(20),
    unit: "price",
    series: weightedMean(close, volume, 20),
  },
];
