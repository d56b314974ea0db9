/** A vendor that revises, splits, shrinks and leaves holes, and what becomes of its bars. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { CALENDAR } from "../../src/domain/calendar.ts";
import { ProviderError } from "../../src/domain/errors.ts";
import { DAY } from "../../src/domain/interval.ts";
import { listGaps } from "../../src/storage/gaps.ts";
import { listRevisions, listSources } from "../../src/storage/revisions.ts";
import { dailyRow, MemoryVendor } from "../fakes/memory-vendor.ts";
import { type Pipeline, startPipeline } from "../helpers/pipeline.ts";

const SESSIONS = CALENDAR.sessionsBetween("us_equity", Date.UTC(2024, 0, 2) / 1000, Date.UTC(2024, 11, 31) / 1000);
/** The evening of session `n`. */
const evening = (n: number) => SESSIONS[n]!.close + 3_600;

function vendorWith(sessions: number, traits?: MemoryVendor["traits"], name?: string): MemoryVendor {
  const vendor = new MemoryVendor(name, traits);
  vendor.put(...SESSIONS.slice(0, sessions).map(({ date }) => dailyRow(date)));
  return vendor;
}

const features = async (pipeline: Pipeline) => (await pipeline.profile())!.features;

/** Bars and features after one clean full run on what the vendor has now. */
async function cleanRun(vendor: MemoryVendor, asOf: number) {
  using fresh = await startPipeline();
  await fresh.run(vendor, { asOf });
  return { bars: await fresh.stored(vendor), features: await features(fresh) };
}

function expectClose(actual: Readonly<Record<string, number | null>>, expected: typeof actual) {
  for (const [name, value] of Object.entries(expected)) {
    const mine = actual[name] ?? null;
    const near =
      value === null ? mine === null : mine !== null && Math.abs(mine - value) <= 1e-9 * Math.max(1, Math.abs(value));
    if (!near) throw new Error(`${name}: ${mine} instead of ${value}`);
  }
}

describe("an incremental update", () => {
  test("asks for ten sessions and what came since, and keeps all history", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(121);
    await pipeline.run(vendor, { asOf: evening(119) });
    vendor.asked.length = 0;
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(120) });
    expect(vendor.asked).toEqual([{ from: SESSIONS[110]!.date, to: SESSIONS[120]!.date + DAY }]);
    expect((await pipeline.profile())!.backfill.history_rows).toBe(121);
    expect(pipeline.log.join("\n")).not.toContain("computing the whole series");
    const clean = await cleanRun(vendor, evening(120));
    expect(await pipeline.stored(vendor)).toEqual(clean.bars);
    expectClose(await features(pipeline), clean.features);
  });

  test("asks nothing when the calendar says that it has all, and again once a session has ended", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(122);
    await pipeline.run(vendor, { asOf: evening(119) });
    vendor.asked.length = 0;
    for (const asOf of [evening(119) + 60, SESSIONS[120]!.open + 60, SESSIONS[120]!.close - 60]) {
      const outcome = await pipeline.run(vendor, { mode: "incremental", asOf });
      expect(outcome).toMatchObject({ kind: "done", apiCalls: 0 });
    }
    expect(vendor.asked).toEqual([]);
    await pipeline.run(vendor, { mode: "incremental", asOf: SESSIONS[120]!.close });
    expect(vendor.asked.length).toBe(1);
  });

  test("asks again when the newest session had not come yet", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(50);
    await pipeline.run(vendor, { asOf: evening(50) });
    vendor.put(dailyRow(SESSIONS[50]!.date));
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(50) + 60 });
    expect((await pipeline.stored(vendor)).length).toBe(51);
  });

  test("of a symbol without history is a full run", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(60);
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(59), days: 200 });
    expect((await pipeline.stored(vendor)).length).toBe(60);
  });
});

describe("a revision", () => {
  test("repairs the bars, keeps what they were, and all that was computed from them follows", async () => {
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
    expect(pipeline.db.write([{ sql: "UPDATE bar_revisions SET close = 1", args: [] }])).rejects.toThrow("appended");
  });

  test("older than the features look back makes a full pass, and says so", async () => {
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

  test("that takes bars away is not believed", async () => {
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
  });

  test("takes back a lone jump that was the newest bar when it was stored", async () => {
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

describe("a factor", () => {
  for (const [kind, price, volume] of [
    ["split", 0.25, 4],
    ["dividend", 0.98, 1],
  ] as const) {
    test(`(${kind}) found in the overlap builds the whole series anew, the old one kept until then`, async () => {
      using pipeline = await startPipeline();
      const vendor = vendorWith(121, { feed: "memory", adjustment: "all", sessions: "regular" });
      await pipeline.run(vendor, { asOf: evening(119) });
      vendor.scale(SESSIONS[120]!.date, price, volume);
      await pipeline.run(vendor, { mode: "incremental", asOf: evening(120) });
      const clean = await cleanRun(vendor, evening(120));
      expect(await pipeline.stored(vendor)).toEqual(clean.bars);
      expectClose(await features(pipeline), clean.features);
      const [revision] = await listRevisions(pipeline.db, await pipeline.series(vendor), 5);
      expect(revision).toMatchObject({ kind, bars: 120 });
      expect(await pipeline.db.rows("SELECT count(*) FROM series", [])).toEqual([[1]] as never);
    });
  }

  test("whose new history breaks off changes nothing; the retry goes on where it stopped", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(241);
    await pipeline.run(vendor, { asOf: evening(239), days: 365 });
    const before = await pipeline.stored(vendor);
    vendor.scale(SESSIONS[240]!.date, 0.5, 2);
    let fetches = 0;
    const order = { mode: "incremental", asOf: evening(240), days: 800 } as const;
    const outcome = await pipeline.run(vendor, {
      ...order,
      onStage: () => {
        fetches += 1;
        if (fetches === 4) vendor.trouble = new ProviderError("auth", "the key was withdrawn");
      },
    });
    expect(outcome.kind).toBe("failed");
    expect(await pipeline.stored(vendor)).toEqual(before);
    const asked = vendor.asked.length;
    expect((await pipeline.run(vendor, { ...order, again: outcome.runId })).kind).toBe("done");
    expect(vendor.asked.length - asked).toBeLessThan(5);
    const clean = await cleanRun(vendor, evening(240));
    expect(await pipeline.stored(vendor)).toEqual(clean.bars);
    expectClose(await features(pipeline), clean.features);
  });
});

describe("a full rebuild", () => {
  test("puts the new history in the place of the old one", async () => {
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

  test("keeps the old history when the new one lacks much of it", async () => {
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

describe("a repair", () => {
  const holes = [40, 41, 77].map((n) => SESSIONS[n]!.date);

  test("asks only for the gaps, and fills them", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(120);
    for (const date of holes) vendor.hidden.add(date);
    const asOf = evening(119);
    await pipeline.run(vendor, { asOf, days: 365 });
    expect((await pipeline.profile())!.backfill.gaps).toBe(3);
    vendor.hidden.clear();
    vendor.asked.length = 0;
    await pipeline.run(vendor, { mode: "repair", asOf, days: 365 });
    expect(vendor.asked).toEqual([
      { from: holes[0]!, to: holes[1]! + DAY },
      { from: holes[2]!, to: holes[2]! + DAY },
    ]);
    const clean = await cleanRun(vendor, asOf);
    expect(await pipeline.stored(vendor)).toEqual(clean.bars);
    expectClose(await features(pipeline), clean.features);
    expect(await listGaps(pipeline.db, await pipeline.series(vendor))).toEqual([]);
  });

  test("takes a gap for the truth after three empty answers, and asks no more", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(120);
    vendor.hidden.add(holes[0]!);
    const asOf = evening(119);
    await pipeline.run(vendor, { asOf });
    const asked: number[] = [];
    for (let times = 0; times < 5; times++) {
      vendor.asked.length = 0;
      await pipeline.run(vendor, { mode: "repair", asOf });
      asked.push(vendor.asked.length);
    }
    expect(asked).toEqual([1, 1, 1, 0, 0]);
    expect(await listGaps(pipeline.db, await pipeline.series(vendor))).toMatchObject([{ confirmed: 1, answers: 3 }]);
    expect((await pipeline.profile())!.backfill.gaps).toBe(0);
  });

  test("asks a second provider for what the first does not have; its bars carry its name", async () => {
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
    // The vendor still lacks them: no news, and nothing suspicious.
    await pipeline.run(vendor, { asOf });
    expect(pipeline.log.join("\n")).not.toContain("suspicious");
    expect((await pipeline.stored(vendor)).length).toBe(120);
    // When it has them after all, they are its own.
    vendor.hidden.clear();
    await pipeline.run(vendor, { asOf });
    expect(await listSources(pipeline.db, series)).toEqual([]);
  });

  test("leaves a second provider alone whose prices are adjusted in another way", async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(60);
    const second = vendorWith(60, { feed: "memory", adjustment: "all", sessions: "regular" }, "csv");
    vendor.hidden.add(holes[0]!);
    await pipeline.run(vendor, { asOf: evening(59) });
    await pipeline.run(vendor, { mode: "repair", asOf: evening(59), repair: second });
    expect(second.asked).toEqual([]);
    expect(pipeline.log.join("\n")).toContain("adjusted in another way");
  });
});

describe("corporate actions", () => {
  test("are asked for once a run, and make features of a raw series comparable over a split", async () => {
    const split = SESSIONS[100]!.date;
    const raw = vendorWith(140);
    raw.scale(split, 4, 0.25); // what traded before the split was four times as dear
    raw.actions = [{ kind: "split", date: split, value: 4 }];
    using pipeline = await startPipeline();
    await pipeline.run(raw, { asOf: evening(99) });
    await pipeline.run(raw, { mode: "incremental", asOf: evening(138) });
    expect(raw.actionsAsked).toBe(2);
    await pipeline.run(raw, { mode: "incremental", asOf: evening(139) });
    await pipeline.run(raw, { mode: "incremental", asOf: evening(139) + 60 });
    expect(raw.actionsAsked).toBe(3);
    using plain = await startPipeline();
    const adjusted = vendorWith(140);
    await plain.run(adjusted, { asOf: evening(139) });
    expectClose(await features(pipeline), await features(plain));
    expect((await pipeline.stored(raw))[0]![4]).toBe(adjusted.rows.get(SESSIONS[0]!.date)!.close * 4);
  });

  test("that cannot be had leave the bars alone, and are asked for again", async () => {
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
    expect(pipeline.log.join("\n")).toContain("splits and dividends could not be had: your plan has no splits");
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(59) });
    expect(vendor.actionsAsked).toBe(1);
  });
});

test("property: any order of increments, repairs and revisions ends as one clean full run on the final data", async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("increment" as const), sessions: fc.integer({ min: 0, max: 6 }) }),
    fc.record({
      do: fc.constant("revise" as const),
      back: fc.integer({ min: 0, max: 8 }),
      cents: fc.integer({ min: 1, max: 40 }),
    }),
    fc.record({ do: fc.constant("hole" as const), ahead: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ do: fc.constant("fill" as const) }),
    fc.record({ do: fc.constant("repair" as const) }),
    fc.record({ do: fc.constant("scale" as const), ratio: fc.constantFrom(2, 4, 0.5) }),
    fc.record({ do: fc.constant("full" as const), rebuild: fc.boolean() }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), async (steps) => {
      using pipeline = await startPipeline();
      const vendor = vendorWith(SESSIONS.length);
      let now = 110;
      const days = 365;
      await pipeline.run(vendor, { asOf: evening(now), days });
      const run = async (order: object) => {
        const outcome = await pipeline.run(vendor, { asOf: evening(now), days, ...order });
        expect(outcome.kind).toBe("done");
      };
      for (const each of [
        ...steps,
        { do: "fill" },
        { do: "increment", sessions: 1 },
        { do: "repair" },
      ] as typeof steps) {
        switch (each.do) {
          case "increment":
            now += each.sessions;
            await run({ mode: "incremental" });
            break;
          case "revise": {
            const row = vendor.rows.get(SESSIONS[now - each.back]!.date)!;
            vendor.put({ ...row, high: row.high + each.cents / 100, volume: row.volume + each.cents });
            break;
          }
          case "hole":
            vendor.hidden.add(SESSIONS[now + each.ahead]!.date);
            break;
          case "fill":
            vendor.hidden.clear();
            break;
          case "repair":
            await run({ mode: "repair" });
            break;
          case "scale":
            // All that was corrected is on record before the scale of everything changes.
            await run({ mode: "incremental" });
            vendor.scale(SESSIONS[now + 1]!.date, 1 / each.ratio, each.ratio);
            now += 1;
            await run({ mode: "incremental" });
            break;
          case "full":
            await run({ rebuild: each.rebuild });
        }
      }
      const clean = await cleanRun(vendor, evening(now));
      expect(await pipeline.stored(vendor)).toEqual(clean.bars);
      expectClose(await features(pipeline), clean.features);
    }),
    { numRuns: 8 },
  );
}, 60_000);
