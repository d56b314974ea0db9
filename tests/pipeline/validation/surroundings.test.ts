/** Bars judged among the stored ones: whatever was asked for together, the same bars are stored. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { listGaps } from "../../../src/storage/market/quality/gaps.ts";
import { readJumps } from "../../../src/storage/market/quality/jump-bars.ts";
import { listSources } from "../../../src/storage/market/revisions.ts";
import type { MemoryVendor } from "../../fakes/memory-vendor.ts";
import { type Pipeline, startPipeline } from "../../helpers/pipeline.ts";
import { cleanRun, evening, SESSIONS, vendorWith } from "../fetch/scenario.ts";

/** Multiplies the prices of `bars` sessions from session `first` on. */
function spike(vendor: MemoryVendor, first: number, factor: number, bars = 1): void {
  for (const { date } of SESSIONS.slice(first, first + bars)) {
    const { ts, open, high, low, close, volume } = vendor.rows.get(date)!;
    vendor.put({ ts, open: open * factor, high: high * factor, low: low * factor, close: close * factor, volume });
  }
}

const dates = (from: number, count = 1) => SESSIONS.slice(from, from + count).map(({ date }) => date);
const storedDates = async (pipeline: Pipeline, vendor: MemoryVendor) =>
  (await pipeline.stored(vendor)).map(([ts]) => ts!);
const asideDates = async ({ db, series }: Pipeline, vendor: MemoryVendor) => [
  ...(await readJumps(db, await series(vendor), 0, Number.MAX_SAFE_INTEGER)).ts,
];
const without = (all: number[], out: number[]) => all.filter((date) => !out.includes(date));

describe("an impossible bar", () => {
  test("a repair does not store what was put aside, and the gap counts as answered", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(120);
    spike(vendor, 60, 100);
    const asOf = evening(119);
    await pipeline.run(vendor, { asOf });
    const expected = without(dates(0, 120), dates(60));
    for (let times = 0; times < 4; times++) {
      vendor.requested.length = 0;
      await pipeline.run(vendor, { mode: "repair", asOf });
      expect(await storedDates(pipeline, vendor)).toEqual(expected);
      expect(vendor.requested.length).toBe(times < 3 ? 1 : 0);
    }
    expect((await listGaps(pipeline.db, await pipeline.series(vendor)))[0]).toMatchObject({ confirmed: 1 });
    await pipeline.run(vendor, { asOf });
    expect(await storedDates(pipeline, vendor)).toEqual(expected);
    expect((await pipeline.profile())!.features.drawdown).toBeGreaterThan(-0.5);
  });

  test("a bar that the vendor corrects is stored by the next repair", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(120);
    const good = { ...vendor.rows.get(SESSIONS[60]!.date)! };
    spike(vendor, 60, 0.01);
    await pipeline.run(vendor, { asOf: evening(119) });
    expect(await asideDates(pipeline, vendor)).toEqual(dates(60));
    vendor.put(good);
    await pipeline.run(vendor, { mode: "repair", asOf: evening(119) });
    expect(await pipeline.stored(vendor)).toEqual((await cleanRun(vendor, evening(119))).bars);
    expect(await asideDates(pipeline, vendor)).toEqual([]);
  });

  test("the newest bars are believed until their neighbours show that they are impossible", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(SESSIONS.length);
    spike(vendor, 99, 100, 2);
    await pipeline.run(vendor, { asOf: evening(100) });
    expect(await storedDates(pipeline, vendor)).toEqual(dates(0, 101));
    await pipeline.run(vendor, { asOf: evening(103), days: 4 });
    expect(await storedDates(pipeline, vendor)).toEqual(without(dates(0, 104), dates(99, 2)));
    expect(await asideDates(pipeline, vendor)).toEqual(dates(99, 2));
    expect(pipeline.log.join("\n")).toContain("2 bars withdrawn");
  });

  test("a bar that was put aside is stored when later bars show its level", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(SESSIONS.length);
    // From session 100 on twenty times as much, but for one error at the old level.
    spike(vendor, 100, 20, SESSIONS.length - 100);
    spike(vendor, 101, 0.05);
    await pipeline.run(vendor, { asOf: evening(101) });
    expect(await asideDates(pipeline, vendor)).toEqual(dates(100));
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(130) });
    expect(await storedDates(pipeline, vendor)).toContain(SESSIONS[100]!.date);
    expect(await pipeline.stored(vendor)).toEqual((await cleanRun(vendor, evening(130))).bars);
  });

  test("a second provider fills the gap with a possible bar, which stays; its impossible one is not stored", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(120);
    spike(vendor, 60, 100);
    spike(vendor, 80, 100);
    const second = vendorWith(120, undefined, "csv");
    spike(second, 80, 0.01);
    const asOf = evening(119);
    await pipeline.run(vendor, { asOf });
    const expected = without(dates(0, 120), dates(80));
    await pipeline.run(vendor, { mode: "repair", asOf, repair: second });
    expect(await storedDates(pipeline, vendor)).toEqual(expected);
    await pipeline.run(vendor, { asOf });
    await pipeline.run(vendor, { mode: "repair", asOf });
    expect(await storedDates(pipeline, vendor)).toEqual(expected);
    expect(await listSources(pipeline.db, await pipeline.series(vendor))).toEqual([{ provider: "csv", bars: 1 }]);
  });

  test("a rebuild judges its edge bars among the older ones that it leaves", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(120);
    const asOf = evening(119);
    await pipeline.run(vendor, { asOf });
    const { bars: before } = await cleanRun(vendor, asOf);
    // The first session of the rebuilt range.
    const first = SESSIONS.findIndex(({ date }) => date >= SESSIONS[119]!.date - 39 * 86_400);
    spike(vendor, first, 100);
    await pipeline.run(vendor, { asOf, rebuild: true, days: 40 });
    expect(await pipeline.stored(vendor)).toEqual(before.filter(([ts]) => ts !== SESSIONS[first]!.date));
  });
});

test("property: the same bars are stored however windows, batches and ranges fall", async () => {
  using all = await startPipeline();
  let cases = 0;
  const spikes = fc.array(
    fc.record({
      first: fc.integer({ min: 0, max: 112 }),
      bars: fc.integer({ min: 1, max: 7 }),
      factor: fc.constantFrom(100, 0.01, 30),
    }),
    { minLength: 1, maxLength: 6 },
  );
  const runs = fc.array(
    fc.record({
      windowDays: fc.constantFrom(1, 2, 3, 5, 9, 31, 366),
      batchDays: fc.constantFrom(1, 3, 10, 365),
      days: fc.constantFrom(2, 7, 20, 90, 365),
      until: fc.integer({ min: 60, max: 119 }),
    }),
    { minLength: 0, maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(spikes, runs, async (spiked, orders) => {
      cases += 1;
      using pipeline = await startPipeline({ on: all, symbol: `PARTS${cases}` });
      const vendor = vendorWith(120);
      for (const { first, factor, bars } of spiked) spike(vendor, first, factor, bars);
      for (const { until, windowDays, ...order } of orders) {
        vendor.windowDays = windowDays;
        await pipeline.run(vendor, { asOf: evening(until), ...order });
      }
      await pipeline.run(vendor, { asOf: evening(119), batchDays: orders[0]?.batchDays ?? 1 });
      vendor.windowDays = 366;
      const clean = await cleanRun(vendor, evening(119), { on: all, symbol: `WHOLE${cases}` });
      expect(await pipeline.stored(vendor)).toEqual(clean.bars);
    }),
    { numRuns: 25 },
  );
}, 60_000);
