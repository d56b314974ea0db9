import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type EtaInput, estimate } from "../../../src/domain/runs/eta.ts";

const input = (over: Partial<EtaInput> = {}): EtaInput => ({
  now: 1_000_000,
  seconds: 60,
  measured: 100,
  requestsLeft: 0,
  limits: [],
  holdUntil: null,
  ...over,
});
const minute = { period: "minute", used: 0, limit: 60, cost: 1, resetsAt: null } as const;
const day = { period: "day", used: 0, limit: 1_000, cost: 1, resetsAt: 1_003_600 } as const;

describe("the estimated time left", () => {
  test("the time left is unknown before anything is done", () => {
    expect(estimate(input({ seconds: null }))).toBeNull();
  });

  test("the time left follows the measured speed where no limit applies", () => {
    expect(estimate(input({ limits: [minute], requestsLeft: 30 }))).toMatchObject({ seconds: 60, limitedBy: "speed" });
  });

  test("the time left is a wide range after one batch, 20 % after eight, and a narrow one after many", () => {
    const [one, eight, many] = [1, 8, 400].map((measured) => estimate(input({ seconds: 600, measured }))!);
    expect([one!.low, one!.high]).toEqual([385, 936]);
    expect([eight!.low, eight!.high]).toEqual([501, 719]);
    expect([many!.low, many!.high]).toEqual([545, 660]);
  });

  test("the time left is never below what the rate limit allows", () => {
    const eta = estimate(input({ limits: [{ ...minute, used: 60 }], requestsLeft: 600 }));
    expect(eta).toMatchObject({ seconds: 600, low: 600, limitedBy: "rate" });
    // Requests that cost ten units each.
    expect(estimate(input({ limits: [{ ...minute, cost: 10 }], requestsLeft: 600 }))?.seconds).toBe(5_940);
  });

  test("the time left reaches to the reset of a quota that does not suffice, and to the one after that", () => {
    expect(estimate(input({ limits: [day], requestsLeft: 1_000 }))?.limitedBy).toBe("speed");
    expect(estimate(input({ limits: [day], requestsLeft: 1_001 }))).toMatchObject({
      seconds: 3_600,
      limitedBy: "quota",
    });
    expect(estimate(input({ limits: [day], requestsLeft: 2_500 }))?.seconds).toBe(3_600 + 86_400);
  });

  test("the time left starts when the provider's hold ends", () => {
    expect(estimate(input({ holdUntil: 1_000_090 }))).toMatchObject({ seconds: 150, limitedBy: "hold" });
  });

  test("the estimate lies within its range, and more work never takes less time", () => {
    const some = fc.record({
      seconds: fc.double({ min: 0.1, max: 1e5, noNaN: true }),
      measured: fc.integer({ min: 1, max: 5_000 }),
      requestsLeft: fc.nat(100_000),
      used: fc.nat(60),
    });
    fc.assert(
      fc.property(some, ({ used, ...rest }) => {
        const limits = [{ ...minute, used }, day];
        const eta = estimate(input({ ...rest, limits }))!;
        expect(eta.low).toBeLessThanOrEqual(eta.seconds);
        expect(eta.high).toBeGreaterThanOrEqual(eta.seconds);
        const more = estimate(
          input({ ...rest, limits, seconds: rest.seconds + 1, requestsLeft: rest.requestsLeft + 10 }),
        )!;
        expect(more.seconds).toBeGreaterThanOrEqual(eta.seconds);
      }),
    );
  });
});
