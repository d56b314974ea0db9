import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  barStarts,
  CALENDAR,
  createCalendar,
  newYorkOffset,
  newYorkTime,
  tradingDate,
} from "../../../src/domain/market/calendar.ts";
import { DAY, INTERVALS } from "../../../src/domain/market/interval.ts";
import { at } from "../../helpers/inputs/bars.ts";

const iso = (ts: number) => new Date(ts * 1000).toISOString().slice(0, 10);
const sessionsOf = (year: number) =>
  CALENDAR.sessionsBetween("us_equity", at(`${year}-01-01`), at(`${year + 1}-01-01`));

describe("New York sessions", () => {
  // year: sessions, early closes, minutes of regular trading
  const counts: Record<number, [number, number, number]> = {
    2015: [252, 2, 97_920],
    2016: [252, 1, 98_100],
    2017: [251, 2, 97_530],
    2018: [251, 3, 97_350],
    2019: [252, 3, 97_740],
    2020: [253, 2, 98_310],
    2021: [252, 1, 98_100],
    2022: [251, 1, 97_710],
    2023: [250, 2, 97_140],
    2024: [252, 3, 97_740],
    2025: [250, 3, 96_960],
    2026: [251, 2, 97_530],
    2027: [251, 1, 97_710],
  };
  for (const [year, expected] of Object.entries(counts)) {
    test(`${year} has ${expected[0]} sessions, ${expected[1]} of them short`, () => {
      const sessions = sessionsOf(Number(year));
      const minutes = sessions.reduce((sum, session) => sum + (session.close - session.open) / 60, 0);
      expect([sessions.length, sessions.filter((session) => session.early).length, minutes]).toEqual(expected);
    });
  }

  test("New York's short days since 2015 are the announced ones", () => {
    const days = CALENDAR.sessionsBetween("us_equity", at("2015-01-01"), at("2028-01-01"))
      .filter((session) => session.early)
      .map((session) => iso(session.date).slice(2));
    expect(days.join(",")).toBe(
      "15-11-27,15-12-24,16-11-25,17-07-03,17-11-24,18-07-03,18-11-23,18-12-24,19-07-03,19-11-29,19-12-24,20-11-27," +
        "20-12-24,21-11-26,22-11-25,23-07-03,23-11-24,24-07-03,24-11-29,24-12-24,25-07-03,25-11-28,25-12-24,26-11-27," +
        "26-12-24,27-11-26",
    );
  });

  test("New York has 5,796 sessions from 2000-01-01 to 2023-01-13, 50 of them short", () => {
    const sessions = CALENDAR.sessionsBetween("us_equity", at("2000-01-01"), at("2023-01-14"));
    expect(sessions.length).toBe(5796);
    expect(sessions.filter((session) => session.early).length).toBe(50);
  });

  test("New York was closed on its one-off closures", () => {
    const days = ["2001-09-11", "2001-09-14", "2004-06-11", "2007-01-02", "2012-10-29", "2018-12-05", "2025-01-09"];
    for (const day of days) expect(CALENDAR.sessionOn("us_equity", at(day))).toBeNull();
    expect(CALENDAR.sessionOn("us_equity", at("2001-09-17"))).not.toBeNull();
  });

  test("a New Year's Day on a Saturday does not close the Friday before", () => {
    expect(CALENDAR.sessionOn("us_equity", at("2021-12-31"))).not.toBeNull();
    expect(CALENDAR.sessionOn("us_equity", at("2023-01-02"))).toBeNull();
  });

  test("the Fridays after Christmas of 2008 and 2014 are whole days", () => {
    for (const day of ["2008-12-26", "2014-12-26"]) expect(CALENDAR.sessionOn("us_equity", at(day))?.early).toBe(false);
  });

  test("New York's opens and closes follow daylight saving time", () => {
    const winter = CALENDAR.sessionOn("us_equity", at("2024-03-08"));
    const summer = CALENDAR.sessionOn("us_equity", at("2024-03-11"));
    expect([winter?.open, winter?.close]).toEqual([at("2024-03-08T14:30:00Z"), at("2024-03-08T21:00:00Z")]);
    expect([summer?.open, summer?.close]).toEqual([at("2024-03-11T13:30:00Z"), at("2024-03-11T20:00:00Z")]);
  });

  test("the offset agrees with the time zone database at noon of every day from 1990 to 2035", () => {
    const hour = new Intl.DateTimeFormat("en-US", { timeZone: "America/New_York", hour: "2-digit", hourCycle: "h23" });
    for (let date = at("1990-01-01"); date < at("2035-12-31"); date += DAY) {
      if (Number(hour.format(newYorkTime(date, 12 * 3600) * 1000)) !== 12)
        throw new Error(`wrong offset on ${iso(date)}`);
    }
    expect(newYorkOffset(at("2006-03-20"))).toBe(5 * 3600);
    expect(newYorkOffset(at("2007-03-20"))).toBe(4 * 3600);
  });

  test("an evening bar belongs to the New York date, not to the next one in UTC", () => {
    expect(iso(tradingDate("us_equity", at("2024-01-03T00:30:00Z")))).toBe("2024-01-02");
    expect(iso(tradingDate("us_equity", at("2024-07-03T04:00:00Z")))).toBe("2024-07-03");
    expect(iso(tradingDate("crypto", at("2024-01-03T00:30:00Z")))).toBe("2024-01-03");
  });
});

describe("bars of a session", () => {
  const session = (date: string) => CALENDAR.sessionOn("us_equity", at(date))!;

  test("a session's bars are anchored at the open, the last one cut at the close", () => {
    const hours = barStarts(session("2024-07-05"), "1h");
    expect(hours.map((ts) => new Date(ts * 1000).toISOString().slice(11, 16)).join(" ")).toBe(
      "13:30 14:30 15:30 16:30 17:30 18:30 19:30",
    );
    expect(CALENDAR.barEnd("us_equity", "1h", hours[6]!)).toBe(at("2024-07-05T20:00:00Z"));
    expect(CALENDAR.barEnd("us_equity", "1h", hours[5]!)).toBe(at("2024-07-05T19:30:00Z"));
  });

  test("a whole day has 390, 78, 26, 7 and 1 bars, a short one 210, 42, 14, 4 and 1", () => {
    expect(INTERVALS.map((interval) => barStarts(session("2024-07-05"), interval).length)).toEqual([390, 78, 26, 7, 1]);
    expect(INTERVALS.map((interval) => barStarts(session("2024-07-03"), interval).length)).toEqual([210, 42, 14, 4, 1]);
  });

  test("a day around the clock has 1440, 288, 96, 24 and 1 bars", () => {
    const day = CALENDAR.sessionOn("crypto", at("2024-07-06"))!;
    expect(INTERVALS.map((interval) => barStarts(day, interval).length)).toEqual([1440, 288, 96, 24, 1]);
  });

  test("bars are final when they have ended, the daily one at the close", () => {
    const close = session("2024-07-03").close;
    expect(CALENDAR.isFinal("us_equity", "1d", at("2024-07-03"), close - 1)).toBe(false);
    expect(CALENDAR.isFinal("us_equity", "1d", at("2024-07-03"), close)).toBe(true);
    expect(CALENDAR.isFinal("us_equity", "1m", close - 60, close - 1)).toBe(false);
    expect(CALENDAR.isFinal("crypto", "1d", at("2024-07-03"), at("2024-07-04"))).toBe(true);
    expect(CALENDAR.isFinal("crypto", "1d", at("2024-07-03"), at("2024-07-04") - 1)).toBe(false);
  });

  test("every bar start lies in its session and belongs to its date", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 13_000 }), fc.constantFrom(...INTERVALS), (offset, interval) => {
        const day = CALENDAR.sessionOn("us_equity", at("1990-01-01") + offset * DAY);
        if (!day || interval === "1d") return;
        for (const ts of barStarts(day, interval)) {
          expect(CALENDAR.sessionAt("us_equity", ts)).toEqual(day);
          expect(tradingDate("us_equity", ts)).toBe(day.date);
        }
        expect(CALENDAR.sessionAt("us_equity", day.open - 1)).toBeNull();
        expect(CALENDAR.sessionAt("us_equity", day.close)).toBeNull();
      }),
      { numRuns: 200 },
    );
  });
});

describe("overrides", () => {
  test("overrides close a day, shorten a day, and open a day", () => {
    const calendar = createCalendar({
      closed: ["2026-06-10"],
      early: { "2026-06-11": "14:30" },
      open: ["2025-01-09"],
    });
    expect(calendar.sessionOn("us_equity", at("2026-06-10"))).toBeNull();
    expect(calendar.sessionOn("us_equity", at("2026-06-11"))).toMatchObject({
      close: at("2026-06-11T18:30:00Z"),
      early: true,
    });
    expect(calendar.sessionOn("us_equity", at("2025-01-09"))).not.toBeNull();
    expect(CALENDAR.sessionOn("us_equity", at("2026-06-10"))).not.toBeNull();
  });

  test("overrides that name no date or time are refused", () => {
    expect(() => createCalendar({ closed: ["10.06.2026"] })).toThrow('"10.06.2026" is not a date');
    expect(() => createCalendar({ open: ["2026-02-30"] })).toThrow('"2026-02-30" is not a date');
    expect(() => createCalendar({ holidays: [] } as object)).toThrow('"holidays" is not one of closed, early, open');
    expect(() => createCalendar({ early: { "2026-06-11": "25:00" } })).toThrow('"25:00" on 2026-06-11');
  });
});

describe("numbers that are no moments", () => {
  const NO_MOMENTS = [1.7e15, 1e300, -1e300, Number.POSITIVE_INFINITY, Number.NaN];
  const VENUES = ["us_equity", "XLON", "XTKS", "forex", "crypto"] as const;

  test.each(VENUES)("of %s have no session and no date, and change nothing for the moments after them", (venue) => {
    const calendar = createCalendar();
    const session = calendar.sessionOn(venue, at("2026-11-25"))!;
    for (const ts of NO_MOMENTS) {
      expect([calendar.sessionAt(venue, ts), calendar.sessionOn(venue, ts)]).toEqual([null, null]);
      expect([tradingDate(venue, ts), calendar.isFinal(venue, "1m", ts, at("2026-11-25"))]).toEqual([
        Number.NaN,
        ts === -1e300,
      ]);
      expect(calendar.sessionAt(venue, session.open)).toEqual(session);
    }
  });

  test("New York has no session in years before and after any exchange", () => {
    const calendar = createCalendar();
    for (let year = -9_500; year < 200_000; year += 1_000)
      for (const day of [4, 5]) expect(calendar.sessionOn("us_equity", Date.UTC(year, 4, day) / 1_000)).toBeNull();
  });
});
