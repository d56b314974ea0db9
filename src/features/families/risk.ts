/** Loss, drawdown and risk-adjusted return. */

import { CUMULATIVE, type FeatureEntry, type Series, windowed, windowOf } from "../define.ts";
import { close, difference, lnClose, simpleReturn } from "../kernels/bar.ts";
import { deepestDrawdown, drawdown, drawdownDuration, worstDrawdown } from "../kernels/drawdown.ts";
import { max, min } from "../kernels/extreme.ts";
import { std } from "../kernels/moment.ts";
import { moments } from "../kernels/shape.ts";
import { mean } from "../kernels/sum.ts";
import { TAIL_Q05, TAIL_WORST_MEAN, TAILS, yearTails } from "../kernels/tail.ts";
import { barsPerYear } from "../kernels/volatility.ts";

function loss(name: string, which: number): Series {
  return windowed(name, [yearTails], {
    compute(out, { from, to }, tails) {
      for (let t = from; t < to; t++) out[t] = -tails[TAILS * t + which]!;
    },
  });
}

/** The 0.05 quantile of the standard normal distribution. */
const Z = -1.6448536269514722;

const cornishFisher = windowed("mvar", [moments(simpleReturn, 60)], {
  compute(out, { from, to }, m) {
    for (let t = from; t < to; t++) {
      const m2 = m[4 * t + 1]!;
      const s = Math.sqrt(m2);
      const skew = m[4 * t + 2]! / (m2 * s);
      const kurt = m[4 * t + 3]! / (m2 * m2) - 3;
      const w =
        Z + ((Z * Z - 1) * skew) / 6 + ((Z ** 3 - 3 * Z) * kurt) / 24 - ((2 * Z ** 3 - 5 * Z) * skew * skew) / 36;
      out[t] = -(m[4 * t]! + w * s);
    }
  },
});

const squaredFall = windowed("ulcer_term", [close, max(close, 14)], {
  compute(out, { from, to }, c, top) {
    for (let t = from; t < to; t++) {
      const fall = 100 * (c[t]! / top[t]! - 1);
      out[t] = fall * fall;
    }
  },
});

const ulcer = windowed("ulcer", [mean(squaredFall, 14)], {
  compute(out, { from, to }, squares) {
    for (let t = from; t < to; t++) out[t] = Math.sqrt(squares[t]!);
  },
});

/** √A·mean/risk. */
function perRisk(mean: Series, risk: Series): Series {
  return windowed("per_risk", [mean, risk], {
    compute(out, { from, to, setup }, mean, risk) {
      const scale = Math.sqrt(barsPerYear(setup));
      for (let t = from; t < to; t++) out[t] = (scale * mean[t]!) / risk[t]!;
    },
  });
}

const squaredLoss = windowed("squared_loss", [simpleReturn], {
  compute(out, { from, to }, R) {
    for (let t = from; t < to; t++) {
      const loss = (Math.abs(R[t]!) - R[t]!) / 2;
      out[t] = loss * loss;
    }
  },
});

const downside = windowed("downside", [mean(squaredLoss, 120)], {
  compute(out, { from, to }, squares) {
    for (let t = from; t < to; t++) out[t] = Math.sqrt(squares[t]!);
  },
});

const calmar = windowed("calmar", [difference(lnClose, 249), worstDrawdown(close, 250)], {
  compute(out, { from, to, setup }, growth, drawdown) {
    const scale = barsPerYear(setup) / 249;
    for (let t = from; t < to; t++) out[t] = (scale * growth[t]!) / Math.abs(drawdown[t]!);
  },
});

const underWater = windowed("under_water", [drawdown], {
  compute(out, { from, to }, drawdown) {
    for (let t = from; t < to; t++) out[t] = drawdown[t]! < 0 ? 1 : 0;
  },
});

export const risk: readonly FeatureEntry[] = [
  {
    name: "var_95_250",
    formula: "−q_250(R, 0.05): historical value at risk of one bar, a loss is positive",
    source: "pandas −R.rolling(250).quantile(0.05)",
    warmup: 250,
    memory: windowOf(251),
    unit: "return, a loss is positive",
    series: loss("var", TAIL_Q05),
  },
  {
    name: "cvar_95_250",
    formula: "−mean of the 13 smallest R of the last 250; 13 = ceil(0.05·250)",
    source: "Rockafellar & Uryasev (2000), historical",
    warmup: 250,
    memory: windowOf(251),
    unit: "return, a loss is positive",
    series: loss("cvar", TAIL_WORST_MEAN),
  },
  {
    name: "mvar_95_60",
    formula:
      "−(m + w·s); m, s, S, K = mean, population std, skewness, excess kurtosis of the last 60 R; z = −1.6448536269514722; w = z + (z² − 1)·S/6 + (z³ − 3z)·K/24 − (2z³ − 5z)·S²/36",
    source: "Cornish-Fisher value at risk, Favre & Galeano (2002)",
    warmup: 60,
    memory: windowOf(61),
    unit: "return, a loss is positive",
    series: cornishFisher,
  },
  {
    name: "drawdown",
    formula: "c/M − 1, M = highest close since index 0",
    source: "pandas c/c.cummax() − 1",
    warmup: 0,
    memory: CUMULATIVE,
    unit: "return, ≤ 0",
    series: drawdown,
  },
  {
    name: "max_drawdown",
    formula: "lowest drawdown since index 0",
    source: "pandas drawdown.cummin()",
    warmup: 0,
    memory: CUMULATIVE,
    unit: "return, ≤ 0",
    series: deepestDrawdown,
  },
  {
    name: "drawdown_duration",
    formula: "bars since the last bar with c = M (0 at a high)",
    source: "direct count on drawdown",
    warmup: 0,
    memory: CUMULATIVE,
    unit: "bars",
    series: drawdownDuration,
  },
  ...[60, 250].map(
    (n): FeatureEntry => ({
      name: `max_drawdown_${n}`,
      formula: `min over pairs i ≤ j of the last ${n} closes of c_j/c_i − 1`,
      source: "maximum drawdown of the window; Magdon-Ismail & Atiya (2004)",
      warmup: n - 1,
      memory: windowOf(n),
      unit: "return, ≤ 0",
      series: worstDrawdown(close, n),
    }),
  ),
  {
    name: "ulcer_index_14",
    formula: "√mean_14(u²), u = 100·(c/max_14(c) − 1)",
    source: "Martin & McCann (1989), moving form",
    warmup: 26,
    memory: windowOf(27),
    unit: "percent",
    series: ulcer,
  },
  {
    name: "sharpe_60",
    formula: "√A·mean_60(R)/std_60(R), riskless rate 0",
    source: "Sharpe (1994)",
    warmup: 60,
    memory: windowOf(61),
    unit: "per √year",
    series: perRisk(mean(simpleReturn, 60), std(simpleReturn, 60)),
  },
  {
    name: "sortino_120",
    formula: "√A·mean_120(R)/√mean_120(min(R, 0)²), target 0",
    source: "Sortino & van der Meer (1991)",
    warmup: 120,
    memory: windowOf(121),
    unit: "per √year",
    series: perRisk(mean(simpleReturn, 120), downside),
  },
  {
    name: "calmar_250",
    formula: "(A/249)·ln(c/c[249])/|max_drawdown_250|",
    source: "Young (1991), log growth rate",
    warmup: 249,
    memory: windowOf(250),
    unit: "per year",
    series: calmar,
  },
  {
    name: "time_under_water_250",
    formula: "share of the last 250 bars with drawdown < 0",
    source: "pandas (drawdown < 0).rolling(250).mean()",
    warmup: 249,
    memory: CUMULATIVE,
    unit: "0..1",
    series: mean(underWater, 250),
  },
  {
    name: "worst_5bar_return_60",
    formula: "min_60(ln(c/c[5]))",
    source: "pandas ln c .diff(5).rolling(60).min()",
    warmup: 64,
    memory: windowOf(65),
    unit: "log return",
    series: min(difference(lnClose, 5), 60),
  },
];
