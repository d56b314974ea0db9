/** Finds the gaps of a series and fetches them again: from its provider, then from another that the user named. */

import { isSpentQuota, ProviderError } from "../../domain/errors.ts";
import { CONFIRMED_AFTER, isMissing } from "../../domain/market/holes.ts";
import { DAY } from "../../domain/market/interval.ts";
import { type Batch, numberedBatches, type Span, uncovered } from "../../domain/runs/batch-plan.ts";
import type { SeriesRow } from "../../storage/market/series.ts";
import type { JobContext } from "../job-context.ts";
import { recordGapsOf } from "../validation/record-gaps.ts";
import { type FetchTarget, fetchBatches } from "./fetch-batches.ts";
import { finalAtOf } from "./incremental.ts";

/**
 * Checks the sessions of the job's series from `from` (epoch seconds) on again, all of them if they were last checked by
 * an earlier release; returns the number of unconfirmed gaps of the series. `row` is the series as it is stored.
 */
export async function recordGaps(job: JobContext, from: number, { gapRules }: SeriesRow): Promise<number> {
  const { io, task, series, traits } = job;
  const { symbol, interval, provider, asOf } = task;
  const compared = { id: series, symbol, interval, provider, sessions: traits.sessions, gapRules };
  return recordGapsOf(io, compared, from, { asOf, finalAt: finalAtOf(job) });
}

/** Fetches only the windows without an answer in the ledger and the gaps in the stored bars. */
export async function repair(job: JobContext): Promise<void> {
  const { io, task, series } = job;
  const row = await io.store.readSeries(series);
  await recordGaps(job, 0, row);
  const own: FetchTarget = {
    provider: io.provider,
    series,
    into: "compare",
    answersGaps: answersGaps(job, io.repairProvider),
  };
  const listed = Math.max(row.listedFrom ?? 0, job.keptFrom);
  const unanswered = uncovered(
    { from: Math.max(task.rangeFrom, listed), to: task.rangeTo },
    await io.store.answeredWindows(series),
  );
  const known = await io.store.answeredWindows(series, task.runId);
  const gaps = (await gapsToFetch(job, "open")).filter((gap) => uncovered(gap, known).length > 0);
  await fetchBatches(job, own, batchesOf(job, [...unanswered, ...gaps]), known);
  if (io.repairProvider) await fillFrom(job, io.repairProvider);
}

/** Fetches the remaining gaps from another provider and stores them under its name. Its failure does not fail the job. */
async function fillFrom(job: JobContext, provider: NonNullable<JobContext["io"]["repairProvider"]>): Promise<void> {
  const { io, task, series, traits } = job;
  const otherTraits = provider.traits(task.symbol, task.interval);
  if (otherTraits.adjustment !== traits.adjustment) {
    io.log("warn", `${provider.title} was not used: its prices are adjusted differently (${otherTraits.adjustment})`);
    return;
  }
  await recordGaps(job, 0, await io.store.readSeries(series));
  // Confirmed gaps too: the user named the second provider to fill them.
  const batches = batchesOf(job, await gapsToFetch(job, "all"));
  try {
    await fetchBatches(job, { provider, series, into: "fill", answersGaps: answersGaps(job, null) }, batches, []);
  } catch (error) {
    if (!(error instanceof ProviderError) || isSpentQuota(error)) throw error;
    io.log("warn", `${provider.title} could not fill the gaps: ${error.message}`);
  }
}

/** The days of the sessions that lack bars in the run's range without an answer in this run; `open`: only unconfirmed ones. */
async function gapsToFetch({ io, task, series }: JobContext, which: "open" | "all"): Promise<Span[]> {
  const known = await io.store.listGaps(series);
  return known
    .filter(
      ({ kind, answers, runId }) =>
        isMissing(kind) && (which === "all" || answers < CONFIRMED_AFTER) && runId !== task.runId,
    )
    .map(({ date, hours }) => ({
      from: Math.floor(Math.min(date, hours?.[0] ?? date) / DAY) * DAY,
      to: Math.max(date + DAY, Math.ceil((hours?.[1] ?? date) / DAY) * DAY),
    }))
    .filter(({ from, to }) => from >= task.rangeFrom && to <= task.rangeTo)
    .sort((a, b) => a.from - b.from);
}

/** An answer is counted once, when the last provider has given it. */
function answersGaps({ io, market }: JobContext, next: unknown): FetchTarget["answersGaps"] {
  if (next) return undefined;
  return (batch: Batch) => {
    // A session may begin on the day before its date.
    const sessions = io.calendar.sessionsBetween(market, batch.from, batch.to + DAY);
    return { breaks: sessions.flatMap(({ lunch }) => (lunch ? [[lunch.from, lunch.to] as const] : [])) };
  };
}

/** The batches of `spans`, in order; spans without a session between them are merged. */
function batchesOf({ io, task, market }: JobContext, spans: readonly Span[]): Batch[] {
  const merged: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    const next = last && (span.from <= last.to || io.calendar.sessionsBetween(market, last.to, span.from).length === 0);
    if (next) merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    else merged.push(span);
  }
  return numberedBatches(merged, task.batchDays);
}
