/** The gaps of sessions. */

import { describe, expect, test } from "bun:test";
import { barStarts, CALENDAR } from "../../../src/domain/market/calendar.ts";
import { findGaps } from "../../../src/pipeline/fetch/find-gaps.ts";
import type { DayCount } from "../../../src/storage/market/gaps.ts";

const at = (text: string) => Date.parse(`${text}T00:00:00Z`) / 1000;
const SESSIONS = CALENDAR.sessionsBetween("us_equity", at("2024-06-03"), at("2024-08-01"));

/** The days of a symbol that trades in the minutes for which `trades` is true. */
function daysOf(trades: (date: number, minute: number) => boolean): DayCount[] {
  return SESSIONS.flatMap((session) => {
    const bars = barStarts(session, "1m").filter((_, minute) => trades(session.date, minute));
    return bars.length === 0
      ? []
      : [{ date: session.date, rows: bars.length, first: bars[0]!, last: bars[bars.length - 1]! }];
  });
}

const kindsOf = (days: DayCount[]) =>
  findGaps(days, SESSIONS, "1m").map(({ date, kind }) => [new Date(date * 1000).toISOString().slice(5, 10), kind]);
const DAY_X = at("2024-07-16");

describe("findGaps", () => {
  test("findGaps accepts full sessions, early closes and holidays included", () => {
    expect(kindsOf(daysOf(() => true))).toEqual([]);
  });

  test("findGaps accepts minutes without trades", () => {
    expect(kindsOf(daysOf((date, minute) => (date / 86_400 + minute * 7) % 3 !== 0))).toEqual([]);
    expect(kindsOf(daysOf((_date, minute) => minute % 11 === 4 && minute < 370))).toEqual([]);
  });

  test("findGaps finds a session that is missing, but none before the first bar or after the last", () => {
    const days = daysOf((date) => date !== DAY_X && date > at("2024-06-10") && date < at("2024-07-25"));
    expect(kindsOf(days)).toEqual([["07-16", "missing"]]);
  });

  test("findGaps finds a session that ends before its close, or begins after its open", () => {
    expect(kindsOf(daysOf((date, minute) => date !== DAY_X || minute < 300))).toEqual([["07-16", "truncated"]]);
    expect(kindsOf(daysOf((date, minute) => date !== DAY_X || minute > 60))).toEqual([["07-16", "truncated"]]);
  });

  test("findGaps finds a session far below the symbol's own median, whatever that is", () => {
    const thin = (date: number, minute: number) => minute % 5 === 0 && (date !== DAY_X || minute % 15 === 0);
    expect(kindsOf(daysOf(thin))).toEqual([["07-16", "sparse"]]);
  });

  test("findGaps finds bars outside sessions", () => {
    const days = daysOf(() => true);
    const late = days.map((day) => (day.date === DAY_X ? { ...day, last: day.last + 3_600 } : day));
    expect(kindsOf(late)).toEqual([["07-16", "outside"]]);
    const saturday = at("2024-07-20");
    const weekend = [...days, { date: saturday, rows: 3, first: saturday, last: saturday + 120 }];
    expect(kindsOf(weekend.sort((a, b) => a.date - b.date))).toEqual([["07-20", "outside"]]);
  });

  test("findGaps expects one daily bar a session and no more", () => {
    const days = SESSIONS.map(({ date }) => ({ date, rows: 1, first: date, last: date }));
    expect(findGaps(days, SESSIONS, "1d")).toEqual([]);
    expect(
      findGaps(
        days.filter(({ date }) => date !== DAY_X),
        SESSIONS,
        "1d",
      ),
    ).toEqual([{ date: DAY_X, kind: "missing", rows: 0 }]);
  });
});
