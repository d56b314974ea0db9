/** A new scale of all older bars, seen in answers that hold fewer bars than it takes to tell. */

import { describe, expect, test } from "bun:test";
import { type Pipeline, startPipeline } from "../../helpers/pipeline.ts";
import { cleanRun, evening, SESSIONS, vendorWith } from "../fetch/scenario.ts";

const NOW = 60;
const REBUILT = /split found: the vendor multiplied older prices by 0\.5/;

/** Batches of one day. */
const DAILY = { batchDays: 1 };

/** A vendor with windows of one day, and its series up to the evening of session `NOW`. */
async function begin() {
  const pipeline = await startPipeline();
  const vendor = vendorWith(SESSIONS.length);
  vendor.windowDays = 1;
  await pipeline.run(vendor, { asOf: evening(NOW) });
  vendor.requested.length = 0;
  pipeline.log.length = 0;
  return { pipeline, vendor };
}

async function expectClean(pipeline: Pipeline, vendor: ReturnType<typeof vendorWith>, now: number): Promise<void> {
  expect(await pipeline.stored(vendor)).toEqual((await cleanRun(vendor, evening(now))).bars);
}

/** Multiplies all prices of one bar. */
function bend(vendor: ReturnType<typeof vendorWith>, session: number, factor: number): void {
  const row = vendor.rows.get(SESSIONS[session]!.date)!;
  const [open, high, low, close] = [row.open, row.high, row.low, row.close].map((price) => price * factor);
  vendor.put({ ...row, open: open!, high: high!, low: low!, close: close! });
}

describe("a change of all older prices", () => {
  test("is seen by an increment whose answers hold one bar each: the series is rebuilt", async () => {
    const { pipeline, vendor } = await begin();
    using _ = pipeline;
    vendor.scale(SESSIONS[NOW + 1]!.date, 0.5, 2);
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(NOW + 1), ...DAILY });
    expect(pipeline.log.join("\n")).toMatch(REBUILT);
    await expectClean(pipeline, vendor, NOW + 1);
  });

  test("is seen where a part with two bars is fetched again", async () => {
    const { pipeline, vendor } = await begin();
    using _ = pipeline;
    vendor.windowDays = 366;
    vendor.scale(SESSIONS[NOW + 1]!.date, 0.5, 2);
    await pipeline.run(vendor, { asOf: evening(NOW), days: 2 });
    expect(vendor.requested[0]).toEqual({ from: SESSIONS[NOW - 1]!.date, to: SESSIONS[NOW]!.date + 86_400 });
    expect(pipeline.log.join("\n")).toMatch(REBUILT);
    await expectClean(pipeline, vendor, NOW);
  });

  test("is seen although a repair has stored a bar of the new scale among those of the old one", async () => {
    const hole = SESSIONS[NOW - 5]!.date;
    using pipeline = await startPipeline();
    const vendor = vendorWith(SESSIONS.length);
    vendor.hidden.add(hole);
    await pipeline.run(vendor, { asOf: evening(NOW) });
    vendor.hidden.clear();
    vendor.scale(SESSIONS[NOW + 1]!.date, 0.5, 2);
    await pipeline.run(vendor, { mode: "repair", asOf: evening(NOW) });
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(NOW + 1) });
    expect(pipeline.log.join("\n")).toMatch(REBUILT);
    await expectClean(pipeline, vendor, NOW + 1);
  });

  test("is told from the correction of one bar by a factor with one request more", async () => {
    const { pipeline, vendor } = await begin();
    using _ = pipeline;
    bend(vendor, NOW - 4, 1.5);
    await pipeline.run(vendor, { mode: "incremental", asOf: evening(NOW + 1), ...DAILY });
    expect(pipeline.log.filter((line) => /found:|rebuilt/.test(line))).toEqual([]);
    expect(pipeline.log.filter((line) => line.includes("1 bar corrected"))).toHaveLength(1);
    const asked = vendor.requested.filter(({ from }) => from === SESSIONS[NOW - 5]!.date);
    expect(asked).toHaveLength(2);
    await expectClean(pipeline, vendor, NOW + 1);
  });

  test("is told from a correction of the first bar by the bars after it", async () => {
    const { pipeline, vendor } = await begin();
    using _ = pipeline;
    bend(vendor, 0, 1.5);
    await pipeline.run(vendor, { asOf: evening(NOW), ...DAILY });
    expect(pipeline.log.filter((line) => /found:|rebuilt/.test(line))).toEqual([]);
    await expectClean(pipeline, vendor, NOW);
  });
});
