/** An update equals a full pass, for any history and any cut. */

import { jscDescribe } from "bun:jsc";
import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { type BarColumns, sliceBars } from "../../src/domain/market/bars.ts";
import { FEATURE_COUNT, FEATURES } from "../../src/features/catalog.ts";
import type { FeatureSetup, Series } from "../../src/features/define.ts";
import { featureBlocks, LOOKBACK_BARS, resumeFrom, TAIL } from "../../src/features/engine.ts";
import { emptyCarry, runPlan, Scratch } from "../../src/features/pass.ts";
import { planOf } from "../../src/features/plan.ts";
import { firstDifference, historyShapes, makeHistory, plainHistory, runEngineer, setups } from "./histories.ts";

// Longer than the default, for a busy machine.
setDefaultTimeout(60_000);

const DAILY: FeatureSetup = { interval: "1d", market: "us_equity" };

/** Continues from a stored state after the first `stored` of `bars`. */
function update(state: Uint8Array, bars: BarColumns, stored: number, setup: FeatureSetup, tail?: number) {
  const part = sliceBars(bars, Math.max(0, stored - LOOKBACK_BARS), bars.ts.length);
  const resume = resumeFrom(state, part, setup);
  if ("refused" in resume) throw new Error(`refused: ${resume.refused}`);
  return runEngineer(part, setup, resume, tail);
}

test("any sequence of updates gives the profile of one full pass, to the last bit", () => {
  fc.assert(
    fc.property(
      historyShapes(2, 1500),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 }),
      fc.constantFrom(...setups),
      (shape, cuts, setup) => {
        const bars = makeHistory(shape, setup);
        const ends = [...cuts.map((cut) => 1 + Math.floor(cut * (shape.length - 1))), shape.length].sort(
          (a, b) => a - b,
        );
        let stored = ends[0]!;
        let profile = runEngineer(sliceBars(bars, 0, stored), setup);
        for (const end of ends.slice(1)) {
          profile = update(profile.state, sliceBars(bars, 0, end), stored, setup);
          stored = end;
        }
        const full = runEngineer(bars, setup);
        expect(profile.barCount).toBe(shape.length);
        for (const [index, feature] of FEATURES.entries()) {
          expect([feature.name, profile.values[index]]).toEqual([feature.name, full.values[index]!]);
          expect([feature.name, firstDifference(profile.tails[index]!, full.tails[index]!)]).toEqual([
            feature.name,
            -1,
          ]);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test("a profile is the same, with its state, however many of its last values are wanted", () => {
  fc.assert(
    fc.property(
      historyShapes(1, 900),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: TAIL }),
      fc.array(fc.nat(), { maxLength: 3 }),
      fc.constantFrom(...setups),
      (shape, cut, tail, unknown, setup) => {
        const bars = makeHistory(shape, setup);
        for (const at of unknown) bars.volume[at % shape.length] = Number.NaN;
        const stored = 1 + Math.floor(cut * (shape.length - 1));
        const before = runEngineer(sliceBars(bars, 0, stored), setup);
        for (const [all, some] of [
          [runEngineer(bars, setup), runEngineer(bars, setup, undefined, tail)],
          [update(before.state, bars, stored, setup), update(before.state, bars, stored, setup, tail)],
        ] as const) {
          expect(some.barCount).toBe(all.barCount);
          expect(Buffer.from(some.state).equals(Buffer.from(all.state))).toBe(true);
          for (const [index, { name }] of FEATURES.entries()) {
            const wanted = tail === 0 ? [] : all.tails[index]!.slice(-tail);
            expect([name, firstDifference(some.tails[index] ?? [], wanted)]).toEqual([name, -1]);
            expect([name, firstDifference([some.values[index]!], [all.values[index]!])]).toEqual([name, -1]);
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});

test("the feature matrix ends with the profile at its last bar, whatever the size of its blocks and chunks", () => {
  fc.assert(
    fc.property(
      historyShapes(1, 700),
      fc.integer({ min: 5, max: 400 }),
      fc.integer({ min: 1, max: 700 }),
      (shape, blockSize, chunkSize) => {
        const bars = makeHistory(shape, DAILY);
        const chunks: BarColumns[] = [];
        for (let at = 0; at < shape.length; at += chunkSize) {
          chunks.push(sliceBars(bars, at, Math.min(shape.length, at + chunkSize)));
        }
        const blocks = [...featureBlocks(chunks, DAILY, FEATURES, { blockSize })];
        expect(blocks.flatMap((block) => [...block.ts])).toEqual([...bars.ts]);
        const { values, tails } = runEngineer(bars, DAILY);
        for (const [index, feature] of FEATURES.entries()) {
          const column = blocks.flatMap((block) => [...block.columns[index]!]);
          expect([feature.name, column.at(-1)]).toEqual([feature.name, values[index]!]);
          expect([feature.name, column.slice(-TAIL)]).toEqual([feature.name, [...tails[index]!]]);
        }
      },
    ),
    { numRuns: 15 },
  );
});

test("a feature asked twice, or read by a later one of the same matrix, has its values in every place", () => {
  const bars = plainHistory(600, DAILY);
  const named = (name: string) => FEATURES.find((feature) => feature.name === name)!;
  // The histogram reads line and signal.
  const asked = ["macd_12_26_9_line", "macd_12_26_9_signal", "macd_12_26_9_hist", "macd_12_26_9_line", "rsi_14"].map(
    named,
  );
  const [together] = [...featureBlocks([bars], DAILY, asked)];
  asked.forEach((feature, index) => {
    const [alone] = [...featureBlocks([bars], DAILY, [feature])];
    expect([feature.name, firstDifference(together!.columns[index]!, alone!.columns[0]!)]).toEqual([feature.name, -1]);
  });
});

test("a feature matrix that uses its columns again has the values of one that does not, block by block", () => {
  const bars = plainHistory(1000, DAILY);
  const fresh = [...featureBlocks([bars], DAILY, FEATURES, { blockSize: 300 })];
  let count = 0;
  for (const { columns } of featureBlocks([bars], DAILY, FEATURES, { blockSize: 300, reuse: true })) {
    const expected = fresh[count++]!.columns;
    for (const [index, { name }] of FEATURES.entries()) {
      expect([name, firstDifference(columns[index]!, expected[index]!)]).toEqual([name, -1]);
    }
  }
  expect(count).toBe(fresh.length);
});

test("a feature matrix that starts late has the rows of the whole one", () => {
  const bars = plainHistory(900, DAILY);
  const some = FEATURES.filter((feature) => feature.number % 3 === 0);
  const whole = [...featureBlocks([bars], DAILY, some)];
  const late = [...featureBlocks([bars], DAILY, some, { since: bars.ts[421]!, blockSize: 64 })];
  expect(late.flatMap((block) => [...block.ts])).toEqual([...bars.ts.subarray(421)]);
  some.forEach((_, index) => {
    const values = late.flatMap((block) => [...block.columns[index]!]);
    expect(values).toEqual([...whole[0]!.columns[index]!.subarray(421)]);
  });
});

test("corrections to the last bars, those after the state was taken, need no full pass", () => {
  const bars = plainHistory(700, DAILY);
  const { state } = runEngineer(bars, DAILY);
  const corrected = { ...bars, close: bars.close.slice() };
  corrected.close[650] = corrected.high[650]!;
  expect(update(state, corrected, 700, DAILY).values).toEqual(runEngineer(corrected, DAILY).values);
});

test("a feature state is refused, with the reason, when it cannot be trusted", () => {
  const bars = plainHistory(1000, DAILY);
  const { state } = runEngineer(sliceBars(bars, 0, 900), DAILY);
  const part = sliceBars(bars, 900 - LOOKBACK_BARS, 1000);
  const refusal = (bytes: Uint8Array, given = part, setup = DAILY) => {
    const answer = resumeFrom(bytes, given, setup);
    return "refused" in answer ? answer.refused : "accepted";
  };
  expect(refusal(state)).toBe("accepted");

  expect(refusal(new Uint8Array())).toBe("corrupt");
  expect(refusal(state.subarray(0, state.length - 5))).toBe("corrupt");
  const floats = new Float64Array(new Uint8Array(Bun.zstdDecompressSync(state)).buffer);
  const damaged = floats.slice();
  damaged[20]! += 1;
  expect(refusal(Bun.zstdCompressSync(damaged))).toBe("corrupt");
  const older = floats.slice();
  older[0]! -= 1;
  older[older.length - 1] = Bun.hash.crc32(older.subarray(0, -1));
  expect(refusal(Bun.zstdCompressSync(older))).toBe("version");

  expect(refusal(state, part, { interval: "1h", market: "us_equity" })).toBe("setup");
  expect(refusal(state, part, { interval: "1d", market: "crypto" })).toBe("setup");

  expect(refusal(state, sliceBars(bars, 900, 1000))).toBe("history");
  expect(refusal(state, sliceBars(bars, 0, 500))).toBe("history");
  const revised = { ...part, close: part.close.slice() };
  revised.close[LOOKBACK_BARS - TAIL - 3]! *= 1.01;
  expect(refusal(state, revised)).toBe("history");
});

/** A state as it was written before zeros were counted. */
function withoutCounts(state: Uint8Array, setup: FeatureSetup): Uint8Array {
  const floats = new Float64Array(new Uint8Array(Bun.zstdDecompressSync(state)).buffer);
  const plan = planOf(FEATURES.map(({ series }) => series));
  const nodes = [...plan.stateful].map(([series, back]) => `${series.key}:${series.stateSize(setup)}:${back}`);
  const plain = [...floats.subarray(0, 9)];
  plain[1] = Bun.hash.crc32([plan.margin, ...nodes].join(";"));
  for (let at = 9; at < floats.length - 1; at++) {
    plain.push(floats[at]!);
    if (Object.is(floats[at], 0)) for (let further = floats[++at]!; further > 0; further--) plain.push(0);
  }
  plain.push(Bun.hash.crc32(Float64Array.from(plain)));
  return Bun.zstdCompressSync(Float64Array.from(plain));
}

test("a feature state whose zeros are not counted, as they were before, continues with the same values", () => {
  const setup: FeatureSetup = { interval: "1m", market: "us_equity" };
  const bars = plainHistory(1000, setup);
  const { state } = runEngineer(sliceBars(bars, 0, 900), setup);
  const before = withoutCounts(state, setup);
  expect(Bun.zstdDecompressSync(before).length).toBeGreaterThan(8 * 1440 * 21);
  expect(Bun.zstdDecompressSync(state).length).toBeLessThan(8 * 500 * 21);
  const [counted, plain] = [state, before].map((bytes) => update(bytes, bars, 900, setup));
  expect(firstDifference(plain!.values, counted!.values)).toBe(-1);
  expect(Buffer.from(plain!.state).equals(Buffer.from(counted!.state))).toBe(true);
});

test("no bars, one bar and two bars have a profile", () => {
  for (const length of [0, 1, 2]) {
    const { values, tails, barCount } = runEngineer(plainHistory(length, DAILY), DAILY);
    expect(values.length).toBe(FEATURE_COUNT);
    expect(tails.every((tail) => tail.length === length)).toBe(true);
    expect(barCount).toBe(length);
  }
});

/** Positions that kernels of features get while `run` runs and that are held as doubles, however whole: "from of sma20". */
function doublePositions(run: () => void): string[] {
  const nodes = new Set<Series>();
  const visit = (series: Series): void => {
    if (nodes.has(series)) return;
    nodes.add(series);
    series.inputs.forEach(visit);
  };
  for (const { series } of FEATURES) visit(series);
  const found = new Set<string>();
  const known = [...nodes].map(
    (series) => [series as { compute: Series["compute"] }, series.compute, series.key] as const,
  );
  for (const [series, compute, key] of known) {
    series.compute = (out, span, ...inputs) => {
      for (const name of ["from", "to", "origin", "first"] as const) {
        if (!jscDescribe(span[name]).startsWith("Int32")) found.add(`${name} of ${key}`);
      }
      compute(out, span, ...inputs);
    };
  }
  try {
    run();
  } finally {
    for (const [series, compute] of known) series.compute = compute;
  }
  return [...found];
}

test("a kernel gets 32-bit integers for positions, after a stored state too, because one of doubles takes twice the time", () => {
  const bars = plainHistory(1200, DAILY);
  const short = runEngineer(sliceBars(bars, 0, 150), DAILY);
  const long = runEngineer(sliceBars(bars, 0, 1000), DAILY);
  expect(doublePositions(() => update(short.state, sliceBars(bars, 0, 160), 150, DAILY))).toEqual([]);
  expect(doublePositions(() => update(long.state, bars, 1000, DAILY))).toEqual([]);
  const plan = planOf(FEATURES.map(({ series }) => series));
  // What is read from such an array is held as a double.
  const [base, from] = new Float64Array([100, 500]);
  const span = { bars: sliceBars(bars, 100, 1000), base: base!, from: from! };
  expect(jscDescribe(from)).toStartWith("Double");
  const steps = () => [...runPlan(plan, span, emptyCarry(plan, DAILY), DAILY, new Scratch(), () => {})];
  expect(doublePositions(() => expect(steps().length).toBe(FEATURE_COUNT))).toEqual([]);
});
