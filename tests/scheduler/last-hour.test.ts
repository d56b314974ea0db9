import { expect, test } from "bun:test";
import type { QuotaState } from "../../src/providers/quotas/quota-state.ts";
import { LastHour } from "../../src/scheduler/live/last-hour.ts";

const NOON = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;

const quota = (used: number, today = 0): QuotaState => ({
  provider: "acme",
  gauges: [
    { period: "minute", counts: "requests", used, limit: 10, resetsAt: null },
    { period: "day", counts: "units", used: today, limit: 100, resetsAt: NOON / 1_000 + 43_200 },
  ],
  hold: null,
  waiting: 0,
  spenders: [],
  latencyMs: null,
  unitsPerRequest: 1,
});

test("bars are counted by the minute for an hour; before the start nothing is known", () => {
  let now = NOON + 1_000;
  const lastHour = new LastHour(() => now);
  lastHour.countBars(500);
  lastHour.countBars(-20);
  now += 2 * MINUTE;
  lastHour.countBars(20);
  expect(lastHour.bars().slice(-4)).toEqual([null, 500, 0, 20]);
  expect(lastHour.since).toBe(NOON + 1_000);
  now += 57 * MINUTE;
  expect(lastHour.bars()[0]).toBe(500);
  now += MINUTE;
  expect(lastHour.bars()).toEqual([0, 20, ...Array.from({ length: 58 }, () => 0)]);
});

test("a quota's level is its fullest limit, at its highest in each minute, with gaps where nothing was sampled", () => {
  let now = NOON;
  const lastHour = new LastHour(() => now);
  lastHour.sample([quota(8)]);
  now += 30_000;
  lastHour.sample([quota(2)]);
  now += 2 * MINUTE;
  lastHour.sample([quota(1, 60), { ...quota(0), provider: "free", gauges: [] }]);
  const [acme, ...others] = lastHour.quotas();
  expect(others).toEqual([]);
  expect(acme!.levels.slice(-4)).toEqual([null, 0.8, null, 0.6]);
  expect(acme!.gauge).toMatchObject({ period: "day", counts: "units", limit: 100 });
  now += 58 * MINUTE;
  lastHour.sample([quota(0)]);
  expect(lastHour.quotas()[0]!.levels.filter((level) => level !== null)).toEqual([0.6, 0]);
});
