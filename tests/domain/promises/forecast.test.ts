/** Whether a deadline will be kept, and the reasons that are given. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Allowance,
  allowedBetween,
  type ForecastInput,
  forecast,
  type MissingGroup,
  type PlannedWork,
} from "../../../src/domain/promises/forecast.ts";

const NOW = Date.UTC(2026, 0, 15, 12) / 1_000;
const HOUR = 3_600;
const DEADLINE = NOW + 6 * HOUR;

const nightly: PlannedWork = {
  by: "schedule",
  name: "Nightly",
  startsAt: NOW + HOUR,
  seconds: { expected: 600, worst: 900 },
  needs: { requests: 50, units: 50 },
  isPaused: false,
  limitedBy: "speed",
};
const group = (over: Partial<MissingGroup> = {}): MissingGroup => ({
  symbols: 8,
  provider: "EODHD",
  readyAt: NOW - HOUR,
  work: nightly,
  pausedSchedule: "",
  unusable: null,
  refusedAt: null,
  hold: null,
  limits: [],
  ...over,
});
const of = (groups: readonly MissingGroup[], over: Partial<ForecastInput> = {}) => {
  const missing = groups.reduce((sum, { symbols }) => sum + symbols, 0);
  return forecast({
    now: NOW,
    deadline: DEADLINE,
    counts: { total: 50, fresh: 50 - missing, missing, unknown: 0 },
    groups,
    gaps: { open: 0, confirmed: 0, most: 2 },
    trouble: null,
    ...over,
  });
};
/** State, cause and text of the worst reason. */
const worst = (groups: readonly MissingGroup[], over?: Partial<ForecastInput>) => {
  const { state, reasons } = of(groups, over);
  return [state, reasons[0]?.cause, reasons[0]?.text];
};
const dayLimit: Allowance = { period: "day", counts: "units", used: 90, limit: 100, resetsAt: NOW + 12 * HOUR };

test("a promise with all bars stored is fresh, and one about no symbol is unknown", () => {
  expect(of([])).toEqual({ state: "fresh", reasons: [] });
  expect(of([], { counts: { total: 0, fresh: 0, missing: 0, unknown: 0 } }).state).toBe("unknown");
  expect(of([], { counts: { total: 2, fresh: 1, missing: 0, unknown: 1 } }).state).toBe("unknown");
});

test("missing symbols that a schedule brings in time are on track, with when it starts and ends", () => {
  expect(worst([group()])).toEqual([
    "on_track",
    "schedule",
    "the schedule “Nightly” starts at 2026-01-15 13:00 UTC and ends at about 2026-01-15 13:10 UTC",
  ]);
});

test("missing symbols that no run brings will be missed, and a paused schedule is named", () => {
  expect(worst([group({ work: null })])).toEqual([
    "will_be_missed",
    "schedule",
    "no run is planned before the deadline",
  ]);
  expect(worst([group({ work: null, pausedSchedule: "Nightly" })])[2]).toBe(
    "no run is planned before the deadline: the schedule “Nightly” is paused",
  );
  const paused = { ...nightly, by: "run", isPaused: true } as const;
  expect(worst([group({ work: paused })])).toEqual(["will_be_missed", "schedule", "the run “Nightly” is paused"]);
});

test("what is to be said alike of symbols of several providers is said once, of all of them", () => {
  const none = { work: null, symbols: 2 };
  const groups = [group(none), group({ ...none, provider: "demo" }), group({ ...none, pausedSchedule: "Nightly" })];
  expect(of(groups).reasons.map(({ symbols, text }) => [symbols, text])).toEqual([
    [4, "no run is planned before the deadline"],
    [2, "no run is planned before the deadline: the schedule “Nightly” is paused"],
  ]);
});

test("a quota that is too small until the deadline makes it missed, and one that is reset in time does not", () => {
  expect(worst([group({ limits: [dayLimit] })])).toEqual([
    "will_be_missed",
    "quota",
    "the schedule “Nightly” needs 50 units of EODHD, 10 are left until the deadline, next reset at 2026-01-16 00:00 UTC",
  ]);
  expect(worst([group({ limits: [{ ...dayLimit, resetsAt: NOW + 30 * 60 }] })])[0]).toBe("on_track");
  expect(worst([group({ limits: [{ ...dayLimit, counts: "requests", used: 40 }] })])[0]).toBe("on_track");
});

test("work that ends after the deadline makes it missed, and work that may end after it puts it at risk", () => {
  const slow = (expected: number, by: PlannedWork["limitedBy"] = "speed") =>
    group({ work: { ...nightly, limitedBy: by, seconds: { expected, worst: 1.5 * expected } } });
  expect(worst([slow(6 * HOUR)]).slice(0, 2)).toEqual(["will_be_missed", "speed"]);
  expect(worst([slow(6 * HOUR, "quota")]).slice(0, 2)).toEqual(["will_be_missed", "quota"]);
  expect(worst([slow(6 * HOUR, "hold")]).slice(0, 2)).toEqual(["will_be_missed", "provider"]);
  expect(worst([slow(4 * HOUR)])).toEqual([
    "at_risk",
    "speed",
    "the schedule “Nightly” starts at 2026-01-15 13:00 UTC and ends at about 2026-01-15 17:00 UTC, and may be up to 1h 00m late",
  ]);
  expect(worst([group({ work: { ...nightly, seconds: null } })])[0]).toBe("unknown");
});

test("a provider that cannot answer in time is the reason: no key, a hold, a bar that is final too late, a refused key", () => {
  const hold = (hours: number) => ({ until: NOW + hours * HOUR, reason: "HTTP 429" });
  expect(worst([group({ unusable: "EODHD needs EODHD_API_KEY" })])).toEqual([
    "will_be_missed",
    "provider",
    "EODHD needs EODHD_API_KEY",
  ]);
  expect(worst([group({ hold: hold(7) })]).slice(0, 2)).toEqual(["will_be_missed", "provider"]);
  expect(worst([group({ hold: hold(2) })]).slice(0, 2)).toEqual(["at_risk", "provider"]);
  expect(worst([group({ readyAt: DEADLINE + 1 })]).slice(0, 2)).toEqual(["will_be_missed", "provider"]);
  expect(worst([group({ refusedAt: (NOW - HOUR) * 1_000 })])).toEqual([
    "at_risk",
    "provider",
    "EODHD refused its key at 2026-01-15 11:00 UTC, and no run of it was complete since",
  ]);
});

test("gaps count: those that repairs could not fill make it missed, others put it at risk", () => {
  const gaps = (open: number, confirmed: number) => worst([], { gaps: { open, confirmed, most: 2 } }).slice(0, 2);
  expect(gaps(2, 0)).toEqual(["fresh", undefined]);
  expect(gaps(2, 1)).toEqual(["at_risk", "gaps"]);
  expect(gaps(0, 3)).toEqual(["will_be_missed", "gaps"]);
});

test("a database that cannot be written puts missing symbols at risk", () => {
  expect(worst([group()], { trouble: "The disk is full" })).toEqual(["at_risk", "storage", "The disk is full"]);
  expect(worst([], { trouble: "The disk is full" })[0]).toBe("fresh");
});

test("a promise has the worst state of its reasons, and names that one first", () => {
  const { state, reasons } = of([group(), group({ work: null, symbols: 2 })]);
  expect(state).toBe("will_be_missed");
  expect(reasons.map((reason) => [reason.state, reason.symbols])).toEqual([
    ["will_be_missed", 2],
    ["on_track", 8],
  ]);
});

test("what a limit allows grows with time, never exceeds its resets, and is what is left before the first", () => {
  const limits = fc.record({
    period: fc.constantFrom("hour", "day", "month"),
    counts: fc.constant("units" as const),
    used: fc.integer({ min: 0, max: 2_000 }),
    limit: fc.integer({ min: 1, max: 1_000 }),
    resetsAt: fc.integer({ min: NOW + 1, max: NOW + 40 * 86_400 }),
  });
  const span = fc.integer({ min: 0, max: 90 * 86_400 });
  fc.assert(
    fc.property(limits, span, span, (limit, wait, length) => {
      const [from, to] = [NOW + wait, NOW + wait + length];
      const allowed = allowedBetween(limit, { now: NOW, from, to });
      expect(allowed).toBeGreaterThanOrEqual(0);
      expect(allowedBetween(limit, { now: NOW, from, to: to + HOUR })).toBeGreaterThanOrEqual(allowed);
      const left = Math.max(0, limit.limit - limit.used);
      if (length > 0 && to < limit.resetsAt) expect(allowed).toBe(left);
      if (length > 0 && from >= limit.resetsAt) expect(allowed).toBeGreaterThanOrEqual(limit.limit);
      const periods = { hour: HOUR, day: 86_400, month: 30 * 86_400 }[limit.period];
      expect(allowed).toBeLessThanOrEqual(limit.limit * (2 + length / periods));
    }),
  );
  expect(allowedBetween({ ...dayLimit, period: "minute", resetsAt: null }, { now: NOW, from: NOW, to: NOW + 60 })).toBe(
    110,
  );
});
