/** Ranges, bands and volatility estimators. */

import { type FeatureEntry, RECURSIVE, type Series, windowed, windowOf } from "../define.ts";
import { ema, exponential, wilder } from "../kernels/average.ts";
import { abs, close, gapReturn, lag, logReturn, product, quotient, range, square, trueRange } from "../kernels/bar.ts";
import { correlation } from "../kernels/correlation.ts";
import { deviations, meanAndPstd, std } from "../kernels/moment.ts";
import { rankByCounting } from "../kernels/rank.ts";
import { mean, sum } from "../kernels/sum.ts";
import {
  annualDeviation,
  annualRoot,
  garmanKlassTerm,
  logBody,
  rogersSatchellTerm,
  squaredLogRange,
} from "../kernels/volatility.ts";

const atr = wilder(trueRange, 14);

const natr = windowed("natr", [atr, close], {
  compute(out, { from, to }, atr, c) {
    for (let t = from; t < to; t++) out[t] = (100 * atr[t]!) / c[t]!;
  },
});

/** Two a bar: mean_20(c) and pstd_20(c). */
const middleAndWidth = meanAndPstd(close, 20);

function band(sides: number): Series {
  return windowed(`band${sides}`, [middleAndWidth], {
    compute(out, { from, to }, m) {
      for (let t = from; t < to; t++) out[t] = m[2 * t]! + sides * m[2 * t + 1]!;
    },
  });
}

const bandwidth = windowed("bandwidth", [middleAndWidth], {
  compute(out, { from, to }, m) {
    for (let t = from; t < to; t++) out[t] = (4 * m[2 * t + 1]!) / m[2 * t]!;
  },
});

const percentB = windowed("percent_b", [close, middleAndWidth], {
  compute(out, { from, to }, c, m) {
    for (let t = from; t < to; t++) out[t] = (c[t]! - m[2 * t]! + 2 * m[2 * t + 1]!) / (4 * m[2 * t + 1]!);
  },
});

const YZ = 0.34 / (1.34 + 21 / 19);
const yangZhang = windowed(
  "yang_zhang",
  [deviations(gapReturn, 20), deviations(logBody, 20), mean(rogersSatchellTerm, 20)],
  {
    compute(out, { from, to }, gap, body, inside) {
      for (let t = from; t < to; t++) out[t] = gap[t]! / 19 + (YZ * body[t]!) / 19 + (1 - YZ) * inside[t]!;
    },
  },
);

const absReturn = abs(logReturn);
const squaredReturn = square(logReturn);

const jumpRatio = windowed("jump", [sum(product(absReturn, lag(absReturn, 1)), 59), sum(squaredReturn, 60)], {
  compute(out, { from, to }, neighbours, realized) {
    const scale = (Math.PI / 2) * (60 / 59);
    for (let t = from; t < to; t++) {
      const share = 1 - (scale * neighbours[t]!) / realized[t]!;
      out[t] = Math.max(share, 0);
    }
  },
});

const squaredLoss = windowed("squared_loss", [logReturn], {
  compute(out, { from, to }, r) {
    for (let t = from; t < to; t++) {
      const loss = (Math.abs(r[t]!) - r[t]!) / 2;
      out[t] = loss * loss;
    }
  },
});

const shortVol = std(logReturn, 10);

const parkinsonToClose = windowed("park_cc", [mean(squaredLogRange, 20), std(logReturn, 20)], {
  compute(out, { from, to }, range, std) {
    for (let t = from; t < to; t++) out[t] = Math.sqrt(range[t]! / (4 * Math.LN2)) / std[t]!;
  },
});

const rangeAverage = ema(range, 10);
const chaikin = windowed("chaikin_vol", [rangeAverage], {
  delay: 10,
  compute(out, { from, to }, e) {
    for (let t = from; t < to; t++) out[t] = 100 * (e[t]! / e[t - 10]! - 1);
  },
});

const historical = (n: number): FeatureEntry => ({
  name: `hist_vol_${n}`,
  formula: `√A·std_${n}(r)`,
  source: `pandas r.rolling(${n}).std()*sqrt(A)`,
  warmup: n,
  memory: windowOf(n + 1),
  unit: "log return per √year",
  series: annualDeviation(std(logReturn, n)),
});

export const volatility: readonly FeatureEntry[] = [
  {
    name: "atr_14",
    formula: "WS_14(TR), seed = mean of TR at 1..14",
    source: "TA-Lib ATR(14)",
    warmup: 14,
    memory: RECURSIVE,
    unit: "price",
    series: atr,
  },
  {
    name: "natr_14",
    formula: "100·atr_14/c",
    source: "TA-Lib NATR(14)",
    warmup: 14,
    memory: RECURSIVE,
    unit: "percent of the price",
    series: natr,
  },
  {
    name: "bb_20_2_upper",
    formula: "mean_20(c) + 2·pstd_20(c)",
    source: "TA-Lib BBANDS(20,2,2,SMA) upper",
    warmup: 19,
    memory: windowOf(20),
    unit: "price",
    series: band(2),
  },
  {
    name: "bb_20_2_lower",
    formula: "mean_20(c) − 2·pstd_20(c)",
    source: "TA-Lib BBANDS(20,2,2,SMA) lower",
    warmup: 19,
    memory: windowOf(20),
    unit: "price",
    series: band(-2),
  },
  {
    name: "bb_20_2_bandwidth",
    formula: "4·pstd_20(c)/mean_20(c)",
    source: "(upper − lower)/middle of TA-Lib BBANDS(20,2,2,SMA)",
    warmup: 19,
    memory: windowOf(20),
    unit: "ratio",
    series: bandwidth,
  },
  {
    name: "bb_20_2_pctb",
    formula: "(c − lower)/(upper − lower)",
    source: "TA-Lib BBANDS(20,2,2,SMA); Bollinger (2001)",
    warmup: 19,
    memory: windowOf(20),
    unit: "0 at the lower band, 1 at the upper",
    series: percentB,
  },
  historical(10),
  historical(20),
  historical(60),
  {
    name: "ewma_vol_94",
    formula: "√(A·s); s = 0.94·s[1] + 0.06·r²; seed = mean of r² at 1..20, placed at 20",
    source: "RiskMetrics (1996), λ = 0.94",
    warmup: 20,
    memory: RECURSIVE,
    unit: "log return per √year",
    series: annualRoot(exponential(squaredReturn, 20, 0.06)),
  },
  {
    name: "parkinson_vol_20",
    formula: "√(A·mean_20(ln(h/l)²)/(4·ln 2))",
    source: "Parkinson (1980)",
    warmup: 19,
    memory: windowOf(20),
    unit: "log return per √year",
    series: annualRoot(mean(squaredLogRange, 20), 1 / (4 * Math.LN2)),
  },
  {
    name: "garman_klass_vol_20",
    formula: "√(A·mean_20(½·ln(h/l)² − (2·ln 2 − 1)·ln(c/o)²))",
    source: "Garman & Klass (1980)",
    warmup: 19,
    memory: windowOf(20),
    unit: "log return per √year",
    series: annualRoot(mean(garmanKlassTerm, 20)),
  },
  {
    name: "rogers_satchell_vol_20",
    formula: "√(A·mean_20(q)); q = u·(u − b) + d·(d − b), u = ln(h/o), d = ln(l/o), b = ln(c/o)",
    source: "Rogers & Satchell (1991)",
    warmup: 19,
    memory: windowOf(20),
    unit: "log return per √year",
    series: annualRoot(mean(rogersSatchellTerm, 20)),
  },
  {
    name: "yang_zhang_vol_20",
    formula:
      "√(A·(var_20(g) + k·var_20(b) + (1 − k)·mean_20(q))); b, q as in rogers_satchell_vol_20, g = ln(o/c[1]), k = 0.34/(1.34 + 21/19)",
    source: "Yang & Zhang (2000)",
    warmup: 20,
    memory: windowOf(21),
    unit: "log return per √year",
    series: annualRoot(yangZhang),
  },
  {
    name: "jump_ratio_60",
    formula:
      "max(0, 1 − BV/RV); RV = sum_60(r²); BV = (π/2)·(60/59)·Σ |r_i|·|r_{i−1}| over the 59 adjacent pairs of the window",
    source: "Barndorff-Nielsen & Shephard (2004)",
    warmup: 60,
    memory: windowOf(61),
    unit: "0..1",
    series: jumpRatio,
  },
  {
    name: "downside_var_share_60",
    formula: "sum_60(min(r, 0)²)/sum_60(r²)",
    source: "Barndorff-Nielsen, Kinnebrock & Shephard (2010)",
    warmup: 60,
    memory: windowOf(61),
    unit: "0..1",
    series: quotient(sum(squaredLoss, 60), sum(squaredReturn, 60)),
  },
  {
    name: "vol_of_vol_10_20",
    formula: "std_20(s)/mean_20(s), s = std_10(r)",
    source: "pandas s.rolling(20).std()/s.rolling(20).mean()",
    warmup: 29,
    memory: windowOf(30),
    unit: "ratio",
    series: quotient(std(shortVol, 20), mean(shortVol, 20)),
  },
  {
    name: "vol_ratio_10_60",
    formula: "std_10(r)/std_60(r)",
    source: "pandas r.rolling(10).std()/r.rolling(60).std()",
    warmup: 60,
    memory: windowOf(61),
    unit: "ratio",
    series: quotient(shortVol, std(logReturn, 60)),
  },
  {
    name: "park_cc_ratio_20",
    formula: "parkinson_vol_20/hist_vol_20",
    source: "Parkinson (1980) over close-to-close",
    warmup: 20,
    memory: windowOf(21),
    unit: "ratio",
    series: parkinsonToClose,
  },
  {
    name: "chaikin_vol_10_10",
    formula: "100·(E/E[10] − 1), E = EMA_10(h − l)",
    source: "TA-Lib EMA(10) then ROC(10)",
    warmup: 19,
    memory: RECURSIVE,
    unit: "percent",
    series: chaikin,
  },
  {
    name: "range_rank_20",
    formula: "rank_20((h − l)/c)",
    source: "pandas .rolling(20).rank(pct=True)",
    warmup: 19,
    memory: windowOf(20),
    unit: "0..1",
    series: rankByCounting(quotient(range, close), 20),
  },
  {
    name: "leverage_corr_60",
    formula: "corr_60(r[1], |r|)",
    source: "Black (1976); Bouchaud, Matacz & Potters (2001)",
    warmup: 61,
    memory: windowOf(62),
    unit: "−1..1",
    series: correlation(lag(logReturn, 1), absReturn, 60),
  },
];
