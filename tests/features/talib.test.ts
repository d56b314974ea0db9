/**
 * Compares engine and oracle with TA-Lib's own C code (compiled to WebAssembly), so that they do not share a misreading
 * of the catalogue. TA-Lib keeps running sums without compensation and tests for zero with absolute thresholds, so it is
 * compared on prices and volumes of ordinary size.
 */

import { describe, expect, test } from "bun:test";
import type { BarColumns } from "../../src/domain/market/bars.ts";
import { FEATURES, featureNamed } from "../../src/features/catalog.ts";
import { featureBlocks } from "../../src/features/engine.ts";
import { type FamilyName, reference } from "./oracle/reference.ts";
import { type TestSeries, testSeries } from "./oracle/series.ts";
import { talibFeatures } from "./oracle/talib-features.ts";

const RELATIVE = 1e-8;
/** Near zero: beside the largest value of the series. */
const ABSOLUTE = 1e-12;

/** Where TA-Lib divides by zero it writes a number; we leave the bar undefined. */
const ZERO_DENOMINATOR = {
  rsi_2: "0 while no close has moved",
  rsi_14: "0 while no close has moved",
  plus_di_14: "0 while the summed true range is 0",
  minus_di_14: "0 while the summed true range is 0",
  stoch_14_3_3_k: "%K is 0 in a window without range, and enters the averages as 0",
  stoch_14_3_3_d: "%K is 0 in a window without range, and enters the averages as 0",
  stochrsi_14_14_3_d: "0 where the RSI has no range; where that range is rounding alone, any value from 0 to 100",
  willr_14: "0 in a window without range",
  cci_14: "0 in a window without deviation",
  ultosc_7_14_28: "a term without true range is left out, as 0",
  imi_14: "0 in a window without a body",
  mfi_14: "0 in a window without flow",
  kbar_kmid2: "0 on a bar without range",
  rolling_corr_20: "0 when price or volume does not vary",
  rolling_corr_60: "0 when price or volume does not vary",
  bb_20_2_pctb: "not TA-Lib's own: its rounding leaves the bands of a flat window a little apart",
  chaikin_vol_10_10: "not TA-Lib's own: composed here, a range of 0 ten bars ago gives infinity",
} as const;

/** Where both have a value and may still differ by more than the tolerance. */
const DIFFERENCES: Readonly<Record<string, { why: string; allowed: (bars: BarColumns, t: number) => number }>> = {
  mfi_14: {
    why: "TA-Lib takes a typical price that changed in its last digit only for a move; we take it for rounding.",
    allowed: ({ high, low, close }, t) => {
      const tp = (i: number) => (high[i]! + low[i]! + close[i]!) / 3;
      const window = Array.from({ length: 14 }, (_, k) => t - k);
      const rounding = (i: number) => tp(i) !== tp(i - 1) && Math.abs(tp(i) - tp(i - 1)) <= 1e-14 * (tp(i) + tp(i - 1));
      return window.some(rounding) ? 100 : 0;
    },
  },
  rolling_corr_20: { why: "TA-Lib subtracts large sums of squares: digits are lost near 0.", allowed: () => 1e-9 },
  rolling_corr_60: { why: "TA-Lib subtracts large sums of squares: digits are lost near 0.", allowed: () => 1e-9 },
  bb_20_2_pctb: { why: "The same subtraction in TA-Lib's variance.", allowed: () => 1e-9 },
};

const ORDINARY = testSeries().filter(({ name }) => /^(daily|hourly|15-minute|5-minute|1-minute) /.test(name));
const FLAT = testSeries().filter(({ name }) => /^(flat at the start|flat stretches|coarse ticks)/.test(name));

/** The engine's values by name, whole columns. */
function engine({ bars, interval, market }: TestSeries): Map<string, ArrayLike<number>> {
  const [block] = [...featureBlocks([bars], { interval, market }, FEATURES, { blockSize: bars.ts.length })];
  return new Map(FEATURES.map(({ name }, i) => [name, block!.columns[i]!]));
}

/** Where `values` differ from TA-Lib's, one line a feature. */
function differences(series: TestSeries, values: Map<string, ArrayLike<number>>): string[] {
  return Object.entries(talibFeatures(series.bars)).flatMap(([name, theirs]) => {
    const ours = values.get(name);
    if (!ours) return `${name}: missing`;
    const largest = theirs.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
    const agrees = (t: number) => {
      const [a, b] = [ours[t]!, theirs[t]!];
      if (Number.isNaN(a)) return Number.isNaN(b) || name in ZERO_DENOMINATOR;
      const allowed = DIFFERENCES[name]?.allowed(series.bars, t) ?? 0;
      return Math.abs(a - b) <= Math.max(RELATIVE * Math.abs(b), ABSOLUTE * largest, allowed);
    };
    const t = theirs.findIndex((_, i) => !agrees(i));
    return t < 0 ? [] : `${name}: at bar ${t} ${ours[t]}, TA-Lib ${theirs[t]}`;
  });
}

/** Families of which TA-Lib has a feature: the oracle need not compute the others. */
const FAMILIES = [
  ...new Set(Object.keys(talibFeatures(testSeries()[0]!.bars)).flatMap((name) => featureNamed(name)?.family ?? [])),
] as FamilyName[];

const undefinedCount = (values: ArrayLike<number>) => Array.from(values).filter(Number.isNaN).length;

describe.each(ORDINARY)("$name", (series) => {
  test("the engine has TA-Lib's values, and its first valid bar", () => {
    const values = engine(series);
    expect(differences(series, values)).toEqual([]);
    const starts = Object.entries(talibFeatures(series.bars)).map(([name, theirs]) => [name, undefinedCount(theirs)]);
    expect(starts.map(([name]) => [name, undefinedCount(values.get(name as string)!)])).toEqual(starts);
  });

  test("the oracle has TA-Lib's values, and its first valid bar", () => {
    expect(differences(series, reference(series.bars, series, FAMILIES))).toEqual([]);
  });
});

describe.each(FLAT)("$name: zero denominators are the one difference", (series) => {
  test("zero denominators are the engine's one difference from TA-Lib", () =>
    expect(differences(series, engine(series))).toEqual([]));
  test("zero denominators are the oracle's one difference from TA-Lib", () =>
    expect(differences(series, reference(series.bars, series, FAMILIES))).toEqual([]));
});
