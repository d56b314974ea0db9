/** Operators of qlib's Alpha158 that no other family covers. */

import { type FeatureEntry, type Series, windowed, windowOf } from "../define.ts";
import {
  abs,
  changeSign,
  close,
  difference,
  high,
  lnVolume,
  low,
  product,
  quotient,
  simpleReturn,
  volume,
} from "../kernels/bar.ts";
import { correlation, definedCorrelation } from "../kernels/correlation.ts";
import { barsSinceMax, barsSinceMin, max, min } from "../kernels/extreme.ts";
import { std } from "../kernels/moment.ts";
import { quantilesAndRank } from "../kernels/quantile.ts";
import { rSquared, slope } from "../kernels/regression.ts";
import { mean, sum } from "../kernels/sum.ts";

const residual = windowed("residual", [close, mean(close, 20), slope(close, 20)], {
  compute(out, { from, to }, c, mean, slope) {
    for (let t = from; t < to; t++) out[t] = (c[t]! - mean[t]! - 9.5 * slope[t]!) / c[t]!;
  },
});

/** Three a bar: the quantiles 0.2 and 0.8, and the rank of the close. */
const closeOrder = quantilesAndRank(close, 60, [0.2, 0.8]);

const closeRank = windowed("close_rank", [closeOrder], {
  compute(out, { from, to }, order) {
    for (let t = from; t < to; t++) out[t] = order[3 * t + 2]!;
  },
});

function quantileShare(which: 0 | 1): Series {
  return windowed(`close_quantile${which}`, [closeOrder, close], {
    compute(out, { from, to }, q, c) {
      for (let t = from; t < to; t++) out[t] = q[3 * t + which]! / c[t]!;
    },
  });
}

/** Position of the extreme in a window of 60, 1/60 for the oldest bar to 1 for the current one. */
function position(barsSince: Series): Series {
  return windowed("position60", [barsSince], {
    compute(out, { from, to }, since) {
      for (let t = from; t < to; t++) out[t] = (60 - since[t]!) / 60;
    },
  });
}

/** ln(1 + v/v[1]), undefined after a bar without volume. */
const volumeGrowth = windowed("ln_volume_growth", [volume], {
  delay: 1,
  compute(out, { from, to }, v) {
    for (let t = from; t < to; t++) out[t] = v[t - 1]! > 0 ? Math.log1p(v[t]! / v[t - 1]!) : Number.NaN;
  },
});

const weightedMove = product(abs(simpleReturn), volume);

const volumeTrend = windowed("vsumd", [volume, sum(abs(difference(volume)), 20)], {
  reach: [20, 0],
  compute(out, { from, to }, v, path) {
    for (let t = from; t < to; t++) out[t] = (v[t]! - v[t - 20]!) / path[t]!;
  },
});

/** A measure over the last n bars, as qlib names it. */
function rolling(
  name: string,
  n: number,
  formula: string,
  source: string,
  unit: string,
  series: Series,
  bars = n,
): FeatureEntry {
  return { name: `rolling_${name}_${n}`, formula, source, warmup: bars - 1, memory: windowOf(bars), unit, series };
}

const cord = (n: number) =>
  rolling(
    "cord",
    n,
    `corr_${n}(c/c[1], ln(1 + v/v[1])) over the pairs with v[1] > 0; NaN below ${n / 2} pairs`,
    `qlib CORD${n}`,
    "−1..1",
    definedCorrelation(simpleReturn, volumeGrowth, n),
    n + 1,
  );

const corr = (n: number) =>
  rolling(
    "corr",
    n,
    `corr_${n}(c, ln(1 + v))`,
    `qlib CORR${n}; TA-Lib CORREL(${n})`,
    "−1..1",
    correlation(close, lnVolume, n),
  );

const wvma = (n: number) =>
  rolling(
    "wvma",
    n,
    `std_${n}(x)/mean_${n}(x), x = |R|·v`,
    `qlib WVMA${n}`,
    "ratio",
    quotient(std(weightedMove, n), mean(weightedMove, n)),
    n + 1,
  );

export const rollingFamily: readonly FeatureEntry[] = [
  rolling(
    "beta",
    20,
    "slope_20(c)/c",
    "qlib BETA20; TA-Lib LINEARREG_SLOPE(20)/c",
    "share of the price per bar",
    quotient(slope(close, 20), close),
  ),
  rolling("rsqr", 20, "R² of the least-squares line of c on 1..20", "qlib RSQR20", "0..1", rSquared(close, 20)),
  rolling(
    "resi",
    20,
    "(c − fitted value at the last bar)/c, least-squares line of c on 1..20",
    "qlib RESI20; (c − TA-Lib LINEARREG(20))/c",
    "share of the price",
    residual,
  ),
  rolling("std", 60, "std_60(c)/c", "qlib STD60", "share of the price", quotient(std(close, 60), close)),
  rolling("max", 20, "max_20(h)/c", "qlib MAX20", "ratio, ≥ 1", quotient(max(high, 20), close)),
  rolling("min", 20, "min_20(l)/c", "qlib MIN20", "ratio, ≤ 1", quotient(min(low, 20), close)),
  rolling("qtlu", 60, "q_60(c, 0.8)/c", "qlib QTLU60", "ratio", quantileShare(1)),
  rolling("qtld", 60, "q_60(c, 0.2)/c", "qlib QTLD60", "ratio", quantileShare(0)),
  rolling("rank", 60, "rank_60(c), ties averaged", "qlib RANK60", "0..1", closeRank),
  rolling(
    "imax",
    60,
    "p/60; p = position (1 = oldest, 60 = current) of max_60(h), oldest wins ties",
    "qlib IMAX60",
    "0..1",
    position(barsSinceMax(high, 60, "oldest")),
  ),
  rolling(
    "imin",
    60,
    "p/60; p = position (1 = oldest, 60 = current) of min_60(l), oldest wins ties",
    "qlib IMIN60",
    "0..1",
    position(barsSinceMin(low, 60, "oldest")),
  ),
  corr(20),
  corr(60),
  cord(20),
  cord(60),
  rolling("cntd", 60, "mean_60(sign(Δc))", "qlib CNTD60", "−1..1", mean(changeSign, 60), 61),
  wvma(20),
  wvma(60),
  rolling("vsumd", 20, "sum_20(Δv)/sum_20(|Δv|)", "qlib VSUMD20", "−1..1", volumeTrend, 21),
];
