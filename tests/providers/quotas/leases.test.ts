/** Permits that are granted ahead of requests. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { LeasedPermit } from "../../../src/providers/quotas/grant.ts";
import { busiestMinute } from "../../fakes/vendors/vendor.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";
import { ask, limiterOf, MINUTE, perDay, perMinute } from "./limits.ts";

const lease = (count: number, cost = 1) => ({ provider: "acme", run: "r", job: "1", cost, count });
/** How long a worker may keep a permit before it uses it, milliseconds. */
const EXPIRY_MS = 5_000;

test("permits are leased up to half of every limit, and none while a request waits or the provider holds", async () => {
  const clock = new VirtualClock();
  const limiter = limiterOf(clock, [perMinute(10), perDay(6)]);
  expect((await limiter.lease(lease(2))).length).toBe(2);
  expect((await limiter.lease(lease(8))).length).toBe(1);
  expect(await limiter.lease(lease(1))).toEqual([]);
  const minute = limiterOf(clock, [perMinute(2)]);
  await minute.acquire(ask());
  await minute.acquire(ask());
  minute.acquire(ask());
  expect(await minute.lease(lease(1))).toEqual([]);
  const held = limiterOf(clock, [perMinute(100)]);
  held.report("acme", { holdSeconds: 30 });
  expect(await held.lease(lease(4))).toEqual([]);
});

test("a permit that is returned counts for nothing, in no limit and no day's usage", async () => {
  const clock = new VirtualClock();
  const unsent: number[] = [];
  const limiter = limiterOf(clock, [perMinute(10), perDay(100)], {
    unsent: ({ cost }: { cost: number }) => void unsent.push(cost),
  });
  const permits = await limiter.lease(lease(3));
  expect(limiter.state("acme")!.gauges.map(({ used }) => used)).toEqual([3, 3]);
  permits[0]!.settle({});
  permits[1]!.unsent();
  permits[2]!.unsent();
  expect(limiter.state("acme")!.gauges.map(({ used }) => used)).toEqual([1, 1]);
  expect(unsent).toEqual([1, 1]);
});

test("a leased permit that is never used or returned counts as sent, and is free again after its time", async () => {
  const clock = new VirtualClock();
  const limiter = limiterOf(clock, [perMinute(2)]);
  expect((await limiter.lease(lease(1))).length).toBe(1);
  expect(limiter.state("acme")!.gauges[0]!.used).toBe(1);
  await clock.advance(3 * MINUTE);
  // From now on it counts as answered.
  expect(limiter.state("acme")!.gauges[0]!.used).toBe(1);
  await clock.advance(MINUTE);
  expect(limiter.state("acme")!.gauges[0]!.used).toBe(0);
});

test("permits that cannot be stored are not leased, and do not count", async () => {
  const clock = new VirtualClock();
  const persist = () => Promise.reject(new Error("disk full"));
  const limiter = limiterOf(clock, [perMinute(10)], { persist });
  expect(limiter.lease(lease(3))).rejects.toThrow("disk full");
  await clock.advance(0);
  expect(limiter.state("acme")!.gauges[0]!.used).toBe(0);
});

test("how long a leased permit waited for its request is no latency of the provider", async () => {
  const clock = new VirtualClock();
  const limiter = limiterOf(clock, [perMinute(10)]);
  const [permit] = await limiter.lease(lease(1));
  await clock.advance(4_000);
  permit!.settle({ ended: { code: "200", seconds: 0.2, isRetry: false } });
  expect(limiter.state("acme")!.latencyMs).toBe(200);
});

test("property: with permits leased ahead, returned, late and lost, no minute exceeds its limit, and it is all used", async () => {
  const fate = fc.constantFrom("used" as const, "used" as const, "late" as const, "returned" as const, "lost" as const);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 4, max: 40 }),
      fc.array(fc.record({ fate, wait: fc.nat(EXPIRY_MS), way: fc.nat(3_000) }), { minLength: 20, maxLength: 60 }),
      async (limit, plans) => {
        const clock = new VirtualClock();
        const limiter = limiterOf(clock, [perMinute(limit)]);
        const arrivals: number[] = [];
        let turn = 0;
        const next = () => plans[turn++ % plans.length]!;
        const send = async (settle: LeasedPermit["settle"], way: number) => {
          await clock.sleep(way);
          arrivals.push(clock.now());
          await clock.sleep(way);
          settle({});
        };
        const isDone = () => arrivals.length >= 3 * limit;
        const work = async (job: string) => {
          while (!isDone()) {
            for (const permit of await limiter.lease({ ...lease(4), job })) {
              const { fate, wait, way } = next();
              if (fate === "late") await clock.sleep(wait);
              if (fate === "returned") permit.unsent();
              else if (fate !== "lost") await send(permit.settle, way);
            }
            if (isDone()) return;
            const permit = await limiter.acquire(ask({ job }));
            await send(permit.settle, next().way);
          }
        };
        await clock.until(Promise.all(["a", "b", "c"].map(work)));
        expect(busiestMinute(arrivals)).toBeLessThanOrEqual(limit);
      },
    ),
    { numRuns: 25 },
  );
});
