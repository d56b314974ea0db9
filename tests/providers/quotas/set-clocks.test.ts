/** Quotas while the machine's clock is set: no more is sent than by a clock that was never touched. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import type { QuotaRow } from "../../../src/providers/quotas/quota-state.ts";
import type { RateLimiter } from "../../../src/providers/quotas/rate-limiter.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";
import { ask, HOUR, limiterOf, MINUTE, perDay, perMinute } from "./limits.ts";

const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 0, 15, 12);
const STEPS = { "an hour": HOUR, "a day": DAY, "a week": 7 * DAY } as const;

/** Sends as often as it may until `end` (true time); returns the true times at which requests were sent. */
async function sendUntil(clock: VirtualClock, limiter: RateLimiter, end: number, sent: number[]): Promise<void> {
  let going = true;
  const work = async () => {
    while (going) {
      const permit = await limiter.acquire(ask()).catch(() => null);
      if (permit === null) return;
      sent.push(clock.steady());
      permit.settle({});
    }
  };
  const working = work();
  await clock.advance(end - clock.steady());
  going = false;
  limiter.close();
  void working;
}

const most = (sent: readonly number[], window: number) =>
  Math.max(...sent.map((from) => sent.filter((at) => at >= from && at < from + window).length));

for (const [name, step] of Object.entries(STEPS)) {
  for (const sign of [1, -1]) {
    const way = sign > 0 ? "forwards" : "back";
    test(`a clock set ${way} by ${name} sends no more in a minute, and no less`, async () => {
      const clock = new VirtualClock(NOON);
      const limiter = limiterOf(clock, [perMinute(10)]);
      const sent: number[] = [];
      const sending = sendUntil(clock, limiter, NOON + 3 * MINUTE, sent);
      clock.set(sign * step);
      await sending;
      expect(most(sent, MINUTE)).toBe(10);
      expect(sent.length).toBeGreaterThanOrEqual(30);
    });

    test(`a day's quota is not exceeded when the clock is set ${way} by ${name}, also over a restart`, async () => {
      for (const isRestarted of [false, true]) {
        const clock = new VirtualClock(NOON);
        let stored: readonly QuotaRow[] = [];
        const hooks = {
          persist(rows: readonly QuotaRow[]) {
            stored = rows;
          },
        };
        let limiter = limiterOf(clock, [perDay(20)], hooks);
        const sent: number[] = [];
        await Promise.all(Array.from({ length: 15 }, () => limiter.acquire(ask()))).then((permits) => {
          for (const permit of permits) {
            sent.push(clock.steady());
            permit.settle({});
          }
        });
        clock.set(sign * step);
        if (isRestarted) {
          limiter.close();
          limiter = limiterOf(clock, [perDay(20)], hooks);
          limiter.restore(stored, sign * step);
        }
        await sendUntil(clock, limiter, NOON + 3 * DAY, sent);
        const days = Map.groupBy(sent, (at) => Math.floor(at / DAY));
        for (const [, { length }] of days) expect(length).toBeLessThanOrEqual(20);
        // And it goes on in the next days.
        expect(sent.length).toBeGreaterThan(40);
      }
    });
  }
}

test("however the clock is set, no true day has more requests than its quota", async () => {
  const steps = fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 20 }), by: fc.integer({ min: -200, max: 200 }) }),
    { maxLength: 2 },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (changes) => {
      const clock = new VirtualClock(NOON);
      const limiter = limiterOf(clock, [perDay(5)]);
      const sent: number[] = [];
      let going = true;
      void (async () => {
        while (going) {
          const permit = await limiter.acquire(ask());
          sent.push(clock.steady());
          permit.settle({});
        }
      })();
      for (const { after, by } of changes) {
        await clock.advance(after * HOUR);
        clock.set(by * HOUR);
        // What waits asks again at the latest with the next request.
        void limiter.state("acme");
      }
      await clock.advance(NOON + 3 * DAY - clock.steady());
      going = false;
      limiter.close();
      for (const [, { length }] of Map.groupBy(sent, (at) => Math.floor(at / DAY)))
        expect(length).toBeLessThanOrEqual(5);
    }),
    { numRuns: 60 },
  );
});

test("a vendor's pause lasts as long as it said, however the clock is set", async () => {
  for (const step of [HOUR, -HOUR, 7 * DAY, -7 * DAY]) {
    const clock = new VirtualClock(NOON);
    const limiter = limiterOf(clock, [perMinute(10)]);
    limiter.report("acme", { holdSeconds: 600 });
    clock.set(step);
    const sent: number[] = [];
    await sendUntil(clock, limiter, NOON + 20 * MINUTE, sent);
    expect(sent[0]! - NOON).toBe(10 * MINUTE);
  }
});
