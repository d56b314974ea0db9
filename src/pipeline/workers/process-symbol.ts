/** One job from beginning to end: fetch, engineer, create, store. */

import { isSpentQuota, ProviderError } from "../../domain/errors.ts";
import { isoSecond } from "../../domain/time.ts";
import { FEATURE_COUNT } from "../../features/catalog.ts";
import { StorageUnavailable } from "../../storage/db.ts";
import type { FinishedJob } from "../../storage/runs/jobs.ts";
import { catalogVersion, engineerSeries } from "../engineer.ts";
import { checkSeries, fetchHistory, isHistoryComplete } from "../fetch/history.ts";
import { keptTask } from "../fetch/kept-history.ts";
import { explainNoBars } from "../fetch/no-bars.ts";
import { JobContext, Stopped, type SymbolIo } from "../job-context.ts";
import type { Outcome, SymbolTask } from "../messages.ts";

/** How long a job is parked when the reset of the spent quota is unknown. */
const PARKED_SECONDS = 15 * 60;

/** Processes one symbol until it is stored, stopped or failed. Stored batches are never fetched again. */
export async function runSymbol(task: SymbolTask, io: SymbolIo): Promise<Outcome> {
  const { symbol, interval, provider, jobId } = task;
  const series = await io.store.seriesId({ symbol, interval, provider, ...io.provider.traits(symbol, interval) });
  const own = await keptTask(task, io, series);
  const job = await JobContext.begin(own, io, await io.store.findJobWork(jobId), series);
  try {
    return (await completeUnchanged(job)) ?? (await workOn(job));
  } catch (error) {
    const { counters } = job;
    if (error instanceof Stopped) return { kind: "stopped", reason: error.reason };
    if (!(error instanceof ProviderError)) throw error;
    if (isSpentQuota(error)) {
      const until = Math.ceil(Date.now() + (error.retryAfter ?? PARKED_SECONDS) * 1_000);
      const wait = { cause: error.kind === "quota_exceeded" ? "quota" : "hold", until } as const;
      return { kind: "parked", wait, reason: error.message, counters };
    }
    return { kind: "failed", reason: error.message, error: error.kind, counters };
  } finally {
    job.written.forget();
    // Failed requests count too.
    if (!job.isSaved) await saveWork(job);
  }
}

/** Saves what a job that ends early has done; what it ended with is not hidden by a database that cannot be written. */
async function saveWork(job: JobContext): Promise<void> {
  try {
    await job.io.store.saveWork(job.task.jobId, job);
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
  }
}

/**
 * Fetches the history; completes the job if that changed nothing and the profile shows all of it, so that bars, gaps and
 * features are as the last run left them. `null` if there is more to do.
 */
async function completeUnchanged(job: JobContext): Promise<Outcome | null> {
  const { task, io, series, stored } = job;
  if (!(await fetchHistory(job))) return null;
  const { symbol, interval } = task;
  const lastBar = stored.last ?? 0;
  const gaps = await io.store.currentGaps({ symbol, interval, seriesId: series, catalogVersion, lastBar });
  if (gaps === null) return null;
  const finished = figuresOf(job, gaps);
  await io.committing((mayWait) => io.store.completeJob(finished, job, mayWait));
  job.isSaved = true;
  return done(finished);
}

async function workOn(job: JobContext): Promise<Outcome> {
  const { task, io, series } = job;
  const { symbol, interval, provider } = task;
  // What comes next changes neither its listing nor from where on its bars have changed.
  const row = await io.store.readSeries(series);
  const gaps = await checkSeries(job, row);

  const engineered = await job.engineerAlone(() => engineerSeries(job, row));
  if (engineered === null) throw new ProviderError("no_data", await explainNoBars(job));

  await job.checkpoint();
  job.stage({ stage: "create" });
  const backfill = {
    history_complete: await isHistoryComplete(job, row),
    history_rows: engineered.rows,
    api_calls_used: job.apiCalls,
    fetch_duration_seconds: Math.round(job.fetchMs / 100) / 10,
    feature_count: FEATURE_COUNT,
    batch_size_days: task.batchDays,
    gaps,
    kept_from: job.keptFrom === 0 ? null : isoSecond(job.keptFrom),
    provisional_from: job.stored.provisionalFrom === null ? null : isoSecond(job.stored.provisionalFrom),
    market: job.market,
    mode: task.mode,
    run_id: task.runId,
  };

  await job.checkpoint();
  job.stage({ stage: "store" });
  const finished = figuresOf(job, gaps);
  const profile = { symbol, interval, provider, seriesId: series, catalogVersion, backfill, ...engineered.profile };
  await io.committing((mayWait) => io.store.storeProfile(profile, finished, job, mayWait));
  job.isSaved = true;
  return done(finished);
}

function figuresOf({ task, workedMs, dataPoints, apiCalls }: JobContext, gaps: number): FinishedJob {
  return { jobId: task.jobId, seconds: workedMs / 1000, workedMs, dataPoints, apiCalls, gaps };
}

const done = ({ seconds, dataPoints, apiCalls, gaps }: FinishedJob): Outcome => ({
  kind: "done",
  seconds,
  dataPoints,
  apiCalls,
  gaps,
});
