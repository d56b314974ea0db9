/** When promises are due, and which bar is needed by then: in every zone, over changes of the clocks and holidays. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { barStarts, CALENDAR, createCalendar, knownDays } from "../../../src/domain/market/calendar.ts";
import { closingAuction } from "../../../src/domain/market/exchanges/exchanges.ts";
import { INTERVALS } from "../../../src/domain/market/interval.ts";
import {
  dateIn,
  deadlineOn,
  deadlinesBetween,
  nextDeadline,
  requiredBar,
} from "../../../src/domain/promises/deadlines.ts";
import { PROMISE_DAYS, PROMISE_VENUES } from "../../../src/domain/promises/promise.ts";
import { clockIn, isoDate } from "../../../src/domain/time.ts";

const DAY = 86_400;
const ZONES = [
  "UTC",
  "America/New_York",
  "Europe/London",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "America/St_Johns",
];
const newYork = { byTime: "07:00", timeZone: "America/New_York", days: "trading_days", venue: "us_equity" } as const;
const at = (text: string) => Date.parse(text);
const seconds = (text: string) => at(text) / 1_000;

const due = fc.record({
  byTime: fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
    .map((parts) => parts.map((part) => String(part).padStart(2, "0")).join(":")),
  timeZone: fc.constantFrom(...ZONES),
  days: fc.constantFrom(...PROMISE_DAYS),
  venue: fc.constantFrom(...PROMISE_VENUES),
});
const moment = fc.integer({ min: at("2010-06-01T00:00:00Z"), max: at("2026-12-01T00:00:00Z") });

test("a deadline keeps its time on the clock over both changes of the clocks", () => {
  const next = (after: string) => new Date(nextDeadline(newYork, CALENDAR, at(after))!).toISOString();
  // Friday before the change, Monday after it.
  expect(next("2026-03-06T00:00:00Z")).toBe("2026-03-06T12:00:00.000Z");
  expect(next("2026-03-06T12:00:00Z")).toBe("2026-03-09T11:00:00.000Z");
  expect(next("2026-10-30T11:00:00Z")).toBe("2026-11-02T12:00:00.000Z");
});

test("a promise for trading days has no deadline on weekends and holidays of its venue, one for weekdays has", () => {
  const [after, until] = [at("2026-11-24T00:00:00Z"), at("2026-11-30T23:00:00Z")];
  const dates = (days: (typeof PROMISE_DAYS)[number], venue: (typeof PROMISE_VENUES)[number] = "us_equity") =>
    deadlinesBetween({ ...newYork, days, venue }, CALENDAR, { after, until, limit: 100 }).map((each) =>
      isoDate(each / 1_000).slice(8),
    );
  // Thanksgiving is the 26th.
  expect(dates("trading_days")).toEqual(["24", "25", "27", "30"]);
  expect(dates("trading_days", "XLON")).toEqual(["24", "25", "26", "27", "30"]);
  expect(dates("weekdays")).toEqual(["24", "25", "26", "27", "30"]);
  expect(dates("every_day")).toEqual(["24", "25", "26", "27", "28", "29", "30"]);
});

test("a closure that is announced after a release takes its deadline away", () => {
  const calendar = createCalendar({ closed: ["2026-11-24"] });
  expect(new Date(nextDeadline(newYork, calendar, at("2026-11-24T00:00:00Z"))!).toISOString()).toBe(
    "2026-11-25T12:00:00.000Z",
  );
});

test("deadlines ascend, lie in their range, show their time on the clock unless it is skipped, and none is left out", () => {
  fc.assert(
    fc.property(due, moment, fc.integer({ min: 1, max: 40 }), (promise, after, days) => {
      const until = after + days * DAY * 1_000;
      const found = deadlinesBetween(promise, CALENDAR, { after, until, limit: 1_000 });
      for (const [index, each] of found.entries()) {
        expect(each).toBeGreaterThan(index === 0 ? after : found[index - 1]!);
        expect(each).toBeLessThanOrEqual(until);
        const date = dateIn(promise.timeZone, each);
        const isSkipped = deadlineOn(promise, date) !== each;
        if (!isSkipped && clockIn(each, promise.timeZone).time.slice(0, 5) !== promise.byTime) {
          // Only a time inside the hour that a change of the clocks leaves out is shown later.
          const shown = clockIn(each, promise.timeZone).time.slice(0, 5);
          expect(shown > promise.byTime).toBe(true);
          expect(clockIn(each - 3_600_000, promise.timeZone).zone).not.toBe(
            clockIn(each + 3_600_000, promise.timeZone).zone,
          );
        }
      }
      // Step by step the same ones are found.
      const steps: number[] = [];
      for (let next = nextDeadline(promise, CALENDAR, after); next !== null && next <= until; ) {
        steps.push(next);
        next = nextDeadline(promise, CALENDAR, next);
      }
      expect(steps).toEqual(found);
    }),
    { numRuns: 300 },
  );
});

test("at most so many deadlines are found as asked for, the newest", () => {
  const range = { after: at("2026-01-01T00:00:00Z"), until: at("2026-11-28T00:00:00Z") };
  const all = deadlinesBetween(newYork, CALENDAR, { ...range, limit: 1_000 });
  expect(deadlinesBetween(newYork, CALENDAR, { ...range, limit: 3 })).toEqual(all.slice(-3));
});

test("the bar that is needed is the last one of the newest session that was over", () => {
  const bar = (text: string, interval: (typeof INTERVALS)[number] = "1d") => {
    const found = requiredBar(CALENDAR, "us_equity", interval, seconds(text));
    return found && new Date(found.ts * 1_000).toISOString().slice(0, 16);
  };
  expect(bar("2026-11-23T12:00:00Z")).toBe("2026-11-20T00:00");
  expect(bar("2026-11-23T20:59:59Z")).toBe("2026-11-20T00:00");
  expect(bar("2026-11-23T21:00:00Z")).toBe("2026-11-23T00:00");
  // Thanksgiving is closed and the day after it ends at 13:00.
  expect(bar("2026-11-26T23:00:00Z")).toBe("2026-11-25T00:00");
  expect(bar("2026-11-27T18:00:00Z", "1h")).toBe("2026-11-27T17:30");
  expect(bar("2026-11-27T21:00:00Z", "1m")).toBe("2026-11-27T17:59");
});

test("a bar of a day is needed after the closing auction, shorter ones at the close", () => {
  const after = (text: string, interval: "1d" | "1m") =>
    isoDate(requiredBar(CALENDAR, "XLON", interval, seconds(text))!.session.date);
  expect(after("2026-11-24T16:30:00Z", "1m")).toBe("2026-11-24");
  expect(after("2026-11-24T16:30:00Z", "1d")).toBe("2026-11-23");
  expect(after("2026-11-24T16:35:00Z", "1d")).toBe("2026-11-24");
});

test("crypto needs the last bar of the day before, in UTC", () => {
  const bar = requiredBar(CALENDAR, "crypto", "15m", seconds("2026-11-29T00:00:00Z"))!;
  expect(new Date(bar.ts * 1_000).toISOString()).toBe("2026-11-28T23:45:00.000Z");
});

test("no bar is needed where no calendar says so: unknown exchanges, and years whose holidays are not known", () => {
  expect(requiredBar(CALENDAR, "unknown", "1d", seconds("2026-11-24T12:00:00Z"))).toBeNull();
  expect(requiredBar(CALENDAR, "XBOM", "1d", knownDays("XBOM").to + DAY)).toBeNull();
  expect(requiredBar(CALENDAR, "XLON", "1d", seconds("1999-06-01T12:00:00Z"))).toBeNull();
});

test("the needed bar belongs to a session that is over, and every later session is not", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PROMISE_VENUES, "crypto" as const, "forex" as const),
      fc.constantFrom(...INTERVALS),
      moment,
      (venue, interval, when) => {
        const now = when / 1_000;
        const found = requiredBar(CALENDAR, venue, interval, now);
        if (found === null) return;
        const auction = interval === "1d" ? closingAuction(venue) : 0;
        expect(found.session.close + auction).toBeLessThanOrEqual(now);
        expect(barStarts(found.session, interval)).toContain(found.ts);
        const later = CALENDAR.sessionsBetween(venue, found.session.date + DAY, found.session.date + 10 * DAY);
        for (const session of later) expect(session.close + auction).toBeGreaterThan(now);
      },
    ),
    { numRuns: 500 },
  );
});
