import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../../src/domain/errors.ts";
import { checkCron, readCron } from "../../src/scheduler/schedules/cron.ts";

const iso = (times: number[]) => times.map((time) => `${new Date(time).toISOString().slice(0, 16)}Z`);
const nextOf = (cron: string, zone: string, after: string, count: number) =>
  iso(readCron(cron, zone).next(Date.parse(after), count));

/** Zones that change their clocks by an hour, by half an hour, at midnight, and never. */
const ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata", "UTC"];

const formats = new Map(
  ZONES.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short", timeStyle: "short", hourCycle: "h23" }),
  ]),
);
/** `2026-03-08, 03:00` on the clocks of the zone. */
const local = (time: number, zone: string) => formats.get(zone)!.format(time);

describe("the change to summer time", () => {
  test("summer time moves a turn inside the gap to right after it", () => {
    expect(nextOf("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2)).toEqual([
      "2026-03-08T07:00Z",
      "2026-03-09T06:30Z",
    ]);
    // Two times in the gap are one turn.
    expect(nextOf("0,30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2)).toEqual([
      "2026-03-08T07:00Z",
      "2026-03-09T06:00Z",
    ]);
  });

  test("summer time keeps steps even", () => {
    expect(nextOf("*/30 * * * *", "America/New_York", "2026-03-08T06:15:00Z", 3)).toEqual([
      "2026-03-08T06:30Z",
      "2026-03-08T07:00Z",
      "2026-03-08T07:30Z",
    ]);
  });

  test("the US close moves with the clocks of New York", () => {
    expect(nextOf("30 18 * * 1-5", "America/New_York", "2026-03-06T12:00:00Z", 2)).toEqual([
      "2026-03-06T23:30Z",
      "2026-03-09T22:30Z",
    ]);
  });
});

test("the end of summer time gives a fixed time one turn and steps one in both hours", () => {
  const before = "2026-11-01T04:45:00Z";
  expect(nextOf("30 1 * * *", "America/New_York", before, 2)).toEqual(["2026-11-01T05:30Z", "2026-11-02T06:30Z"]);
  expect(nextOf("*/30 * * * *", "America/New_York", before, 4)).toEqual([
    "2026-11-01T05:00Z",
    "2026-11-01T05:30Z",
    "2026-11-01T06:00Z",
    "2026-11-01T06:30Z",
  ]);
});

test("a daily turn comes once on every day of the zone, at its time or right after a gap", () => {
  const day = fc.record({
    zone: fc.constantFrom(...ZONES),
    hour: fc.integer({ min: 0, max: 23 }),
    minute: fc.integer({ min: 0, max: 59 }),
    from: fc.integer({ min: Date.UTC(2016, 0), max: Date.UTC(2030, 0) }),
  });
  fc.assert(
    fc.property(day, ({ zone, hour, minute, from }) => {
      const wanted = `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
      // Eight months hold a change in each of these zones.
      const turns = readCron(`${minute} ${hour} * * *`, zone).next(from, 240);
      const seen = turns.map((turn) => local(turn, zone).split(", ") as [string, string]);
      for (let i = 1; i < turns.length; i++) {
        const gap = (Date.parse(seen[i]![0]) - Date.parse(seen[i - 1]![0])) / 86_400_000;
        if (gap !== 1) throw new Error(`${seen[i - 1]} is followed by ${seen[i]}`);
      }
      for (const [index, [date, time]] of seen.entries()) {
        // The minute before is still on the other side of the gap.
        const jumped = local(turns[index]! - 60_000, zone) < `${date}, ${wanted}` && time > wanted;
        if (time !== wanted && !jumped) throw new Error(`${date} ${time} instead of ${wanted}`);
      }
    }),
    { numRuns: 60 },
  );
});

test("property: the last turn before a moment is the one that the list of next turns ends with", () => {
  const crons = ["30 18 * * 1-5", "30 2 * * *", "*/30 * * * *", "0,30 1 * * *", "15 0 1 * *", "45 30 1 * * *"];
  const moment = fc.record({
    zone: fc.constantFrom(...ZONES),
    cron: fc.constantFrom(...crons),
    from: fc.integer({ min: Date.UTC(2017, 0), max: Date.UTC(2030, 0) }),
    later: fc.integer({ min: 0, max: 3 * 86_400_000 }),
  });
  fc.assert(
    fc.property(moment, ({ zone, cron, from, later }) => {
      const times = readCron(cron, zone);
      const coming = times.next(from, 200);
      const now = coming[0]! + later;
      expect(times.last(now)).toBe(coming.filter((time) => time <= now).at(-1)!);
      // At the very millisecond a turn has come, just before it has not.
      expect(times.last(coming[1]!)).toBe(coming[1]!);
      expect(times.last(coming[1]! - 1)).toBe(coming[0]!);
    }),
    { numRuns: 60 },
  );
});

describe("an expression", () => {
  test.each([
    ["30 18 * * 1-5", "At 18:30, Monday through Friday"],
    ["15 30 18 * * 1-5", "At 18:30:15, Monday through Friday"],
    ["0 0 L * *", "At 00:00, on the last day of the month"],
  ])("%s is put in words", (cron, words) => {
    expect(readCron(cron, "UTC").words).toBe(words);
  });

  test.each([
    ["61 * * * *", "UTC", 'cron: minute "61" cannot be read: wants numbers from 0 to 59, lists such as 1,3'],
    ["0 0 32 * *", "UTC", 'cron: day of month "32" cannot be read: wants numbers from 1 to 31, L for the last day'],
    ["0 0 1 13 *", "UTC", 'cron: month "13" cannot be read: wants numbers from 1 to 12 or JAN to DEC'],
    ["0 9,25,17 * * *", "UTC", 'cron: hour "25" cannot be read: wants numbers from 0 to 23'],
    ["0 9,,17 * * *", "UTC", 'cron: hour "9,,17" cannot be read'],
    ["0 0 * * FRI-MON", "UTC", 'cron: day of week "FRI-MON" cannot be read: wants numbers from 0 (Sunday) to 7 or SUN'],
    ["60 0 0 * * *", "UTC", 'cron: second "60" cannot be read'],
    ["0 0 1 1 * 2030", "UTC", 'cron: day of week "2030" cannot be read'],
    ["@reboot", "UTC", 'cron: "@reboot" is not known: wants @hourly, @daily'],
    ["18:30", "UTC", "cron: wants five parts"],
    ["* * * *", "UTC", "cron: wants five parts"],
    ["0 0 30 2 *", "UTC", "cron: names a time that never comes"],
    ["*/30 * * * * *", "UTC", "cron: comes more often than once a minute"],
    ["0 0 * * *", "Mars/Olympus", 'time_zone: "Mars/Olympus" is not a time zone'],
    ["0 0 * * *", "+02:00", 'time_zone: "+02:00" is not a time zone'],
  ])("%s in %s is refused with the reason", (cron, zone, reason) => {
    const check = () => checkCron(cron, zone);
    expect(check).toThrow(Refusal);
    expect(check).toThrow(reason);
  });

  test("property: whatever is refused names the part that is wrong, in no words of the library", () => {
    const value = fc.constantFrom(
      "*",
      "?",
      "0",
      "7",
      "31",
      "99",
      "-1",
      "1-5",
      "5-1",
      "*/0",
      "*/90",
      "3/2",
      "L",
      "1,LW",
      "5#9",
      "MAY",
      "x",
      "1,",
    );
    fc.assert(
      fc.property(fc.array(value, { minLength: 5, maxLength: 6 }), (parts) => {
        try {
          readCron(parts.join(" "), "UTC");
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
          const { message } = error as Refusal;
          expect(message).toMatch(
            /(second|minute|hour|day of month|month|day of week) "[^"]+" cannot be read: wants numbers/,
          );
          const named = /"([^"]+)"/.exec(message)![1]!;
          expect(parts.flatMap((part) => [part, ...part.split(",")])).toContain(named);
        }
      }),
      { numRuns: 300 },
    );
  });
});
