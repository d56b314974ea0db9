/** Limits when the clock is set back: nothing waits longer for that. */

import { describe, expect, test } from "bun:test";
import { waitAtMost } from "../../../src/clock.ts";
import { Hold } from "../../../src/providers/quotas/hold.ts";
import { FixedPeriod, SlidingMinute } from "../../../src/providers/quotas/meters.ts";
import type { QuotaRow } from "../../../src/providers/quotas/quota-state.ts";
import { VirtualClock } from "../../helpers/virtual-clock.ts";
import { ask, HOUR, limiterOf, perDay } from "./limits.ts";

const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 29, 12);

describe("after the clock was set back", () => {
  for (const back of [HOUR, DAY, 3_650 * DAY]) {
    test(`after the clock was set back by ${back / HOUR} hours, a hold lasts no longer than it was set for`, () => {
      const hold = new Hold();
      hold.extend(60, "busy", NOW);
      expect(hold.isOn(NOW - back)).toBe(true);
      expect(hold.isOn(NOW - back + 59_000)).toBe(true);
      expect(hold.isOn(NOW - back + 61_000)).toBe(false);
    });

    test(`after the clock was set back by ${back / HOUR} hours, the slots of a minute are free after a minute`, () => {
      const minute = new SlidingMinute({ period: "minute", counts: "requests", limit: 2 });
      minute.answered(minute.take(1, NOW), NOW);
      minute.take(1, NOW);
      expect(minute.used(NOW - back)).toBe(2);
      expect(minute.used(NOW - back + 60_000)).toBe(1);
      // The request without an answer counts as lost after two minutes, and is free another one later.
      minute.used(NOW - back + 126_000);
      expect(minute.used(NOW - back + 186_000)).toBe(0);
    });

    test(`after the clock was set back by ${back / HOUR} hours, the count of a day is kept, and ends with the day`, () => {
      const day = new FixedPeriod({ period: "day", counts: "requests", limit: 10 });
      for (let count = 0; count < 10; count++) day.take(1, NOW);
      expect(day.fits(1, NOW - back)).toBe(false);
      expect(day.resetsAt(NOW - back)).toBe(Math.floor((NOW - back) / DAY) * DAY + DAY);
      expect(day.fits(1, NOW - back + DAY)).toBe(true);
    });
  }

  test("after the clock was set back, what was stored of a later period counts, and a hold of years is cut", () => {
    const limiter = limiterOf(new VirtualClock(NOW), [perDay(10)]);
    const row = (period: QuotaRow["period"], used: number): QuotaRow => {
      return { account: "acme:1", period, startedAt: Date.UTC(2036, 0, 1) / 1000, used };
    };
    limiter.restore([row("day", 9), row("hold", 0)]);
    const { gauges, hold } = limiter.state("acme")!;
    expect(gauges).toMatchObject([{ used: 9, resetsAt: Date.UTC(2026, 10, 30) / 1000 }]);
    expect(hold!.until).toBe((NOW + 31 * DAY) / 1000);
    limiter.close();
  });

  test("a hold from before a restart lasts no longer than what was left of it, by however much the clock is wrong", async () => {
    let stored: readonly QuotaRow[] = [];
    const persist = (rows: readonly QuotaRow[]) => {
      stored = rows;
    };
    const limiter = limiterOf(new VirtualClock(NOW), [perDay(10)], { persist });
    (await limiter.acquire(ask())).settle({ holdSeconds: 600, reason: "busy" });
    limiter.close();
    for (const [start, seconds] of [
      [NOW - 7 * DAY, 600],
      [NOW, 600],
      [NOW + 60_000, 540],
    ] as const) {
      const restarted = limiterOf(new VirtualClock(start), [perDay(10)]);
      restarted.restore(stored);
      expect(restarted.state("acme")!.hold!.until).toBe(start / 1_000 + seconds);
      restarted.close();
    }
  });
});

test("a wait with a limit ends with its work, with the work's error, or without it at the limit", async () => {
  await waitAtMost(Promise.resolve("done"), 3_600_000);
  await expect(waitAtMost(Promise.reject(new Error("broken")), 3_600_000)).rejects.toThrow("broken");
  await waitAtMost(new Promise<void>(() => {}), 1);
});
