/** Finding the gaps of a series, and asking for them again: the provider itself, then another that the user named. */

import { ProviderError } from "../../domain/errors.ts";
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

/** Days before the first one judged that are read for the symbol's habit: 20 sessions and some. */
const HABIT_DAYS = 45;

/** Judges the sessions from `from` (epoch seconds) on anew; how many gaps the series has that are not confirmed. */
export async function recordGaps(job: JobContext, from: number): Promise<number> {
  const { io, task, series, traits, market } = job;
  const { db, calendar } = io;
  // Only New York's and round-the-clock sessions are known: of other markets nobody can say what is missing.
  if (traits.sessions !== "extended") {
    const start = Math.floor(from / DAY) * DAY;
    const days = await dayCounts(db, series, start - HABIT_DAYS * DAY);
    const first = days[0]?.date ?? start;
    const finalAt = finalAtOf(job);
    const sessions = calendar
      .sessionsBetween(market, first, task.asOf)
      .filter(({ date, close }) => finalAt(task.interval === "1d" ? date : close - 60) <= task.asOf);
    const found = findGaps(days, sessions, task.interval).filter(({ date }) => date >= start);
    const known = new Set(hard(await listGaps(db, series)).map(({ date }) => date));
    const fresh = hard(found).filter(({ date }) => !known.has(date));
    await replaceGaps(db, series, start, found, recordStatements(gapsFound(task, fresh)));
    if (fresh.length > 0) io.alert();
  }
  return (await listGaps(db, series)).filter(({ kind, confirmed }) => isHard(kind) && !confirmed).length;
}

const isHard = (kind: string) => kind === "missing" || kind === "truncated";
const hard = <Each extends Gap>(gaps: readonly Each[]) => gaps.filter(({ kind }) => isHard(kind));

/** Asks for what the ledger never had an answer for, and for the gaps in what is stored; nothing else. */
export async function repair(job: JobContext): Promise<void> {
  const { io, task, series } = job;
  await recordGaps(job, 0);
  const own: FetchTarget = {
    provider: io.provider,
    series,
    into: "compare",
    extraWrites: answersOf(job, io.repairProvider),
  };
  const never = uncovered({ from: task.rangeFrom, to: task.rangeTo }, await answeredWindows(io.db, series));
  const known = await answeredWindows(io.db, series, task.runId);
  const gaps = (await gapsToAsk(job, "open")).filter((gap) => uncovered(gap, known).length > 0);
  await fetchBatches(job, own, batchesOf(job, [...never, ...gaps]), known);
  if (io.repairProvider) await askSecond(job, io.repairProvider);
}

/** Asks another provider for the gaps that are left; its bars carry its name. Its failure fails nothing else. */
async function askSecond(job: JobContext, provider: NonNullable<JobContext["io"]["repairProvider"]>): Promise<void> {
  const { io, task, series, traits } = job;
  const theirs = provider.traits(task.symbol, task.interval);
  if (theirs.adjustment !== traits.adjustment) {
    io.log("warn", `${provider.title} was not asked: its prices are adjusted in another way (${theirs.adjustment})`);
    return;
  }
  await recordGaps(job, 0);
  // Also what the first has confirmed: somebody has named the second to be asked.
  const batches = batchesOf(job, await gapsToAsk(job, "all"));
  try {
    await fetchBatches(job, { provider, series, into: "fill", extraWrites: answersOf(job, null) }, batches, []);
  } catch (error) {
    if (!(error instanceof ProviderError) || isSpentQuota(error)) throw error;
    io.log("warn", `${provider.title} could not fill the gaps: ${error.message}`);
  }
}

/** The sessions with hard gaps in the run's range that this run was not answered for; `open` are not confirmed either. */
async function gapsToAsk({ io, task, series }: JobContext, which: "open" | "all"): Promise<Span[]> {
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

/** An answer counts once, when the last provider that is asked has given it. */
const answersOf = ({ series, task }: JobContext, next: unknown) =>
  next ? undefined : (batch: Batch) => [recordAnswer(series, task.runId, batch.from, batch.to)];

/** The batches of `spans`, in order; spans with no session between them are asked for at once. */
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
