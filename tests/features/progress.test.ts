/** `Feature k/200` shows the real progress. */

import { expect, test } from "bun:test";
import { emptyBars } from "../../src/domain/market/bars.ts";
import { FEATURE_COUNT, FEATURES } from "../../src/features/catalog.ts";
import { engineer } from "../../src/features/engine.ts";

function steps(length: number) {
  const bars = emptyBars(length);
  for (let i = 0; i < length; i++) {
    bars.ts[i] = i * 60;
    for (const field of ["open", "high", "low", "close"] as const) bars[field][i] = 100 + Math.sin(i);
    bars.volume[i] = 1 + (i % 7);
  }
  const pass = engineer(bars, { interval: "1m", market: "crypto" });
  return [...pass];
}

test("a short history reports feature by feature, and names the family of the next", () => {
  const counted = steps(500).filter(({ done }) => done > 0);
  expect(counted.map(({ done }) => done)).toEqual(FEATURES.map(({ number }) => number));
  expect(counted.map(({ next }) => next)).toEqual([...FEATURES.slice(1).map(({ family }) => family), null]);
});

test("a long history reports its share, never falls, and ends at all", () => {
  const done = steps(20_000).map((step) => step.done);
  expect(done.every((k, index) => index === 0 || k >= done[index - 1]!)).toBe(true);
  expect(done.at(-1)).toBe(FEATURE_COUNT);
  // 20,000 bars are read in blocks of 4,096: each moves the count by about a fifth.
  expect(new Set(done).has(40)).toBe(true);
  expect(new Set(done).has(81)).toBe(true);
});
