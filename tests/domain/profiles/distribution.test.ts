import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  driftOf as drift,
  histogramOf,
  isDrifted,
  percentileOf,
  quantile,
} from "../../../src/domain/profiles/distribution.ts";

const ascending = (values: readonly number[]) => Float64Array.from(values).sort();
/** 0, 1, … n − 1. */
const upTo = (count: number) => Float64Array.from({ length: count }, (_, at) => at);
/** The drift of some values against a year, its stretches beginning every 15 values. */
const driftOf = (year: Float64Array, recent: ArrayLike<number>, step = 15) =>
  drift({
    year,
    ascending: year.filter((each) => !Number.isNaN(each)).sort(),
    recent: Float64Array.from(recent),
    step,
  });
const values = (minLength: number, maxLength: number) =>
  fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength, maxLength });

describe("drift", () => {
  test("the index is the sum of its definition over the deciles of the reference", () => {
    // 1,000 values, 100 in each decile; of 100 new ones 50 in the first and 50 in the last.
    const recent = Float64Array.from({ length: 100 }, (_, at) => (at < 50 ? 10 : 990));
    const q = 100.5 / 1_005;
    const p = [50.5 / 105, 0.5 / 105];
    const term = (share: number) => (share - q) * Math.log(share / q);
    const { psi, byChance } = driftOf(upTo(1_000), recent)!;
    expect(psi).toBeCloseTo(2 * term(p[0]!) + 8 * term(p[1]!), 12);
    expect(byChance).toBeCloseTo(16.919 * (1 / 1_000 + 1 / 100), 12);
  });

  test("the index of the reference itself is nearly 0, and no index is below 0", () => {
    expect(driftOf(upTo(1_000), upTo(1_000))!.psi).toBeLessThan(1e-5);
    fc.assert(
      fc.property(values(100, 300), values(30, 80), (reference, recent) => {
        const drift = driftOf(ascending(reference), recent);
        if (drift !== null) expect(drift.psi).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("the index does not depend on the order of the newest values, nor on the unit", () => {
    fc.assert(
      fc.property(values(100, 200), values(30, 60), (reference, recent) => {
        const drift = driftOf(ascending(reference), recent)?.psi ?? null;
        expect(driftOf(ascending(reference), recent.toReversed())?.psi ?? null).toBe(drift);
        const doubled = driftOf(
          ascending(reference.map((each) => 2 * each)),
          recent.map((each) => 2 * each),
        );
        expect(doubled?.psi ?? null).toBe(drift);
      }),
    );
  });

  test("values that repeat share a bin, also one that nine in ten have", () => {
    const flags = ascending(Array.from({ length: 200 }, (_, at) => Number(at >= 190)));
    const same = Array.from({ length: 40 }, (_, at) => Number(at >= 38));
    expect(driftOf(flags, same)!.byChance).toBeCloseTo(3.841 * (1 / 200 + 1 / 40), 12);
    expect(driftOf(flags, same)!.psi).toBeLessThan(0.01);
    expect(
      driftOf(
        flags,
        same.map(() => 1),
      )!.psi,
    ).toBeGreaterThan(2);
    const mostlyOnes = ascending(Array.from({ length: 200 }, (_, at) => Number(at >= 10)));
    expect(
      driftOf(
        mostlyOnes,
        same.map(() => 0),
      )!.psi,
    ).toBeGreaterThan(2);
  });

  test("too few values, and a reference that never changes, have no index", () => {
    expect(driftOf(upTo(99), upTo(60))).toBeNull();
    expect(driftOf(upTo(100), upTo(29))).toBeNull();
    expect(driftOf(new Float64Array(200).fill(3), upTo(60))).toBeNull();
  });

  test("a drift exceeds 0.2, chance, and what is usual within the year; without a year to compare with none is stated", () => {
    expect(isDrifted({ psi: 0.3, byChance: 0.35, usual: 0.1 })).toBe(false);
    expect(isDrifted({ psi: 0.15, byChance: 0.02, usual: 0.1 })).toBe(false);
    expect(isDrifted({ psi: 0.3, byChance: 0.02, usual: 0.4 })).toBe(false);
    expect(isDrifted({ psi: 0.3, byChance: 0.02, usual: null })).toBe(false);
    expect(isDrifted({ psi: 0.21, byChance: 0.02, usual: 0.1 })).toBe(true);
  });

  test("a slow wave makes every stretch differ from its year, so that one more of them is usual", () => {
    const wave = (from: number, count: number) =>
      Float64Array.from({ length: count }, (_, at) => Math.sin((2 * Math.PI * (from + at)) / 120));
    const usual = driftOf(wave(0, 252), wave(255, 60))!;
    expect(usual.psi).toBeGreaterThan(Math.max(0.2, usual.byChance));
    expect(isDrifted(usual)).toBe(false);
    expect(
      isDrifted(
        driftOf(
          wave(0, 252),
          wave(255, 60).map((each) => each + 3),
        )!,
      ),
    ).toBe(true);
  });

  test("the usual index is that of the stretches against the rest of the year, and unknown of too few", () => {
    // Ten stretches that are each one decile.
    const year = Float64Array.from({ length: 300 }, (_, at) => Math.floor(at / 30));
    const { usual } = driftOf(year, year.subarray(0, 30), 30)!;
    const [p, own, others] = [30.5 / 35, 0.5 / 275, 30.5 / 275];
    const rest = 0.5 / 35;
    const index = (p - own) * Math.log(p / own) + 9 * (rest - others) * Math.log(rest / others);
    expect(usual).toBeCloseTo(index, 10);
    expect(driftOf(upTo(120), upTo(60))!.usual).toBeNull();
  });

  test("values that are not known are in no bin", () => {
    const year = upTo(300).map((each) => (each % 3 === 0 ? Number.NaN : each));
    expect(driftOf(year, [...upTo(60), Number.NaN])!.psi).toBeGreaterThan(0.2);
    expect(driftOf(year, new Float64Array(60).fill(Number.NaN))).toBeNull();
  });
});

describe("a distribution", () => {
  test("quantiles are interpolated", () => {
    expect([0, 0.25, 0.5, 1].map((share) => quantile([1, 2, 3, 10], share))).toEqual([1, 1.75, 2.5, 10]);
    expect(quantile([], 0.5)).toBeNaN();
  });

  test("the percentile counts values below, and equal ones half", () => {
    expect(percentileOf([1, 2, 2, 3], 2)).toBe(50);
    expect(percentileOf([1, 2, 2, 3], 0)).toBe(0);
    expect(percentileOf([1, 2, 2, 3], 9)).toBe(100);
    expect(percentileOf([], 9)).toBeNull();
    expect(percentileOf([1], Number.NaN)).toBeNull();
  });

  test("a histogram counts every value once, extremes in the outermost bins", () => {
    const { counts, low, high } = histogramOf(upTo(1_000), 10)!;
    expect([low, high]).toEqual([4.995, 994.005]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1_000);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(8);
    fc.assert(
      fc.property(values(1, 300), fc.integer({ min: 1, max: 40 }), (list, bins) => {
        const histogram = histogramOf(ascending(list), bins)!;
        expect(histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(list.length);
        expect(Math.min(...histogram.counts)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("equal values are one bin, and none have no histogram", () => {
    expect(histogramOf([7, 7, 7], 10)).toEqual({ low: 7, high: 7, counts: [3] });
    expect(histogramOf([], 10)).toBeNull();
  });
});
