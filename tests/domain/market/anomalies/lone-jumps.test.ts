import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { findLoneJumps, LONGEST_RUN, NEIGHBOURS } from "../../../../src/domain/market/anomalies/lone-jumps.ts";
import { emptyBars, sliceBars } from "../../../../src/domain/market/bars.ts";

const level = (prices: readonly number[]) => {
  const bars = emptyBars(prices.length);
  for (const [at, price] of prices.entries()) {
    bars.ts[at] = 60 * at;
    for (const field of ["open", "high", "low", "close"] as const) bars[field][at] = price;
  }
  return bars;
};
const flat = (count: number, price = 50) => Array.from({ length: count }, (_, at) => price + (at % 3) / 10);
const positions = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at);

describe("impossible bars", () => {
  test("a run of one to ten bars on another level that returns is impossible as a whole", () => {
    for (let run = 1; run <= LONGEST_RUN; run++) {
      for (const factor of [100, 0.01, 10.5, 0.09]) {
        const prices = [...flat(25), ...flat(run, 50 * factor), ...flat(25)];
        expect([run, factor, findLoneJumps(level(prices))]).toEqual([run, factor, positions(25, run)]);
      }
    }
  });

  test("a longer run is a change of scale: no bar of it is impossible", () => {
    for (const run of [11, 12, 15, 20, 21, 30, 60]) {
      const prices = [...flat(40), ...flat(run, 5_000), ...flat(40)];
      expect([run, findLoneJumps(level(prices))]).toEqual([run, []]);
    }
  });

  test("every tenth bar may be impossible, and the others stay", () => {
    const prices = flat(200).map((price, at) => (at % 10 === 4 ? price * 100 : price));
    expect(findLoneJumps(level(prices))).toEqual(positions(0, 200).filter((at) => at % 10 === 4));
  });

  test("a level that changes for good is possible, and so is a bar beside it", () => {
    for (const factor of [20, 0.05]) {
      const step = [...flat(30), ...flat(30, 50 * factor)];
      expect(findLoneJumps(level(step))).toEqual([]);
    }
  });

  test("a lone error is found beside a split too", () => {
    const prices = [...flat(30, 1_000), ...flat(30, 50)];
    prices[33] = 5_000;
    prices[26] = 1;
    expect(findLoneJumps(level(prices))).toEqual([26, 33]);
  });

  test("without a bar on one side there is no verdict", () => {
    expect(findLoneJumps(level([5_000, ...flat(30)]))).toEqual([]);
    expect(findLoneJumps(level([...flat(30), 5_000]))).toEqual([]);
    expect(findLoneJumps(level([...flat(30), 5_000, 50]))).toEqual([30]);
  });

  test("moves as large as markets make are possible", () => {
    // Three times as much in a day, four fifths lost in a day, and back within days.
    expect(findLoneJumps(level([...flat(25), 150, 152, 149, 60, ...flat(25)]))).toEqual([]);
    expect(findLoneJumps(level([...flat(25), 10, 9.5, 11, 45, ...flat(25)]))).toEqual([]);
  });

  test("property: the verdict on a bar needs its neighbours and nothing else", () => {
    const price = fc.oneof({ weight: 8, arbitrary: fc.constant(50) }, fc.constantFrom(5_000, 0.5, 60, 140, 900));
    fc.assert(
      fc.property(fc.array(price, { minLength: 60, maxLength: 140 }), fc.nat(139), (prices, place) => {
        const at = place % prices.length;
        const bars = level(prices);
        const start = Math.max(0, at - NEIGHBOURS);
        const part = sliceBars(bars, start, Math.min(prices.length, at + NEIGHBOURS + 1));
        expect(findLoneJumps(part).includes(at - start)).toBe(findLoneJumps(bars).includes(at));
      }),
      { numRuns: 500 },
    );
  });
});
