/** Finds the gaps of a series and fetches them again: from its provider, then from another that the user named. */

import { ProviderError } from "../../domain/errors.ts";
import { knownDays } from "../../domain/market/calendar.ts";
import { areSessionsKnown, noCalendar } from "../../domain/market/exchanges/exchanges.ts";
import { DAY } from "../../domain/market/interval.ts";
import { type Batch, numberedBatches, type Span, uncovered } from "../../domain/runs/batch-plan.ts";
import { recordStatements } from "../../storage/alerts/outbox.ts";
import {
  CONFIRMED_AFTER,
  GAP_RULES,
  type Gap,
  listGaps,
  recordAnswer,
  replaceGaps,
  saveGapRules,
} from "../../storage/market/gaps.ts";
import { readSeries } from "../../storage/market/series.ts";
import { barRange, countSessions, dayCounts, readMinutes } from "../../storage/market/session-bars.ts";
import { answeredWindows } from "../../storage/runs/batches.ts";
import { type GapKind, MISSING_KINDS } from "../../storage/schema/market.ts";
import type { JobContext } from "../job-context.ts";
import { gapsFound } from "./data-events.ts";
import { type FetchTarget, fetchBatches, isSpentQuota } from "./fetch-batches.ts";
import { findGaps, sessionsToRead } from "./find-gaps.ts";
import { finalAtOf } from "./incremental.ts";

/** Days before the first checked one that are read for the baseline: at least 20 sessions. */
const BASELINE_DAYS = 45;

/**
 * Checks the sessions from `from` (epoch seconds) on again, all of them if they were last checked by an earlier release;
 * returns the number of unconfirmed gaps of the series.
 */
export async function recordGaps(job: JobContext, from: number): Promise<number> {
  const { io, task, series, traits, market } = job;
  const { db } = io;
  const { symbol, provider, interval } = task;
  const isOutdated = (await readSeries(db, series)).gapRules !== GAP_RULES;
  if (!areSessionsKnown({ symbol, provider, sessions: traits.sessions }, interval)) {
    if (market === "unknown") io.log("warn", noCalendar(symbol));
    // An earlier version may have compared it with another exchange.
    if ((await listGaps(db, series)).length > 0) await replaceGaps(db, series, 0, [], []);
  } else {
    const start = isOutdated ? 0 : Math.floor(from / DAY) * DAY;
    const found = (await gapsSince(job, start)).filter(({ date }) => date >= start);
    const before = await listGaps(db, series);
    if (
      !isSame(
        found,
        before.filter(({ date }) => date >= start),
      )
    ) {
      const knownDates = new Set(lacking(before).map(({ date }) => date));
      const fresh = lacking(found).filter(({ date }) => !knownDates.has(date));
      await replaceGaps(db, series, start, found, recordStatements(gapsFound(task, fresh)));
      if (fresh.length > 0) io.alert();
    }
  }
  if (isOutdated) await db.write([saveGapRules(series)]);
  return (await listGaps(db, series)).filter(({ kind, confirmed }) => isMissing(kind) && !confirmed).length;
}

/** Compares the sessions from `start` (epoch seconds) on with the calendar, and those before it that show the pattern. */
async function gapsSince(job: JobContext, start: number): Promise<Gap[]> {
  const { io, task, series, market } = job;
  const { db, calendar } = io;
  const { interval, asOf } = task;
  const { firstBar, lastBar } = await barRange(db, series);
  if (firstBar === null || lastBar === null) return [];
  const known = knownDays(market);
  const isKnown = ({ date }: { readonly date: number }) => date >= known.from && date < known.to;
  const from = Math.max(Math.floor(firstBar / DAY) * DAY, start - BASELINE_DAYS * DAY);
  const finalAt = finalAtOf(job);
  const sessions = calendar
    .sessionsBetween(market, from, Math.min(asOf, lastBar + 2 * DAY))
    .filter(isKnown)
    .filter(({ date, close }) => finalAt(interval === "1d" ? date : close - 60) <= asOf);
  if (interval === "1d") {
    const days = (await dayCounts(db, series, from)).filter(isKnown);
    const dates = new Set(sessions.map(({ date }) => date));
    const outside = new Map(days.filter(({ date }) => !dates.has(date)).map(({ date, rows }) => [date, rows]));
    return findGaps({ sessions, interval, days, outside, firstBar }, new Map());
  }
  const counts = await countSessions(db, series, sessions, from);
  const examined = { sessions, interval, firstBar, ...counts };
  return findGaps(examined, await readMinutes(db, series, sessionsToRead(examined)));
}

/** Whether the same gaps were found, in any order. */
function isSame(found: readonly Gap[], known: readonly Gap[]): boolean {
  const textOf = ({ kind, rows, hours, holes }: Gap) => JSON.stringify([kind, rows, hours, holes]);
  const byDate = new Map(known.map((gap) => [gap.date, textOf(gap)]));
  return found.length === known.length && found.every((gap) => byDate.get(gap.date) === textOf(gap));
}

const isMissing = (kind: GapKind) => MISSING_KINDS.includes(kind as (typeof MISSING_KINDS)[number]);
const lacking = <Each extends Gap>(gaps: readonly Each[]) => gaps.filter(({ kind }) => isMissing(kind));

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
  const listed = (await readSeries(io.db, series)).listedFrom ?? 0;
  const unanswered = uncovered(
    { from: Math.max(task.rangeFrom, listed), to: task.rangeTo },
    await answeredWindows(io.db, series),
  );
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

/** The days of the sessions that lack bars in the run's range without an answer in this run; `open`: only unconfirmed ones. */
async function gapsToFetch({ io, task, series }: JobContext, which: "open" | "all"): Promise<Span[]> {
  const known = await listGaps(io.db, series);
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
