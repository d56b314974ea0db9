import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type CostInput,
  estimateCost,
  type SpentLimit,
} from "../../../../src/scheduler/runs/estimates/cost-estimate.ts";

const plan = (over: Partial<CostInput> = {}): CostInput => ({
  symbols: 50,
  requests: 1_200,
  units: over.requests ?? 1_200,
  limits: [],
  atOnce: 2,
  secondsPerSymbol: 3,
  ...over,
});
const minute: SpentLimit = { period: "minute", counts: "requests", used: 0, limit: 60, resetsAt: null };
const day: SpentLimit = { period: "day", counts: "units", used: 500, limit: 1_000, resetsAt: 10_000 };

test("without limits the work decides the estimate", () => {
  expect(estimateCost(plan(), 0)).toEqual({ seconds: 75, afterReset: null });
  expect(estimateCost(plan({ secondsPerSymbol: null }), 0)).toEqual({ seconds: null, afterReset: null });
});

test("a limit a minute is spread over the minutes, after what is free now", () => {
  expect(estimateCost(plan({ limits: [minute] }), 0)).toEqual({ seconds: 19 * 60, afterReset: null });
  expect(estimateCost(plan({ limits: [{ ...minute, used: 60 }] }), 0)).toEqual({ seconds: 20 * 60, afterReset: null });
});

describe("a limit a day", () => {
  test("a daily limit that suffices delays nothing", () => {
    expect(estimateCost(plan({ requests: 500, limits: [day] }), 0).afterReset).toBeNull();
  });

  test("a daily limit that does not suffice is waited for, as many resets as it takes", () => {
    expect(estimateCost(plan({ requests: 1_200, limits: [day] }), 4_000)).toEqual({
      seconds: 6_000,
      afterReset: 10_000,
    });
    expect(estimateCost(plan({ requests: 1_600, limits: [day] }), 4_000)).toEqual({
      seconds: 6_000 + 86_400,
      afterReset: 10_000 + 86_400,
    });
  });

  test("a daily limit in units counts what a request costs", () => {
    expect(estimateCost(plan({ requests: 120, units: 600, limits: [day] }), 4_000).afterReset).toBe(10_000);
  });
});

test("more requests, or less quota, never end sooner", () => {
  const some = fc.integer({ min: 0, max: 5_000 });
  fc.assert(
    fc.property(some, some, some, some, (requests, more, used, spent) => {
      const limits = (extra: number) => [
        { ...minute, used: Math.min(60, used) },
        { ...day, used: Math.min(1_000, used + extra) },
      ];
      const before = estimateCost(plan({ requests, limits: limits(0) }), 0).seconds!;
      expect(estimateCost(plan({ requests: requests + more, limits: limits(0) }), 0).seconds!).toBeGreaterThanOrEqual(
        before,
      );
      expect(estimateCost(plan({ requests, limits: limits(spent) }), 0).seconds!).toBeGreaterThanOrEqual(before);
    }),
  );
});
