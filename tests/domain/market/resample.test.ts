import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { BAR_FIELDS, type BarColumns, emptyBars } from "../../../src/domain/market/bars.ts";
import { CALENDAR, newYorkTime } from "../../../src/domain/market/calendar.ts";
import type { Interval } from "../../../src/domain/market/interval.ts";
import { barStartAt, deriveBars, findOffSession } from "../../../src/domain/market/resample.ts";

const DATE = Date.UTC(2024, 6, 3) / 1000; // a short day: 09:30 to 13:00
const clock = (ts: number) => {
  const minutes = (ts - newYorkTime(DATE, 0)) / 60;
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
};
const minutesOf = (from: string, to: string): number[] => {
  const at = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  return Array.from({ length: at(to) - at(from) }, (_, i) => newYorkTime(DATE, (at(from) + i) * 60));
};
const startsOf = (interval: Interval, minutes: number[]) => [
  ...new Set(minutes.map((ts) => clock(barStartAt(CALENDAR, "us_equity", interval, ts)))),
];

describe("longer bars", () => {
  test("longer bars are anchored at the open and end with the session", () => {
    expect(startsOf("1h", minutesOf("09:30", "13:00"))).toEqual(["09:30", "10:30", "11:30", "12:30"]);
    expect(startsOf("15m", minutesOf("09:30", "10:00"))).toEqual(["09:30", "09:45"]);
  });

  test("longer bars never mix minutes before the open, the session and those after it", () => {
    expect(startsOf("1h", minutesOf("08:00", "10:00"))).toEqual(["08:00", "09:00", "09:30"]);
    expect(startsOf("1h", minutesOf("12:30", "15:00"))).toEqual(["12:30", "13:00", "14:00"]);
  });

  test.each([
    // London 08:00 and 09:00, Tokyo 09:00 and (after the break) 12:30, Mumbai 09:15 and 10:15; then New York's half hours.
    ["XLON", ["08:00", "09:00", "16:00"], "08:30"],
    ["XTKS", ["00:00", "01:00", "03:30", "04:30"], "00:30"],
    ["XBOM", ["03:45", "04:45", "09:45"], "04:30"],
  ] as const)("hours of %s that do not start with its session are found", (venue, starts, off) => {
    const at = (time: string) => Date.parse(`2026-02-03T${time}:00Z`) / 1_000;
    expect(findOffSession(CALENDAR, venue, "1h", starts.map(at))).toBeUndefined();
    expect(findOffSession(CALENDAR, venue, "1h", [...starts, off].map(at))).toBe(at(off));
  });

  test("longer bars of crypto are anchored at midnight UTC", () => {
    expect(barStartAt(CALENDAR, "crypto", "1h", DATE + 3 * 3600 + 59)).toBe(DATE + 3 * 3600);
    expect(barStartAt(CALENDAR, "crypto", "1d", DATE + 86_399)).toBe(DATE);
  });

  test("a longer bar has the first open, highest high, lowest low, last close and summed volume", () => {
    const minutes = minutesOf("09:30", "13:00");
    const bar = fc.record({
      open: fc.integer({ min: 1, max: 99 }),
      high: fc.integer({ min: 1, max: 99 }),
      low: fc.integer({ min: 1, max: 99 }),
      close: fc.integer({ min: 1, max: 99 }),
      volume: fc.nat(1000),
    });
    fc.assert(
      fc.property(
        fc
          .subarray(minutes, { minLength: 1 })
          .chain((kept) =>
            fc.array(bar, { minLength: kept.length, maxLength: kept.length }).map((rows) => ({ kept, rows })),
          ),
        fc.constantFrom<Interval[]>("5m", "15m", "1h", "1d"),
        ({ kept, rows }, interval) => {
          const source: BarColumns = emptyBars(kept.length);
          for (const [at, ts] of kept.entries())
            for (const field of BAR_FIELDS) source[field][at] = field === "ts" ? ts : rows[at]![field];
          const derived = deriveBars(CALENDAR, "us_equity", interval, source);
          const groups = Map.groupBy(kept.keys(), (at) => barStartAt(CALENDAR, "us_equity", interval, kept[at]!));
          expect([...derived.ts]).toEqual([...groups.keys()]);
          for (const [index, members] of [...groups.values()].entries()) {
            const values = (field: "open" | "high" | "low" | "close" | "volume") =>
              members.map((at) => rows[at]![field]);
            expect([
              derived.open[index],
              derived.high[index],
              derived.low[index],
              derived.close[index],
              derived.volume[index],
            ]).toEqual([
              values("open")[0],
              Math.max(...values("high")),
              Math.min(...values("low")),
              values("close").at(-1),
              values("volume").reduce((a, b) => a + b),
            ]);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});
