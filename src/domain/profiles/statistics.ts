/** Statistics of a price series from its closes: returns, risk, and their shape. Pure. */

import type { MissingCloses } from "./missing-closes.ts";

/** Closes at equal intervals, some of which may be missing; `ts` are epoch seconds, ascending. */
export interface Closes {
  readonly ts: ArrayLike<number>;
  /** Above 0. */
  readonly close: ArrayLike<number>;
}

/** The fewest returns for a deviation, and for the shape of their distribution. */
export const LEAST_RETURNS = 20;
export const LEAST_FOR_SHAPE = 60;

/** A return, and the close at its end (epoch seconds). */
interface Extreme {
  readonly ts: number;
  readonly value: number;
}

interface Drawdown {
  /** At most 0. */
  readonly value: number;
  /** Epoch seconds of the peak, of the trough, and of the first close at or above the peak; `null` until there is one. */
  readonly peak: number;
  readonly trough: number;
  readonly recovered: number | null;
}

/** `null` where there are not enough closes. */
export interface SeriesStatistics {
  readonly closes: number;
  /** Returns over missing closes: they are of more than one interval, and left out. */
  readonly leftOut: number;
  /** From the first close to the last, those over missing closes too. */
  readonly intervals: number;
  readonly first: number;
  readonly last: number;
  /** last close ÷ first close − 1. */
  readonly totalReturn: number | null;
  /** (1 + total return)^(A/n) − 1 of n intervals; of less than a year none, because that would be a forecast. */
  readonly annualReturn: number | null;
  /** Sample standard deviation of the log returns × √A. */
  readonly volatility: number | null;
  /** Mean of the simple returns ÷ their sample standard deviation × √A, without an interest rate (Sharpe 1994). */
  readonly sharpe: number | null;
  readonly drawdown: Drawdown | null;
  /** Of the simple returns: m3 ÷ m2^1.5, and m4 ÷ m2² − 3, with moments that divide by n. */
  readonly skewness: number | null;
  readonly excessKurtosis: number | null;
  readonly best: Extreme | null;
  readonly worst: Extreme | null;
  /** Share of the returns that are above 0. */
  readonly hitRate: number | null;
  readonly meanReturn: number | null;
}

/**
 * @param perYear A: closes of a year, by which deviations and returns are scaled
 * @param missing how many closes are missing between two that follow each other; none if it is not given
 */
export function statisticsOf(closes: Closes, perYear: number, missing: MissingCloses = () => 0): SeriesStatistics {
  const { ts, close } = closes;
  const length = close.length;
  const all = new Float64Array(Math.max(0, length - 1));
  /** The positions of the closes at the ends of returns. */
  const ends = new Int32Array(all.length);
  let [count, intervals] = [0, 0];
  for (let at = 1; at < length; at++) {
    const absent = missing(ts[at - 1]!, ts[at]!);
    intervals += absent + 1;
    if (absent > 0) continue;
    all[count] = close[at]! / close[at - 1]! - 1;
    ends[count] = at;
    count += 1;
  }
  const growth = length > 1 ? close[length - 1]! / close[0]! : null;
  return {
    closes: length,
    leftOut: all.length - count,
    intervals,
    first: ts[0] ?? Number.NaN,
    last: ts[length - 1] ?? Number.NaN,
    totalReturn: growth === null ? null : growth - 1,
    annualReturn: growth !== null && intervals >= Math.floor(perYear) ? growth ** (perYear / intervals) - 1 : null,
    drawdown: length > 1 ? drawdownOf(closes) : null,
    ...returnsOf(all.subarray(0, count), (at) => ts[ends[at]!]!, perYear),
  };
}

type ReturnStatistics = Omit<
  SeriesStatistics,
  "closes" | "leftOut" | "intervals" | "first" | "last" | "totalReturn" | "annualReturn" | "drawdown"
>;

/** @param endOf the time of the close at the end of a return */
function returnsOf(returns: Float64Array, endOf: (at: number) => number, perYear: number): ReturnStatistics {
  const count = returns.length;
  if (count === 0) {
    const shape = { skewness: null, excessKurtosis: null, best: null, worst: null };
    return { volatility: null, sharpe: null, ...shape, hitRate: null, meanReturn: null };
  }
  const mean = returns.reduce((sum, value) => sum + value, 0) / count;
  let [best, worst, hits] = [0, 0, 0];
  for (let at = 0; at < count; at++) {
    if (returns[at]! > returns[best]!) best = at;
    if (returns[at]! < returns[worst]!) worst = at;
    if (returns[at]! > 0) hits += 1;
  }
  const isEnough = count >= LEAST_RETURNS;
  const deviation = deviationOf(returns, mean);
  const logs = returns.map((value) => Math.log1p(value));
  const logMean = logs.reduce((sum, value) => sum + value, 0) / count;
  return {
    volatility: isEnough ? deviationOf(logs, logMean) * Math.sqrt(perYear) : null,
    sharpe: isEnough && deviation > 0 ? (mean / deviation) * Math.sqrt(perYear) : null,
    ...shapeOf(returns, mean),
    best: { ts: endOf(best), value: returns[best]! },
    worst: { ts: endOf(worst), value: returns[worst]! },
    hitRate: hits / count,
    meanReturn: mean,
  };
}

/** The sample standard deviation; 0 where it is the rounding of equal values. */
function deviationOf(values: Float64Array, mean: number): number {
  let sum = 0;
  for (const value of values) sum += (value - mean) ** 2;
  const variance = sum / (values.length - 1);
  return variance > 1e-24 * Math.max(1e-12, mean * mean) ? Math.sqrt(variance) : 0;
}

function shapeOf(returns: Float64Array, mean: number): Pick<SeriesStatistics, "skewness" | "excessKurtosis"> {
  const count = returns.length;
  let [m2, m3, m4] = [0, 0, 0];
  for (const value of returns) {
    const distance = value - mean;
    m2 += distance ** 2 / count;
    m3 += distance ** 3 / count;
    m4 += distance ** 4 / count;
  }
  if (count < LEAST_FOR_SHAPE || !(m2 > 1e-24 * Math.max(1e-12, mean * mean)))
    return { skewness: null, excessKurtosis: null };
  return { skewness: m3 / m2 ** 1.5, excessKurtosis: m4 / m2 ** 2 - 3 };
}

/** The largest fall of a close below the highest close before it. */
function drawdownOf({ ts, close }: Closes): Drawdown {
  let peak = 0;
  let deepest = { value: 0, peak: 0, trough: 0 };
  for (let at = 1; at < close.length; at++) {
    if (close[at]! > close[peak]!) peak = at;
    const value = close[at]! / close[peak]! - 1;
    if (value < deepest.value) deepest = { value, peak, trough: at };
  }
  let recovered: number | null = null;
  for (let at = deepest.trough; at < close.length && deepest.value < 0; at++) {
    if (close[at]! < close[deepest.peak]!) continue;
    recovered = ts[at]!;
    break;
  }
  return { value: deepest.value, peak: ts[deepest.peak]!, trough: ts[deepest.trough]!, recovered };
}
