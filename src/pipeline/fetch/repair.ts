/** Finds the gaps of a series and fetches them again: from its provider, then from another that the user named. */

import { ProviderError } from "../../domain/errors.ts";
import { knownDays } from "../../domain/market/calendar.ts";
import { areSessionsKnown, noCalendar } from "../../domain/market/exchanges/exchanges.ts";
import { DAY } from "../../domain/market/interval.ts";
import { type Batch, numberedBatches, type Span, uncovered } from "../../domain/runs/batch-plan.ts";
import { recordStatements } from "../../storage/alerts/outbox.ts";
import {
  CONFIRMED_AFTER,
  dayCounts,
  type Gap,
  listGaps,
  recordAnswer,
  replaceGaps,
} from "../../storage/market/gaps.ts";
import { answeredWindows } from "../../storage/runs/batches.ts";
import type { JobContext } from "../job-context.ts";
import { gapsFound } from "./data-events.ts";
import { type FetchTarget, fetchBatches, isSpentQuota } from "./fetch-batches.ts";
import { findGaps } from "./find-gaps.ts";
import { finalAtOf } from "./incremental.ts";

/** Days before the first checked one that are read for the baseline: at least 20 sessions. */
const BASELINE_DAYS = 45;

/** Checks the sessions from `from` (epoch seconds) on again; returns the number of unconfirmed gaps of the series. */
export async function recordGaps(job: JobContext, from: number): Promise<number> {
  const { io, task, series, traits, market } = job;
  const { db, calendar } = io;
  const { symbol, provider, interval } = task;
  if (!areSessionsKnown({ symbol, provider, sessions: traits.sessions }, interval)) {
    if (market === "unknown") io.log("warn", noCalendar(symbol));
    // An earlier version may have compared it with another exchange.
    if ((await listGaps(db, series)).length > 0) await replaceGaps(db, series, 0, [], []);
  } else {
    const start = Math.floor(from / DAY) * DAY;
    const known = knownDays(market);
    const isKnown = ({ date }: { readonly date: number }) => date >= known.from && date < known.to;
    const days = (await dayCounts(db, series, start - BASELINE_DAYS * DAY)).filter(isKnown);
    const first = days[0]?.date ?? start;
    const finalAt = finalAtOf(job);
    const sessions = calendar
      .sessionsBetween(market, first, task.asOf)
      .filter(isKnown)
      .filter(({ date, close }) => finalAt(task.interval === "1d" ? date : close - 60) <= task.asOf);
    const found = findGaps(days, sessions, task.interval).filter(({ date }) => date >= start);
    const before = await listGaps(db, series);
    if (
      !isSame(
        found,
        before.filter(({ date }) => date >= start),
      )
    ) {
      const knownDates = new Set(hard(before).map(({ date }) => date));
      const fresh = hard(found).filter(({ date }) => !knownDates.has(date));
      await replaceGaps(db, series, start, found, recordStatements(gapsFound(task, fresh)));
      if (fresh.length > 0) io.alert();
    }
  }
  return (await listGaps(db, series)).filter(({ kind, confirmed }) => isHard(kind) && !confirmed).length;
}

/** Whether the same gaps were found, in any order. */
function isSame(found: readonly Gap[], known: readonly Gap[]): boolean {
  const byDate = new Map(known.map((gap) => [gap.date, gap]));
  return (
    found.length === known.length &&
    found.every(({ date, kind, rows }) => byDate.get(date)?.kind === kind && byDate.get(date)?.rows === rows)
  );
}

const isHard = (kind: string) => kind === "missing" || kind === "truncated";
const hard = <Each extends Gap>(gaps: readonly Each[]) => gaps.filter(({ kind }) => isHard(kind));

/** Fetches only the windows without an answer in the ledger and the gaps in the stored bars. */
export async function repair(job: JobContext): Promise<void> {
  const { io, task, series } = job;
  await recordGaps(job, 0);
  const own: FetchTarget = {
    provider: io.provider,
    series,
    into: "compare",
    extraWrites: answersOf(job, io.repairProvider),
  };
  const unanswered = uncovered({ from: task.rangeFrom, to: task.rangeTo }, await answeredWindows(io.db, series));
  const known = await answeredWindows(io.db, series, task.runId);
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
  await recordGaps(job, 0);
  // Confirmed gaps too: the user named the second provider to fill them.
  const batches = batchesOf(job, await gapsToFetch(job, "all"));
  try {
    await fetchBatches(job, { provider, series, into: "fill", extraWrites: answersOf(job, null) }, batches, []);
  } catch (error) {
    if (!(error instanceof ProviderError) || isSpentQuota(error)) throw error;
    io.log("warn", `${provider.title} could not fill the gaps: ${error.message}`);
  }
}

/** The sessions with hard gaps in the run's range without an answer in this run; `open`: only unconfirmed ones. */
async function gapsToFetch({ io, task, series }: JobContext, which: "open" | "all"): Promise<Span[]> {
  const known = await listGaps(io.db, series);
  return known
    .filter(
      ({ kind, answers, runId }) =>
        isHard(kind) && (which === "all" || answers < CONFIRMED_AFTER) && runId !== task.runId,
    )
    .map(({ date }) => ({ from: date, to: date + DAY }))
    .filter(({ from, to }) => from >= task.rangeFrom && to <= task.rangeTo)
    .sort((a, b) => a.from - b.from);
}

/** An answer is counted once, when the last provider has given it. */
const answersOf = ({ series, task }: JobContext, next: unknown) =>
  next ? undefined : (batch: Batch) => [recordAnswer(series, task.runId, batch.from, batch.to)];

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
