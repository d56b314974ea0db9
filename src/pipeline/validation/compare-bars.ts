/** Compares fetched bars with stored ones and classifies each difference. Pure. */

import { BAR_FIELDS, type BarColumns, emptyBars, pickBars, sameValue } from "../../domain/market/bars.ts";

export interface Comparison {
  /**
   * `split`, `dividend`: one factor on the prices of all older bars, with the inverse or nothing on their volumes.
   * `correction`: scattered differences. `shrunk`: the answer lacks stored bars and changes none of them.
   */
  readonly kind: "same" | "split" | "dividend" | "correction" | "shrunk";
  /** New price ÷ stored price of a split or dividend, otherwise 1. */
  readonly factor: number;
  /** Whether one factor may be on all older bars, but too few were compared to say so. */
  readonly isUndecided: boolean;
  /** Bars of the answer to store: new ones, those another provider filled, and, unless it shrank, those that differ. */
  readonly write: BarColumns;
  /** The stored bars that differ, as they were. */
  readonly old: BarColumns;
  /** The times of stored bars that the answer lacks, epoch seconds. */
  readonly missing: readonly number[];
}

/** Bars that must agree on a factor before it is accepted. */
const MIN_AGREEING = 3;
/** The share of all differing bars that must agree as well. */
const MOST = 0.75;
/** What rounding to single precision, as some vendors do, may change of a price and of what it is compared with. */
const SINGLE = 1.3e-7;
const PRICES = ["open", "high", "low", "close"] as const;

/**
 * Compares the `stored` bars of a window with those `fetched` for it, both ascending. Bars in `foreign` came from
 * another provider and may be absent from the answer.
 */
export function compareBars(stored: BarColumns, fetched: BarColumns, foreign: ReadonlySet<number>): Comparison {
  const fresh: number[] = [];
  const before: number[] = [];
  const after: number[] = [];
  /** Changed bars of the vendor itself, as places in `before`. */
  const own: number[] = [];
  let same = 0;
  /** Bars that stayed the same and come before a changed one. */
  let sameBefore = 0;
  const missing: number[] = [];
  const lack = (ts: number) => {
    if (!foreign.has(ts)) missing.push(ts);
  };
  let s = 0;
  for (let f = 0; f < fetched.ts.length; f++) {
    for (; s < stored.ts.length && stored.ts[s]! < fetched.ts[f]!; s++) lack(stored.ts[s]!);
    if (s === stored.ts.length || stored.ts[s] !== fetched.ts[f]) {
      fresh.push(f);
      continue;
    }
    const isOwn = !foreign.has(stored.ts[s]!);
    if (BAR_FIELDS.every((field) => sameValue(stored[field][s], fetched[field][f]))) {
      if (isOwn) same += 1;
      // The provider has this bar now: it is stored as its own.
      else fresh.push(f);
    } else {
      if (isOwn) {
        sameBefore = same;
        own.push(before.length);
      }
      before.push(s);
      after.push(f);
    }
    s++;
  }
  for (; s < stored.ts.length; s++) lack(stored.ts[s]!);

  const none = { factor: 1, isUndecided: false, old: emptyBars(), missing };
  if (missing.length > 0) return { ...none, kind: "shrunk", write: pickBars(fetched, fresh) };
  if (before.length === 0) return { ...none, kind: "same", write: pickBars(fetched, fresh) };
  const old = pickBars(stored, before);
  const now = pickBars(fetched, after);
  const write = pickBars(
    fetched,
    [...fresh, ...after].sort((a, b) => a - b),
  );
  const common = own.length > 0 ? commonFactor(pickBars(old, own), pickBars(now, own)) : null;
  const changes = { missing, old, write };
  // A repair may have stored bars of the new scale among older ones.
  if (common && common.agreeing >= MIN_AGREEING * (1 + sameBefore) && common.agreeing >= MOST * own.length) {
    const { kind, factor } = common;
    return { ...changes, kind, factor, isUndecided: false };
  }
  const isUndecided = common !== null && sameBefore === 0 && common.agreeing < MIN_AGREEING;
  return { ...changes, kind: "correction", factor: 1, isUndecided };
}

/**
 * The factor that turns most of `old` into `now` within the rounding of prices, and how many bars agree on it; `null` if
 * none does. Single corrections may have come with it.
 */
function commonFactor(
  old: BarColumns,
  now: BarColumns,
): { kind: "split" | "dividend"; factor: number; agreeing: number } | null {
  const ratios = old.close.map((close, at) => now.close[at]! / close).sort();
  const toleranceOf = (factor: number) => 1.1 * (stepOf(now) + factor * stepOf(old));
  const fitting = (factor: number, tolerance: number) =>
    [...old.ts.keys()].filter((at) =>
      PRICES.every((field) => {
        const price = now[field][at]!;
        return Math.abs(price - old[field][at]! * factor) <= tolerance + SINGLE * price;
      }),
    );
  const sum = (bars: BarColumns, at: readonly number[]) =>
    PRICES.reduce((total, field) => at.reduce((part, i) => part + bars[field][i]!, total), 0);

  const middle = ratios[ratios.length >> 1]!;
  const near = fitting(middle, 2 * toleranceOf(middle));
  // Rounding averages out over many bars.
  const factor = sum(now, near) / sum(old, near);
  const tolerance = toleranceOf(factor);
  const fit = fitting(factor, tolerance);
  // Rounding alone could explain the difference.
  if (!((Math.abs(factor - 1) * sum(now, fit)) / (4 * fit.length) > 4 * tolerance)) return null;
  const volumesFit = (times: number) =>
    fit.filter((at) => {
      const expected = old.volume[at]! * times;
      if (Number.isNaN(expected) && Number.isNaN(now.volume[at])) return true;
      return Math.abs(now.volume[at]! - expected) <= Math.max(times === 1 ? 0 : 1, 2e-3 * expected);
    }).length;
  const [unchanged, divided] = [volumesFit(1), volumesFit(1 / factor)];
  if (unchanged + divided === 0) return null;
  return unchanged >= divided
    ? { kind: "dividend", factor, agreeing: unchanged }
    : { kind: "split", factor, agreeing: divided };
}

/** The step to which all prices are rounded: 0.01, 0.0001 …, at least a millionth. */
function stepOf(bars: BarColumns): number {
  for (let digits = 0; digits < 6; digits++) {
    const scale = 10 ** digits;
    const onGrid = (price: number) => Math.abs(price * scale - Math.round(price * scale)) < 1e-7 * scale;
    if (PRICES.every((field) => bars[field].every(onGrid))) return 1 / scale;
  }
  return 1e-6;
}
