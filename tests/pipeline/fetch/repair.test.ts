/** Gaps: when they are reported, and how a repair handles them. */

import { describe, expect, test } from "bun:test";
import { DAY } from "../../../src/domain/market/interval.ts";
import { listGaps } from "../../../src/storage/market/quality/gaps.ts";
import { listSources } from "../../../src/storage/market/revisions.ts";
import { startPipeline } from "../../helpers/pipeline.ts";
import { alerts, cleanRun, evening, expectClose, features, SESSIONS, vendorWith } from "./scenario.ts";

describe("a gap", () => {
  test("a gap is reported once, when a bar after it shows it, and only new ones are", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(125);
    vendor.hidden.add(SESSIONS[50]!.date);
    await pipeline.run(vendor, { asOf: evening(119) });
    const first = { kind: "gap_found" as const, missing: "1 session", days: [50, 50] };
    expect(await alerts(pipeline)).toEqual([first]);
    vendor.hidden.add(SESSIONS[120]!.date);
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(120) });
    expect(await alerts(pipeline)).toEqual([first]);
    for (const n of [121, 122, 123]) await pipeline.run(vendor, { mode: "incremental", asOf: evening(n) });
    await pipeline.run(vendor, { asOf: evening(123) });
    await pipeline.run(vendor, { mode: "repair", asOf: evening(123) });
    expect(await alerts(pipeline)).toEqual([first, { kind: "gap_found", missing: "1 session", days: [120, 120] }]);
  });

  test("a gap and its mail are one write: neither is stored without the other", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(120);
    vendor.hidden.add(SESSIONS[50]!.date);
    const fullDisk = "BEFORE INSERT ON alert_events BEGIN SELECT raise(ABORT, 'disk full'); END";
    await pipeline.db.write([{ sql: `CREATE TRIGGER full_disk ${fullDisk}`, args: [] }]);
    await expect(pipeline.run(vendor, { asOf: evening(119) })).rejects.toThrow("disk full");
    expect(await listGaps(pipeline.db, await pipeline.series(vendor))).toEqual([]);
    await pipeline.db.write([{ sql: "DROP TRIGGER full_disk", args: [] }]);
    await pipeline.run(vendor, { asOf: evening(119) });
    expect((await alerts(pipeline)).length).toBe(1);
  });
});

describe("a repair", () => {
  const holes = [40, 41, 77].map((n) => SESSIONS[n]!.date);

  test("a repair asks only for the gaps, and fills them", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(120);
    for (const date of holes) vendor.hidden.add(date);
    const asOf = evening(119);
    await pipeline.run(vendor, { asOf, days: 365 });
    expect((await pipeline.profile())!.backfill.gaps).toBe(3);
    expect(await alerts(pipeline)).toEqual([{ kind: "gap_found", missing: "3 sessions", days: [40, 77] }]);
    vendor.hidden.clear();
    vendor.requested.length = 0;
    await pipeline.run(vendor, { mode: "repair", asOf, days: 365 });
    expect(vendor.requested).toEqual([
      { from: holes[0]!, to: holes[1]! + DAY },
      { from: holes[2]!, to: holes[2]! + DAY },
    ]);
    const clean = await cleanRun(vendor, asOf);
    expect(await pipeline.stored(vendor)).toEqual(clean.bars);
    expectClose(await features(pipeline), clean.features);
    expect(await listGaps(pipeline.db, await pipeline.series(vendor))).toEqual([]);
  });

  test("a repair confirms a gap after three empty answers, and asks no more", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(120);
    vendor.hidden.add(holes[0]!);
    const asOf = evening(119);
    await pipeline.run(vendor, { asOf });
    const asked: number[] = [];
    for (let times = 0; times < 5; times++) {
      vendor.requested.length = 0;
      await pipeline.run(vendor, { mode: "repair", asOf });
      asked.push(vendor.requested.length);
    }
    expect(asked).toEqual([1, 1, 1, 0, 0]);
    expect(await listGaps(pipeline.db, await pipeline.series(vendor))).toMatchObject([{ confirmed: 1, answers: 3 }]);
    expect((await pipeline.profile())!.backfill.gaps).toBe(0);
    // Another provider may have what the vendor never had.
    const second = vendorWith(120, undefined, "csv");
    await pipeline.run(vendor, { mode: "repair", asOf, repair: second });
    expect(second.requested).toEqual([{ from: holes[0]!, to: holes[0]! + DAY }]);
    expect((await pipeline.stored(vendor)).length).toBe(120);
  });

  test("a repair asks a second provider for what the first does not have; its bars carry its name", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(120);
    const second = vendorWith(120, undefined, "csv");
    for (const date of holes) vendor.hidden.add(date);
    const asOf = evening(119);
    await pipeline.run(vendor, { asOf });
    await pipeline.run(vendor, { mode: "repair", asOf, repair: second });
    expect((await pipeline.stored(vendor)).length).toBe(120);
    const series = await pipeline.series(vendor);
    expect(await listSources(pipeline.db, series)).toEqual([{ provider: "csv", bars: 3 }]);
    // The vendor still lacks them: nothing to report, and not suspicious.
    await pipeline.run(vendor, { asOf });
    expect(pipeline.log.join("\n")).not.toContain("suspicious");
    expect((await pipeline.stored(vendor)).length).toBe(120);
    // When it has them after all, they are its own.
    vendor.hidden.clear();
    await pipeline.run(vendor, { asOf });
    expect(await listSources(pipeline.db, series)).toEqual([]);
  });

  test("a repair does not ask a second provider whose prices are adjusted in another way", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(60);
    const second = vendorWith(60, { feed: "memory", adjustment: "all", sessions: "regular" }, "csv");
    vendor.hidden.add(holes[0]!);
    await pipeline.run(vendor, { asOf: evening(59) });
    await pipeline.run(vendor, { mode: "repair", asOf: evening(59), repair: second });
    expect(second.requested).toEqual([]);
    expect(pipeline.log.join("\n")).toContain("adjusted differently");
  });
});
