import { expect, test } from "bun:test";
import fc from "fast-check";
import { isTimeZone, writeMoment, zoneTitle } from "../../src/domain/time.ts";

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
