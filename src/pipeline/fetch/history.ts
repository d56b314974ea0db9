/** The fetch stage: what each mode asks for, and what follows when an answer does not fit what is stored. */

import { numberedBatches, uncovered } from "../../domain/runs/batch-plan.ts";
import { readSeries } from "../../storage/market/series.ts";
import { answeredWindows } from "../../storage/runs/batches.ts";
import { keepPlanStart } from "../../storage/runs/jobs.ts";
import type { Work } from "../job-context.ts";
import { askActions } from "./corporate-actions.ts";
import { FactorFound, fetchBatches, type Route } from "./fetch-batches.ts";
import { incrementStart } from "./incremental.ts";
import { isRebuilding, rebuildRange, rebuildSeries } from "./rebuild.ts";
import { noteGaps, repair } from "./repair.ts";

/**
 * Brings the stored bars to where the job's mode wants them; stored batches of this run are never asked for again.
 * @throws ProviderError when something could not be had; what was stored stays
 */
export async function fetchHistory(work: Work): Promise<void> {
  const { task } = work;
  const isBegun = await isRebuilding(work);
  if (task.mode === "reprocess" || task.asks === "nothing") return;
  if (task.rebuild) await rebuildRange(work);
  else if (isBegun) await rebuildSeries(work);
  else {
    try {
      if (task.mode === "repair") return await repair(work);
      if (!(await fetchForward(work))) return work.io.log("info", "up to date: nothing to ask for");
    } catch (error) {
      if (!(error instanceof FactorFound)) throw error;
      await rebuildSeries(work, error);
    }
  }
  await askActions(work);
}

/** The range of a full run, or what an increment lacks; false if that is nothing. */
async function fetchForward(work: Work): Promise<boolean> {
  const { task, io, series } = work;
  const from = task.mode === "full" ? task.rangeFrom : (work.before.planFrom ?? (await incrementStart(work)));
  if (from === null) return false;
  // Kept, so that a resumed increment asks for the same windows; the bars it stored would move its start.
  if (task.mode === "incremental") await keepPlanStart(io.db, task.jobId, from);
  work.plannedFrom = from;
  const route: Route = { provider: io.provider, series, into: "compare" };
  const batches = numberedBatches([{ from, to: task.rangeTo }], task.batchDays);
  await fetchBatches(work, route, batches, await answeredWindows(io.db, series, task.runId));
  return true;
}

/** Holds what may have changed against the calendar; the number of gaps that are not confirmed. */
export async function judgeHistory(work: Work): Promise<number> {
  const { io, series, task, plannedFrom } = work;
  const { changedFrom } = await readSeries(io.db, series);
  if (task.mode !== "incremental") return noteGaps(work, 0);
  // Nothing was asked and nothing changed: only sessions that are not there yet are left to judge.
  return noteGaps(work, Math.min(plannedFrom ?? task.asOf, changedFrom ?? task.asOf));
}

/** True if the provider answered every day of the run's range, or, for a longer history, of all that was ever asked. */
export async function isHistoryComplete({ io, series, task }: Work): Promise<boolean> {
  const answered = await answeredWindows(io.db, series);
  const from = Math.min(
    task.mode === "full" ? task.rangeFrom : Number.POSITIVE_INFINITY,
    ...answered.map((w) => w.from),
  );
  const to = Math.max(task.mode === "full" ? task.rangeTo : Number.NEGATIVE_INFINITY, ...answered.map((w) => w.to));
  return from < to && uncovered({ from, to }, answered).length === 0;
}
