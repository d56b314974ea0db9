/** The engineer stage on histories that are longer than one read. */

import { expect, test } from "bun:test";
import { barStarts, CALENDAR } from "../../src/domain/market/calendar.ts";
import { FEATURES } from "../../src/features/catalog.ts";
import { featureBlocks, LOOKBACK_BARS, TAIL } from "../../src/features/engine.ts";
import { directJobStore } from "../../src/pipeline/store/direct-store.ts";
import { readBars } from "../../src/storage/market/bars.ts";
import { MemoryVendor } from "../fakes/memory-vendor.ts";
import { startPipeline } from "../helpers/pipeline.ts";

const SESSIONS = CALENDAR.sessionsBetween("us_equity", Date.UTC(2024, 0, 1) / 1_000, Date.UTC(2024, 3, 1) / 1_000);

test("a first history, an update and a history of several reads each have the features of one pass over all bars", async () => {
  const reads: number[] = [];
  using pipeline = await startPipeline({
    async storeOf(db) {
      const store = directJobStore(db);
      return {
        ...store,
        async readBars(...args) {
          const bars = await store.readBars(...args);
          reads.push(bars.ts.length);
          return bars;
        },
      };
    },
  });
  const vendor = new MemoryVendor();
  const starts = SESSIONS.flatMap((session) => barStarts(session, "1m"));
  for (const [at, ts] of starts.entries()) {
    const open = 100 + 10 * Math.sin(at / 500) + (at % 7) / 100;
    vendor.put({ ts, open, high: open + 0.05, low: open - 0.04, close: open + 0.02, volume: 1_000 + (at % 13) });
  }
  const longReads: number[] = [];
  // A first history of 11,700 bars, which the job has itself; an update that adds as many; one that finds no state.
  for (const [mode, session] of [
    ["full", 29],
    ["incremental", 59],
    ["incremental", 60],
  ] as const) {
    if (session === 60) await pipeline.db.write([{ sql: "DELETE FROM feature_states", args: [] }]);
    reads.length = 0;
    const asOf = SESSIONS[session]!.close + 3_600;
    const outcome = await pipeline.run(vendor, { mode, asOf, interval: "1m", days: 100 });
    expect(outcome.kind).toBe("done");
    longReads.push(reads.filter((rows) => rows === 10_000).length);
    expect(Math.max(0, ...reads)).toBeLessThanOrEqual(10_000);
    const profile = (await pipeline.profile("1m"))!;
    const bars = await readBars(pipeline.db, profile.seriesId, 0, Number.MAX_SAFE_INTEGER);
    expect(bars.ts.length).toBe(starts.filter((ts) => ts < asOf).length);
    const whole = [...featureBlocks([bars], { interval: "1m", market: "us_equity" }, FEATURES)].at(-1)!;
    for (const [index, { name }] of FEATURES.entries())
      expect(profile.features[name] ?? Number.NaN, name).toBe(whole.columns[index]!.at(-1)!);
  }
  expect(longReads).toEqual([0, 1, 2]);
});

test("an update reads the lookback of the state and what was added, and more only if earlier bars were filled in", async () => {
  const counts: number[] = [];
  using pipeline = await startPipeline({
    async storeOf(db) {
      const store = directJobStore(db);
      return {
        ...store,
        readLastBars(series, to, count) {
          counts.push(count);
          return store.readLastBars(series, to, count);
        },
      };
    },
  });
  const vendor = new MemoryVendor();
  const row = (ts: number) => ({ ts, open: 10, high: 11 + (ts % 7) / 10, low: 9, close: 10, volume: 1_000 });
  const [first, second, third] = [0, 1, 2].map((at) => barStarts(SESSIONS[at]!, "1m"));
  const holes = [...second!.slice(-60, -57), ...second!.slice(-5, -2)];
  vendor.put(...[...first!, ...second!, ...third!].filter((ts) => !holes.includes(ts)).map(row));
  const update = async (mode: "full" | "incremental", asOf: number) => {
    counts.length = 0;
    const outcome = await pipeline.run(vendor, { mode, asOf, interval: "1m", days: 100 });
    expect(outcome.kind).toBe("done");
    return Math.max(0, ...counts);
  };
  expect(await update("full", second!.at(-1)! + 60)).toBe(0);
  // Two whole sessions are stored, which is more than any update reads.
  expect(await update("incremental", third![0]! + 60)).toBe(LOOKBACK_BARS + 1);
  vendor.put(...holes.map(row));
  expect(await update("incremental", third![2]! + 60)).toBe(LOOKBACK_BARS + TAIL + 2);
  expect(pipeline.log.join("\n")).not.toContain("computing the whole series");
  const profile = (await pipeline.profile("1m"))!;
  const bars = await readBars(pipeline.db, profile.seriesId, 0, Number.MAX_SAFE_INTEGER);
  expect(bars.ts.length).toBe(2 * 390 + 3);
  const whole = [...featureBlocks([bars], { interval: "1m", market: "us_equity" }, FEATURES)].at(-1)!;
  for (const [index, { name }] of FEATURES.entries())
    expect(profile.features[name] ?? Number.NaN, name).toBe(whole.columns[index]!.at(-1)!);
});
