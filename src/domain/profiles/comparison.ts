/** Compares the bars that two providers have of one symbol, bar by bar. Pure. */

import type { BarColumns } from "../market/bars.ts";

/** How the bars of two providers compare at one time; `only_first` and `only_second`: the other has no bar. */
export const VERDICTS = ["agree", "tick", "ratio", "shifted", "differ", "only_first", "only_second"] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Name and meaning of each. */
export const VERDICT_WORDS: Readonly<Record<Verdict, readonly [name: string, meaning: string]>> = {
  agree: ["Agree", "the same open, high, low and close"],
  tick: ["One tick apart", "no price differs by more than one tick"],
  ratio: ["By a ratio", "all four prices differ by one factor, as a split or an adjustment makes them"],
  shifted: ["An hour apart", "the other provider has these prices an hour earlier or later"],
  differ: ["Differ", "the prices differ in another way"],
  only_first: ["Only the first", "the second provider has no such bar"],
  only_second: ["Only the second", "the first provider has no such bar"],
};

const HOUR = 3_600;
const PRICES = ["open", "high", "low", "close"] as const;
/** Relative differences below this are those of rounding. */
const EQUAL = 1e-9;
/** A factor nearer to 1 than this is none, and the four prices may differ from it by as much as rounding to ticks does. */
const LEAST_RATIO = 0.004;
const RATIO_SPREAD = 0.002;

/** Bars in a row with the same verdict. Times are the starts of the first and the last, epoch seconds. */
interface VerdictRun {
  readonly verdict: Verdict;
  readonly from: number;
  readonly to: number;
  readonly bars: number;
  /** The median of second ÷ first, where the verdict is `ratio`. */
  readonly ratio: number | null;
}

export interface Comparison {
  readonly counts: Readonly<Record<Verdict, number>>;
  /** All compared bars, ascending. */
  readonly ts: Float64Array;
  readonly verdicts: readonly Verdict[];
  /** Stretches without agreement, the longest first. */
  readonly runs: readonly VerdictRun[];
  /** Bars of the same time whose volumes differ by more than 1 %; those with an unknown one do not count. */
  readonly volumes: number;
}

/** The smallest step of a price: a cent, below one unit a hundredth of that. */
const tickOf = (price: number) => (Math.abs(price) >= 1 ? 0.01 : 0.0001);

/** How the bar `i` of `a` compares with the bar `j` of `b`, both of one time. */
function verdictOf(a: BarColumns, i: number, b: BarColumns, j: number): { verdict: Verdict; ratio: number } {
  let [isEqual, isTick, low, high] = [true, true, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const field of PRICES) {
    const [mine, theirs] = [a[field][i]!, b[field][j]!];
    const apart = Math.abs(mine - theirs);
    if (apart > EQUAL * Math.max(Math.abs(mine), Math.abs(theirs))) isEqual = false;
    if (apart > tickOf(Math.max(mine, theirs)) * (1 + 1e-6)) isTick = false;
    const ratio = theirs / mine;
    if (ratio < low) low = ratio;
    if (ratio > high) high = ratio;
  }
  const ratio = Math.sqrt(low * high);
  if (isEqual) return { verdict: "agree", ratio };
  if (isTick) return { verdict: "tick", ratio };
  const isOne = Math.abs(ratio - 1) > LEAST_RATIO && high - low <= RATIO_SPREAD * ratio;
  return { verdict: isOne ? "ratio" : "differ", ratio };
}

/** Compares two series of one symbol and interval. O(n). */
export function compareProviders(first: BarColumns, second: BarColumns, isIntraday: boolean): Comparison {
  const placesIn = ({ ts }: BarColumns) => new Map(Array.from(ts, (time, place) => [time, place]));
  const [inFirst, inSecond] = [placesIn(first), placesIn(second)];
  const times = Float64Array.from(new Set([...first.ts, ...second.ts])).sort();
  /** Whether the other side has this bar's prices an hour away. */
  const isShifted = (own: BarColumns, place: number, other: BarColumns, places: ReadonlyMap<number, number>) =>
    isIntraday &&
    [-HOUR, HOUR].some((away) => {
      const there = places.get(own.ts[place]! + away);
      if (there === undefined) return false;
      const { verdict } = verdictOf(own, place, other, there);
      return verdict === "agree" || verdict === "tick";
    });
  const verdicts: Verdict[] = [];
  const ratios: number[] = [];
  const counts = Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
  let volumes = 0;
  for (const ts of times) {
    const [i, j] = [inFirst.get(ts), inSecond.get(ts)];
    let verdict: Verdict;
    let ratio = Number.NaN;
    if (i !== undefined && j !== undefined) {
      ({ verdict, ratio } = verdictOf(first, i, second, j));
      if (verdict === "differ" && isShifted(first, i, second, inSecond)) verdict = "shifted";
      const [mine, theirs] = [first.volume[i]!, second.volume[j]!];
      if (Math.abs(mine - theirs) > 0.01 * Math.max(mine, theirs)) volumes += 1;
    } else if (i !== undefined) {
      verdict = isShifted(first, i, second, inSecond) ? "shifted" : "only_first";
    } else verdict = isShifted(second, j!, first, inFirst) ? "shifted" : "only_second";
    verdicts.push(verdict);
    ratios.push(ratio);
    counts[verdict] += 1;
  }
  return { counts, ts: times, verdicts, runs: runsOf(times, verdicts, ratios), volumes };
}

function runsOf(ts: Float64Array, verdicts: readonly Verdict[], ratios: readonly number[]): VerdictRun[] {
  const runs: VerdictRun[] = [];
  for (let start = 0; start < verdicts.length; ) {
    const verdict = verdicts[start]!;
    let end = start + 1;
    while (end < verdicts.length && verdicts[end] === verdict) end++;
    if (verdict !== "agree") {
      const sorted = ratios.slice(start, end).sort((a, b) => a - b);
      const ratio = verdict === "ratio" ? sorted[sorted.length >> 1]! : null;
      runs.push({ verdict, from: ts[start]!, to: ts[end - 1]!, bars: end - start, ratio });
    }
    start = end;
  }
  return runs.sort((a, b) => b.bars - a.bars || a.from - b.from);
}
