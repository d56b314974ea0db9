/** Which mails are made of which events, and when. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { isQuiet, planMails } from "../../src/alerts/digest.ts";
import {
  ALERT_KINDS,
  type AlertEvent,
  type AlertKind,
  type AlertRules,
  DEFAULT_ALERT_RULES,
} from "../../src/domain/alerts.ts";
import type { PendingEvent } from "../../src/storage/alerts/outbox.ts";
import { gap, jobFailed, quota, runEnded } from "../helpers/alert-events.ts";

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 0, 15, 12);

const pending = (events: readonly AlertEvent[]): PendingEvent[] => events.map((event, at) => ({ id: at + 1, event }));
const rules = (over: Partial<Omit<AlertRules, "on">> & { on?: Partial<AlertRules["on"]> } = {}): AlertRules => ({
  ...DEFAULT_ALERT_RULES,
  ...over,
  on: { ...DEFAULT_ALERT_RULES.on, ...over.on },
});
const plan = (events: readonly AlertEvent[], now: number, over = {}, last: [AlertKind, number][] = []) =>
  planMails(pending(events), rules(over), new Map(last), now);
const summary = ({ mails }: ReturnType<typeof planMails>) =>
  mails.map(({ kind, events }) => [kind, events.length] as const);

describe("a failed run", () => {
  test("a failed run is mailed at once, together with its failed symbols", () => {
    const failures = Array.from({ length: 500 }, (_, i) => jobFailed({ symbol: `S${i}`, at: NOON - i }));
    const { mails, muted, nextAt } = plan([...failures, runEnded({ at: NOON })], NOON);
    expect(summary({ mails, muted, nextAt })).toEqual([["run_failed", 1]]);
    expect(muted.length).toBe(500);
    expect(nextAt).toBe(null);
  });

  test("a failed run that continues keeps its failures for its own mail, but no longer than a day", () => {
    const events = [jobFailed({ symbol: "A", at: NOON }), jobFailed({ symbol: "B", at: NOON + MINUTE })];
    const first = plan(events, NOON + 60 * MINUTE);
    expect(first).toEqual({ mails: [], muted: [], nextAt: NOON + 24 * 60 * MINUTE });
    expect(summary(plan(events, first.nextAt!))).toEqual([["job_failed", 2]]);
  });

  test("a failed run leaves the failures of other runs alone", () => {
    const other = jobFailed({ runId: "r2", symbol: "X", at: NOON });
    const { mails, muted } = plan([other, runEnded({ at: NOON })], NOON);
    expect(mails.map(({ kind }) => kind)).toEqual(["run_failed"]);
    expect(muted).toEqual([]);
  });

  test("a failed run is mailed by the rule for finished runs too", () => {
    const on = { run_failed: false, run_finished: true };
    expect(summary(plan([runEnded({ at: NOON })], NOON, { on }))).toEqual([["run_failed", 1]]);
    expect(plan([runEnded({ at: NOON })], NOON, { on: { run_failed: false } })).toEqual({
      mails: [],
      muted: [1],
      nextAt: null,
    });
  });
});

describe("a digest", () => {
  test("a digest collects failed symbols for its window when runs have no mails", () => {
    const events = Array.from({ length: 500 }, (_, i) => jobFailed({ symbol: `S${i}`, at: NOON + i }));
    const over = { on: { run_failed: false }, digestMinutes: 10 };
    expect(plan(events, NOON + 10 * MINUTE - 1, over)).toEqual({ mails: [], muted: [], nextAt: NOON + 10 * MINUTE });
    expect(summary(plan(events, NOON + 10 * MINUTE, over))).toEqual([["job_failed", 500]]);
  });

  test("a digest holds back what follows a prompt mail within its window", () => {
    const run = runEnded({ at: NOON });
    expect(summary(plan([run], NOON, {}, [["run_failed", NOON - 15 * MINUTE]]))).toEqual([["run_failed", 1]]);
    const held = plan([run], NOON, {}, [["run_failed", NOON - 5 * MINUTE]]);
    expect(held).toEqual({ mails: [], muted: [], nextAt: NOON + 10 * MINUTE });
  });

  test("a digest with a window of 0 minutes sends each event at once", () => {
    expect(summary(plan([gap({ at: NOON })], NOON, { on: { gap_found: true }, digestMinutes: 0 }))).toEqual([
      ["gap_found", 1],
    ]);
  });
});

test("a kind that is switched off is muted, the others are not", () => {
  for (const kind of ALERT_KINDS) {
    const on = Object.fromEntries(ALERT_KINDS.map((each) => [each, each === kind])) as AlertRules["on"];
    const events = [jobFailed({ at: 0, runId: "other" }), quota({ at: 0 }), gap({ at: 0 })];
    const { mails, muted } = plan(events, NOON, { on });
    expect(mails.flatMap((mail) => mail.events).length + muted.length).toBe(events.length);
    for (const mail of mails) expect(mail.kind).toBe(kind);
  }
});

describe("quiet hours", () => {
  const night = { from: "22:00", to: "07:00", zone: "Europe/Berlin" };

  test.each([
    ["2026-01-15T20:59:00Z", false],
    ["2026-01-15T21:00:00Z", true],
    ["2026-01-16T05:59:59Z", true],
    ["2026-01-16T06:00:00Z", false],
    // Summer time: the same clock, an hour earlier in UTC.
    ["2026-07-15T20:00:00Z", true],
    ["2026-07-16T05:00:00Z", false],
    // The morning after the change to summer time.
    ["2026-03-29T04:59:00Z", true],
    ["2026-03-29T05:00:00Z", false],
  ])("over midnight, by the zone's clocks: %s → %p", (at, quiet) => {
    expect(isQuiet(night, Date.parse(at))).toBe(quiet);
  });

  test("quiet hours lie within a day, and there are none when both ends are the same", () => {
    const lunch = { from: "12:00", to: "13:00", zone: "UTC" };
    expect([NOON - 1, NOON, NOON + 60 * MINUTE].map((at) => isQuiet(lunch, at))).toEqual([false, true, false]);
    expect(isQuiet({ ...lunch, to: "12:00" }, NOON)).toBe(false);
  });

  test("quiet hours hold every mail, and everything is mailed after them", () => {
    const quiet = { from: "12:00", to: "13:00", zone: "UTC" };
    const events = [runEnded({ at: NOON }), quota({ at: NOON })];
    const held = plan(events, NOON + 30_000, { quiet });
    expect(held).toEqual({ mails: [], muted: [], nextAt: NOON + MINUTE });
    expect(summary(plan(events, NOON + 60 * MINUTE, { quiet }))).toEqual([
      ["run_failed", 1],
      ["quota_level", 1],
    ]);
  });
});

test("property: every event is mailed once, muted once, or waits", () => {
  const anEvent = fc.oneof(
    fc.record({ runId: fc.constantFrom("r1", "r2"), at: fc.integer({ min: 0, max: 200 }) }).map(jobFailed),
    fc.record({ at: fc.integer({ min: 0, max: 200 }) }).map(runEnded),
    fc.record({ at: fc.integer({ min: 0, max: 200 }) }).map(gap),
    fc.record({ at: fc.integer({ min: 0, max: 200 }) }).map(quota),
  );
  const someRules = fc.record({
    on: fc.record(Object.fromEntries(ALERT_KINDS.map((kind) => [kind, fc.boolean()]))) as fc.Arbitrary<
      AlertRules["on"]
    >,
    digestMinutes: fc.integer({ min: 0, max: 60 }),
    quiet: fc.constantFrom(null, { from: "12:00", to: "13:00", zone: "UTC" }),
  });
  fc.assert(
    fc.property(
      fc.array(anEvent, { maxLength: 30 }),
      someRules,
      fc.integer({ min: 0, max: 4_000 }),
      (events, over, minutes) => {
        const now = NOON + minutes * MINUTE;
        const list = pending(
          events.map((event) => ({ ...event, at: NOON + event.at * MINUTE })).toSorted((a, b) => a.at - b.at),
        );
        const { mails, muted, nextAt } = planMails(list, rules(over), new Map(), now);
        const told = [...mails.flatMap((mail) => mail.events.map(({ id }) => id)), ...muted];
        expect(new Set(told).size).toBe(told.length);
        if (told.length < list.length) expect(nextAt).toBeGreaterThan(now);
        for (const mail of mails) for (const { event } of mail.events) expect(event.kind).toBe(mail.kind);
      },
    ),
  );
});
