import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DAY } from "../../../src/domain/market/interval.ts";
import { mergeBatches, planBatches, type Span, uncovered } from "../../../src/domain/runs/batch-plan.ts";

const from = 19_000 * DAY;
const range = fc.record({ days: fc.integer({ min: 1, max: 12_000 }), batchDays: fc.integer({ min: 1, max: 365 }) });
const days = ({ from, to }: Span) => (to - from) / DAY;

describe("planBatches", () => {
  test("two years in batches of 30 days are 24 of 30 or 31 days", () => {
    const batches = planBatches(from, from + 730 * DAY, 30);
    expect(batches.length).toBe(24);
    expect(new Set(batches.map(days))).toEqual(new Set([30, 31]));
  });

  test("batch windows are contiguous, disjoint, complete and differ by at most a day", () => {
    fc.assert(
      fc.property(range, ({ days: length, batchDays }) => {
        const to = from + length * DAY;
        const batches = planBatches(from, to, batchDays);
        expect(batches.length).toBe(Math.max(1, Math.round(length / batchDays)));
        expect(batches.map(({ n }) => n)).toEqual(batches.map((_, i) => i + 1));
        expect(batches.every(({ total }) => total === batches.length)).toBe(true);
        expect([batches[0]!.from, batches.at(-1)!.to]).toEqual([from, to]);
        expect(batches.slice(1).map((batch) => batch.from)).toEqual(batches.slice(0, -1).map((batch) => batch.to));
        const sizes = batches.map(days);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(Math.min(...sizes)).toBeGreaterThan(0);
      }),
    );
  });

  test("an empty range has no batches", () => {
    expect(planBatches(from, from, 30)).toEqual([]);
    expect(planBatches(from, from - DAY, 30)).toEqual([]);
  });
});

test("mergeBatches keeps every batch in order, joins only neighbours, and never exceeds the window", () => {
  fc.assert(
    fc.property(range, fc.integer({ min: 1, max: 400 }), fc.func(fc.boolean()), (r, maxDays, isStored) => {
      const pending = planBatches(from, from + r.days * DAY, r.batchDays).filter(({ n }) => !isStored(n));
      const groups = mergeBatches(pending, maxDays);
      expect(groups.flat()).toEqual(pending);
      for (const [i, group] of groups.entries()) {
        const window = { from: group[0]!.from, to: group.at(-1)!.to };
        if (group.length > 1) expect(days(window)).toBeLessThanOrEqual(maxDays);
        expect(group.slice(1).every((batch, j) => batch.from === group[j]!.to)).toBe(true);
        // As few requests as possible: no group could have taken the next batch too.
        const next = groups[i + 1]?.[0];
        if (next?.from === window.to) expect(days({ from: window.from, to: next.to })).toBeGreaterThan(maxDays);
      }
    }),
  );
});

test("uncovered gives exactly the days that no span covers", () => {
  const span = fc
    .tuple(fc.integer({ min: -5, max: 45 }), fc.integer({ min: 1, max: 20 }))
    .map(([start, length]) => ({ from: start, to: start + length }));
  const inside = (spans: readonly Span[], day: number) => spans.some((s) => s.from <= day && day < s.to);
  fc.assert(
    fc.property(fc.array(span, { maxLength: 8 }), (covered) => {
      const gaps = uncovered({ from: 0, to: 40 }, covered);
      const all = Array.from({ length: 76 }, (_, i) => i - 6);
      const wanted = all.filter((day) => day >= 0 && day < 40 && !inside(covered, day));
      expect(all.filter((day) => inside(gaps, day))).toEqual(wanted);
      for (const [i, gap] of gaps.entries()) if (i > 0) expect(gap.from).toBeGreaterThan(gaps[i - 1]!.to);
    }),
  );
});
