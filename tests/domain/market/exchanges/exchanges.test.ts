/**
 * The calendars beside independent published ones: `published.json` holds, for each exchange and year from 2000 to 2026,
 * the usual hours, the weekdays without a session, and the days with other hours, as the project exchange_calendars (MIT)
 * publishes them. There is no deviation.
 */

import { describe, expect, test } from "bun:test";
import { barStarts, CALENDAR, createCalendar, tradingDate } from "../../../../src/domain/market/calendar.ts";
import {
  areSessionsKnown,
  type EXCHANGES,
  isExchange,
  noCalendar,
  venueOf,
  zoneOf,
} from "../../../../src/domain/market/exchanges/exchanges.ts";
import { DAY } from "../../../../src/domain/market/interval.ts";
import { clockIn } from "../../../../src/domain/time.ts";
import published from "./published.json";

const at = (date: string) => Date.parse(date.length === 10 ? `${date}T00:00:00Z` : `${date}Z`) / 1_000;
const iso = (ts: number) => new Date(ts * 1_000).toISOString().slice(0, 16);
const monthDay = (ts: number) => iso(ts).slice(5, 10).replace("-", "");

/** A year of our calendar in the form of the published one. */
function yearOf(venue: keyof typeof EXCHANGES, year: number): string {
  const clock = (ts: number) => clockIn(ts * 1_000, zoneOf(venue)).time.slice(0, 5);
  const [closed, weekend, hours]: [string[], string[], Map<string, string[]>] = [[], [], new Map()];
  for (let date = at(`${year}-01-01`); date < at(`${year + 1}-01-01`); date += DAY) {
    const session = CALENDAR.sessionOn(venue, date);
    const isWeekend = [0, 6].includes(new Date(date * 1_000).getUTCDay());
    if (session === null) {
      if (!isWeekend) closed.push(monthDay(date));
      continue;
    }
    if (isWeekend) weekend.push(monthDay(date));
    // No exchange changes its clocks while it is open: one look at the zone a day, which is slow, is enough.
    const opens = clock(session.open);
    const later = (ts: number) => iso(at(`2000-01-01T${opens}`) + ts - session.open).slice(11);
    const lunch = session.lunch ? `${later(session.lunch.from)},${later(session.lunch.to)}-` : "";
    const text = `${opens}-${lunch}${later(session.close)}`;
    hours.set(text, [...(hours.get(text) ?? []), monthDay(date)]);
  }
  const [usual, ...others] = [...hours].sort((a, b) => b[1].length - a[1].length);
  const listed = others.map(
    ([text, days]) => `${text} ${days.length > 30 ? `${days[0]}..${days.at(-1)}` : days.join(" ")}`,
  );
  return [usual![0], closed.join(" "), ...listed, ...(weekend.length > 0 ? [`weekend ${weekend.join(" ")}`] : [])].join(
    " | ",
  );
}

test.each(Object.entries(published))("the sessions of %s are the published ones in every year", (venue, years) => {
  expect(isExchange(venue)).toBe(true);
  const ours = Object.fromEntries(
    Object.keys(years).map((year) => [year, yearOf(venue as keyof typeof EXCHANGES, Number(year))]),
  );
  expect(ours).toEqual(years as Record<string, string>);
  expect(Object.keys(years)).toHaveLength(27);
});

test("New York's early closes of 1990 to 1992 are the published ones", () => {
  const days = CALENDAR.sessionsBetween("us_equity", at("1990-01-01"), at("1993-01-01"))
    .filter(({ early }) => early)
    .map(({ date, close }) => `${iso(date).slice(0, 10)} ${clockIn(close * 1_000, "America/New_York").time}`);
  expect(days).toEqual(["1990-12-24 14:00:00", "1991-12-24 14:00:00", "1992-11-27 14:00:00", "1992-12-24 14:00:00"]);
});

describe("bars around a lunch break", () => {
  const session = CALENDAR.sessionOn("XTKS", at("2026-04-01"))!;

  test("hours of Tokyo begin anew after the break, and none begins in it", () => {
    expect(barStarts(session, "1h").map((ts) => iso(ts).slice(11))).toEqual([
      ...["00:00", "01:00", "02:00"],
      ...["03:30", "04:30", "05:30"],
    ]);
    expect(barStarts(session, "1m")).toHaveLength(330);
  });

  test("a bar of Tokyo ends at the break, and the break is in no session", () => {
    expect(iso(CALENDAR.barEnd("XTKS", "1h", at("2026-04-01T02:00")))).toBe("2026-04-01T02:30");
    expect(CALENDAR.sessionAt("XTKS", at("2026-04-01T03:00"))).toBeNull();
    expect(CALENDAR.sessionAt("XTKS", at("2026-04-01T03:30"))?.date).toBe(at("2026-04-01"));
  });
});

test("currencies trade from Sunday to Friday at 17:00 New York, in days that begin there", () => {
  const [monday] = CALENDAR.sessionsBetween("forex", at("2026-11-21"), at("2026-11-24"));
  expect([monday!.open, monday!.close].map(iso)).toEqual(["2026-11-22T22:00", "2026-11-23T22:00"]);
  expect(tradingDate("forex", at("2026-11-22T22:00"))).toBe(at("2026-11-23"));
  expect(CALENDAR.sessionsBetween("forex", at("2026-11-16"), at("2026-11-23"))).toHaveLength(5);
});

test("a moment belongs to the date on the exchange's clock", () => {
  expect(iso(tradingDate("XTKS", at("2026-03-31T15:00")))).toStartWith("2026-04-01");
  expect(iso(tradingDate("XLON", at("2026-06-02T23:00")))).toStartWith("2026-06-03");
  expect(iso(tradingDate("XASX", at("2026-01-25T13:00")))).toStartWith("2026-01-26");
});

test.each([
  ["AAPL", "us_equity"],
  ["AAPL@US", "us_equity"],
  ["VOD@LSE", "XLON"],
  ["7203@TSE", "XTKS"],
  ["RY@TO", "XTSE"],
  ["0700@HK", "XHKG"],
  ["SAP@XETRA", "XETR"],
  ["EURUSD", "forex"],
  ["EURUSD@FOREX", "forex"],
  ["BTC-USD", "crypto"],
  ["PKO@WSE", "unknown"],
])("the venue of %s is %s", (symbol, venue) => expect(venueOf(symbol)).toBe(venue as ReturnType<typeof venueOf>));

test("an exchange without a calendar is held against no other", () => {
  const series = { symbol: "PKO@WSE", provider: "files", sessions: "regular" };
  expect(areSessionsKnown(series, "1d")).toBe(false);
  expect(noCalendar("PKO@WSE")).toBe("no calendar for WSE: gaps unknown");
});

test("a calendar file closes, opens and shortens days of any exchange", () => {
  const own = createCalendar({
    closed: ["2026-06-10"],
    XLON: { closed: ["2026-06-11"], open: ["2026-12-25"], early: { "2026-06-12": "12:30" } },
  });
  expect(own.sessionOn("us_equity", at("2026-06-10"))).toBeNull();
  expect(own.sessionOn("XLON", at("2026-06-10"))).not.toBeNull();
  expect(own.sessionOn("XLON", at("2026-06-11"))).toBeNull();
  expect(own.sessionOn("XLON", at("2026-12-25"))?.early).toBe(false);
  expect(iso(own.sessionOn("XLON", at("2026-06-12"))!.close)).toBe("2026-06-12T11:30");
  expect(() => createCalendar({ XLON: { early: { "2026-06-12": "17:30" } } })).toThrow('"17:30" on 2026-06-12');
  expect(() => createCalendar({ XLON: { closed: ["soon"] } })).toThrow('"soon" is not a date');
});
