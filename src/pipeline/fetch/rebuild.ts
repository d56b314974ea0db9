/** Fetches a history again into a staging series, which replaces the stored one in one step when it is complete. */

import { ProviderError } from "../../domain/errors.ts";
import { DAY } from "../../domain/market/interval.ts";
import { planBatches, type Span, uncovered } from "../../domain/runs/batch-plan.ts";
import type { CopiedBars, StagedChange } from "../../storage/market/rebuild.ts";
import { startOfBars } from "../first-bar.ts";
import type { JobContext } from "../job-context.ts";
import type { JobStore } from "../store/job-store.ts";
import { PriceFactorDetected } from "../validation/answer-change.ts";
import { compareBars } from "../validation/compare-bars.ts";
import { rejudge } from "../validation/rejudge.ts";
import { addedStretches } from "./added-stretches.ts";
import { revisionFound } from "./data-events.ts";
import { fetchBatches } from "./fetch-batches.ts";

/** Share of the stored bars that the new history may lack: vendors withdraw some. More is suspicious. */
const MAX_LOSS = 0.02;
/** Bars that are compared to find a price factor. */
const SAMPLE = 60;

/**
 * Finishes archiving after an earlier rebuild; returns whether the job is inside a rebuild that it began before a stop.
 */
export async function isRebuilding(job: JobContext): Promise<boolean> {
  const { io, task, series } = job;
  const staging = await io.store.findStaging(series);
  if (staging === undefined) return false;
  if (staging.retiredKind === null) return staging.stagingRun === task.runId;
  await archiveReplaced(io.store, series, yielding(job));
  return false;
}

/** Fetches the range of the run again and replaces what is stored for it. */
export async function rebuildRange(job: JobContext): Promise<void> {
  const { io, task } = job;
  const planned = task.mode === "full" ? (job.before.planFrom ?? (await startOfBars(job))) : task.rangeFrom;
  const from = Math.max(planned, job.keptFrom);
  if (task.mode === "full") await io.store.savePlanStart(task.jobId, from, false);
  const to = task.rangeTo;
  await rebuild(job, { from, to }, async () => null);
}

/**
 * Fetches everything that is stored and the range of the run again: after a price factor older and newer bars do not
 * fit together.
 */
export async function rebuildSeries(job: JobContext, found?: PriceFactorDetected): Promise<void> {
  const { io, task, series } = job;
  if (found) {
    const { kind, factor } = found;
    io.log("warn", `${kind} found: the vendor multiplied older prices by ${factor.toFixed(6)}; the series is rebuilt`);
  }
  const first = (await io.store.readBars(series, 0, Number.MAX_SAFE_INTEGER, 1)).ts[0];
  const from = Math.min(task.rangeFrom, Math.floor((first ?? task.rangeFrom) / DAY) * DAY);
  await rebuild(job, { from, to: task.rangeTo }, async (staging) => found ?? (await factorOf(job, staging)));
}

/** The factor between stored and staged bars, in a rebuild that was begun before a stop. */
async function factorOf({ io, series }: JobContext, staging: number): Promise<PriceFactorDetected | null> {
  const newest = (await io.store.readLastBars(staging, Number.MAX_SAFE_INTEGER, 1)).ts[0] ?? 0;
  const old = await io.store.readLastBars(series, newest + 1, SAMPLE);
  const fresh = await io.store.readBars(staging, old.ts[0] ?? newest, newest + 1);
  const { kind, factor } = compareBars(old, fresh, new Set());
  return kind === "split" || kind === "dividend" ? new PriceFactorDetected(kind, factor) : null;
}

/**
 * @param factorIn finds the factor that made the rebuild necessary; `null` if it was requested
 * @throws ProviderError when the new history could not be fetched or lacks too many stored bars; the old one then stays
 */
async function rebuild(
  job: JobContext,
  range: Span,
  factorIn: (staging: number) => Promise<PriceFactorDetected | null>,
): Promise<void> {
  const { io, task, series: seriesId } = job;
  const { runId } = task;
  const batches = planBatches(range.from, range.to, task.batchDays);
  // Swapped before a stop, or nothing stored: the ledger of the series itself shows what remains.
  const isSwapped = uncovered(range, await io.store.answeredWindows(seriesId, runId)).length === 0;
  // Bars on both sides were judged without each other; so were those that the vendor no longer gives.
  const rejudgeEdges = async () => {
    const kept = await io.store.unansweredWindows(seriesId);
    const edges = new Set([range, ...kept].flatMap((part) => [part.from, part.to]));
    for (const edge of edges) await rejudge(io.store, { seriesId, runId }, edge, edge);
  };
  if (isSwapped) return rejudgeEdges();
  const pause = yielding(job);
  const staging = await openStaging(io.store, seriesId, runId, pause);
  job.dataPoints = await io.store.countBars(staging, task.rangeFrom, task.rangeTo);
  job.noteStored(job.dataPoints);
  const known = await io.store.answeredWindows(staging, runId);
  const target = {
    provider: io.provider,
    series: staging,
    barsId: await io.store.barsIdOf(staging),
    into: "build",
  } as const;
  await fetchBatches(job, target, batches, known);

  const { from, to } = range;
  const factor = await factorIn(staging);
  await keepLeftOut(job, staging, factor ?? (await factorOf(job, staging)), pause);
  const change = await io.store.compareStaging(seriesId, staging, from, to);
  const { fresh, lost, stored } = change;
  if (lost > Math.max(1, MAX_LOSS * stored)) {
    throw new ProviderError(
      "no_data",
      `The new history lacks ${lost} of the ${stored} stored bars: the old one was kept`,
    );
  }
  const events = factor ? eventsOf(job, factor, change) : [];
  const rest = { seriesId, staging };
  await copyBars(io.store, { ...rest, from: Number.MIN_SAFE_INTEGER, to: from }, pause);
  await copyBars(io.store, { ...rest, from: to, to: Number.MAX_SAFE_INTEGER }, pause);
  const added = await addedStretches(io.store, { seriesId, staging }, pause);
  const kind = factor?.kind ?? "rebuild";
  await io.store.swapStaging({ seriesId, staging, from, to, kind, added }, events);
  if (events.length > 0) io.alert();
  await archiveReplaced(io.store, seriesId, pause);
  await rejudgeEdges();
  job.stored = await io.store.seriesFacts(seriesId, task.rangeFrom, task.rangeTo);
  job.dataPoints = job.stored.bars;
  job.noteStored(job.dataPoints);
  io.log("info", `history rebuilt: ${fresh} bars replaced ${stored}`);
}

/** Copies the stored bars of the parts that the vendor no longer gives, on the scale of the new ones. */
async function keepLeftOut(
  { io, series }: JobContext,
  staging: number,
  found: PriceFactorDetected | null,
  pause: () => Promise<void>,
): Promise<void> {
  const { kind, factor } = found ?? { kind: "dividend", factor: 1 };
  const scale = factor === 1 ? {} : { scale: { price: factor, volume: kind === "split" ? 1 / factor : 1 } };
  let kept = 0;
  for (const window of await io.store.unansweredWindows(staging))
    kept += await copyBars(io.store, { seriesId: series, staging, ...window, ...scale }, pause);
  if (kept > 0) {
    const scaled = factor === 1 ? "" : `, multiplied by ${factor.toFixed(6)}`;
    io.log("info", `${kept} stored bars are not in the plan any more and were kept${scaled}`);
  }
}

function eventsOf({ task }: JobContext, { kind, factor }: PriceFactorDetected, { changed, first, last }: StagedChange) {
  if (first === null || last === null) return [];
  const detail = `Older prices were multiplied by ${factor.toFixed(6)}; the series was rebuilt.`;
  return revisionFound(task, { what: kind, detail, times: [first, last], bars: changed });
}

type Pause = () => Promise<void>;

/** The staging series in which a run builds the new history; what another run left in it is deleted, in steps. */
async function openStaging(store: JobStore, series: number, runId: string, pause: Pause): Promise<number> {
  for (;;) {
    const { id, isReady } = await store.openStaging(series, runId);
    if (isReady) return id;
    await pause();
  }
}

/** Copies stored bars into a staging series, in steps; returns how many. */
async function copyBars(store: JobStore, range: Parameters<JobStore["copyBars"]>[0], pause: Pause): Promise<number> {
  let copied = 0;
  for (let from: number | null = range.from; from !== null && from < range.to; ) {
    const { bars, next }: CopiedBars = await store.copyBars({ ...range, from });
    copied += bars;
    from = next;
    if (bars > 0) await pause();
  }
  return copied;
}

/** Turns the bars that a swap has replaced into revisions, in steps. */
async function archiveReplaced(store: JobStore, series: number, pause: Pause): Promise<void> {
  while (!(await store.archiveReplaced(series))) await pause();
}

/** Called between two parts of a long write: yields to other writers for as long as the part took, and to messages. */
function yielding(job: JobContext): () => Promise<void> {
  let since = performance.now();
  return async () => {
    await Bun.sleep(performance.now() - since);
    await job.checkpoint();
    since = performance.now();
  };
}
