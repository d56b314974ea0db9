/** Oscillators and momentum. */

import { type FeatureEntry, RECURSIVE, windowed, windowOf } from "../define.ts";
import { rsi } from "../kernels/average.ts";
import { abs, changeSign, close, lnClose, open, quotient, range, simpleReturn, trueRange } from "../kernels/bar.ts";
import { trueStrength } from "../kernels/nested-ema.ts";
import {
  buyingPressure,
  cci,
  percentMean3,
  stochastic,
  stochasticOf,
  streak,
  symmetricAverage,
  williamsR,
} from "../kernels/oscillator.ts";
import { percentRank } from "../kernels/rank.ts";
import { sum } from "../kernels/sum.ts";

const slowK = percentMean3(stochastic(14));
const rsi14 = rsi(close, 14);

const pressure = sum(buyingPressure, 7);
const trueRanges = sum(trueRange, 7);

/** The sums over 14 and 28 bars are composed of those over 7. */
const ultimate = windowed("ultosc", [pressure, trueRanges], {
  delay: 21,
  compute(out, { from, to }, bp, tr) {
    for (let t = from; t < to; t++) {
      const bp14 = bp[t]! + bp[t - 7]!;
      const tr14 = tr[t]! + tr[t - 7]!;
      const bp28 = bp14 + (bp[t - 14]! + bp[t - 21]!);
      const tr28 = tr14 + (tr[t - 14]! + tr[t - 21]!);
      out[t] = (100 * (4 * (bp[t]! / tr[t]!) + 2 * (bp14 / tr14) + bp28 / tr28)) / 7;
    }
  },
});

const connorsRsi = windowed("crsi", [rsi(close, 3), rsi(streak, 2), percentRank(simpleReturn, 100)], {
  compute(out, { from, to }, price, run, rank) {
    for (let t = from; t < to; t++) out[t] = (price[t]! + run[t]! + rank[t]!) / 3;
  },
});

const body = windowed("body", [close, open], {
  compute(out, { from, to }, c, o) {
    for (let t = from; t < to; t++) out[t] = c[t]! - o[t]!;
  },
});

const rise = windowed("rise", [close, open], {
  compute(out, { from, to }, c, o) {
    for (let t = from; t < to; t++) out[t] = (Math.abs(c[t]! - o[t]!) + (c[t]! - o[t]!)) / 2;
  },
});

const intradayMomentum = windowed("imi", [sum(rise, 14), sum(abs(body), 14)], {
  compute(out, { from, to }, up, all) {
    for (let t = from; t < to; t++) out[t] = 100 * (up[t]! / all[t]!);
  },
});

const rocAcceleration = windowed("roc_accel", [lnClose], {
  delay: 20,
  compute(out, { from, to }, x) {
    for (let t = from; t < to; t++) out[t] = x[t]! - x[t - 10]! - (x[t - 10]! - x[t - 20]!);
  },
});

const momentum12Minus1 = windowed("mom_252_21", [lnClose], {
  delay: 252,
  compute(out, { from, to }, x) {
    for (let t = from; t < to; t++) out[t] = x[t - 21]! - x[t - 252]!;
  },
});

const informationDiscreteness = windowed("info_discreteness", [close, sum(changeSign, 60)], {
  delay: 0,
  reach: [60, 0],
  compute(out, { from, to }, c, risesLessFalls) {
    for (let t = from; t < to; t++) {
      const net = c[t]! - c[t - 60]!;
      out[t] = ((net > 0 ? -1 : net < 0 ? 1 : 0) * risesLessFalls[t]!) / 60;
    }
  },
});

export const momentum: readonly FeatureEntry[] = [
  {
    name: "rsi_2",
    formula: "100·G/(G + L); G = WS_2(max(Δc, 0)), L = WS_2(max(−Δc, 0))",
    source: "TA-Lib RSI(2)",
    warmup: 2,
    memory: RECURSIVE,
    unit: "0..100",
    series: rsi(close, 2),
  },
  {
    name: "rsi_14",
    formula: "100·G/(G + L); G = WS_14(max(Δc, 0)), L = WS_14(max(−Δc, 0))",
    source: "TA-Lib RSI(14)",
    warmup: 14,
    memory: RECURSIVE,
    unit: "0..100",
    series: rsi14,
  },
  {
    name: "stoch_14_3_3_k",
    formula: "mean_3(K); K = 100·(c − min_14(l))/(max_14(h) − min_14(l)); published from 17 together with %D",
    source: "TA-Lib STOCH(14,3,SMA,3,SMA) slowk",
    warmup: 17,
    memory: windowOf(18),
    unit: "0..100",
    series: slowK,
  },
  {
    name: "stoch_14_3_3_d",
    formula: "mean_3 of slow %K",
    source: "TA-Lib STOCH(14,3,SMA,3,SMA) slowd",
    warmup: 17,
    memory: windowOf(18),
    unit: "0..100",
    series: percentMean3(slowK),
  },
  {
    name: "stochrsi_14_14_3_d",
    formula:
      "mean_3(100·(x − min_14(x))/(max_14(x) − min_14(x))), x = rsi_14; NaN where that range ≤ 1e-12·max_14(x), which is rounding",
    source: "TA-Lib STOCHRSI(14,14,3,SMA) fastd",
    warmup: 29,
    memory: RECURSIVE,
    unit: "0..100",
    series: percentMean3(stochasticOf(rsi14, 14)),
  },
  {
    name: "willr_14",
    formula: "−100·(max_14(h) − c)/(max_14(h) − min_14(l))",
    source: "TA-Lib WILLR(14)",
    warmup: 13,
    memory: windowOf(14),
    unit: "−100..0",
    series: williamsR(14),
  },
  {
    name: "cci_14",
    formula:
      "(tp − m)/(0.015·D); m = mean_14(tp), D = mean of |tp − m| over the window; NaN where D ≤ 1e-12·m, which is rounding",
    source: "TA-Lib CCI(14)",
    warmup: 13,
    memory: windowOf(14),
    unit: "index, mostly −200..200",
    series: cci(14),
  },
  {
    name: "ultosc_7_14_28",
    formula: "100·(4·A7 + 2·A14 + A28)/7; An = sum_n(c − min(l, c[1]))/sum_n(TR)",
    source: "TA-Lib ULTOSC(7,14,28)",
    warmup: 28,
    memory: windowOf(29),
    unit: "0..100",
    series: ultimate,
  },
  {
    name: "tsi_25_13",
    formula: "100·EMA_13(EMA_25(Δc))/EMA_13(EMA_25(|Δc|))",
    source: "Blau (1991)",
    warmup: 37,
    memory: RECURSIVE,
    unit: "−100..100",
    series: trueStrength(close, 25, 13),
  },
  {
    name: "crsi_3_2_100",
    formula: "(RSI_3(c) + RSI_2(streak) + PR)/3; PR = percentage of the previous 100 values of R that are < R",
    source: "Connors (2012)",
    warmup: 101,
    memory: RECURSIVE,
    unit: "0..100",
    series: connorsRsi,
  },
  {
    name: "rvgi_10",
    formula: "sum_10(F(c − o))/sum_10(F(h − l)); F(x) = (x + 2·x[1] + 2·x[2] + x[3])/6",
    source: "Ehlers (2002), relative vigor index",
    warmup: 12,
    memory: windowOf(13),
    unit: "−1..1",
    series: quotient(sum(symmetricAverage(body), 10), sum(symmetricAverage(range), 10)),
  },
  {
    name: "imi_14",
    formula: "100·sum_14(max(c − o, 0))/sum_14(|c − o|)",
    source: "TA-Lib IMI(14)",
    warmup: 13,
    memory: windowOf(14),
    unit: "0..100",
    series: intradayMomentum,
  },
  {
    name: "roc_accel_10",
    formula: "ln(c/c[10]) − ln(c[10]/c[20])",
    source: "pandas x.diff(10) − x.diff(10).shift(10), x = ln c",
    warmup: 20,
    memory: windowOf(21),
    unit: "log return",
    series: rocAcceleration,
  },
  {
    name: "mom_252_21",
    formula: "ln(c[21]/c[252])",
    source: "Jegadeesh & Titman (1993), 12-minus-1 in bars",
    warmup: 252,
    memory: windowOf(253),
    unit: "log return",
    series: momentum12Minus1,
  },
  {
    name: "info_discreteness_60",
    formula: "sign(ln(c/c[60]))·(N − U)/60; N, U = bars with R < 0, R > 0 in the last 60",
    source: "Da, Gurun & Warachka (2014)",
    warmup: 60,
    memory: windowOf(61),
    unit: "−1..1",
    series: informationDiscreteness,
  },
];
