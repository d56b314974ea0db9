/** Holes inside sessions: found in stored minutes and hours, repaired, and in the health of the profile. */

import { describe, expect, test } from "bun:test";
import { barStarts, CALENDAR } from "../../../src/domain/market/calendar.ts";
import { DAY, type Interval } from "../../../src/domain/market/interval.ts";
import { healthClock } from "../../../src/domain/profiles/health.ts";
import { newEvents } from "../../../src/storage/alerts/outbox.ts";
import { listGaps } from "../../../src/storage/market/quality/gaps.ts";
import { findHealth } from "../../../src/storage/profiles/health.ts";
import { dailyRow, MemoryVendor } from "../../fakes/memory-vendor.ts";
import { type Pipeline, startPipeline } from "../../helpers/pipeline.ts";

const at = (text: string) => Date.parse(text) / 1000;
const SESSIONS = CALENDAR.sessionsBetween("us_equity", at("2026-09-24"), at("2026-10-21"));
const EVENING = SESSIONS.at(-1)!.close + 3_600;
const DAYS = 60;
const priced = (ts: number) => ({ ...dailyRow(Math.floor(ts / DAY) * DAY), ts });

/** A vendor of minutes that lacks those from `from` to `to`. */
function minutes(from: string, to: string): MemoryVendor {
  const vendor = new MemoryVendor();
  for (const session of SESSIONS) vendor.put(...barStarts(session, "1m").map(priced));
  for (let ts = at(from); ts < at(to); ts += 60) vendor.hidden.add(ts);
  return vendor;
}

async function healthOf(pipeline: Pipeline, interval: Interval, asOf: number) {
  const profile = (await pipeline.profile(interval))!;
  return (await findHealth(pipeline.db, profile, healthClock(CALENDAR, asOf * 1000))).health;
}

const gapsOf = async (pipeline: Pipeline, vendor: MemoryVendor, interval: Interval = "1m") =>
  listGaps(pipeline.db, await pipeline.series(vendor, interval));

describe("a hole inside a session", () => {
  test("a hole is listed with its times, counts in the health, is mailed, and is filled by a repair of its day alone", async () => {
    using pipeline = await startPipeline();
    const vendor = minutes("2026-10-14T14:30Z", "2026-10-14T17:00Z");
    const run = { interval: "1m", asOf: EVENING, days: DAYS } as const;
    await pipeline.run(vendor, run);
    const date = at("2026-10-14");
    expect(await gapsOf(pipeline, vendor)).toMatchObject([
      {
        date,
        kind: "hole",
        rows: 240,
        hours: [at("2026-10-14T13:30Z"), at("2026-10-14T20:00Z")],
        holes: [[at("2026-10-14T14:30Z"), at("2026-10-14T17:00Z")]],
      },
    ]);
    expect(await healthOf(pipeline, "1m", EVENING)).toBe("gaps");
    expect((await pipeline.profile("1m"))!.backfill.gaps).toBe(1);
    expect((await newEvents(pipeline.db, 9)).map(({ event }) => event)).toMatchObject([
      { kind: "gap_found", missing: "1 session with holes", from: date, to: date },
    ]);

    vendor.hidden.clear();
    vendor.requested.length = 0;
    await pipeline.run(vendor, { ...run, mode: "repair" });
    expect(vendor.requested).toEqual([{ from: date, to: date + DAY }]);
    expect(await gapsOf(pipeline, vendor)).toEqual([]);
    expect(await healthOf(pipeline, "1m", EVENING)).toBe("ok");
  });

  test("a hole counts as confirmed after three equal answers, and as new when an answer brings something", async () => {
    using pipeline = await startPipeline();
    const vendor = minutes("2026-10-14T14:30Z", "2026-10-14T17:00Z");
    const run = { interval: "1m", asOf: EVENING, days: DAYS } as const;
    await pipeline.run(vendor, run);
    for (const answers of [1, 2]) {
      await pipeline.run(vendor, { ...run, mode: "repair" });
      expect(await gapsOf(pipeline, vendor)).toMatchObject([{ answers, confirmed: 0 }]);
    }
    vendor.hidden.delete(at("2026-10-14T15:00Z"));
    await pipeline.run(vendor, { ...run, mode: "repair" });
    expect(await gapsOf(pipeline, vendor)).toMatchObject([{ answers: 0, rows: 241 }]);
    for (let times = 0; times < 3; times++) await pipeline.run(vendor, { ...run, mode: "repair" });
    expect(await gapsOf(pipeline, vendor)).toMatchObject([{ answers: 3, confirmed: 1, kind: "hole" }]);
    expect(await healthOf(pipeline, "1m", EVENING)).toBe("ok");
    vendor.requested.length = 0;
    await pipeline.run(vendor, { ...run, mode: "repair" });
    expect(vendor.requested).toEqual([]);
  });

  test("bars inside a lunch break hide no hole after it, and the hole is confirmed after three equal answers", async () => {
    using pipeline = await startPipeline({ symbol: "7203@TSE" });
    const vendor = new MemoryVendor();
    const sessions = CALENDAR.sessionsBetween("XTKS", at("2026-09-24"), at("2026-10-21"));
    for (const session of sessions) {
      vendor.put(...barStarts(session, "1m").map(priced));
      for (let ts = session.lunch!.from; ts < session.lunch!.to; ts += 60) vendor.put(priced(ts));
    }
    for (let ts = at("2026-10-14T03:30Z"); ts < at("2026-10-14T04:20Z"); ts += 60) vendor.hidden.add(ts);
    const run = { interval: "1m", asOf: at("2026-10-20T12:00Z"), days: DAYS } as const;
    await pipeline.run(vendor, run);
    const hole = { kind: "hole", rows: 280, holes: [[at("2026-10-14T03:30Z"), at("2026-10-14T04:20Z")]] };
    const holes = async () => (await gapsOf(pipeline, vendor)).filter(({ kind }) => kind !== "outside");
    expect(await holes()).toMatchObject([hole]);
    for (const answers of [1, 2, 3]) {
      await pipeline.run(vendor, { ...run, mode: "repair" });
      expect(await holes()).toMatchObject([{ ...hole, answers, confirmed: answers === 3 ? 1 : 0 }]);
    }
  });

  test("a session with two bars is no complete session, and hours that a 24/7 market lacks are a hole", async () => {
    using pipeline = await startPipeline();
    const thin = minutes("2026-10-14T13:31Z", "2026-10-14T19:59Z");
    await pipeline.run(thin, { interval: "1m", asOf: EVENING, days: DAYS });
    expect(await gapsOf(pipeline, thin)).toMatchObject([{ kind: "hole", rows: 2 }]);
    expect(await healthOf(pipeline, "1m", EVENING)).toBe("gaps");

    using other = await startPipeline();
    const crypto = new MemoryVendor("demo", { feed: "memory", adjustment: "none", sessions: "continuous" });
    for (let ts = at("2026-09-24"); ts < at("2026-10-21"); ts += 3_600) crypto.put(priced(ts));
    for (let ts = at("2026-10-12T02:00Z"); ts < at("2026-10-12T08:00Z"); ts += 3_600) crypto.hidden.add(ts);
    await other.run(crypto, { interval: "1h", asOf: at("2026-10-21"), days: DAYS });
    expect(await gapsOf(other, crypto, "1h")).toMatchObject([
      { kind: "hole", holes: [[at("2026-10-12T02:00Z"), at("2026-10-12T08:00Z")]] },
    ]);
    expect(await healthOf(other, "1h", at("2026-10-21"))).toBe("gaps");
  });

  test("a series of an earlier release is compared by the present rules as soon as it is updated", async () => {
    using pipeline = await startPipeline();
    const vendor = minutes("2026-09-29T14:30Z", "2026-09-29T17:00Z");
    const run = { interval: "1m", asOf: EVENING, days: DAYS } as const;
    await pipeline.run(vendor, run);
    await pipeline.db.write([
      { sql: "UPDATE series SET gap_rules = 0", args: [] },
      { sql: "DELETE FROM gaps", args: [] },
    ]);
    await pipeline.run(vendor, { ...run, mode: "incremental" });
    expect(await gapsOf(pipeline, vendor)).toMatchObject([{ kind: "hole", rows: 240 }]);
    await pipeline.db.write([{ sql: "DELETE FROM gaps", args: [] }]);
    await pipeline.run(vendor, { ...run, mode: "incremental" });
    expect(await gapsOf(pipeline, vendor)).toEqual([]);
  });
});
