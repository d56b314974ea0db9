import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { QuotaRequest } from "../../../src/providers/quotas/grant.ts";
import type { RateLimiter } from "../../../src/providers/quotas/rate-limiter.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";
import { ask, limiterOf, MINUTE, perMinute } from "./limits.ts";

describe("fairness", () => {
  /** Grants in order, one a second, for the given requests. */
  async function order(
    limiter: RateLimiter,
    clock: VirtualClock,
    requests: QuotaRequest[],
    take: number,
  ): Promise<QuotaRequest[]> {
    const granted: QuotaRequest[] = [];
    for (const request of requests) {
      limiter.acquire(request).then(
        (permit) => {
          granted.push(request);
          permit.settle({});
        },
        () => {},
      );
    }
    while (granted.length < take) await clock.advance(MINUTE);
    return granted.slice(0, take);
  }

  test("a run of one job is not starved behind a run of 5,000", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perMinute(50)]);
    await limiter.acquire(ask()).then((permit) => permit.settle({}));
    const large = Array.from({ length: 5_000 }, (_, i) => ask({ run: "large", job: `L${i}` }));
    const small = Array.from({ length: 20 }, () => ask({ run: "small", job: "S" }));
    const granted = await order(limiter, clock, [...large, ...small], 149);
    const places = granted.flatMap(({ run }, place) => (run === "small" ? [place] : []));
    expect(places.length).toBe(20);
    expect(places.at(-1)).toBeLessThan(2 * 49 + 20);
  });

  test("jobs of a run take turns, however many requests each has", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perMinute(1)]);
    await limiter.acquire(ask({ job: "first" })).then((permit) => permit.settle({}));
    const requests = ["a", "a", "a", "b", "b", "b"].map((job) => ask({ job }));
    const granted = await order(limiter, clock, requests, 6);
    expect(granted.map(({ job }) => job).join("")).toBe("ababab");
  });

  test("fairness is by cost, not by number", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perMinute(1)]);
    await limiter.acquire(ask({ run: "first" })).then((permit) => permit.settle({}));
    const dear = Array.from({ length: 10 }, () => ask({ run: "dear", cost: 5 }));
    const cheap = Array.from({ length: 50 }, () => ask({ run: "cheap", cost: 1 }));
    const granted = await order(limiter, clock, [...dear, ...cheap], 24);
    const spent = (run: string) => granted.filter((g) => g.run === run).reduce((sum, g) => sum + g.cost, 0);
    expect(Math.abs(spent("dear") - spent("cheap"))).toBeLessThanOrEqual(5);
  });

  test("fairness starves nobody: every request is granted exactly once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            run: fc.constantFrom("a", "b", "c"),
            job: fc.constantFrom("1", "2"),
            cost: fc.integer({ min: 1, max: 5 }),
          }),
          {
            maxLength: 40,
          },
        ),
        async (items) => {
          const clock = new VirtualClock();
          const requests = items.map((item) => ask(item));
          const granted = await order(limiterOf(clock, [perMinute(3)]), clock, requests, requests.length);
          expect(new Set(granted).size).toBe(requests.length);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("a request that gives up makes room for the next", async () => {
    const clock = new VirtualClock();
    const limiter = limiterOf(clock, [perMinute(1)]);
    (await limiter.acquire(ask())).settle({});
    const stop = new AbortController();
    const given = limiter.acquire(ask({ job: "a", signal: stop.signal })).catch((error) => error.message);
    let granted = false;
    limiter.acquire(ask({ job: "b" })).then(() => {
      granted = true;
    });
    stop.abort(new Error("cancelled"));
    expect(await given).toBe("cancelled");
    await clock.advance(MINUTE);
    expect(granted).toBe(true);
    expect(limiter.snapshot()[0]?.waiting).toBe(0);
  });
});
