import { expect, test } from "bun:test";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { missingCloses } from "../../../src/domain/profiles/missing-closes.ts";
import { MonthlySeasonality } from "../../../src/domain/profiles/seasonality.ts";

const day = (text: string) => Date.parse(text) / 1_000;
const nyse = missingCloses(CALENDAR, "us_equity", "day", 252);

test.each([
  ["2026-11-24", "2026-11-25", 0],
  ["2026-11-25", "2026-11-27", 0],
  ["2026-11-27", "2026-11-30", 0],
  ["2026-11-24", "2026-11-27", 1],
  ["2026-11-20", "2026-11-30", 4],
  // Closed after the attacks: no session is missing.
  ["2001-09-10", "2001-09-17", 0],
] as const)("between the closes of %s and %s in New York %i are missing", (from, to, missing) => {
  expect(nyse(day(from), day(to))).toBe(missing);
});

test("a market without closed days lacks every day between two closes, weeks and months lack what lies between them", () => {
  const crypto = missingCloses(CALENDAR, "crypto", "day", 365);
  expect([crypto(0, DAY), crypto(0, 3 * DAY)]).toEqual([0, 2]);
  const week = missingCloses(CALENDAR, "us_equity", "week", 52);
  expect([week(0, 7 * DAY), week(0, 21 * DAY)]).toEqual([0, 2]);
  const month = missingCloses(CALENDAR, "us_equity", "month", 12);
  expect([month(day("2025-12-01"), day("2026-01-01")), month(day("2025-11-01"), day("2026-02-01"))]).toEqual([0, 2]);
});

test("where no calendar is known, only a distance is missing closes that is too long for a weekend with holidays", () => {
  const unknown = missingCloses(CALENDAR, "unknown", "day", 252);
  expect([unknown(0, 5 * DAY), unknown(0, 30 * DAY)]).toEqual([0, 20]);
});

test("a month whose last closes are missing has no return, and neither has the month after it", () => {
  const dates = CALENDAR.sessionsBetween("us_equity", day("2026-01-01"), day("2026-07-01")).map(({ date }) => date);
  const monthly = (without: readonly string[]) => {
    const seasonality = new MonthlySeasonality(nyse);
    for (const [at, date] of dates.entries()) if (!without.includes(isoOf(date))) seasonality.add(date, 100 + at);
    const { columns } = seasonality.result();
    return { columns, cut: seasonality.cut };
  };
  const isoOf = (date: number) => new Date(date * 1_000).toISOString().slice(0, 10);
  expect(monthly([])).toEqual({ columns: [2, 3, 4, 5, 6], cut: 0 });
  // The first session of a month and one within it change no return.
  expect(monthly(["2026-03-02", "2026-03-17"])).toEqual({ columns: [2, 3, 4, 5, 6], cut: 0 });
  expect(monthly(["2026-03-31"])).toEqual({ columns: [2, 5, 6], cut: 1 });
});
