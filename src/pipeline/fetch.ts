/** The fetch stage: which windows a job asks for, and how each becomes bars and a line in the ledger. */

import { barsBetween } from "../domain/bars.ts";
import { ProviderError } from "../domain/errors.ts";
import { DAY } from "../domain/interval.ts";
import { judge, type RejectedRow } from "../domain/judge.ts";
import { countBars, readLastBars } from "../storage/bars.ts";
import { answeredWindows, storeBatch, storeFailedBatch } from "../storage/coverage.ts";
import { keepPlanStart } from "../storage/jobs.ts";
import { type Batch, mergeBatches, planBatches, type Span, uncovered } from "./plan.ts";
import type { Work } from "./work.ts";

/** Windows that failed one after the other until the provider is taken to be down and the rest is left for a retry. */
const GIVE_UP_AFTER = 3;
/** Bars asked for again by an incremental job, in days: 2 sessions intraday, 10 daily, weekends and holidays included. */
const OVERLAP_DAYS = { intraday: 4, daily: 16 } as const;

/**
 * Fetches and stores every batch that this run has not stored yet, in order.
 * @throws ProviderError when batches could not be had; what was stored stays, and a retry asks only for the rest
 */
export async function fetchHistory(work: Work): Promise<void> {
  const batches = await planJob(work);
  const total = batches.length;
  const stored = await answeredWindows(work.io.db, work.series, work.task.runId);
  const known = new Set(stored.map(keyOf));
  const pending = batches.filter((batch) => !known.has(keyOf(batch)));
  const failures: { batches: number; error: ProviderError }[] = [];
  let inARow = 0;

  for (const group of mergeBatches(pending, work.io.provider.maxWindowDays(work.task.interval))) {
    await work.breathe();
    work.stage({ stage: "fetch", done: group[0]!.n - 1, total });
    try {
      await fetchGroup(work, group);
      inARow = 0;
    } catch (error) {
      // A spent quota says nothing of the window: it is asked for later.
      if (!(error instanceof ProviderError) || isSpentQuota(error)) throw error;
      for (const batch of group) await noteFailure(work, batch, error.message);
      if (!concernsOneWindow(error)) throw error;
      failures.push({ batches: group.length, error });
      inARow += 1;
      if (inARow >= GIVE_UP_AFTER) break;
    }
  }
  const last = failures.at(-1)?.error;
  if (last) {
    const failed = failures.reduce((sum, failure) => sum + failure.batches, 0);
    throw new ProviderError(
      last.kind,
      `${failed} of ${total} batches failed (retry asks only for what is missing): ${last.message}`,
    );
  }
  if (total > 0) work.stage({ stage: "fetch", done: total, total });
}

const keyOf = ({ from, to }: Span) => `${from}-${to}`;

/** Is the quota used up, so that the job can go on after its reset? */
export function isSpentQuota(error: ProviderError): boolean {
  return error.kind === "quota_day" || error.kind === "rate_minute";
}

/** An error that may be over with the next window; a refused key or an unknown symbol is not. */
function concernsOneWindow(error: ProviderError): boolean {
  return error.kind === "transient" || error.kind === "garbage" || error.kind === "bad_request";
}

/** The batches of the job's mode, numbered through. */
async function planJob(work: Work): Promise<Batch[]> {
  const { task, io } = work;
  const range = { from: task.rangeFrom, to: task.rangeTo };
  const spans =
    task.mode === "repair"
      ? uncovered(range, await answeredWindows(io.db, work.series))
      : [{ from: task.mode === "incremental" ? await incrementalStart(work) : range.from, to: range.to }];
  const parts = spans.flatMap(({ from, to }) => planBatches(from, to, task.batchDays));
  return parts.map((part, index) => ({ ...part, n: index + 1, total: parts.length }));
}

/** An incremental job starts a few sessions before the last stored bar; without history it asks for the whole range. */
async function incrementalStart({ task, io, before, series }: Work): Promise<number> {
  if (before.planFrom !== null) return before.planFrom;
  const last = (await readLastBars(io.db, series, task.rangeTo, 1)).ts[0];
  const overlap = DAY * (task.interval === "1d" ? OVERLAP_DAYS.daily : OVERLAP_DAYS.intraday);
  const from = last === undefined ? task.rangeFrom : Math.max(task.rangeFrom, Math.floor(last / DAY) * DAY - overlap);
  await keepPlanStart(io.db, task.jobId, from);
  return from;
}

/** One request chain for neighbouring batches; each is stored and shown on its own. */
async function fetchGroup(work: Work, group: readonly Batch[]): Promise<void> {
  const { task, io } = work;
  const window = { from: group[0]!.from, to: group.at(-1)!.to };
  const startedAt = performance.now();
  const { symbol, interval, asOf } = task;
  const fetched = await io.provider.fetchBars({ symbol, interval, asOf, ...window }, work.context);
  work.fetchMs += Math.round(performance.now() - startedAt);
  const judged = judge(fetched.bars, { interval, asOf, ...window });
  const rejected = [...fetched.rejected, ...judged.rejected];
  for (const line of summary(rejected)) io.log("warn", line);

  for (const [index, batch] of group.entries()) {
    if (index > 0) {
      await work.breathe();
      work.stage({ stage: "fetch", done: batch.n - 1, total: batch.total });
    }
    const held = await countBars(io.db, work.series, batch.from, batch.to);
    await storeBatch(io.db, {
      seriesId: work.series,
      runId: task.runId,
      window: batch,
      bars: barsBetween(judged.bars, batch.from, batch.to),
      rejected: index === 0 ? rejected : [],
      counters: {
        jobId: task.jobId,
        apiCalls: work.apiCalls,
        fetchMs: work.fetchMs,
        dataPointsElsewhere: work.dataPoints - held,
      },
    });
    work.dataPoints += (await countBars(io.db, work.series, batch.from, batch.to)) - held;
  }
}

/** One line per reason, with the first place where it was met. */
function summary(rejected: readonly RejectedRow[]): string[] {
  const byReason = Map.groupBy(rejected, (row) => row.reason);
  return [...byReason].map(([reason, [first, ...more]]) =>
    more.length === 0
      ? `1 row put aside, ${first!.where}: ${reason}`
      : `${more.length + 1} rows put aside, ${first!.where} and others: ${reason}`,
  );
}

async function noteFailure(work: Work, window: Span, error: string): Promise<void> {
  const { task, io, apiCalls, fetchMs } = work;
  const counters = { jobId: task.jobId, apiCalls, fetchMs };
  await storeFailedBatch(io.db, { seriesId: work.series, runId: task.runId, window, error, counters });
}
