/** The effect of increments, revisions and corporate actions on stored bars. */

import { describe, expect, test } from "bun:test";
import { ProviderError } from "../../../src/domain/errors.ts";
import { barStarts } from "../../../src/domain/market/calendar.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { listRevisions } from "../../../src/storage/market/revisions.ts";
import { findHealth } from "../../../src/storage/profiles/health.ts";
import { jobsOfRun } from "../../../src/storage/runs/runs.ts";
import { dailyRow, MemoryVendor } from "../../fakes/memory-vendor.ts";
import { startPipeline } from "../../helpers/pipeline.ts";
import { alerts, cleanRun, evening, expectClose, features, SESSIONS, vendorWith } from "./scenario.ts";

describe("an incremental update", () => {
  test("an incremental update asks for ten sessions and what came since, and keeps all history", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(121);
    await pipeline.run(vendor, { asOf: evening(119) });
    vendor.requested.length = 0;
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(120) });
    expect(vendor.requested).toEqual([{ from: SESSIONS[110]!.date, to: SESSIONS[120]!.date + DAY }]);
    expect((await pipeline.profile())!.backfill.history_rows).toBe(121);
    expect(pipeline.log.join("\n")).not.toContain("computing the whole series");
    const clean = await cleanRun(vendor, evening(120));
    expect(await pipeline.stored(vendor)).toEqual(clean.bars);
    expectClose(await features(pipeline), clean.features);
  });

  test("an incremental update asks nothing when the calendar says it has all, and again once a session has ended", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(122);
    await pipeline.run(vendor, { asOf: evening(119) });
    vendor.requested.length = 0;
    for (const asOf of [evening(119) + 60, SESSIONS[120]!.open + 60, SESSIONS[120]!.close - 60]) {
      const outcome = await pipeline.run(vendor, { mode: "incremental", asOf });
      expect(outcome).toMatchObject({ kind: "done", apiCalls: 0 });
    }
    expect(vendor.requested).toEqual([]);
    await pipeline.run(vendor, { mode: "incremental", asOf: SESSIONS[120]!.close });
    expect(vendor.requested.length).toBe(1);
  });

  test("an incremental update of intraday bars asks for two sessions and what came since, up to the last ended bar", async () => {
    using pipeline = await startPipeline();
    const vendor = new MemoryVendor();
    const hours = SESSIONS.slice(0, 23).flatMap((session) => barStarts(session, "1h"));
    vendor.put(...hours.map((ts) => dailyRow(ts)));
    const [last, today] = [SESSIONS[20]!, SESSIONS[21]!];
    await pipeline.run(vendor, { interval: "1h", asOf: last.close, days: 60 });
    vendor.requested.length = 0;
    await pipeline.run(vendor, { mode: "incremental", interval: "1h", asOf: today.open + 2.5 * 3_600, days: 60 });
    expect(vendor.requested).toEqual([{ from: SESSIONS[19]!.date, to: today.date + DAY }]);
    expect((await pipeline.stored(vendor, "1h")).at(-1)![0]).toBe(today.open + 3_600);
  });

  test("an incremental update asks again when the newest session had not come yet", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(50);
    await pipeline.run(vendor, { asOf: evening(50) });
    vendor.put(dailyRow(SESSIONS[50]!.date));
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(50) + 60 });
    expect((await pipeline.stored(vendor)).length).toBe(51);
  });

  test("an incremental update of a symbol without history is a full run", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(60);
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(59), days: 200 });
    expect((await pipeline.stored(vendor)).length).toBe(60);
  });
});

/** Every revision is recent, and no series is stale. */
const ALWAYS_RECENT = { recentSince: 0, staleBefore: { us_equity: 0, crypto: 0 } };

describe("a revision", () => {
  test("a revision changes the bars, keeps the old values, and everything computed from them follows", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(121);
    await pipeline.run(vendor, { asOf: evening(119) });
    const before = dailyRow(SESSIONS[115]!.date);
    vendor.put({ ...before, close: before.close + 0.2, high: before.high + 0.3 });
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(120) });
    const clean = await cleanRun(vendor, evening(120));
    expect(await pipeline.stored(vendor)).toEqual(clean.bars);
    expectClose(await features(pipeline), clean.features);
    const series = await pipeline.series(vendor);
    expect(await listRevisions(pipeline.db, series, 10)).toMatchObject([
      { kind: "correction", bars: 1, first: before.ts, last: before.ts },
    ]);
    const [old] = await pipeline.db.rows("SELECT close, volume FROM bar_revisions", []);
    expect(old as unknown[]).toEqual([before.close, before.volume]);
    expect(pipeline.log.join("\n")).toContain("1 bar corrected by Vendor demo");
    expect(await findHealth(pipeline.db, (await pipeline.profile())!, ALWAYS_RECENT)).toMatchObject({
      health: "revised",
      gaps: 0,
    });
    expect(await alerts(pipeline)).toEqual([{ kind: "revision_found", what: "correction", bars: 1, days: [115, 115] }]);
    expect(pipeline.db.write([{ sql: "UPDATE bar_revisions SET close = 1", args: [] }])).rejects.toThrow("appended");
  });

  test("a revision older than the features look back makes a full pass, and says so", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(230);
    await pipeline.run(vendor, { asOf: evening(228) });
    const [early, late] = [dailyRow(SESSIONS[2]!.date), dailyRow(SESSIONS[227]!.date)];
    vendor.put({ ...early, close: early.close + 0.1 });
    await pipeline.run(vendor, { asOf: evening(228) });
    expectClose(await features(pipeline), (await cleanRun(vendor, evening(228))).features);
    // The vendor's own bars of long ago, corrected in storage by a repair: seen by the mark that is written with them.
    await pipeline.db.write([{ sql: "UPDATE series SET changed_from = ?", args: [early.ts] }]);
    vendor.put({ ...late, close: late.close + 0.1 });
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(229) });
    expectClose(await features(pipeline), (await cleanRun(vendor, evening(229))).features);
  });

  test("an answer that lacks stored bars removes none of them", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(121);
    await pipeline.run(vendor, { asOf: evening(119) });
    const before = await pipeline.stored(vendor);
    vendor.hidden.add(SESSIONS[114]!.date);
    const bent = dailyRow(SESSIONS[116]!.date);
    vendor.put({ ...bent, close: bent.close + 0.1 });
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(120) });
    const after = await pipeline.stored(vendor);
    expect(after.slice(0, 120)).toEqual(before);
    expect(after.length).toBe(121);
    expect(pipeline.log.join("\n")).toContain("suspicious answer");
    const health = await findHealth(pipeline.db, (await pipeline.profile())!, ALWAYS_RECENT);
    expect(health).toMatchObject({ health: "suspicious", revisedAt: null });
    // The next answers lack the same bar: that is not reported again.
    vendor.put(...SESSIONS.slice(121, 123).map(({ date }) => dailyRow(date)));
    for (const n of [121, 122]) await pipeline.run(vendor, { mode: "incremental", asOf: evening(n) });
    expect(await alerts(pipeline)).toEqual([{ kind: "revision_found", what: "suspicious", bars: 1, days: [114, 114] }]);
  });

  test("a revision removes a lone jump that was the newest bar when it was stored", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(124);
    const good = dailyRow(SESSIONS[119]!.date);
    vendor.put({ ...good, open: 9_000, high: 9_100, low: 8_900, close: 9_000 });
    await pipeline.run(vendor, { asOf: evening(119) });
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(123) });
    const clean = await cleanRun(vendor, evening(123));
    expect(await pipeline.stored(vendor)).toEqual(clean.bars);
    expectClose(await features(pipeline), clean.features);
  });
});

test("a request that a spent quota answered is counted, and the job waits for the reset", async () => {
  using pipeline = await startPipeline();
  const vendor = vendorWith(20);
  vendor.nextError = new ProviderError("quota_exceeded", "spent", 60);
  const before = Date.now();
  const outcome = await pipeline.run(vendor, { asOf: evening(19) });
  expect(outcome).toMatchObject({ kind: "parked", wait: { cause: "quota" }, counters: { apiCalls: 1, dataPoints: 0 } });
  if (outcome.kind !== "parked") throw new Error("it was not parked");
  expect(outcome.wait.until).toBeWithin(before + 60_000, Date.now() + 60_001);
  expect((await jobsOfRun(pipeline.db, outcome.runId))[0]!.apiCalls).toBe(1);
});

describe("corporate actions", () => {
  test("corporate actions are asked for once a run, and make features of a raw series comparable over a split", async () => {
    const split = SESSIONS[100]!.date;
    const raw = vendorWith(140);
    raw.scale(split, 4, 0.25); // what traded before the split was four times as dear
    raw.actions = [{ kind: "split", date: split, value: 4 }];
    using pipeline = await startPipeline();
    await pipeline.run(raw, { asOf: evening(99) });
    await pipeline.run(raw, { mode: "incremental", asOf: evening(138) });
    expect(raw.actionRequests).toBe(2);
    await pipeline.run(raw, { mode: "incremental", asOf: evening(139) });
    await pipeline.run(raw, { mode: "incremental", asOf: evening(139) + 60 });
    expect(raw.actionRequests).toBe(3);
    using plain = await startPipeline();
    const adjusted = vendorWith(140);
    await plain.run(adjusted, { asOf: evening(139) });
    expectClose(await features(pipeline), await features(plain));
    expect((await pipeline.stored(raw))[0]![4]).toBe(adjusted.rows.get(SESSIONS[0]!.date)!.close * 4);
  });

  test("corporate actions that cannot be fetched leave the bars alone, and are asked for again", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(60);
    vendor.actions = [];
    const { provider } = vendor;
    const failing = Object.create(vendor, {
      provider: {
        value: {
          ...provider,
          fetchActions: async () => {
            throw new ProviderError("plan", "your plan has no splits");
          },
        },
      },
    }) as MemoryVendor;
    expect((await pipeline.run(failing, { asOf: evening(58) })).kind).toBe("done");
    expect(pipeline.log.join("\n")).toContain("splits and dividends could not be fetched: your plan has no splits");
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(59) });
    expect(vendor.actionRequests).toBe(1);
  });
});
