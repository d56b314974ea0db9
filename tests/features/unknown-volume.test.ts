/** Bars of which the volume is unknown: features that need it are undefined, all others as if it were known. */

import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { type BarColumns, emptyBars, sliceBars } from "../../src/domain/market/bars.ts";
import { DAY } from "../../src/domain/market/interval.ts";
import { FEATURES } from "../../src/features/catalog.ts";
import type { FeatureSetup, Series } from "../../src/features/define.ts";
import { featureBlocks, LOOKBACK_BARS, type Resume, resumeFrom } from "../../src/features/engine.ts";
import { firstDifference, plainHistory, runEngineer } from "./histories.ts";

// Longer than the default, for a busy machine.
setDefaultTimeout(60_000);

const SETUP = { interval: "1d", market: "crypto" } as const;
const BARS = 700;
const HOLE = 400;

/** Bars of a wave, with the volumes given. */
function wave(volumeOf: (at: number) => number): BarColumns {
  const bars = emptyBars(BARS);
  for (let at = 0; at < BARS; at++) {
    const close = 100 + 10 * Math.sin(at / 9) + (at % 7);
    bars.ts[at] = 1_577_836_800 + at * DAY;
    bars.open[at] = close - 1;
    bars.high[at] = close + 2;
    bars.low[at] = close - 2;
    bars.close[at] = close;
    bars.volume[at] = volumeOf(at);
  }
  return bars;
}

const usual = (at: number) => 1_000 + 100 * (at % 11);

/** Every feature of every bar, by name. */
function matrix(bars: BarColumns): Map<string, Float64Array> {
  const [block] = [...featureBlocks([bars], SETUP, FEATURES, { blockSize: BARS })];
  return new Map(FEATURES.map(({ name }, index) => [name, block!.columns[index]!]));
}

const profile = (bars: BarColumns, resume?: Resume) => runEngineer(bars, SETUP, resume);

const known = matrix(wave(usual));
const without = matrix(wave(() => Number.NaN));
/** The features that come out otherwise if every volume is doubled or shifted: those that need it. */
const moved = matrix(wave((at) => usual(at) * (2 + (at % 3))));
const needVolume = FEATURES.filter(
  ({ name }) => !known.get(name)!.every((value, at) => Object.is(value, moved.get(name)![at])),
);

test("without any volume, features that need it are undefined on every bar and all others are as with it", () => {
  expect(needVolume.length).toBeGreaterThan(20);
  const names = new Set(needVolume.map(({ name }) => name));
  for (const { name } of FEATURES) {
    if (names.has(name)) expect(`${name} ${without.get(name)!.every(Number.isNaN)}`).toBe(`${name} true`);
    else if (!without.get(name)!.every(Number.isNaN))
      expect([name, ...without.get(name)!]).toEqual([name, ...known.get(name)!]);
  }
});

test("one unknown volume leaves window features undefined for their window, and cumulative ones from then on", () => {
  const holed = matrix(wave((at) => (at === HOLE ? Number.NaN : usual(at))));
  for (const { name, memory } of needVolume) {
    const [values, whole] = [holed.get(name)!, known.get(name)!];
    expect([...values.subarray(0, HOLE)]).toEqual([...whole.subarray(0, HOLE)]);
    expect(`${name} ${values[HOLE]}`).toBe(`${name} NaN`);
    if (memory.kind === "window") {
      const end = HOLE + memory.bars;
      expect(values.subarray(HOLE, end).every(Number.isNaN)).toBe(true);
      for (let at = end; at < BARS; at++) {
        const [value, right] = [values[at]!, whole[at]!];
        if (Number.isNaN(right)) expect(value).toBeNaN();
        else if (Math.abs(value - right) > 1e-9 * Math.max(1, Math.abs(right)))
          throw new Error(`${name} at ${at}: ${value}, not ${right}`);
      }
    } else if (memory.kind !== "session") expect(values.subarray(HOLE).every(Number.isNaN)).toBe(true);
  }
});

test("an update after an unknown volume, however long ago, equals a full pass", () => {
  const bars = wave((at) => (at === 3 ? Number.NaN : usual(at)));
  const first = profile(sliceBars(bars, 0, BARS - 5));
  const resume = resumeFrom(first.state, bars, SETUP);
  if ("refused" in resume) throw new Error(resume.refused);
  expect([...profile(bars, resume).values]).toEqual([...profile(bars).values]);
  const obv = FEATURES.findIndex(
    ({ name, memory }) => memory.kind === "cumulative" && needVolume.some((each) => each.name === name),
  );
  expect(profile(bars, resume).values[obv]).toBeNaN();
});

/** Bars whose volumes are unknown at the given distances from the last one. */
function withUnknown(length: number, setup: FeatureSetup, seed: number, distances: readonly number[]): BarColumns {
  const bars = plainHistory(length, setup, seed);
  for (const distance of distances) if (distance < length) bars.volume[length - 1 - distance] = Number.NaN;
  return bars;
}

const spread: readonly FeatureSetup[] = (["1m", "5m", "1h", "1d"] as const).flatMap((interval) =>
  (["us_equity", "crypto"] as const).map((market) => ({ interval, market })),
);

test("an update from a state has the values of the matrix of all bars, however long ago volumes were unknown", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...spread),
      fc.integer(),
      fc.integer({ min: 500, max: 2600 }),
      fc.integer({ min: 1, max: 120 }),
      fc.array(fc.oneof(fc.nat(120), fc.nat(500), fc.nat(2500)), { minLength: 1, maxLength: 3 }),
      (setup, seed, length, added, distances) => {
        const bars = withUnknown(length, setup, seed, distances);
        const { state } = runEngineer(sliceBars(bars, 0, length - added), setup);
        const part = sliceBars(bars, Math.max(0, length - added - LOOKBACK_BARS), length);
        const resume = resumeFrom(state, part, setup);
        if ("refused" in resume) throw new Error(`refused: ${resume.refused}`);
        const update = runEngineer(part, setup, resume);
        const [full] = [...featureBlocks([bars], setup, FEATURES, { blockSize: length })];
        for (const [index, { name }] of FEATURES.entries()) {
          const expected = full!.columns[index]!.slice(-update.tails[index]!.length);
          expect([name, firstDifference(update.tails[index]!, expected)]).toEqual([name, -1]);
          expect([name, update.values[index]]).toEqual([name, expected.at(-1)!]);
        }
      },
    ),
    {
      numRuns: 40,
      examples: [[{ interval: "1m", market: "us_equity" }, 7, 2000, 1, [700]]],
    },
  );
});

test("a matrix of one feature has the same values after an unknown volume whatever the size of its blocks", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...spread),
      fc.constantFrom(...needVolume),
      fc.integer({ min: 1, max: 400 }),
      fc.array(fc.nat(1000), { minLength: 1, maxLength: 2 }),
      (setup, feature, blockSize, distances) => {
        const bars = withUnknown(1000, setup, 7, distances);
        const [whole] = [...featureBlocks([bars], setup, FEATURES, { blockSize: 1000 })];
        const blocks = [...featureBlocks([bars], setup, [feature], { blockSize })];
        const values = blocks.flatMap(({ columns: [column] }) => [...column!]);
        expect([feature.name, firstDifference(values, whole!.columns[feature.number - 1]!)]).toEqual([
          feature.name,
          -1,
        ]);
      },
    ),
    { numRuns: 60 },
  );
});

test("an unknown volume leaves session features undefined for the bars that count it, and for no others", () => {
  const setup = { interval: "1h", market: "crypto" } as const;
  const [length, hole] = [24 * 50, 24 * 25 + 6];
  const columns = (bars: BarColumns) => {
    const [block] = [...featureBlocks([bars], setup, FEATURES, { blockSize: length })];
    return (name: string) => block!.columns[FEATURES.findIndex((feature) => feature.name === name)]!;
  };
  const whole = columns(plainHistory(length, setup));
  const holed = columns(withUnknown(length, setup, 7, [length - 1 - hole]));
  const differing = (name: string) =>
    [...whole(name).keys()].filter((at) => !Object.is(whole(name)[at], holed(name)[at]));
  // To the end of the UTC day.
  expect(differing("session_vwap_dist")).toEqual(Array.from({ length: 24 - 6 }, (_, at) => hole + at));
  // Its own bar, and the same hour of the next 20 days.
  expect(differing("tod_rvol_20")).toEqual(Array.from({ length: 21 }, (_, day) => hole + 24 * day));
  for (const name of ["session_vwap_dist", "tod_rvol_20"]) {
    expect(differing(name).every((at) => Number.isNaN(holed(name)[at]))).toBe(true);
  }
});

test("a recursion that is computed alone finds an unknown volume on any bar, flat or the first, in blocks of any length", () => {
  const readsVolume = ({ field, inputs }: Series): boolean => field === "volume" || inputs.some(readsVolume);
  const recursions = FEATURES.filter(
    ({ memory, series }) => "recursive cumulative".includes(memory.kind) && readsVolume(series),
  );
  expect(recursions.map(({ name }) => name)).toEqual(expect.arrayContaining(["obv", "ad_line", "adosc_3_10"]));
  const bars = wave(usual);
  for (let at = 0; at < BARS; at++) bars.high[at]! += at % 3;
  for (const isFlat of [false, true]) {
    if (isFlat) for (const side of [bars.open, bars.high, bars.low]) side.set(bars.close);
    for (const feature of recursions) {
      const [whole] = [...featureBlocks([bars], SETUP, [feature], { blockSize: BARS })];
      for (const hole of [0, 1, 63, 64, BARS - 1]) {
        bars.volume[hole] = Number.NaN;
        const expected = [...whole!.columns[0]!].map((value, at) => (at < hole ? value : Number.NaN));
        for (const blockSize of [7, 64, BARS]) {
          const blocks = [...featureBlocks([bars], SETUP, [feature], { blockSize })];
          const values = blocks.flatMap(({ columns }) => [...columns[0]!]);
          expect([feature.name, ...values]).toEqual([feature.name, ...expected]);
        }
        bars.volume[hole] = usual(hole);
      }
    }
  }
});
