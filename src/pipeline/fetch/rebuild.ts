/** A history fetched anew beside the old one, which stays until the new one is whole: then they change places at once. */

import { ProviderError } from "../../domain/errors.ts";
import { DAY } from "../../domain/market/interval.ts";
import { planBatches, type Span, uncovered } from "../../domain/runs/batch-plan.ts";
import { recordStatements } from "../../storage/alerts/outbox.ts";
import { countBars, readBars, readLastBars } from "../../storage/market/bars.ts";
import {
  archiveReplaced,
  compareStaging,
  copyRest,
  findStaging,
  openStaging,
  type StagedChange,
  swapStaging,
} from "../../storage/market/rebuild.ts";
import { answeredWindows } from "../../storage/runs/batches.ts";
import type { JobContext } from "../job-context.ts";
import { compareBars } from "./compare-bars.ts";
import { revisionFound } from "./data-events.ts";
import { fetchBatches, PriceFactorDetected } from "./fetch-batches.ts";

/** The new history may lack this share of the stored bars: a vendor does withdraw some. More is suspicious. */
const LOSS = 0.02;
/** Bars in which a factor shows, if there is one. */
const SAMPLE = 60;

/**
 * Finishes what an earlier rebuild left to be put away; answers whether the job is in the middle of a rebuild that it
 * began before a stop.
 */
export async function isRebuilding(job: JobContext): Promise<boolean> {
  const { io, task, series } = job;
  const staging = await findStaging(io.db, series);
  if (staging === undefined) return false;
  if (staging.retiredKind === null) return staging.stagingRun === task.runId;
  await archiveReplaced(io.db, staging, yielding(job));
  return false;
}

/** Fetches the range of the run anew and puts it in the place of what is stored for it. */
export async function rebuildRange(job: JobContext): Promise<void> {
  const { rangeFrom: from, rangeTo: to } = job.task;
  await rebuild(job, { from, to }, async () => null);
}

/**
 * Fetches all that is stored, and the range of the run, anew: after a factor was found, older bars and newer ones do
 * not belong together.
 */
export async function rebuildSeries(job: JobContext, found?: PriceFactorDetected): Promise<void> {
  const { io, task, series } = job;
  if (found) {
    const { kind, factor } = found;
    io.log(
      "warn",
      `${kind} found: the vendor multiplied older prices by ${factor.toFixed(6)}; the series is built anew`,
    );
  }
  const first = (await readBars(io.db, series, 0, Number.MAX_SAFE_INTEGER, 1)).ts[0];
  const from = Math.min(task.rangeFrom, Math.floor((first ?? task.rangeFrom) / DAY) * DAY);
  await rebuild(job, { from, to: task.rangeTo }, async (staging) => found ?? (await factorOf(job, staging)));
}

/** The factor between the stored bars and those of `staging`, of a rebuild that was begun before a stop. */
async function factorOf({ io, series }: JobContext, staging: number): Promise<PriceFactorDetected | null> {
  const newest = (await readLastBars(io.db, staging, Number.MAX_SAFE_INTEGER, 1)).ts[0] ?? 0;
  const old = await readLastBars(io.db, series, newest + 1, SAMPLE);
  const fresh = await readBars(io.db, staging, old.ts[0] ?? newest, newest + 1);
  const { kind, factor } = compareBars(old, fresh, new Set());
  return kind === "split" || kind === "dividend" ? new PriceFactorDetected(kind, factor) : null;
}

/**
 * @param factorIn what made the rebuild necessary, `null` if somebody asked for it
 * @throws ProviderError when the new history could not be had or is no match for the old one, which then stays
 */
async function rebuild(
  job: JobContext,
  range: Span,
  factorIn: (staging: number) => Promise<PriceFactorDetected | null>,
): Promise<void> {
  const { io, task, series: seriesId } = job;
  const { runId } = task;
  const batches = planBatches(range.from, range.to, task.batchDays);
  // Swapped before a stop, or nothing stored to be kept: the ledger of the series itself says what is left to do.
  const isSwapped = uncovered(range, await answeredWindows(io.db, seriesId, runId)).length === 0;
  if (isSwapped) return;
  const pause = yielding(job);
  const staging = await openStaging(io.db, seriesId, runId, pause);
  job.dataPoints = await countBars(io.db, staging, task.rangeFrom, task.rangeTo);
  const known = await answeredWindows(io.db, staging, runId);
  await fetchBatches(job, { provider: io.provider, series: staging, into: "build" }, batches, known);

  const { from, to } = range;
  const change = await compareStaging(io.db, seriesId, staging, from, to);
  const { fresh, lost, stored } = change;
  if (lost > Math.max(1, LOSS * stored)) {
    throw new ProviderError(
      "no_data",
      `The new history lacks ${lost} of the ${stored} stored bars: the old one was kept`,
    );
  }
  const factor = await factorIn(staging);
  const news = factor ? newsOf(job, factor, change) : [];
  await copyRest(io.db, { seriesId, staging, from, to }, pause);
  await swapStaging(io.db, { seriesId, staging, from, to, kind: factor?.kind ?? "rebuild" }, recordStatements(news));
  if (news.length > 0) io.alert();
  await archiveReplaced(io.db, (await findStaging(io.db, seriesId))!, pause);
  job.dataPoints = await countBars(io.db, seriesId, task.rangeFrom, task.rangeTo);
  io.log("info", `history built anew: ${fresh} bars took the place of ${stored}`);
}

function newsOf({ task }: JobContext, { kind, factor }: PriceFactorDetected, { changed, first, last }: StagedChange) {
  if (first === null || last === null) return [];
  const detail = `Older prices were multiplied by ${factor.toFixed(6)}; the series was built anew.`;
  return revisionFound(task, { what: kind, detail, times: [first, last], bars: changed });
}

/** Between two pieces of a long write: lets other writers in for as long as the piece took, and messages. */
function yielding(job: JobContext): () => Promise<void> {
  let since = performance.now();
  return async () => {
    await Bun.sleep(performance.now() - since);
    await job.checkpoint();
    since = performance.now();
  };
}
