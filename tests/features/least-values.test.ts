/** The smallest and largest values of a sliding window, against the whole window in order. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { LeastValues } from "../../src/features/kernels/least-values.ts";

const value = fc.oneof(
  // Few different values: ties at the edge of what is kept.
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((x) => x + 0),
);
const series = fc
  .tuple(fc.array(value, { minLength: 130, maxLength: 400 }), fc.constantFrom("as it is", "rising", "falling"))
  .map(([values, order]) => {
    // In order, every bar takes from one end of the window, which then has to be rescanned.
    if (order === "rising") values.sort((a, b) => a - b);
    if (order === "falling") values.sort((a, b) => b - a);
    return Float64Array.from(values, (x) => x + 0);
  });

test("the smallest and the largest values of a sliding window are those of the window in order, ties and zeros included", () => {
  fc.assert(
    fc.property(series, fc.constantFrom(5, 40, 120), fc.integer({ min: 1, max: 5 }), (x, n, least) => {
      const smallest = new LeastValues(n, least, 1);
      const largest = new LeastValues(n, least, -1);
      for (let t = n - 1; t < x.length; t++) {
        for (const end of [smallest, largest]) t === n - 1 ? end.fill(x, t + 1) : end.slide(x, t);
        const ordered = x.slice(t - n + 1, t + 1).sort();
        expect(smallest.count).toBeGreaterThanOrEqual(least);
        expect(largest.count).toBeGreaterThanOrEqual(least);
        expect([...smallest.kept.subarray(0, smallest.count)]).toEqual([...ordered.subarray(0, smallest.count)]);
        const top = [...largest.kept.subarray(0, largest.count)].map((negated) => -negated);
        expect(top).toEqual([...ordered.toReversed().subarray(0, largest.count)]);
      }
    }),
    { numRuns: 60 },
  );
});

test("a window says that its kept values have changed exactly when one of them left or a smaller one came", () => {
  const x = Float64Array.from({ length: 100 }, (_, t) => t % 50);
  const window = new LeastValues(50, 1, 1);
  window.fill(x, 50);
  const changes = Array.from({ length: 50 }, (_, place) => window.slide(x, 50 + place));
  // Thirteen of fifty are kept; each value leaves as the same one comes.
  expect(changes.filter((changed) => changed).length).toBe(13);
});
