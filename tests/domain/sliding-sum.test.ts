import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SlidingSum } from "../../src/domain/sliding-sum.ts";

const START = Date.UTC(2026, 0, 5, 12);

describe("a sliding sum", () => {
  test("a sliding sum is a rate over the time passed at first, then over its window, and decays to zero by itself", () => {
    const sum = new SlidingSum(1_000, 300, START);
    sum.add(60, START + 500);
    expect(sum.perMinute(START + 500)).toBe(3_600);
    expect(sum.perMinute(START + 60_000)).toBe(60);
    sum.add(60, START + 120_000);
    expect(sum.perMinute(START + 240_000)).toBe(30);
    // The first sixty leave with their second, five minutes on.
    expect(sum.total(START + 299_999)).toBe(120);
    expect(sum.total(START + 300_000)).toBe(60);
    expect(sum.perMinute(START + 300_000)).toBeCloseTo(60 / (299 / 60), 9);
    expect(sum.perMinute(START + 420_000)).toBe(0);
  });

  test("a sliding sum distinguishes minutes that were not counted from minutes with nothing", () => {
    const sum = new SlidingSum(60_000, 4, START + 30_000);
    sum.add(7, START + 90_000);
    expect(sum.values(START + 90_000)).toEqual([null, null, 0, 7]);
    expect(sum.values(START + 150_000)).toEqual([null, 0, 7, 0]);
    expect(sum.values(START + 900_000)).toEqual([0, 0, 0, 0]);
  });

  test("a sliding sum equals a count over the list of all events", () => {
    const event = fc.record({ after: fc.integer({ min: -50, max: 5_000 }), amount: fc.nat(1_000) });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), fc.integer({ min: 1, max: 9 }), (events, size) => {
        const sum = new SlidingSum(500, size, START);
        const seen: { bucket: number; amount: number }[] = [];
        let now = START;
        let newest = Math.floor(START / 500);
        for (const { after, amount } of events) {
          now += after;
          newest = Math.max(newest, Math.floor(now / 500));
          sum.add(amount, now);
          seen.push({ bucket: newest, amount });
          const inside = seen.filter(({ bucket }) => bucket > newest - size);
          expect(sum.total(now)).toBe(inside.reduce((total, each) => total + each.amount, 0));
          expect(sum.values(now).reduce<number>((total, value) => total + (value ?? 0), 0)).toBe(sum.total(now));
        }
      }),
    );
  });
});
