/** `Feature k/200` is where the work really is. */

import { expect, test } from "bun:test";
import { emptyBars } from "../../src/domain/bars.ts";
import { FEATURE_COUNT } from "../../src/features/catalog.ts";
import { engineer } from "../../src/features/engine.ts";

function steps(length: number): number[] {
  const bars = emptyBars(length);
  for (let i = 0; i < length; i++) {
    bars.ts[i] = i * 60;
    for (const field of ["open", "high", "low", "close"] as const) bars[field][i] = 100 + Math.sin(i);
    bars.volume[i] = 1 + (i % 7);
  }
  const pass = engineer(bars, { interval: "1m", market: "crypto" });
  const done: number[] = [];
  for (let step = pass.next(); !step.done; step = pass.next()) done.push(step.value.done);
  return done;
}

test("a short history counts feature by feature", () => {
  const done = steps(500).filter((k) => k > 0);
  expect(done).toEqual(Array.from({ length: FEATURE_COUNT }, (_, index) => index + 1));
});

test("a long history counts its share, never falls, and ends at all", () => {
  const done = steps(20_000);
  expect(done.every((k, index) => index === 0 || k >= done[index - 1]!)).toBe(true);
  expect(done.at(-1)).toBe(FEATURE_COUNT);
  // 20,000 bars are read in stretches of 4,096: each moves the count by about a fifth.
  expect(new Set(done).has(40)).toBe(true);
  expect(new Set(done).has(81)).toBe(true);
});
