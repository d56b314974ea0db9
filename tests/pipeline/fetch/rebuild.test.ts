/** A history that is fetched again: after a price factor of the vendor, or on request. */

import { describe, expect, test } from "bun:test";
import { ProviderError } from "../../../src/domain/errors.ts";
import { BAR_FIELDS } from "../../../src/domain/market/bars.ts";
import { insertBars } from "../../../src/storage/market/bars.ts";
import { openStaging, swapStaging } from "../../../src/storage/market/rebuild.ts";
import { listRevisions } from "../../../src/storage/market/revisions.ts";
import { dailyRow } from "../../fakes/memory-vendor.ts";
import { startPipeline } from "../../helpers/pipeline.ts";
import { alerts, cleanRun, evening, expectClose, features, SESSIONS, storedBars, vendorWith } from "./scenario.ts";

describe("a factor", () => {
  for (const [kind, price, volume] of [
    ["split", 0.25, 4],
    ["dividend", 0.98, 1],
  ] as const) {
    test(`a ${kind} factor in the overlap rebuilds the whole series, the old one kept until then`, async () => {
      using pipeline = await startPipeline();
      const vendor = vendorWith(121, { feed: "memory", adjustment: "all", sessions: "regular" });
      await pipeline.run(vendor, { asOf: evening(119) });
      // The new session trades at the new level.
      vendor.scale(SESSIONS[121]!.date, price, volume);
      await pipeline.run(vendor, { mode: "incremental", asOf: evening(120) });
      const clean = await cleanRun(vendor, evening(120));
      expect(await pipeline.stored(vendor)).toEqual(clean.bars);
      expectClose(await features(pipeline), clean.features);
      const [revision] = await listRevisions(pipeline.db, await pipeline.series(vendor), 5);
      expect(revision).toMatchObject({ kind, bars: 120 });
      expect(await storedBars(pipeline)).toEqual([121]);
      expect(await alerts(pipeline)).toEqual([{ kind: "revision_found", what: kind, bars: 120, days: [0, 119] }]);
    });
  }

  test("bars that the vendor no longer gives are kept in a rebuild, on the scale of the new ones", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(121, { feed: "memory", adjustment: "splits", sessions: "regular" });
    await pipeline.run(vendor, { asOf: evening(119) });
    const before = await pipeline.stored(vendor);
    vendor.scale(SESSIONS[121]!.date, 0.25, 4);
    vendor.keptFrom = SESSIONS[60]!.date;
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(120) });
    const after = await pipeline.stored(vendor);
    expect(after.length).toBe(121);
    for (const at of [0, 59, 60, 119]) {
      const [close, volume] = [BAR_FIELDS.indexOf("close"), BAR_FIELDS.indexOf("volume")];
      expect(after[at]![close]).toBeCloseTo(before[at]![close]! / 4, 9);
      expect(after[at]![volume]).toBeCloseTo(before[at]![volume]! * 4, 3);
    }
    vendor.keptFrom = Number.NEGATIVE_INFINITY;
    expectClose(await features(pipeline), (await cleanRun(vendor, evening(120))).features);
    expect(await alerts(pipeline)).toEqual([{ kind: "revision_found", what: "split", bars: 120, days: [0, 119] }]);
  });

  test("a rebuild that breaks off changes nothing; the retry continues where it stopped", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(241);
    await pipeline.run(vendor, { asOf: evening(239), days: 365 });
    const before = await pipeline.stored(vendor);
    vendor.scale(SESSIONS[241]!.date, 0.5, 2);
    let fetches = 0;
    const order = { mode: "incremental", asOf: evening(240), days: 800 } as const;
    const outcome = await pipeline.run(vendor, {
      ...order,
      onStage: () => {
        fetches += 1;
        if (fetches === 4) vendor.nextError = new ProviderError("auth", "the key was withdrawn");
      },
    });
    expect(outcome.kind).toBe("failed");
    expect(await pipeline.stored(vendor)).toEqual(before);
    expect(await alerts(pipeline)).toEqual([]);
    const asked = vendor.requested.length;
    expect((await pipeline.run(vendor, { ...order, resumeRun: outcome.runId })).kind).toBe("done");
    expect(vendor.requested.length - asked).toBeLessThan(5);
    // The retry finds the factor again in the bars.
    expect(await alerts(pipeline)).toEqual([{ kind: "revision_found", what: "split", bars: 240, days: [0, 239] }]);
    expect(await listRevisions(pipeline.db, await pipeline.series(vendor), 5)).toMatchObject([{ kind: "split" }]);
    const clean = await cleanRun(vendor, evening(240));
    expect(await pipeline.stored(vendor)).toEqual(clean.bars);
    expectClose(await features(pipeline), clean.features);
  });
});

describe("a full rebuild", () => {
  test("a rebuild stopped while the old bars are removed is finished by the next job, whatever its mode", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(121);
    await pipeline.run(vendor, { asOf: evening(119) });
    const row = dailyRow(SESSIONS[20]!.date);
    vendor.put({ ...row, volume: 7 });
    const series = await pipeline.series(vendor);
    const { id: staging } = await openStaging(pipeline.db, series, "stopped");
    await pipeline.db.write(insertBars(staging, vendor.bars("1d", 0, Number.MAX_SAFE_INTEGER, evening(119))));
    await swapStaging(pipeline.db, {
      seriesId: series,
      staging,
      from: 0,
      to: evening(119),
      kind: "rebuild",
      added: [],
    });
    expect(await storedBars(pipeline)).toEqual([120, 120]);
    await pipeline.run(vendor, { mode: "reprocess", asOf: evening(119) });
    expect(await storedBars(pipeline)).toEqual([120]);
    expect(await listRevisions(pipeline.db, series, 5)).toMatchObject([
      { kind: "rebuild", runId: "stopped", bars: 1, first: row.ts, last: row.ts },
    ]);
    expectClose(await features(pipeline), (await cleanRun(vendor, evening(119))).features);
  });

  test("a rebuild of a part of the history keeps the rest, and can be repeated", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(240);
    await pipeline.run(vendor, { asOf: evening(238), days: 365 });
    for (const [times, n] of [200, 30, 210].entries()) {
      const row = dailyRow(SESSIONS[n]!.date);
      vendor.put({ ...row, volume: times + 1 });
      await pipeline.run(vendor, { rebuild: true, asOf: evening(238), days: n === 30 ? 365 : 60 });
      expect(await pipeline.stored(vendor)).toEqual((await cleanRun(vendor, evening(238))).bars);
      expect(await storedBars(pipeline)).toEqual([239]);
    }
    expect((await listRevisions(pipeline.db, await pipeline.series(vendor), 5)).map(({ bars }) => bars)).toEqual([
      1, 1, 1,
    ]);
  });

  test("a rebuild discards what another run began and never finished", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(121);
    await pipeline.run(vendor, { asOf: evening(119) });
    const { id: staging } = await openStaging(pipeline.db, await pipeline.series(vendor), "begun");
    const early = vendor.bars("1d", 0, SESSIONS[30]!.date, evening(119));
    await pipeline.db.write(insertBars(staging, { ...early, ts: early.ts.map((ts) => ts + 7) }));
    await pipeline.run(vendor, { rebuild: true, asOf: evening(119) });
    expect(await pipeline.stored(vendor)).toEqual((await cleanRun(vendor, evening(119))).bars);
    expect(await storedBars(pipeline)).toEqual([120]);
  });

  test("a full rebuild replaces the old history with the new one", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(121);
    await pipeline.run(vendor, { asOf: evening(119) });
    const row = dailyRow(SESSIONS[20]!.date);
    vendor.put({ ...row, volume: 7 });
    await pipeline.run(vendor, { rebuild: true, asOf: evening(120) });
    expect(await pipeline.stored(vendor)).toEqual((await cleanRun(vendor, evening(120))).bars);
    const [revision] = await listRevisions(pipeline.db, await pipeline.series(vendor), 5);
    expect(revision).toMatchObject({ kind: "rebuild", bars: 1, first: row.ts });
  });

  test("a full rebuild keeps the old history when the new one lacks much of it", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(121);
    await pipeline.run(vendor, { asOf: evening(119) });
    const before = await pipeline.stored(vendor);
    for (const { date } of SESSIONS.slice(30, 60)) vendor.hidden.add(date);
    const outcome = await pipeline.run(vendor, { rebuild: true, asOf: evening(120) });
    expect(outcome).toMatchObject({ kind: "failed", reason: expect.stringContaining("the old one was kept") });
    expect(await pipeline.stored(vendor)).toEqual(before);
  });
});
