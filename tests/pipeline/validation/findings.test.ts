/** Findings about the scale of a series: recorded, reported once, and gone when they no longer hold. */

import { expect, test } from "bun:test";
import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import { healthClock } from "../../../src/domain/profiles/health.ts";
import { listFindings } from "../../../src/storage/market/quality/findings.ts";
import { findHealth } from "../../../src/storage/profiles/health.ts";
import type { MemoryVendor } from "../../fakes/memory-vendor.ts";
import { type Pipeline, startPipeline } from "../../helpers/pipeline.ts";
import { alerts, evening, SESSIONS, vendorWith } from "../fetch/scenario.ts";

/** Divides the prices from session `first` on. */
function divide(vendor: MemoryVendor, first: number, by: number): void {
  for (const row of [...vendor.rows.values()].filter(({ ts }) => ts >= SESSIONS[first]!.date)) {
    const { ts, open, high, low, close, volume } = row;
    vendor.put({ ts, open: open / by, high: high / by, low: low / by, close: close / by, volume });
  }
}

const findings = async ({ db, series }: Pipeline, vendor: MemoryVendor) =>
  (await listFindings(db, await series(vendor))).map(({ kind, date, jumpDate }) => [
    kind,
    SESSIONS.findIndex((session) => session.date === date),
    jumpDate === null ? null : SESSIONS.findIndex((session) => session.date === jumpDate),
  ]);
const health = async ({ db, profile }: Pipeline, at: number) =>
  (await findHealth(db, (await profile())!, healthClock(CALENDAR, at * 1000))).health;

test("a price that falls to a hundredth and stays makes the series suspicious, with one alert", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(SESSIONS.length);
  divide(vendor, 100, 100);
  await pipeline.run(vendor, { asOf: evening(99) });
  expect(await findings(pipeline, vendor)).toEqual([]);
  for (const now of [100, 101, 112, 130]) {
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(now) });
    expect(await findings(pipeline, vendor)).toEqual([["scale_change", 100, null]]);
    expect(await health(pipeline, evening(now))).toBe("suspicious");
  }
  expect(await alerts(pipeline)).toEqual([{ kind: "revision_found", what: "scale", bars: 1, days: [100, 100] }]);
  expect(pipeline.log.filter((line) => line.includes("suspicious prices"))).toHaveLength(1);
});

test("a split that is listed late ends the suspicion, and so does a corrected history", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(SESSIONS.length);
  vendor.actions = [];
  divide(vendor, 100, 20);
  await pipeline.run(vendor, { asOf: evening(105) });
  expect(await findings(pipeline, vendor)).toEqual([["scale_change", 100, null]]);
  vendor.actions = [{ kind: "split", date: SESSIONS[100]!.date, value: 20 }];
  await pipeline.run(vendor, { mode: "incremental", asOf: evening(106) });
  expect(await findings(pipeline, vendor)).toEqual([]);
  expect(await health(pipeline, evening(106))).not.toBe("suspicious");
});

test("a split on another day than the jump of the prices is a finding with both days", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(SESSIONS.length);
  divide(vendor, 100, 10);
  vendor.actions = [{ kind: "split", date: SESSIONS[90]!.date, value: 10 }];
  await pipeline.run(vendor, { asOf: evening(95) });
  expect(await findings(pipeline, vendor)).toEqual([["split_without_jump", 90, null]]);
  await pipeline.run(vendor, { mode: "incremental", asOf: evening(100) });
  await pipeline.run(vendor, { mode: "incremental", asOf: evening(103) });
  expect(await findings(pipeline, vendor)).toEqual([["split_off_date", 90, 100]]);
  await pipeline.run(vendor, { asOf: evening(103) });
  expect(await findings(pipeline, vendor)).toEqual([["split_off_date", 90, 100]]);
});

for (const [split, jump] of [
  [70, 105],
  [105, 70],
] as const) {
  test(`a split on session ${split} and its jump on ${jump} stay one finding while the series grows`, async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(SESSIONS.length);
    divide(vendor, jump, 10);
    vendor.actions = [{ kind: "split", date: SESSIONS[split]!.date, value: 10 }];
    await pipeline.run(vendor, { asOf: evening(106) });
    for (let now = 107; now < 200; now += 9) {
      await pipeline.run(vendor, { mode: "incremental", asOf: evening(now) });
      expect([now, await findings(pipeline, vendor)]).toEqual([now, [["split_off_date", split, jump]]]);
    }
    expect(await alerts(pipeline)).toHaveLength(1);
  });
}

for (const [what, ratio, volume, isFound] of [
  ["a hundredth", 0.01, 500, true],
  ["half on usual volume", 0.5, 1_000, true],
  ["half on forty times the volume, a move of the market", 0.5, 20_000, false],
] as const) {
  test(`minutes that open at ${what} are ${isFound ? "a finding" : "none"} of that day`, async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(0);
    const minutes = SESSIONS.slice(0, 14).flatMap(({ open }, day) =>
      Array.from({ length: 390 }, (_, at) => {
        const close = (100 + Math.sin(day * 7 + at / 40)) * (day >= 8 ? ratio : 1);
        const ts = open + 60 * at;
        return { ts, open: close, high: close, low: close, close, volume: day === 8 ? volume : 500 };
      }),
    );
    vendor.put(...minutes);
    await pipeline.run(vendor, { asOf: evening(13), interval: "1m", days: 40 });
    const stored = await listFindings(pipeline.db, await pipeline.series(vendor, "1m"));
    const { date } = SESSIONS[8]!;
    expect(stored.map((finding) => [finding.kind, finding.date])).toEqual(isFound ? [["scale_change", date]] : []);
  });
}
