/** The batches of jobs that are not running: from the plan of their run and the ledger. */

import { type Batch, numberedBatches } from "../../domain/runs/batch-plan.ts";
import { type BatchState, coverageOf } from "../../domain/runs/coverage.ts";
import type { Database } from "../../storage/db.ts";
import { type KnownWindow, windowsOfSymbols } from "../../storage/runs/batches.ts";
import type { JobRow, RunRow } from "../../storage/runs/runs.ts";
import type { CoverageOf, RunRecord } from "./run-records.ts";

/** A batch of a job and its result. */
export interface KnownBatch extends KnownWindow, Batch {}

/**
 * The batches of a job in order. For repairs, histories rebuilt from further back, and increments that have not begun,
 * only requested windows are known.
 */
export function batchesOf(
  run: Pick<RunRow, "mode" | "rebuild" | "rangeFrom" | "rangeTo" | "batchDays">,
  job: Pick<JobRow, "planFrom" | "state">,
  ledger: readonly KnownWindow[],
): KnownBatch[] {
  const start = run.mode === "full" ? run.rangeFrom : null;
  const from = run.mode === "full" || run.mode === "incremental" ? (job.planFrom ?? start) : null;
  if (from === null) return ledger.map((window, index) => ({ ...window, n: index + 1, total: ledger.length }));
  const known = new Map(ledger.map((window) => [`${window.from}-${window.to}`, window.state]));
  // A complete job had an answer for every batch; another run may have requested one again since.
  const unknown: BatchState = job.state === "complete" ? "fetched" : "pending";
  return numberedBatches([{ from, to: run.rangeTo }], run.batchDays).map((batch) => ({
    ...batch,
    state: known.get(`${batch.from}-${batch.to}`) ?? unknown,
  }));
}

/** The coverage of jobs that have not started. */
export function plannedCoverage(run: RunRow): CoverageOf {
  const planned = batchesOf(run, { planFrom: null, state: "queued" }, []);
  const coverage = planned.length === 0 ? null : coverageOf(planned.map(({ state }) => state));
  return () => coverage;
}

/** The coverage of the jobs of one run, as far as it is in the database. */
export async function readCoverage(db: Database, run: RunRecord["row"], jobs: readonly JobRow[]): Promise<CoverageOf> {
  if (run.mode === "reprocess") return () => null;
  const ledgers = await windowsOfSymbols(
    db,
    run,
    jobs.map(({ symbol }) => symbol),
  );
  return (job) => {
    const batches = batchesOf(run, job, ledgers.get(job.symbol) ?? []);
    return batches.length === 0 ? null : coverageOf(batches.map(({ state }) => state));
  };
}
