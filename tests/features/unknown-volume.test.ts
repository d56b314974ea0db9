/** Bars of which the volume is unknown: features that need it are undefined, all others as if it were known. */

import { expect, test } from "bun:test";
import { type BarColumns, emptyBars, sliceBars } from "../../src/domain/market/bars.ts";
import { DAY } from "../../src/domain/market/interval.ts";
import { FEATURES } from "../../src/features/catalog.ts";
import { engineer, featureBlocks, type Resume, resumeFrom } from "../../src/features/engine.ts";

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

function profile(bars: BarColumns, resume?: Resume) {
  const pass = engineer(bars, SETUP, resume);
  let step = pass.next();
  while (!step.done) step = pass.next();
  return step.value;
}

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
