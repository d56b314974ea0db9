/** How many symbols were still missing over time. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { burnDown } from "../../../src/domain/promises/burn-down.ts";

test("each arrival is a step down, those of one moment together, and those before the beginning are in its first one", () => {
  expect(burnDown([30, 10, 30, 5, Number.NaN], { total: 6, from: 8, until: 40 })).toEqual([
    { at: 8, missing: 4 },
    { at: 10, missing: 3 },
    { at: 30, missing: 1 },
  ]);
});

test("what arrives after the end is no step", () => {
  expect(burnDown([20, 50], { total: 2, from: 8, until: 40 }).at(-1)).toEqual({ at: 20, missing: 1 });
});

test("the steps fall to what has not arrived, in the order of time", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 1_000 })), fc.nat(50), (arrivals, more) => {
      const steps = burnDown(arrivals, { total: arrivals.length + more, from: 100, until: 2_000 });
      expect(steps.at(-1)!.missing).toBe(more);
      for (const [index, step] of steps.entries()) {
        if (index === 0) continue;
        expect(step.at).toBeGreaterThan(steps[index - 1]!.at);
        expect(step.missing).toBeLessThan(steps[index - 1]!.missing);
      }
    }),
  );
});
