/** What holds for every feature of the catalogue. */

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { type BarColumns, sliceBars } from "../../src/domain/market/bars.ts";
import { tradingDate } from "../../src/domain/market/calendar.ts";
import { FEATURE_COUNT, FEATURES, type Feature, featureNamed } from "../../src/features/catalog.ts";
import { FAMILIES, type FeatureSetup } from "../../src/features/define.ts";
import { featureBlocks } from "../../src/features/engine.ts";
import { firstDifference, historyShapes, makeHistory, plainHistory, randomFrom, setups } from "./histories.ts";

// Longer than the default, for a busy machine.
setDefaultTimeout(60_000);

const DAILY: FeatureSetup = { interval: "1d", market: "us_equity" };

/** The whole matrix, one column per feature. */
function matrix(bars: BarColumns, setup: FeatureSetup, features: readonly Feature[] = FEATURES): Float64Array[] {
  const blocks = [...featureBlocks([bars], setup, features)];
  return features.map((_, index) => Float64Array.from(blocks.flatMap((block) => [...block.columns[index]!])));
}

function close(actual: number, expected: number): boolean {
  if (Number.isNaN(actual) || Number.isNaN(expected)) return Number.isNaN(actual) && Number.isNaN(expected);
  return Math.abs(actual - expected) <= 1e-9 * Math.abs(expected) + 1e-12;
}

test("feature names are unique and can be looked up, families come in order", () => {
  expect(new Set(FEATURES.map((feature) => feature.name)).size).toBe(FEATURE_COUNT);
  for (const feature of FEATURES) expect(featureNamed(feature.name)).toBe(feature);
  expect(featureNamed("no_such_feature")).toBeUndefined();
  const order = FEATURES.map((feature) => FAMILIES.indexOf(feature.family));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
});

test("a feature's value at a bar does not change when later bars are altered or removed", () => {
  fc.assert(
    fc.property(
      historyShapes(2, 900),
      fc.constantFrom(...setups),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (shape, setup, at) => {
        const bars = makeHistory(shape, setup);
        const now = 1 + Math.floor(at * (shape.length - 1));
        const random = randomFrom(shape.seed + 1);
        const altered = { ...bars };
        for (const field of ["open", "high", "low", "close", "volume"] as const) {
          altered[field] = bars[field].map((value, index) => (index < now ? value : value * (0.5 + random())));
        }
        const whole = matrix(bars, setup);
        const other = matrix(altered, setup);
        const cut = matrix(sliceBars(bars, 0, now), setup);
        for (const [index, { name }] of FEATURES.entries()) {
          const past = whole[index]!.subarray(0, now);
          expect([name, firstDifference(other[index]!.subarray(0, now), past)]).toEqual([name, -1]);
          expect([name, firstDifference(cut[index]!, past)]).toEqual([name, -1]);
        }
      },
    ),
    { numRuns: 25 },
  );
});

describe("the first value comes exactly at the declared warm-up", () => {
  for (const setup of setups) {
    test(`the first value comes exactly at the declared warm-up: ${setup.interval} ${setup.market}`, () => {
      const bars = plainHistory(700, setup, 11);
      const columns = matrix(bars, setup);
      for (const [index, { name, warmup }] of FEATURES.entries()) {
        if (typeof warmup !== "number") continue;
        expect([name, columns[index]!.findIndex((value) => !Number.isNaN(value))]).toEqual([name, warmup]);
      }
    });
  }
});

test("features that need sessions wait for the second one, or for twenty", () => {
  const waiting = FEATURES.filter((feature) => typeof feature.warmup !== "number");
  expect(waiting.map((feature) => feature.warmup).toSorted()).toEqual(["20 sessions", "second session"]);
  for (const setup of setups.filter(({ interval }) => interval !== "1m" && interval !== "5m")) {
    const bars = plainHistory(2100, setup, 4);
    const days = [...bars.ts].map((ts) => tradingDate(setup.interval === "1d" ? "crypto" : setup.market, ts));
    const perSession = days.findIndex((day) => day !== days[0]);
    matrix(bars, setup, waiting).forEach((column, index) => {
      const expected = waiting[index]!.warmup === "second session" ? perSession : 20 * perSession;
      const first = column.findIndex((value) => !Number.isNaN(value));
      expect([waiting[index]!.name, setup, first]).toEqual([waiting[index]!.name, setup, expected]);
    });
  }
});

test("a series no longer than the warm-up is all NaN", () => {
  const bars = plainHistory(300, DAILY, 3);
  for (const feature of FEATURES) {
    if (typeof feature.warmup !== "number") continue;
    const [column] = matrix(sliceBars(bars, 0, feature.warmup), DAILY, [feature]);
    expect(column!.every(Number.isNaN)).toBe(true);
  }
});

test("a feature with a window has the same value computed from its last bars alone", () => {
  fc.assert(
    fc.property(historyShapes(320, 700), (shape) => {
      const bars = makeHistory(shape, DAILY);
      const whole = matrix(bars, DAILY);
      for (const [index, feature] of FEATURES.entries()) {
        if (feature.memory.kind !== "window") continue;
        const [column] = matrix(sliceBars(bars, shape.length - feature.memory.bars, shape.length), DAILY, [feature]);
        const [alone, full] = [column!.at(-1)!, whole[index]!.at(-1)!];
        if (!close(alone, full))
          throw new Error(`${feature.name}: ${alone} from its window, ${full} from the whole series`);
        if (feature.memory.bars > 1) expect([feature.name, column!.at(-2)]).toEqual([feature.name, Number.NaN]);
      }
    }),
    { numRuns: 30 },
  );
});

describe("awkward series give numbers or NaN, never an infinity or −0", () => {
  const flat = (length: number, price: number, volume: number): BarColumns => {
    const column = (value: number) => new Float64Array(length).fill(value);
    const ts = plainHistory(length, DAILY).ts;
    return {
      ts,
      open: column(price),
      high: column(price),
      low: column(price),
      close: column(price),
      volume: column(volume),
    };
  };
  const scaled = (bars: BarColumns, by: number): BarColumns => ({
    ...bars,
    open: bars.open.map((x) => x * by),
    high: bars.high.map((x) => x * by),
    low: bars.low.map((x) => x * by),
    close: bars.close.map((x) => x * by),
  });
  const jump = plainHistory(600, DAILY);
  jump.high[300]! *= 1e6;
  jump.close[300]! *= 1e6;
  const cases: Record<string, BarColumns> = {
    "one bar": plainHistory(1, DAILY),
    "two bars": plainHistory(2, DAILY),
    flat: flat(600, 12.34, 1000),
    "flat without volume": flat(600, 0.1, 0),
    "moving without volume": { ...plainHistory(600, DAILY), volume: new Float64Array(600) },
    "tiny prices": scaled(plainHistory(600, DAILY), 1e-11),
    "huge prices": scaled(plainHistory(600, DAILY), 1e7),
    "prices at the end of the number range": scaled(plainHistory(600, DAILY), 1e305),
    "a price a million times the last": jump,
  };
  for (const [name, bars] of Object.entries(cases)) {
    test(`no feature is infinite or -0 with ${name}`, () => {
      for (const [index, column] of matrix(bars, DAILY).entries()) {
        const bad = column.find((value) => Math.abs(value) === Number.POSITIVE_INFINITY || Object.is(value, -0));
        expect([FEATURES[index]!.name, bad]).toEqual([FEATURES[index]!.name, undefined]);
      }
    });
  }
});
