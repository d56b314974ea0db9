/** Offsets of time zones, against those that the system's calendar gives for a single moment. */

import { expect, test } from "bun:test";
import { offsetAt, wallToUtc } from "../../src/domain/zone.ts";

const DAY = 86_400;
const at = (text: string) => Date.parse(text) / 1_000;

/** The offset by its name ("GMT-04:00"), seconds. */
function namedOffset(timeZone: string, ts: number): number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
  const name = format.formatToParts(ts * 1_000).find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign, hours, minutes = "0"] = /GMT(?:([+-])(\d+):?(\d+)?)?/.exec(name) ?? [];
  return hours === undefined ? 0 : (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}

test("an offset is right at every hour of two weeks around a change of the clocks, also if they are set back a week later", () => {
  const changes = [
    ["America/New_York", "2024-03-10T07:00:00Z"],
    ["Europe/London", "2024-10-27T01:00:00Z"],
    ["Australia/Lord_Howe", "2024-04-06T15:00:00Z"],
    ["America/Recife", "2000-10-08T03:00:00Z"],
    ["America/Recife", "2000-10-15T02:00:00Z"],
  ] as const;
  for (const [zone, change] of changes) {
    expect(namedOffset(zone, at(change))).not.toBe(namedOffset(zone, at(change) - 1));
    const hours = Array.from({ length: 14 * 24 }, (_, hour) => at(change) - 7 * DAY + hour * 3600);
    const moments = [...hours, at(change) - 1];
    expect(moments.map((ts) => offsetAt(zone, ts))).toEqual(moments.map((ts) => namedOffset(zone, ts)));
  }
});

test("the time of a wall clock is found on both sides of a change", () => {
  expect(wallToUtc("America/New_York", at("2024-03-08T09:30:00Z"))).toBe(at("2024-03-08T14:30:00Z"));
  expect(wallToUtc("America/New_York", at("2024-03-11T09:30:00Z"))).toBe(at("2024-03-11T13:30:00Z"));
  expect(wallToUtc("UTC", at("2024-03-11T09:30:00Z"))).toBe(at("2024-03-11T09:30:00Z"));
});

test.each([
  ["America/New_York", "2026-03-08T02:30:00Z", "2026-03-08T07:30:00Z"],
  ["America/St_Johns", "2021-03-14T02:00:00Z", "2021-03-14T05:30:00Z"],
  ["Europe/Berlin", "2026-03-29T02:30:00Z", "2026-03-29T01:30:00Z"],
  ["Australia/Lord_Howe", "2021-10-03T02:15:00Z", "2021-10-02T15:45:00Z"],
  ["Pacific/Apia", "2011-12-30T12:00:00Z", "2011-12-30T22:00:00Z"],
])("a time that the clocks of %s skip counts on from the moment of the change", (zone, wall, moment) => {
  expect(wallToUtc(zone, at(wall))).toBe(at(moment));
});

test.each([
  ["America/New_York", "2026-11-01T01:30:00Z", "2026-11-01T06:30:00Z"],
  ["Europe/Berlin", "2026-10-25T02:30:00Z", "2026-10-25T01:30:00Z"],
  ["Australia/Lord_Howe", "2021-04-04T01:45:00Z", "2021-04-03T15:15:00Z"],
])("of a time that the clocks of %s show twice, the later moment is meant", (zone, wall, moment) => {
  expect(wallToUtc(zone, at(wall))).toBe(at(moment));
});
