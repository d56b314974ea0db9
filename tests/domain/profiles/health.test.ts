import { expect, test } from "bun:test";
import fc from "fast-check";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { healthClock } from "../../../src/domain/profiles/health.ts";

const staleBefore = (at: string) => {
  const { us_equity, crypto } = healthClock(CALENDAR, Date.parse(at)).staleBefore;
  return [us_equity, crypto].map((ts) => new Date(ts * 1000).toISOString().slice(0, 10));
};

test("a session is overdue a day after its close, over weekends and holidays", () => {
  // Friday's session closed at 21:00 UTC; a day of crypto closes at midnight.
  expect(staleBefore("2026-11-21T20:59:59Z")).toEqual(["2026-11-19", "2026-11-19"]);
  expect(staleBefore("2026-11-21T21:00:00Z")).toEqual(["2026-11-20", "2026-11-19"]);
  expect(staleBefore("2026-11-24T20:00:00Z")).toEqual(["2026-11-20", "2026-11-22"]);
  // Thanksgiving on the 26th, early close on the 27th at 18:00 UTC.
  expect(staleBefore("2026-11-28T17:00:00Z")).toEqual(["2026-11-25", "2026-11-26"]);
  expect(staleBefore("2026-11-28T18:00:00Z")).toEqual(["2026-11-27", "2026-11-26"]);
});

test("an overdue session closed at least a day ago, and no newer one did", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: Date.UTC(1995, 0, 1), max: Date.UTC(2030, 0, 1) }),
      fc.constantFrom("us_equity" as const, "crypto" as const),
      (now, market) => {
        const date = healthClock(CALENDAR, now).staleBefore[market];
        expect((CALENDAR.sessionOn(market, date)!.close + DAY) * 1000).toBeLessThanOrEqual(now);
        const later = CALENDAR.sessionsBetween(market, date + DAY, now / 1000 + DAY);
        for (const { close } of later) expect((close + DAY) * 1000).toBeGreaterThan(now);
      },
    ),
  );
});
