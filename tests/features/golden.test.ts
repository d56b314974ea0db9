/** Every feature on every series compared with the oracle: the plain formula, computed window by window (oracle/). */

import { describe, expect, test } from "bun:test";
import { FEATURES, type Feature } from "../../src/features/catalog.ts";
import { FAMILIES } from "../../src/features/define.ts";
import { featureBlocks } from "../../src/features/engine.ts";
import { reference } from "./oracle/reference.ts";
import { longSeries, type TestSeries, testSeries } from "./oracle/series.ts";

const RELATIVE = 1e-9;
/** Near zero, in the feature's own unit: 1 for ratios and counts, otherwise what the value is a difference of. */
const ABSOLUTE = 1e-12;

/** Features in price units: near zero means near zero beside the price. */
const PRICE_UNITS = new Set([
  ...["macd_12_26_9_line", "macd_12_26_9_signal", "macd_12_26_9_hist", "dpo_20", "atr_14"],
  ...["bb_20_2_upper", "bb_20_2_lower"],
  ...FEATURES.filter(({ family }) => family === "moving_average").map(({ name }) => name),
]);
/** Running totals, and what is made of them: near zero means beside the largest total so far. */
const TOTALS: Readonly<Record<string, string>> = {
  ...{ obv: "obv", ad_line: "ad_line", adosc_3_10: "ad_line", pvt: "pvt" },
  ...{ force_index_13: "force_index_13", eom_14: "eom_14", dollar_volume_20: "dollar_volume_20" },
  ...{ amihud_20: "amihud_20", kyle_lambda_60: "kyle_lambda_60", pastor_stambaugh_60: "pastor_stambaugh_60" },
};

type Expected = Map<string, readonly number[]>;

/** For every bar, the size of the quantity whose rounding the value may show near zero. */
function unitOf(name: string, series: TestSeries, expected: Expected): (t: number) => number {
  if (PRICE_UNITS.has(name)) return (t) => series.bars.close[t]!;
  const total = expected.get(TOTALS[name] ?? "");
  if (!total) return () => 1;
  let largest = 0;
  const soFar = total.map((value) => {
    largest = Math.max(largest, Number.isNaN(value) ? 0 : Math.abs(value));
    return largest;
  });
  return (t) => soFar[t]!;
}

/** What is wrong with a feature's values, or null. */
function fault({ name }: Feature, values: Float64Array, series: TestSeries, expected: Expected): string | null {
  const right = expected.get(name)!;
  const unit = unitOf(name, series, expected);
  const wrong: number[] = [];
  right.forEach((value, t) => {
    const got = values[t]!;
    const near = Math.max(RELATIVE * Math.abs(value), ABSOLUTE * unit(t));
    const agrees = Number.isNaN(value) ? Number.isNaN(got) : Math.abs(got - value) <= near;
    if (!agrees || Object.is(got, -0)) wrong.push(t);
  });
  if (wrong.length === 0 && values.length === right.length) return null;
  const [t] = wrong as [number];
  return `${name}: ${wrong.length} of ${right.length} bars, first ${t}: is ${values[t]}, should be ${right[t]}`;
}

/** The engine's values of some features over a whole series. */
function computed(series: TestSeries, features: readonly Feature[]): Float64Array[] {
  const columns = features.map(() => new Float64Array(series.bars.ts.length));
  let row = 0;
  for (const block of featureBlocks([series.bars], series, features, { blockSize: 256 })) {
    block.columns.forEach((column, i) => {
      columns[i]!.set(column, row);
    });
    row += block.ts.length;
  }
  return columns;
}

describe.each(testSeries())("$name", (series) => {
  const once = <T>(make: () => T) => {
    let made: { value: T } | undefined;
    return () => {
      made ??= { value: make() };
      return made.value;
    };
  };
  const expected = once(() => reference(series.bars, series));
  const engine = once(() => computed(series, FEATURES));
  test.each(FAMILIES)("the features of the family %s are those of the plain implementation", (family) => {
    const faults = FEATURES.flatMap((feature, i) =>
      feature.family === family ? (fault(feature, engine()[i]!, series, expected()) ?? []) : [],
    );
    expect(faults).toEqual([]);
  });
});

describe.each(longSeries())("$name", (series) => {
  test("features of time over many sessions are those of the plain implementation", () => {
    const features = FEATURES.filter(({ family }) => family === "time");
    const expected = reference(series.bars, series, ["time"]);
    const columns = computed(series, features);
    expect(expected.get("tod_rvol_20")!.some((value) => !Number.isNaN(value))).toBe(true);
    expect(features.flatMap((feature, i) => fault(feature, columns[i]!, series, expected) ?? [])).toEqual([]);
  });
});

test("the oracle knows the 200 features of the catalogue, in its order", () => {
  const series = testSeries().find(({ bars }) => bars.ts.length === 1)!;
  const judged = [...reference(series.bars, series).keys()];
  expect(judged).toHaveLength(200);
  expect(FEATURES.map(({ name }) => name)).toEqual(judged);
});

test("the first value comes at the bar the catalogue says", () => {
  const [series] = testSeries() as [TestSeries];
  const daily = { "second session": 1, "20 sessions": 20 };
  const values = computed(series, FEATURES);
  const first = FEATURES.map(({ name }, i) => [name, values[i]!.findIndex((value) => !Number.isNaN(value))]);
  const said = FEATURES.map(({ name, warmup }) => [name, typeof warmup === "number" ? warmup : daily[warmup]]);
  expect(first).toEqual(said);
});
