/** Daily bars that are fetched before the vendor's row stops changing. */

import { describe, expect, test } from "bun:test";
import { dailyRow, type MemoryVendor } from "../../fakes/memory-vendor.ts";
import { type Pipeline, startPipeline } from "../../helpers/pipeline.ts";
import { alerts, SESSIONS, vendorWith } from "./scenario.ts";

const LAST = 200;
const day = SESSIONS[LAST]!;
/** Half an hour after the close; the bar is final at 20:15 in New York. */
const EARLY = day.close + 1_800;
const FINAL = day.close + 4.25 * 3_600;

/** A vendor whose daily bars can be had 16 minutes after the close and change until the end of extended trading. */
function vendor(): MemoryVendor {
  const made = vendorWith(LAST + 1);
  const closeOf = (ts: number) => SESSIONS.find(({ date }) => date === ts)!.close;
  const availableAt = (_symbol: string, _interval: string, ts: number) => closeOf(ts) + 16 * 60;
  const finalAt = (_symbol: string, _interval: string, ts: number) => closeOf(ts) + 4.25 * 3_600;
  Object.defineProperty(made, "provider", { value: { ...made.provider, availableAt, finalAt } });
  return made;
}

const facts = async ({ db }: Pipeline) => (await db.rows("SELECT provisional_from, revised_at FROM series", []))[0];

describe("a daily bar before it is final", () => {
  test("an evening run stores today's bar as provisional, and its change is no revision and no mail", async () => {
    using pipeline = await startPipeline();
    const source = vendor();
    await pipeline.run(source, { asOf: EARLY });
    expect(await facts(pipeline)).toEqual([day.date, null]);
    const early = dailyRow(day.date);
    source.put({ ...early, volume: early.volume + 350 });
    await pipeline.run(source, { mode: "incremental", asOf: FINAL + 60 });
    expect((await pipeline.stored(source)).at(-1)?.at(-1)).toBe(early.volume + 350);
    expect(await facts(pipeline)).toEqual([null, null]);
    expect(await alerts(pipeline)).toEqual([]);
    expect(await pipeline.db.rows("SELECT count(*) FROM bar_revisions", [])).toEqual([[0]]);
  });

  test("a change after the bar was final is a revision", async () => {
    using pipeline = await startPipeline();
    const source = vendor();
    await pipeline.run(source, { asOf: FINAL + 60 });
    expect((await facts(pipeline))![0]).toBeNull();
    const row = dailyRow(day.date);
    source.put({ ...row, volume: row.volume + 350 });
    await pipeline.run(source, { asOf: FINAL + 86_400 });
    expect(await pipeline.db.rows("SELECT count(*) FROM bar_revisions", [])).toEqual([[1]]);
  });

  test("an increment before the bar is final asks once for it, and once more when it is final", async () => {
    using pipeline = await startPipeline();
    const source = vendor();
    await pipeline.run(source, { asOf: SESSIONS[LAST - 1]!.close + 6 * 3_600 });
    const asked = async (asOf: number) => {
      const before = source.requested.length;
      await pipeline.run(source, { mode: "incremental", asOf });
      return source.requested.length - before;
    };
    expect(await asked(EARLY)).toBe(1);
    expect(await asked(EARLY + 600)).toBe(0);
    expect(await asked(FINAL + 60)).toBe(1);
    expect(await asked(FINAL + 600)).toBe(0);
  });
});
