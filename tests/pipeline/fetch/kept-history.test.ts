/** Jobs on a series whose older bars were deleted by choice. */

import { expect, test } from "bun:test";
import { DAY } from "../../../src/domain/market/interval.ts";
import { isoSecond } from "../../../src/domain/time.ts";
import { listGaps } from "../../../src/storage/market/quality/gaps.ts";
import { readSeries } from "../../../src/storage/market/series.ts";
import { beginPruning, pruneSeries } from "../../../src/storage/series/prune.ts";
import type { MemoryVendor } from "../../fakes/memory-vendor.ts";
import { type Pipeline, startPipeline } from "../../helpers/pipeline.ts";
import { alerts, cleanRun, evening, expectClose, features, SESSIONS, vendorWith } from "./scenario.ts";

const CUT = SESSIONS[60]!.date;
/** After the first runs and before the later ones. */
const DECIDED = (evening(119) + 5) * 1_000;

/** Deletes the bars before `CUT`, or only says that they are to be deleted. */
async function prune(pipeline: Pipeline, vendor: MemoryVendor, { whole = true } = {}): Promise<void> {
  const id = await pipeline.series(vendor);
  const request = { selection: { ids: [id] }, before: CUT, expect: 1 };
  expect(await beginPruning(pipeline.db, request, DECIDED)).toEqual({ kind: "begun", series: 1 });
  while (whole && !(await pruneSeries(pipeline.db, id)));
}

const firstStored = async (pipeline: Pipeline, vendor: MemoryVendor) => (await pipeline.stored(vendor))[0]![0];

/** What a store has that was never given the older bars. */
async function withoutOlder(vendor: MemoryVendor, asOf: number) {
  const younger = vendorWith(0);
  younger.put(...[...vendor.rows.values()].filter(({ ts }) => ts >= CUT));
  return cleanRun(younger, asOf);
}

test("no run by years fetches bars that were deleted by choice, and its profile is that of what is kept", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(125);
  await pipeline.run(vendor, { asOf: evening(119) });
  await prune(pipeline, vendor);
  for (const mode of ["full", "incremental", "repair", "reprocess"] as const) {
    vendor.requested.length = 0;
    await pipeline.run(vendor, { mode, asOf: evening(121) });
    expect(vendor.requested.filter(({ from }) => from < CUT)).toEqual([]);
    const clean = await withoutOlder(vendor, evening(121));
    expect(await pipeline.stored(vendor)).toEqual(clean.bars);
    expectClose(await features(pipeline), clean.features);
    expect((await pipeline.profile())!.backfill).toMatchObject({
      history_complete: true,
      history_rows: clean.bars.length,
      kept_from: isoSecond(CUT),
    });
    expect((await pipeline.profile())!.backfill).not.toHaveProperty("features_outdated");
  }
  expect(await listGaps(pipeline.db, await pipeline.series(vendor))).toEqual([]);
  expect(await alerts(pipeline)).toEqual([]);
});

test("a rebuild by years replaces what is kept, and fetches nothing before it", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(125);
  await pipeline.run(vendor, { asOf: evening(119) });
  await prune(pipeline, vendor);
  vendor.requested.length = 0;
  expect(await pipeline.run(vendor, { asOf: evening(121), rebuild: true })).toMatchObject({ kind: "done" });
  expect(vendor.requested.filter(({ from }) => from < CUT)).toEqual([]);
  expect(await firstStored(pipeline, vendor)).toBe(CUT);
});

test("an increment whose overlap reaches back beyond what is kept begins there", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(64);
  await pipeline.run(vendor, { asOf: evening(62) });
  const id = await pipeline.series(vendor);
  await beginPruning(pipeline.db, { selection: { ids: [id] }, before: CUT, expect: 1 }, evening(62) * 1_000);
  while (!(await pruneSeries(pipeline.db, id)));
  vendor.requested.length = 0;
  await pipeline.run(vendor, { mode: "incremental", asOf: evening(63) });
  expect(vendor.requested.map(({ from }) => from)).toEqual([CUT]);
  expect(await firstStored(pipeline, vendor)).toBe(CUT);
});

test("a full run that names an earlier day fetches from that day on again, if it was requested after the deletion", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(125);
  const old = await pipeline.run(vendor, { asOf: evening(119), dated: true });
  await prune(pipeline, vendor);
  await pipeline.run(vendor, { asOf: evening(119), dated: true, resumeRun: old.runId });
  expect(await firstStored(pipeline, vendor)).toBe(CUT);

  const asOf = evening(121);
  const days = Math.ceil((asOf - SESSIONS[40]!.date) / DAY);
  await pipeline.run(vendor, { asOf, dated: true, days });
  expect(await firstStored(pipeline, vendor)).toBe(SESSIONS[40]!.date);
  expect((await readSeries(pipeline.db, await pipeline.series(vendor))).keptFrom).toBe(SESSIONS[40]!.date);
  await pipeline.run(vendor, { asOf: evening(122) });
  expect(await firstStored(pipeline, vendor)).toBe(SESSIONS[40]!.date);
  expect((await pipeline.profile())!.backfill.gaps).toBe(0);
});

test("a job that begins while older bars are still being deleted deletes them first", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(125);
  await pipeline.run(vendor, { asOf: evening(119) });
  await prune(pipeline, vendor, { whole: false });
  expect(await firstStored(pipeline, vendor)).toBe(SESSIONS[0]!.date);
  await pipeline.run(vendor, { mode: "incremental", asOf: evening(121) });
  const clean = await withoutOlder(vendor, evening(121));
  expect(await pipeline.stored(vendor)).toEqual(clean.bars);
  expectClose(await features(pipeline), clean.features);
  expect(await readSeries(pipeline.db, await pipeline.series(vendor))).toMatchObject({
    isPruning: false,
    keptFrom: CUT,
  });
});

test("a job that ends without bars because older ones were deleted says so, and how they are fetched again", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(125);
  await pipeline.run(vendor, { asOf: evening(119) });
  const id = await pipeline.series(vendor);
  const before = SESSIONS[119]!.date + DAY;
  await beginPruning(pipeline.db, { selection: { ids: [id] }, before, expect: 1 }, DECIDED);
  while (!(await pruneSeries(pipeline.db, id)));
  const kept = isoSecond(before).slice(0, 10);
  expect(await pipeline.run(vendor, { asOf: before + DAY / 2 })).toMatchObject({
    kind: "failed",
    reason: expect.stringMatching(
      new RegExp(`; bars before ${kept} were deleted by choice: a full run from an earlier day fetches them again$`),
    ),
  });
});
