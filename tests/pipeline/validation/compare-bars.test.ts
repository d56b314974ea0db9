/** The differences between an answer and the stored bars. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BAR_FIELDS, type BarColumns, emptyBars, pickBars, sliceBars } from "../../../src/domain/market/bars.ts";
import { compareBars } from "../../../src/pipeline/validation/compare-bars.ts";
import { dailyRow } from "../../fakes/memory-vendor.ts";
import { rowsOf } from "../../helpers/pipeline.ts";

const NONE: ReadonlySet<number> = new Set();

function barsOf(count: number): BarColumns {
  const bars = emptyBars(count);
  for (let at = 0; at < count; at++) {
    const row = dailyRow((19_000 + at) * 86_400);
    for (const field of BAR_FIELDS) bars[field][at] = row[field];
  }
  return bars;
}

/** The bars with the first `until` of them scaled, prices rounded to `step`. */
function scaled(bars: BarColumns, until: number, price: number, volume: number, step = 0): BarColumns {
  const result = structuredClone(bars);
  const round = (value: number) => (step === 0 ? value : Math.round(value / step) * step);
  for (let at = 0; at < until; at++) {
    for (const field of ["open", "high", "low", "close"] as const) result[field][at] = round(bars[field][at]! * price);
    result.volume[at] = Math.round(bars.volume[at]! * volume);
  }
  return result;
}

const without = (bars: BarColumns, gone: ReadonlySet<number>) =>
  pickBars(
    bars,
    [...bars.ts.keys()].filter((at) => !gone.has(at)),
  );

describe("compareBars", () => {
  const stored = barsOf(12);

  test("compareBars finds nothing in the same bars, and only the new ones in more", () => {
    expect(compareBars(stored, stored, NONE)).toMatchObject({ kind: "same", missing: [] });
    const { kind, write } = compareBars(sliceBars(stored, 0, 9), stored, NONE);
    expect([kind, [...write.ts]]).toEqual(["same", [...stored.ts.slice(9)]]);
  });

  for (const ratio of [4, 2, 1.5, 0.1, 20]) {
    test(`compareBars detects a ${ratio}:1 split, prices in cents`, () => {
      const answer = scaled(stored, 12, 1 / ratio, ratio, 0.01);
      const { kind, factor } = compareBars(stored, answer, NONE);
      expect(kind).toBe("split");
      expect(factor).toBeCloseTo(1 / ratio, 3);
    });
  }

  test("compareBars detects a split between prices of single precision, of cents and of thousands", () => {
    for (const size of [0.05, 1, 40]) {
      const single = (factor: number) => {
        const bars = structuredClone(stored);
        for (const field of ["open", "high", "low", "close"] as const)
          bars[field].set(bars[field].map((price) => Math.fround(Math.round(price * size * 100) / 100 / factor)));
        bars.volume.set(bars.volume.map((volume) => volume * factor));
        return bars;
      };
      for (const factor of [3, 7, 10]) {
        expect(compareBars(single(1), single(factor), NONE)).toMatchObject({ kind: "split" });
      }
    }
  });

  test("compareBars detects a dividend by volumes that stayed", () => {
    const { kind, factor } = compareBars(stored, scaled(stored, 12, 0.985, 1, 0.01), NONE);
    expect([kind, factor.toFixed(3)]).toEqual(["dividend", "0.985"]);
  });

  test("compareBars detects a factor that ends at an ex-date inside the window", () => {
    expect(compareBars(stored, scaled(stored, 8, 0.5, 2), NONE).kind).toBe("split");
  });

  test("compareBars takes a factor on two bars, in the middle or with odd volumes for corrections", () => {
    expect(compareBars(stored, scaled(stored, 2, 0.5, 2), NONE).kind).toBe("correction");
    expect(compareBars(stored, scaled(stored, 12, 0.5, 7), NONE).kind).toBe("correction");
    const middle = structuredClone(stored);
    const bent = scaled(stored, 6, 0.5, 2);
    for (const field of BAR_FIELDS) middle[field].set(bent[field].slice(3, 6), 3);
    expect(compareBars(stored, middle, NONE).kind).toBe("correction");
  });

  test("compareBars leaves a factor on one or two bars undecided, unless an older bar stayed the same", () => {
    const bent = scaled(stored, 2, 0.5, 2);
    const undecided = { kind: "correction", isUndecided: true };
    for (const [from, to] of [
      [0, 1],
      [0, 2],
      [1, 2],
      [1, 12],
    ] as const)
      expect(compareBars(sliceBars(stored, from, to), sliceBars(bent, from, to), NONE)).toMatchObject(undecided);
    const high = structuredClone(stored);
    high.high[0]! += 1;
    expect(compareBars(stored, high, NONE).isUndecided).toBe(false);
    const later = scaled(stored, 12, 0.5, 2);
    for (const field of BAR_FIELDS) later[field][0] = stored[field][0]!;
    expect(compareBars(sliceBars(stored, 0, 3), sliceBars(later, 0, 3), NONE).isUndecided).toBe(false);
  });

  test("compareBars detects a factor beside a corrected volume, a bar of another provider and one of the new scale", () => {
    const answer = scaled(stored, 12, 0.5, 2);
    answer.volume[3]! += 1_000;
    expect(compareBars(stored, answer, NONE).kind).toBe("split");
    answer.close[2] = answer.high[2]!;
    expect(compareBars(stored, answer, new Set([stored.ts[2]!])).kind).toBe("split");
    const repaired = structuredClone(stored);
    for (const field of BAR_FIELDS) repaired[field][4] = answer[field][4]!;
    expect(compareBars(repaired, answer, NONE).kind).toBe("split");
  });

  test("property: holes in an answer count as shrunk, and nothing that is stored is overwritten", () => {
    const holes = fc.uniqueArray(fc.integer({ min: 0, max: 11 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(holes, fc.double({ min: 0.2, max: 5, noNaN: true }), (gone, price) => {
        const answer = without(scaled(barsOf(15), 12, price, 1), new Set(gone));
        const { kind, write, old, missing } = compareBars(stored, answer, NONE);
        expect([kind, missing.length, old.ts.length]).toEqual(["shrunk", gone.length, 0]);
        expect(write.ts.every((ts) => !stored.ts.includes(ts))).toBe(true);
        // Bars of another provider may be absent from the vendor's answer.
        const foreign = new Set(gone.map((at) => stored.ts[at]!));
        expect(compareBars(stored, answer, foreign).missing).toEqual([]);
      }),
    );
  });

  test("property: storing the result of compareBars makes the stored bars those of the answer, and keeps the old values", () => {
    const correction = fc.record({ at: fc.integer({ min: 0, max: 11 }), by: fc.integer({ min: 1, max: 500 }) });
    fc.assert(
      fc.property(fc.array(correction, { maxLength: 6 }), fc.integer({ min: 0, max: 4 }), (bends, more) => {
        const answer = structuredClone(barsOf(12 + more));
        for (const { at, by } of bends) answer.high[at] = answer.high[at]! + by / 100;
        const { write, old, kind } = compareBars(stored, answer, NONE);
        const after = new Map(rowsOf(stored).map((row) => [row[0], row]));
        for (const row of rowsOf(old)) expect(after.get(row[0]!)).toEqual(row);
        for (const row of rowsOf(write)) after.set(row[0]!, row);
        expect([...after.values()].sort((a, b) => a[0]! - b[0]!)).toEqual(rowsOf(answer));
        expect(kind).toBe(bends.length > 0 ? "correction" : "same");
        expect(old.ts.length).toBe(new Set(bends.map(({ at }) => at)).size);
      }),
    );
  });
});
