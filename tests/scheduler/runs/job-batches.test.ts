import { describe, expect, test } from "bun:test";
import { ProviderError } from "../../../src/domain/errors.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import type { Coverage } from "../../../src/domain/runs/coverage.ts";
import { readCoverage } from "../../../src/scheduler/runs/job-batches.ts";
import { findRun, jobsOfRun, moveJobs } from "../../../src/storage/runs/runs.ts";
import { dailyRow, MemoryVendor } from "../../fakes/memory-vendor.ts";
import { startPipeline } from "../../helpers/pipeline.ts";

const asOf = Date.UTC(2024, 11, 30, 23) / 1000;
/** Four batches, each too long to be asked for together with its neighbour. */
const ORDER = { asOf, days: 1_000, batchDays: 250 };

/** Trading days of the last two of the four batches. */
function vendor(): MemoryVendor {
  const vendor = new MemoryVendor();
  for (let ts = Date.UTC(2024, 0, 2) / 1000; ts < asOf; ts += DAY) {
    const day = new Date(ts * 1000).getUTCDay();
    if (day > 0 && day < 6) vendor.put(dailyRow(ts));
  }
  return vendor;
}

describe("the results of batches", () => {
  test("batches are reported as they end, fetched or empty, and read from the ledger afterwards", async () => {
    using pipeline = await startPipeline();
    const told: string[] = [];
    const onCoverage = ({ cells }: Coverage) => void told.push(cells);
    const { runId } = await pipeline.run(vendor(), { ...ORDER, onCoverage });
    // How many of them share a commit, and so a report, depends on how fast they come.
    const steps = ["....", "e...", "ee..", "eef.", "eeff"];
    expect(steps.filter((cells) => told.includes(cells))).toEqual(told);
    expect([told[0], told.at(-1)]).toEqual(["....", "eeff"]);
    const run = (await findRun(pipeline.db, runId))!;
    const jobs = await jobsOfRun(pipeline.db, runId);
    const coverage = (await readCoverage(pipeline.db, run, jobs))(jobs[0]!);
    expect(coverage).toEqual({ cells: "eeff", total: 4, answered: 4, failed: 0 });
  });

  test("a failed batch is reported, stored, and tried again", async () => {
    using pipeline = await startPipeline();
    const source = vendor();
    source.nextError = new ProviderError("transient", "down");
    const told: string[] = [];
    const onCoverage = ({ cells }: Coverage) => void told.push(cells);
    const { runId, kind } = await pipeline.run(source, { ...ORDER, onCoverage });
    expect(kind).toBe("failed");
    expect(told.at(-1)).toBe("xeff");
    const run = (await findRun(pipeline.db, runId))!;
    const jobs = await jobsOfRun(pipeline.db, runId);
    expect((await readCoverage(pipeline.db, run, jobs))(jobs[0]!)?.cells).toBe("xeff");
    // Who asks for what is missing only leaves it as it is.
    const missing = await pipeline.run(source, { ...ORDER, resumeRun: runId, fetchMode: "missing", onCoverage });
    expect([missing.kind, told.at(-1)]).toEqual(["done", "xeff"]);
    expect((await pipeline.profile())!.backfill.history_complete).toBe(false);
    await moveJobs(pipeline.db, [jobs[0]!.id], "refetch");
    await moveJobs(pipeline.db, [jobs[0]!.id], "cancel");
    told.length = 0;
    await pipeline.run(source, { ...ORDER, resumeRun: runId, onCoverage });
    expect(told).toEqual(["xeff", "reff", "eeff"]);
  });
});
