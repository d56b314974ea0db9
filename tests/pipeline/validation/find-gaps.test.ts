/** The gaps of sessions. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { barStarts, CALENDAR, type Session } from "../../../src/domain/market/calendar.ts";
import type { Venue } from "../../../src/domain/market/exchanges/exchanges.ts";
import { INTERVAL_SECONDS, type Interval } from "../../../src/domain/market/interval.ts";
import { findGaps, sessionsToRead } from "../../../src/pipeline/validation/find-gaps.ts";

const at = (text: string) => Date.parse(`${text}T00:00:00Z`) / 1000;
const sessionsOf = (venue: Venue, from = "2024-06-03", to = "2024-08-01") =>
  CALENDAR.sessionsBetween(venue, at(from), at(to));
const SESSIONS = sessionsOf("us_equity");

/** Whether a symbol has the bar at `place` (from the open) of the session at `date`. */
type Trades = (date: number, place: number) => boolean;

/** The gaps of a symbol that has the bars for which `trades` is true. */
function gapsOf(trades: Trades, interval: Interval = "1m", sessions: readonly Session[] = SESSIONS) {
  const minutesOf = new Map<number, number[]>();
  const days = sessions.flatMap(({ date, ...hours }) => {
    const bars = barStarts({ date, ...hours }, interval).filter((_, place) => trades(date, place));
    minutesOf.set(
      date,
      bars.map((ts) => (ts - hours.open) / 60),
    );
    return bars.length === 0 ? [] : [{ date, rows: bars.length, first: bars[0]!, last: bars.at(-1)! }];
  });
  const examined = { sessions, interval, days, outside: new Map<number, number>(), firstBar: days[0]?.first ?? 0 };
  const read = new Set(sessionsToRead(examined).map(({ date }) => date));
  return findGaps(examined, new Map([...minutesOf].filter(([date]) => read.has(date))));
}

const utc = (ts: number) => new Date(ts * 1000).toISOString().slice(11, 16);
const kindsOf = (...given: Parameters<typeof gapsOf>) =>
  gapsOf(...given).map(({ date, kind, holes }) => [
    new Date(date * 1000).toISOString().slice(5, 10),
    kind,
    ...holes.map(([from, to]) => `${utc(from)}-${utc(to)}`),
  ]);
const DAY_X = at("2024-07-16");
/** Without the places `from` to `to` of `DAY_X`. */
const without =
  (from: number, to: number, trades: Trades = () => true): Trades =>
  (date, place) =>
    trades(date, place) && !(date === DAY_X && place >= from && place < to);
/** A share of bars, drawn from their places. */
const thin =
  (share: number, seed = 1): Trades =>
  (date, place) => {
    let x = Math.imul(date / 86_400 + seed * 7_919, 0x9e3779b1) ^ Math.imul(place + 1, 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
    x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32 < share;
  };

describe("findGaps", () => {
  test("findGaps accepts full sessions, early closes and holidays included", () => {
    expect(kindsOf(() => true)).toEqual([]);
  });

  test("findGaps accepts minutes without trades", () => {
    expect(kindsOf((date, minute) => (date / 86_400 + minute * 7) % 3 !== 0)).toEqual([]);
    expect(kindsOf((_date, minute) => minute % 11 === 4 && minute < 370)).toEqual([]);
  });

  test("findGaps accepts the longest quiet stretches of symbols of every liquidity, but for one session in ten thousand", () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 0.999, noNaN: true }), fc.nat(1_000), (share, seed) => {
        const found = gapsOf(thin(share, seed)).filter(({ kind }) => kind !== "missing");
        // By chance ten sessions before a quiet stretch may all have been busy at that hour.
        expect(found.length).toBeLessThanOrEqual(1);
        taken += found.length;
      }),
      { numRuns: 20, examples: [[0.26876063342206186, 8]] },
    );
    // The example is one; 20 series have 820 sessions.
    expect(taken).toBeLessThanOrEqual(3);
  });

  test("findGaps finds a session that is missing, but none before the first bar or after the last", () => {
    const kinds = kindsOf((date) => date !== DAY_X && date > at("2024-06-10") && date < at("2024-07-25"));
    expect(kinds).toEqual([["07-16", "missing"]]);
  });

  test("findGaps finds a session that ends before its close, or begins after its open", () => {
    expect(kindsOf(without(300, 390))).toEqual([["07-16", "truncated", "18:30-20:00"]]);
    expect(kindsOf(without(0, 61))).toEqual([["07-16", "truncated", "13:30-14:31"]]);
  });

  test("findGaps does not take the first session of a listing, which begins at noon, for one that is cut short", () => {
    const [{ date: first }] = SESSIONS as [Session];
    for (const interval of ["1m", "1h"] as const) {
      expect(kindsOf((date, place) => date > first || place * INTERVAL_SECONDS[interval] >= 9_000, interval)).toEqual(
        [],
      );
    }
    expect(kindsOf((date, minute) => date > first || (minute >= 150 && (minute < 200 || minute > 260)))).toEqual([
      ["06-03", "hole", "16:50-17:51"],
    ]);
  });

  test("findGaps finds a hole inside a session of a liquid symbol, with its times", () => {
    expect(kindsOf(without(60, 210))).toEqual([["07-16", "hole", "14:30-17:00"]]);
    expect(kindsOf(without(100, 130))).toEqual([["07-16", "hole", "15:10-15:40"]]);
    // A halt is shorter.
    expect(kindsOf(without(100, 110))).toEqual([]);
    const two = (date: number, minute: number) => without(50, 90)(date, minute) && without(200, 230)(date, minute);
    expect(kindsOf(two)).toEqual([["07-16", "hole", "14:20-15:00", "16:50-17:20"]]);
  });

  test("findGaps finds a hole of half an hour also where every twentieth minute has no trade", () => {
    expect(kindsOf(without(100, 130, thin(0.95)))).toMatchObject([["07-16", "hole", expect.any(String)]]);
  });

  test("findGaps takes half an hour for quiet where the symbol trades in one minute of ten, and half a day for a hole", () => {
    expect(kindsOf(without(100, 130, thin(0.1)))).toEqual([]);
    expect(kindsOf(without(100, 300, thin(0.1)))).toMatchObject([["07-16", "hole", expect.any(String)]]);
  });

  test("findGaps knows the quiet hours of a symbol: the same stretch is a hole in the busy ones only", () => {
    const lunch: Trades = (date, minute) => thin(minute >= 120 && minute < 240 ? 0.05 : 0.9)(date, minute);
    expect(kindsOf(without(150, 200, lunch))).toEqual([]);
    expect(kindsOf(without(300, 350, lunch))).toMatchObject([["07-16", "hole", expect.any(String)]]);
  });

  test("findGaps finds sessions with two bars, one after the other", () => {
    const days = [DAY_X, at("2024-07-17"), at("2024-07-18")];
    const found = kindsOf((date, minute) => !days.includes(date) || minute === 130 || minute === 260);
    const holes = ["13:30-15:40", "15:41-17:50", "17:51-20:00"];
    expect(found).toEqual(["07-16", "07-17", "07-18"].map((day) => [day, "truncated", ...holes]));
  });

  test("findGaps finds hours that are missing in a market that never closes, at every interval", () => {
    const crypto = sessionsOf("crypto");
    for (const interval of ["1m", "5m", "15m", "1h"] as const) {
      const hour = 3_600 / INTERVAL_SECONDS[interval];
      expect(kindsOf(without(2 * hour, 8 * hour), interval, crypto)).toEqual([["07-16", "hole", "02:00-08:00"]]);
      expect(kindsOf(without(2 * hour, 3 * hour), interval, crypto)).toEqual([["07-16", "hole", "02:00-03:00"]]);
    }
    expect(kindsOf(() => true, "1m", crypto)).toEqual([]);
  });

  test("findGaps finds a hole when only a few sessions are known", () => {
    const week = SESSIONS.slice(28, 33);
    expect(week.map(({ date }) => date)).toContain(DAY_X);
    expect(kindsOf(without(100, 130), "1m", week)).toEqual([["07-16", "hole", "15:10-15:40"]]);
    expect(kindsOf(thin(0.1), "1m", week)).toEqual([]);
  });

  test("findGaps leaves out the break at noon, and finds what is missing on both sides of it", () => {
    const tokyo = sessionsOf("XTKS");
    for (const interval of ["1m", "1h"] as const) expect(kindsOf(() => true, interval, tokyo)).toEqual([]);
    // 09:00 to 11:30 has 150 minutes.
    expect(kindsOf(without(140, 170), "1m", tokyo)).toEqual([["07-16", "hole", "02:20-03:50"]]);
    expect(kindsOf(without(100, 150), "1m", tokyo)).toEqual([["07-16", "hole", "01:40-02:30"]]);
  });

  test("findGaps compares sessions that begin on the day before in UTC", () => {
    for (const venue of ["XASX", "forex"] as const) {
      const sessions = sessionsOf(venue, "2024-11-04", "2024-12-20");
      expect(kindsOf(() => true, "1m", sessions)).toEqual([]);
      expect(kindsOf((date, minute) => date !== at("2024-12-05") || minute >= 30, "1m", sessions)).toMatchObject([
        ["12-05", "truncated", venue === "XASX" ? "23:00-23:30" : "22:00-22:30"],
      ]);
    }
  });

  test("findGaps finds a session far below the symbol's own median, whatever that is", () => {
    const fifth: Trades = (date, minute) => minute % 5 === 0 && (date !== DAY_X || minute % 15 === 0);
    expect(kindsOf(fifth)).toEqual([["07-16", "sparse"]]);
  });

  test("findGaps finds bars outside sessions", () => {
    const saturday = at("2024-07-20");
    const outside = new Map([
      [DAY_X, 1],
      [saturday, 3],
    ]);
    const days = SESSIONS.map(({ date, open, close }) => ({
      date,
      rows: (close - open) / 60,
      first: open,
      last: close - 60,
    }));
    const found = findGaps({ sessions: SESSIONS, interval: "1m", days, outside, firstBar: days[0]!.first }, new Map());
    expect(found).toMatchObject([
      { date: DAY_X, kind: "outside", rows: 390 },
      { date: saturday, kind: "outside", rows: 3 },
    ]);
  });

  test("findGaps expects one daily bar a session and no more", () => {
    const days = SESSIONS.map(({ date }) => ({ date, rows: 1, first: date, last: date }));
    const daily = {
      sessions: SESSIONS,
      interval: "1d" as const,
      outside: new Map<number, number>(),
      firstBar: days[0]!.date,
    };
    expect(findGaps({ ...daily, days }, new Map())).toEqual([]);
    const holed = days.filter(({ date }) => date !== DAY_X);
    expect(findGaps({ ...daily, days: holed }, new Map())).toEqual([
      { date: DAY_X, kind: "missing", rows: 0, hours: null, holes: [] },
    ]);
  });

  test("findGaps keeps at most a dozen holes of a session, and leaves out none of them", () => {
    const sessions = sessionsOf("crypto");
    const broken: Trades = (date, minute) => date !== DAY_X || minute % 60 >= 20;
    const [gap] = gapsOf(broken, "1m", sessions);
    expect(gap!.holes.length).toBe(12);
    const covered = gap!.holes.reduce((sum, [from, to]) => sum + to - from, 0);
    expect(covered).toBeGreaterThanOrEqual(24 * 20 * 60);
  });
});
