import { expect, test } from "bun:test";
import fc from "fast-check";
import * as browser from "../../public/app/ui/time.js";
import {
  clockIn,
  formatDuration,
  formatExactDuration,
  isoDate,
  isoDates,
  isoMillisecond,
  isoOrNull,
  isoSecond,
  isTimeZone,
  parseIsoDate,
  parseIsoMoment,
  utcMinute,
  utcSecond,
  writeMoment,
  zoneTitle,
} from "../../src/domain/time.ts";

const AT = Date.UTC(2026, 2, 2, 4, 2, 11);

test("epoch seconds are written as a date, to the second and to the millisecond, also before 1970", () => {
  const written = [0, AT / 1_000, 0.999, -1, -86_400, -2_208_988_800, 253_402_300_799].map((ts) => [
    isoDate(ts),
    isoSecond(ts),
    isoMillisecond(ts),
  ]);
  expect(written).toEqual([
    ["1970-01-01", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"],
    ["2026-03-02", "2026-03-02T04:02:11Z", "2026-03-02T04:02:11.000Z"],
    ["1970-01-01", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.999Z"],
    ["1969-12-31", "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.000Z"],
    ["1969-12-31", "1969-12-31T00:00:00Z", "1969-12-31T00:00:00.000Z"],
    ["1900-01-01", "1900-01-01T00:00:00Z", "1900-01-01T00:00:00.000Z"],
    ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"],
  ]);
});

test("an unknown time stays null, and the epoch is not unknown", () => {
  expect([null, 0].map(isoOrNull)).toEqual([null, "1970-01-01T00:00:00.000Z"]);
});

test("two moments of one day are one date, of two days both", () => {
  expect(isoDates(0, 86_399)).toBe("1970-01-01");
  expect(isoDates(0, 86_400)).toBe("1970-01-01 to 1970-01-02");
});

test("only days that exist are dates", () => {
  expect(["1970-01-01", "1969-12-31", "2024-02-29"].map(parseIsoDate)).toEqual([0, -86_400, 1_709_164_800]);
  const none = ["2023-02-29", "2026-02-31", "2026-13-01", "2026-3-2", "2026", "2026-03-02T00:00", "", "today"];
  expect(none.map(parseIsoDate)).toEqual(none.map(() => Number.NaN));
});

test("an ISO date-time without an offset is UTC in every zone of the machine", () => {
  const noon = Date.UTC(2026, 9, 5, 14) / 1_000;
  const before = process.env.TZ;
  try {
    for (const zone of ["UTC", "Asia/Tokyo", "America/Los_Angeles"]) {
      process.env.TZ = zone;
      expect(parseIsoMoment("2026-10-05T14:00:00")).toBe(noon);
      expect(parseIsoMoment("2026-10-05 14:00")).toBe(noon);
      expect(parseIsoMoment("2026-10-05")).toBe(noon - 14 * 3_600);
      expect(parseIsoMoment("2026-10-05T23:00:00+09:00")).toBe(noon);
      expect(parseIsoMoment("2026-10-05T09:30:00.250-0430")).toBe(noon + 0.25);
    }
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
});

test("anything but an ISO date or date-time that exists is not a moment", () => {
  const none = [
    "05.10.2026",
    "10/05/2026",
    "5 Oct 2026",
    "2026-02-30",
    "2026-02-30T10:00:00Z",
    "2026-10-05T24:00:00Z",
    "2026-10-05T14:60",
    "2026-10-05T14:00:00+25:00",
    "1790000000",
    "20261005",
    "+002026-10-05",
    "2026-10-05T14",
  ];
  expect(none.map(parseIsoMoment)).toEqual(none.map(() => Number.NaN));
});

test("property: what is written as ISO is read back as the same moment", () => {
  const at = fc.date({ min: new Date("1900-01-01"), max: new Date("2200-01-01"), noInvalidDate: true });
  fc.assert(fc.property(at, (date) => expect(parseIsoMoment(date.toISOString())).toBe(date.getTime() / 1_000)));
});

test("a date read back is the midnight before the moment it was written of", () => {
  fc.assert(
    fc.property(fc.integer({ min: -62_167_219_200, max: 253_402_300_799 }), (ts) => {
      const midnight = parseIsoDate(isoDate(ts));
      expect(midnight).toBe(Math.floor(ts / 86_400) * 86_400);
      expect(isoSecond(midnight)).toBe(`${isoDate(ts)}T00:00:00Z`);
    }),
  );
});

test("epoch milliseconds are written in UTC to the minute and to the second", () => {
  expect([AT + 999, -1].map(utcMinute)).toEqual(["2026-03-02 04:02 UTC", "1969-12-31 23:59 UTC"]);
  expect([AT + 999, -1].map(utcSecond)).toEqual(["2026-03-02 04:02:11 UTC", "1969-12-31 23:59:59 UTC"]);
});

test("durations are written in seconds, minutes and hours", () => {
  expect([0, 7.46, 59.99, 60, 185, 3_599, 3_600, 7_860].map((s) => formatDuration(s))).toEqual([
    "0s",
    "7s",
    "59s",
    "1m 00s",
    "3m 05s",
    "59m 59s",
    "1h 00m",
    "2h 11m",
  ]);
  expect(formatExactDuration(7.46)).toBe("7.5s");
  expect(formatExactDuration(59.99)).toBe("1m 00s");
});

test("exact durations never show 60.0s", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 59.999, noNaN: true }), (seconds) => {
      expect(formatExactDuration(seconds)).toMatch(/^([1-5]?\d\.\ds|1m 00s)$/);
    }),
  );
});

test("when the clocks change, the hour that is left out is passed over and the one that comes twice has two names", () => {
  const clocks = (...utc: number[]) => utc.map((at) => Object.values(clockIn(at, "America/New_York")).join(" "));
  expect(clocks(Date.UTC(2026, 2, 8, 6, 59, 59), Date.UTC(2026, 2, 8, 7))).toEqual([
    "Sun 2026-03-08 01:59:59 EST",
    "Sun 2026-03-08 03:00:00 EDT",
  ]);
  expect(clocks(Date.UTC(2026, 10, 1, 5, 30), Date.UTC(2026, 10, 1, 6, 30))).toEqual([
    "Sun 2026-11-01 01:30:00 EDT",
    "Sun 2026-11-01 01:30:00 EST",
  ]);
});

test.each([
  ["UTC", "2026-03-02 04:02 UTC", "04:02 UTC", "04:02:11 UTC", "04:02:11", "2026-03-02 04:02"],
  ["America/New_York", "2026-03-01 23:02 EST", "23:02 EST", "23:02:11 EST", "23:02:11", "2026-03-01 23:02"],
  ["Asia/Kolkata", "2026-03-02 09:32 GMT+5:30", "09:32 GMT+5:30", "09:32:11 GMT+5:30", "09:32:11", "2026-03-02 09:32"],
])(
  "a moment in %s names its zone, unless the head of its column does, on a 24-hour clock",
  (zone, minute, clock, second, bare, column) => {
    const written = (["minute", "clock", "second", "bare", "column"] as const).map((style) =>
      writeMoment(AT, zone, style),
    );
    expect(written).toEqual([minute, clock, second, bare, column]);
  },
);

test("midnight is 00:00, and summer time has a name of its own", () => {
  expect(writeMoment(Date.UTC(2026, 6, 1, 4), "America/New_York", "minute")).toBe("2026-07-01 00:00 EDT");
  expect(writeMoment(Date.UTC(2026, 6, 1), "UTC", "clock")).toBe("00:00 UTC");
});

test("UTC is written the same with and without the runtime's time zone data", () => {
  fc.assert(
    fc.property(fc.integer({ min: -2_208_988_800_000, max: 4_102_444_800_000 }), (at) => {
      expect(writeMoment(at, "Etc/UTC", "minute")).toBe(writeMoment(at, "UTC", "minute"));
    }),
  );
});

test("only names of time zones are zones, and a column's zone title is short", () => {
  expect(["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires"].map(isTimeZone)).toEqual([true, true, true]);
  expect(["", "Mars/Olympus", "<b>", "+02:00", "x".repeat(100)].map(isTimeZone)).toEqual(Array(5).fill(false));
  expect(["UTC", "America/New_York"].map(zoneTitle)).toEqual(["UTC", "New York time"]);
});

const TIME_ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia"];

test("the browser writes moments as the server does, in every zone and style", () => {
  // Midnights and the hours around a change of clocks, then every 17 days and some, at another time of day each.
  const edges = ["2026-01-01T00:00:00Z", "2026-03-08T06:59:59Z", "2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"];
  const others = Array.from({ length: 46 }, (_, index) => AT + index * (17 * 86_400_000 + 5_025_000));
  const moments = [...edges.map((edge) => Date.parse(edge)), ...others];
  for (const timeZone of TIME_ZONES) {
    for (const style of ["minute", "clock", "second", "bare", "column"] as const) {
      const written = moments.map((at) => browser.writeMoment(at, timeZone, style));
      expect(written).toEqual(moments.map((at) => writeMoment(at, timeZone, style)));
    }
  }
  expect(TIME_ZONES.map(browser.zoneTitle)).toEqual(TIME_ZONES.map(zoneTitle));
});

test("the browser writes durations as the server does", () => {
  const edges = [0, 0.4, 9, 59, 59.99, 60, 61, 599.5, 3_599, 3_600, 3_660, 35_999, 36_000, 86_400, 359_999];
  const seconds = [...edges, ...Array.from({ length: 35 }, (_, index) => index ** 3 + index / 7)];
  expect(seconds.map(browser.formatDuration)).toEqual(seconds.map((each) => formatDuration(each)));
});
