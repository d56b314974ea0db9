/** The fetch stage: what each mode fetches, and what happens when an answer does not fit the stored bars. */

import { numberedBatches, uncovered } from "../../domain/runs/batch-plan.ts";
import type { SeriesRow } from "../../storage/market/series.ts";
import { isListingWrong, startOfBars } from "../first-bar.ts";
import type { JobContext } from "../job-context.ts";
import { PriceFactorDetected } from "../validation/answer-change.ts";
import { recordFindings } from "../validation/findings.ts";
import { updateActions } from "./corporate-actions.ts";
import { type FetchTarget, fetchBatches } from "./fetch-batches.ts";
import { incrementStart } from "./incremental.ts";
import { isRebuilding, rebuildRange, rebuildSeries } from "./rebuild.ts";
import { recordGaps, repair } from "./repair.ts";

/**
 * Fetches what the job's mode requires; stored batches of this run are never fetched again.
 * @returns whether an increment had nothing to fetch
 * @throws ProviderError when something could not be fetched; what was stored stays
 */
export async function fetchHistory(job: JobContext): Promise<boolean> {
  const { task } = job;
  // An earlier attempt may have been left out what this one is given.
  job.io.leftOut([]);
  const isBegun = await isRebuilding(job);
  if (task.mode === "reprocess" || task.fetchMode === "nothing") return false;
  if (task.rebuild) await rebuildRange(job);
  else if (isBegun) await rebuildSeries(job);
  else {
    try {
      if (task.mode === "repair") {
        await repair(job);
        return false;
      }
      if (!(await fetchForward(job))) {
        job.io.log("info", "up to date: nothing to fetch");
        return true;
      }
    } catch (error) {
      if (!(error instanceof PriceFactorDetected)) throw error;
      await rebuildSeries(job, error);
    }
  }
  await updateActions(job);
  return false;
}

/** Fetches the range of a full run, or what an increment lacks; false if there is nothing to fetch. */
async function fetchForward(job: JobContext): Promise<boolean> {
  const planned = job.before.planFrom ?? (await planStart(job));
  if (planned === null) return false;
  const from = Math.max(planned, job.keptFrom);
  await fetchFrom(job, from);
  if (await isListingWrong(job, from)) await fetchFrom(job, job.task.rangeFrom);
  return true;
}

/** Where the job begins to fetch, epoch seconds; `null` if there is nothing to fetch. */
async function planStart(job: JobContext): Promise<number | null> {
  const { mode, rangeFrom } = job.task;
  const from = mode === "full" ? rangeFrom : await incrementStart(job);
  return from === rangeFrom ? startOfBars(job) : from;
}

async function fetchFrom(job: JobContext, from: number): Promise<void> {
  const { task, io, series } = job;
  job.plannedFrom = from;
  const target: FetchTarget = { provider: io.provider, series, into: "compare" };
  const batches = numberedBatches([{ from, to: task.rangeTo }], task.batchDays);
  const known = await io.store.answeredWindows(series, task.runId);
  // Stored, so that a resumed job fetches the same windows: the bars it stored would move its start.
  const isMovable = task.mode === "incremental" || io.provider.firstBar !== undefined || job.keptFrom > 0;
  const begin = isMovable ? () => io.store.savePlanStart(task.jobId, from, true) : undefined;
  await fetchBatches(job, target, batches, known, begin);
}

/**
 * Compares what may have changed with the calendar and with splits and dividends; returns the number of gaps that are not
 * confirmed. `row` is the series as it is stored.
 */
export async function checkSeries(job: JobContext, row: SeriesRow): Promise<number> {
  const { io, series, task, plannedFrom, hasNewActions } = job;
  const { changedFrom, symbol, interval, provider, adjustment } = row;
  // If nothing was fetched and nothing changed, only sessions since the last check remain.
  const changed = Math.min(plannedFrom ?? task.asOf, changedFrom ?? task.asOf);
  const from = task.mode === "incremental" ? changed : 0;
  const days = interval === "1d" ? job.written.days() : null;
  const examined = { id: series, symbol, interval, provider, adjustment, days };
  await recordFindings(io.store, examined, hasNewActions ? 0 : from, io);
  return recordGaps(job, from, row);
}

/** Whether the provider answered for every day of the run's range and of all windows ever requested. */
export async function isHistoryComplete(
  { io, series, task, keptFrom }: JobContext,
  { listedFrom }: SeriesRow,
): Promise<boolean> {
  const answered = await io.store.answeredWindows(series);
  // There is nothing to answer before the first bar, or before what is kept.
  const listed = Math.max(listedFrom ?? 0, keptFrom);
  const from = Math.min(
    task.mode === "full" ? Math.max(task.rangeFrom, listed) : Number.POSITIVE_INFINITY,
    ...answered.map((w) => w.from),
  );
  const to = Math.max(task.mode === "full" ? task.rangeTo : Number.NEGATIVE_INFINITY, ...answered.map((w) => w.to));
  if (from >= to || uncovered({ from, to }, answered).length > 0) return false;
  return (await io.store.unansweredWindows(series))
    .filter((window) => window.to > listed)
    .every((window) => uncovered({ from: Math.max(window.from, listed), to: window.to }, answered).length === 0);
}
