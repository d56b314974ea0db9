import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  expectedBars,
  isNearEdge,
  levelFor,
  MAX_BARS,
  mostBars,
  openingView,
  placeAt,
  placesOf,
  timeAt,
  viewAt,
  windowOf,
} from "../../../../public/app/profiles/zoom.js";
import { READ_INTERVALS, READ_SECONDS, type ReadInterval } from "../../../../src/domain/market/interval.ts";

const DAY = 86_400;
const END = Date.UTC(2026, 5, 30, 20) / 1_000;

/** Some years of an exchange's bars from `finest` on, or of bars around the clock. */
function extentOf(finest: ReadInterval, years: number, isContinuous = false) {
  const levels = READ_INTERVALS.filter((each) => READ_SECONDS[each] >= READ_SECONDS[finest]).map((interval) => ({
    interval,
    seconds: READ_SECONDS[interval],
  }));
  const day = isContinuous ? { daySeconds: DAY, weekDays: 7 } : { daySeconds: 23_400, weekDays: 5 };
  return { levels, first: END - years * 365 * DAY, end: END, ...day };
}
const last = (days: number) => ({ from: END - days * DAY, to: END });
const shownAt = (finest: ReadInterval, days: number, years = 10) =>
  levelFor(last(days), extentOf(finest, years)).interval;

describe("the level of a view", () => {
  test("a year of minutes opens as days, hours and days as themselves", () => {
    const opened = (finest: ReadInterval, isContinuous = false) => {
      const extent = extentOf(finest, 1, isContinuous);
      return levelFor(openingView(extent), extent).interval;
    };
    expect([opened("1m"), opened("1h"), opened("1d"), opened("1m", true)]).toEqual(["1d", "1h", "1d", "1d"]);
  });

  test("the finest that leaves bars to tell apart is shown, never one finer than the page's", () => {
    expect([1, 7, 31, 184, 365, 5 * 365, 40 * 365].map((days) => shownAt("1m", days, 50))).toEqual([
      "1m",
      "5m",
      "30m",
      "4h",
      "1d",
      "1w",
      "1mo",
    ]);
    expect([1, 31, 184].map((days) => shownAt("1h", days))).toEqual(["1h", "1h", "4h"]);
  });

  test("a level is kept until its bars are many or few, so that a movement and its reversal change nothing", () => {
    const extent = extentOf("1m", 10);
    const days = extent.levels.find(({ interval }) => interval === "1d")!;
    expect(levelFor(last(900), extent, days).interval).toBe("1d");
    expect(levelFor(last(1_500), extent, days).interval).toBe("1w");
    expect(levelFor(last(100), extent, days).interval).toBe("1d");
    expect(levelFor(last(60), extent, days).interval).toBe("1h");
  });

  test("no window can have more than 5,000 bars, wherever the view is", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...READ_INTERVALS.filter((each) => each !== "1w" && each !== "1mo")),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.option(fc.nat(8)),
        (finest, years, isContinuous, a, b, at) => {
          const extent = extentOf(finest, years, isContinuous);
          const length = extent.end - extent.first;
          const from = extent.first + Math.min(a, b) * length;
          const view = { from, to: Math.max(from + 60, extent.first + Math.max(a, b) * length) };
          const level = levelFor(view, extent, at === null ? null : (extent.levels[at] ?? null));
          const range = windowOf(view, level, extent);
          expect(mostBars(range, level, extent)).toBeLessThanOrEqual(MAX_BARS);
          expect(range.from).toBeLessThanOrEqual(view.from);
          expect(isNearEdge(view, range, level, extent)).toBe(false);
        },
      ),
    );
  });

  test("a view of more than 5,000 of the only bars there are loads the newest of them", () => {
    const extent = { ...extentOf("1d", 40), levels: [{ interval: "1d", seconds: DAY }] };
    const view = last(40 * 365);
    const level = levelFor(view, extent);
    const range = windowOf(view, level, extent);
    expect(mostBars(range, level, extent)).toBeLessThanOrEqual(MAX_BARS);
    expect(range.to).toBe(extent.end);
    expect(range.from).toBeLessThan(extent.end - 18 * 365 * DAY);
  });

  test("the bound of a window is not below what sessions have in it", () => {
    const extent = extentOf("1m", 1);
    // Three weeks from a Monday: 15 sessions of 390 minutes.
    const from = Date.UTC(2026, 2, 2) / 1_000;
    const counted = mostBars({ from, to: from + 21 * DAY }, extent.levels[0]!, extent);
    expect(counted).toBeGreaterThanOrEqual(15 * 390);
    expect(expectedBars(21 * DAY, extent.levels[0]!, extent)).toBe(15 * 390);
  });
});

describe("the time axis", () => {
  const sorted = fc
    .uniqueArray(fc.integer({ min: 0, max: 10_000 }), { minLength: 2, maxLength: 40 })
    .map((times) => times.sort((a, b) => a - b));

  test("a place and its moment are the inverse of each other, also beyond the bars", () => {
    fc.assert(
      fc.property(sorted, fc.double({ min: -50, max: 90, noNaN: true }), (times, place) => {
        expect(placeAt(times, timeAt(times, place, 60), 60)).toBeCloseTo(place, 6);
      }),
    );
    expect(timeAt([100], 2, 60)).toBe(220);
    expect(placeAt([100], 220, 60)).toBe(2);
  });

  test("a view of days ends with the end of its last day, so that its hours are in it", () => {
    const days = { interval: "1d", seconds: DAY };
    const extent = { ...extentOf("1h", 1), first: 0, end: 100 * DAY };
    const times = Array.from({ length: 30 }, (_, day) => day * DAY);
    expect(viewAt(times, { from: 3, to: 5 }, days, extent)).toEqual({ from: 3 * DAY, to: 6 * DAY });
    expect(placesOf(times, { from: 3 * DAY, to: 6 * DAY }, days, extent)).toEqual({ from: 3, to: 5 });
  });

  test("space beyond the bars is not in the view, and comes back after the last bar", () => {
    const days = { interval: "1d", seconds: DAY };
    const times = Array.from({ length: 30 }, (_, day) => day * DAY);
    const extent = { ...extentOf("1d", 1), first: 0, end: 29 * DAY + 1 };
    const view = viewAt(times, { from: -10, to: 60 }, days, extent);
    expect(view).toEqual({ from: 0, to: extent.end });
    expect(placesOf(times, view, days, extent)).toEqual({ from: 0, to: 32 });
    expect(viewAt(times, { from: 40, to: 60 }, days, extent)).toEqual({ from: extent.end - DAY, to: extent.end });
  });
});
