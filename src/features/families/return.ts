/** Returns and their runs. */

import { CUMULATIVE, type FeatureEntry, RECURSIVE, recursive, type Series, windowed, windowOf } from "../define.ts";
import { changeSign, close, difference, gapReturn, lnClose, logReturn, simpleReturn } from "../kernels/bar.ts";
import { max, min } from "../kernels/extreme.ts";
import { streak } from "../kernels/oscillator.ts";
import { longestRun } from "../kernels/streak.ts";
import { sum } from "../kernels/sum.ts";

/** c/c₀ − 1. State: c₀. */
const cumulative = recursive("cumulative_return", [close], {
  state: 1,
  compute(out, { from, to, first, state }, c) {
    const start = from === first && to > from ? c[from]! : state[0]!;
    for (let t = from; t < to; t++) out[t] = c[t]! / start - 1;
    state[0] = start;
  },
});

function sided(sign: 1 | -1): { total: Series; count: Series } {
  const part = windowed(`return_part${sign}`, [simpleReturn], {
    compute(out, { from, to }, R) {
      // |R| ± R is exactly 0 or twice the part: no branch.
      for (let t = from; t < to; t++) out[t] = (Math.abs(R[t]!) + sign * R[t]!) / 2;
    },
  });
  const flag = windowed(`return_flag${sign}`, [simpleReturn], {
    compute(out, { from, to }, R) {
      for (let t = from; t < to; t++) out[t] = +(sign * R[t]! > 0);
    },
  });
  return { total: sum(part, 60), count: sum(flag, 60) };
}

const wins = sided(1);
const losses = sided(-1);
const payoff = windowed("payoff", [wins.total, wins.count, losses.total, losses.count], {
  compute(out, { from, to }, won, wins, lost, losses) {
    for (let t = from; t < to; t++) out[t] = won[t]! / wins[t]! / (lost[t]! / losses[t]!);
  },
});

const logReturnOver = (n: number): FeatureEntry => ({
  name: `log_return_${n}`,
  formula: `ln(c/c[${n}])`,
  source: `pandas ln c .diff(${n}); −ln of qlib ROC${n}`,
  warmup: n,
  memory: windowOf(n + 1),
  unit: "log return",
  series: difference(lnClose, n),
});

export const returns: readonly FeatureEntry[] = [
  {
    name: "log_return_1",
    formula: "r = ln(c/c[1])",
    source: "pandas ln c .diff(1)",
    warmup: 1,
    memory: windowOf(2),
    unit: "log return",
    series: logReturn,
  },
  logReturnOver(5),
  logReturnOver(20),
  logReturnOver(60),
  {
    name: "cumulative_return",
    formula: "c/c₀ − 1, c₀ = first close of the series",
    source: "pandas c/c.iloc[0] − 1",
    warmup: 0,
    memory: CUMULATIVE,
    unit: "return",
    series: cumulative,
  },
  {
    name: "gap_return_sum_20",
    formula: "sum_20(ln(o/c[1])): the part of log_return_20 made between bars",
    source: "pandas ln(o/c.shift(1)).rolling(20).sum()",
    warmup: 20,
    memory: windowOf(21),
    unit: "log return",
    series: sum(gapReturn, 20),
  },
  {
    name: "max_return_20",
    formula: "max_20(R)",
    source: "Bali, Cakici & Whitelaw (2011), MAX",
    warmup: 20,
    memory: windowOf(21),
    unit: "return",
    series: max(simpleReturn, 20),
  },
  {
    name: "min_return_20",
    formula: "min_20(R)",
    source: "Bali, Cakici & Whitelaw (2011), MIN",
    warmup: 20,
    memory: windowOf(21),
    unit: "return",
    series: min(simpleReturn, 20),
  },
  {
    name: "payoff_ratio_60",
    formula: "mean of the R > 0 over |mean of the R < 0|, last 60 bars; NaN if either set is empty",
    source: "average win over average loss",
    warmup: 60,
    memory: windowOf(61),
    unit: "ratio",
    series: payoff,
  },
  {
    name: "streak",
    formula: "signed run of closes: s[1] + 1 (or 1) on Δc > 0, s[1] − 1 (or −1) on Δc < 0, 0 on Δc = 0",
    source: "the streak of Connors (2012)",
    warmup: 1,
    memory: RECURSIVE,
    unit: "bars, signed",
    series: streak,
  },
  {
    name: "max_win_streak_60",
    formula: "longest run of Δc > 0 inside the last 60 bars, runs clipped at the window's edge",
    source: "run-length count on sign(Δc)",
    warmup: 60,
    memory: windowOf(61),
    unit: "bars",
    series: longestRun(changeSign, 60, 1),
  },
  {
    name: "max_loss_streak_60",
    formula: "longest run of Δc < 0 inside the last 60 bars, runs clipped at the window's edge",
    source: "run-length count on sign(Δc)",
    warmup: 60,
    memory: windowOf(61),
    unit: "bars",
    series: longestRun(changeSign, 60, -1),
  },
];
