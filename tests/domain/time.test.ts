import { expect, test } from "bun:test";
import fc from "fast-check";
import * as browser from "../../public/app/ui/time.js";
import { isTimeZone, writeMoment, zoneTitle } from "../../src/domain/time.ts";
import { formatDuration } from "../../src/views/ui/format.ts";

const AT = Date.UTC(2026, 2, 2, 4, 2, 11);

test.each([
  ["UTC", "2026-03-02 04:02 UTC", "04:02 UTC", "04:02:11 UTC", "04:02:11"],
  ["America/New_York", "2026-03-01 23:02 EST", "23:02 EST", "23:02:11 EST", "23:02:11"],
  ["Asia/Kolkata", "2026-03-02 09:32 GMT+5:30", "09:32 GMT+5:30", "09:32:11 GMT+5:30", "09:32:11"],
])("a moment in %s names its zone, on a 24-hour clock", (zone, minute, clock, second, bare) => {
  const written = (["minute", "clock", "second", "bare"] as const).map((style) => writeMoment(AT, zone, style));
  expect(written).toEqual([minute, clock, second, bare]);
});

test("midnight is 00:00, and summer time has a name of its own", () => {
  expect(writeMoment(Date.UTC(2026, 6, 1, 4), "America/New_York", "minute")).toBe("2026-07-01 00:00 EDT");
  expect(writeMoment(Date.UTC(2026, 6, 1), "UTC", "clock")).toBe("00:00 UTC");
});

test("UTC is written the same with and without the runtime's time zone data", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (at) => {
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
    for (const style of ["minute", "clock", "second", "bare"] as const) {
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
