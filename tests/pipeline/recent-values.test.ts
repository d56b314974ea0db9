import { expect, test } from "bun:test";
import { FEATURES } from "../../src/features/catalog.ts";
import { featureBlocks, TAIL } from "../../src/features/engine.ts";
import { USUAL_ADJUSTMENT } from "../../src/pipeline/price-adjustment.ts";
import { recentValues } from "../../src/pipeline/recent-values.ts";
import { adjusterOf } from "../../src/pipeline/stored-prices.ts";
import { readBars } from "../../src/storage/market/bars.ts";
import { type Pipeline, startPipeline } from "../helpers/pipeline.ts";
import { evening, SESSIONS, vendorWith } from "./fetch/scenario.ts";

/** The last values of every feature, computed from the first bar on. */
async function wholePass({ db }: Pipeline, seriesId: number): Promise<Float64Array[]> {
  const adjust = await adjusterOf(db, seriesId, USUAL_ADJUSTMENT);
  const bars = adjust(await readBars(db, seriesId, 0, Number.MAX_SAFE_INTEGER));
  const setup = { interval: "1d", market: "us_equity" } as const;
  const [block] = [...featureBlocks([bars], setup, FEATURES)];
  return block!.columns.map((column) => {
    const tail = column.slice(-TAIL);
    const padding = new Float64Array(TAIL - tail.length).fill(Number.NaN);
    return Float64Array.from([...padding, ...tail]);
  });
}

for (const [days, what] of [
  [365, "a profile of a year"],
  [60, "a profile with fewer bars than a sparkline"],
] as const) {
  test(`${what} gives the last values of every feature as a whole pass computes them, also after an update`, async () => {
    using pipeline = await startPipeline();
    const vendor = vendorWith(SESSIONS.length);
    for (const [at, mode] of [
      [150, "full"],
      [153, "incremental"],
    ] as const) {
      expect(await pipeline.run(vendor, { mode, asOf: evening(at), days })).toMatchObject({ kind: "done" });
      const profile = (await pipeline.profile())!;
      const recent = await recentValues(pipeline.db, profile);
      const whole = await wholePass(pipeline, profile.seriesId);
      // A difference is reported by its feature: all of them would be 20,000 numbers.
      for (const [index, { name }] of FEATURES.entries())
        expect([...recent![index]!], name).toEqual([...whole[index]!]);
      const last = recent!.map((values) => values.at(-1)!);
      expect(FEATURES.map(({ name }) => profile.features[name] ?? Number.NaN)).toEqual(last);
    }
  });
}

test("a profile has no last values if its bars changed since, or another catalogue computed it", async () => {
  using pipeline = await startPipeline();
  const { db } = pipeline;
  await pipeline.run(vendorWith(SESSIONS.length), { asOf: evening(150) });
  const profile = (await pipeline.profile())!;
  expect(await recentValues(db, { ...profile, catalogVersion: "0" })).toBeNull();
  expect(await recentValues(db, { ...profile, symbol: "OTHER" })).toBeNull();
  const sql = "UPDATE bars SET close = close * 2 WHERE ts = (SELECT ts FROM bars ORDER BY ts DESC LIMIT 1 OFFSET 120)";
  await db.write([{ sql, args: [] }]);
  expect(await recentValues(db, profile)).toBeNull();
});
