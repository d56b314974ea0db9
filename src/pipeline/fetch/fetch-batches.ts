/** Fetches batches, validates them, compares them with stored bars, and writes bars and ledger. */

import { ProviderError } from "../../domain/errors.ts";
import { type BarColumns, barsBetween, emptyBars } from "../../domain/market/bars.ts";
import { REASONS, type RejectedRow, validateBars } from "../../domain/market/validate-bars.ts";
import { cutsWithin, type PlanCut } from "../../domain/plan.ts";
import { type Batch, mergeBatches, type Span } from "../../domain/runs/batch-plan.ts";
import { type BatchState, coverageOf } from "../../domain/runs/coverage.ts";
import { isoDate, parseIsoMoment } from "../../domain/time.ts";
import type { Provider } from "../../providers/provider.ts";
import { recordStatements } from "../../storage/alerts/outbox.ts";
import type { Statement } from "../../storage/db.ts";
import { readBars } from "../../storage/market/bars.ts";
import { foreignBars, markProvisional, type Revised } from "../../storage/market/revisions.ts";
import {
  type KnownWindow,
  storeBatch,
  storeFailedBatch,
  storeLeftOut,
  windowsOfRun,
} from "../../storage/runs/batches.ts";
import { fetchInBulk } from "../bulk.ts";
import type { JobContext } from "../job-context.ts";
import { compareBars, pick } from "./compare-bars.ts";
import { revisionFound } from "./data-events.ts";
import { finalAtOf } from "./incremental.ts";
import { PendingWrites } from "./pending-writes.ts";
import { provisionalFrom } from "./provisional.ts";

/** Failed windows in a row after which the provider counts as down and the rest is left for a retry. */
const GIVE_UP_AFTER = 3;

/** Where bars are fetched from and how they are stored. */
export interface FetchTarget {
  readonly provider: Provider;
  readonly series: number;
  /** The id under which the bars of that series are stored; that of the job's series unless given. */
  readonly barsId?: number;
  /**
   * `compare`: the answer may revise stored bars. `fill`: it comes from another provider, adds bars where there are
   * none, and they are stored under its name. `build`: the series is empty.
   */
  readonly into: "compare" | "fill" | "build";
  /** More to write in the transaction of a batch. */
  extraWrites?(batch: Batch): Statement[];
}

/** The vendor multiplied the prices of a series by a factor: stored and new bars do not fit together. */
export class PriceFactorDetected extends Error {
  override readonly name = "PriceFactorDetected";
  constructor(
    readonly kind: "split" | "dividend",
    readonly factor: number,
  ) {
    super(`${kind} factor ${factor}`);
  }
}

/**
 * Fetches and stores those of `batches` that are not `known` yet, in order.
 * @throws ProviderError when batches could not be fetched; stored ones stay, and a retry fetches only the rest
 * @throws PriceFactorDetected when a batch has another scale than the stored bars; it is not stored
 */
export async function fetchBatches(
  job: JobContext,
  target: FetchTarget,
  batches: readonly Batch[],
  known: readonly Span[],
): Promise<void> {
  const total = batches.length;
  const ledger = await windowsOfRun(job.io.db, target.series, job.task.runId);
  const answered = new Set(known.map(keyOf));
  if (job.task.fetchMode === "missing") {
    for (const { state, ...window } of ledger) {
      if (state === "failed" || state === "not_in_plan") answered.add(keyOf(window));
    }
  }
  const pending = batches.filter((batch) => !answered.has(keyOf(batch)));
  const failures: { batches: number; error: ProviderError }[] = [];
  let consecutiveFailures = 0;
  const progress = new BatchProgress(job, batches, answered, ledger);

  const writes = new PendingWrites(job.io.db);
  try {
    for (const group of mergeBatches(pending, target.provider.maxWindowDays(job.task.interval, job.task.symbol))) {
      await job.checkpoint();
      job.stage({ stage: "fetch", done: group[0]!.n - 1, total });
      try {
        progress.begin(group);
        await fetchGroup(job, target, group, progress, writes);
        consecutiveFailures = 0;
      } catch (error) {
        // A spent quota is not the window's failure: it is fetched later.
        if (!(error instanceof ProviderError) || isSpentQuota(error)) throw error;
        if (error.kind === "plan" && target.into !== "fill") {
          await leaveOut(job, target, pending.slice(pending.indexOf(group[0]!)), error, progress);
          throw error;
        }
        for (const batch of group) await recordFailure(job, target.series, batch, error.message);
        progress.set(group, "failed");
        if (!concernsOneWindow(error)) throw error;
        failures.push({ batches: group.length, error });
        consecutiveFailures += 1;
        if (consecutiveFailures >= GIVE_UP_AFTER) break;
      }
    }
  } finally {
    await writes.settle();
  }
  const last = failures.at(-1)?.error;
  if (last) {
    const failed = failures.reduce((sum, failure) => sum + failure.batches, 0);
    // The reason comes first: a row of the job table is short.
    throw new ProviderError(
      last.kind,
      `${last.message} (${failed} of ${total} batches failed; a retry fetches only what is missing)`,
    );
  }
  if (total > 0) job.stage({ stage: "fetch", done: total, total });
}

const keyOf = ({ from, to }: Span) => `${from}-${to}`;

/** Whether the job can continue after the quota resets. */
export function isSpentQuota(error: ProviderError): boolean {
  return error.kind === "quota_exceeded" || error.kind === "rate_limited";
}

/** Whether the next window may succeed; it does not after a refused key or an unknown symbol. */
function concernsOneWindow(error: ProviderError): boolean {
  return error.kind === "transient" || error.kind === "invalid_response" || error.kind === "bad_request";
}

/** The states of a job's batches, reported whenever they change. */
class BatchProgress {
  readonly #states: BatchState[];

  /** @param ledger what is known of batches that were answered or failed before */
  constructor(
    private readonly job: JobContext,
    batches: readonly Batch[],
    answered: ReadonlySet<string>,
    ledger: readonly KnownWindow[],
  ) {
    const known = new Map(ledger.map((window) => [keyOf(window), window.state]));
    this.#states = batches.map((batch): BatchState => {
      const state = known.get(keyOf(batch));
      if (answered.has(keyOf(batch))) return state ?? "fetched";
      return state === "failed" ? state : "pending";
    });
    this.#report();
  }

  /** Marks those of `group` that failed before as retrying. */
  begin(group: readonly Batch[]): void {
    const again = group.filter(({ n }) => this.#states[n - 1] === "failed");
    if (again.length > 0) this.set(again, "retrying");
  }

  set(group: readonly Batch[], state: BatchState): void {
    for (const { n } of group) this.#states[n - 1] = state;
    this.#report();
  }

  #report(): void {
    if (this.#states.length > 0) this.job.io.coverage(coverageOf(this.#states));
  }
}

/** Fetches adjacent batches in one request chain; each is stored and reported separately. */
async function fetchGroup(
  job: JobContext,
  target: FetchTarget,
  group: readonly Batch[],
  progress: BatchProgress,
  writes: PendingWrites,
): Promise<void> {
  const { task, io } = job;
  const window = { from: group[0]!.from, to: group.at(-1)!.to };
  const startedAt = performance.now();
  const { symbol, interval, asOf } = task;
  const context = job.contextOf(target.provider, () => progress.set(group, "retrying"));
  const shared = target.provider === io.provider && target.into === "compare" ? await fetchInBulk(job, window) : null;
  const fetched = shared ?? (await target.provider.fetchBars({ symbol, interval, asOf, ...window }, context));
  job.fetchMs += Math.round(performance.now() - startedAt);
  const validated = validateBars(fetched.bars, { interval, asOf, ...window });
  const rejected = [...fetched.rejected, ...validated.rejected];
  for (const line of summary(rejected.filter((row) => !row.isReported))) io.log("warn", line);
  // Another provider's plan says nothing about the series.
  const cuts = target.into === "fill" ? [] : (fetched.notInPlan ?? []);
  const change = await changeOf(job, target, window, validated.bars, validated.rejected, cuts);
  const final = finalAtOf(job);
  job.actions.push(...(fetched.actions ?? []));
  job.noteLeftOut(cuts);
  job.notFinal += fetched.notFinal ?? 0;
  job.holds = fetched.holds ?? job.holds;

  for (const [index, batch] of group.entries()) {
    if (index > 0) {
      await job.checkpoint();
      job.stage({ stage: "fetch", done: batch.n - 1, total: batch.total });
    }
    const bars = barsBetween(validated.bars, batch.from, batch.to);
    const notInPlan = cutsWithin(cuts, batch);
    const revised = change.revised.map(({ kind, bars }) => ({ kind, bars: barsBetween(bars, batch.from, batch.to) }));
    const write = barsBetween(change.write, batch.from, batch.to);
    const withdrawn = revised.find(({ kind }) => kind === "withdrawn")?.bars.ts.length ?? 0;
    const added = countNew(barsBetween(change.stored, batch.from, batch.to), write) - withdrawn;
    const touched = Math.min(
      write.ts[0] ?? Number.POSITIVE_INFINITY,
      ...revised.map((part) => part.bars.ts[0] ?? Number.POSITIVE_INFINITY),
    );
    const { barsId, changedFrom, hasForeign } = job.stored;
    const provisional = target.into === "fill" ? undefined : provisionalFrom(job, batch, bars, final);
    const events = [
      ...(index === 0 ? revisionFound(task, { what: "suspicious", detail: SHRUNK, times: change.missing }) : []),
      ...revised.flatMap(({ kind, bars }) =>
        revisionFound(task, { what: "correction", detail: DETAILS[kind], times: bars.ts }),
      ),
    ];
    const stored = storeBatch(io.db, {
      seriesId: target.series,
      barsId: target.barsId ?? barsId,
      runId: task.runId,
      window: batch,
      bars,
      write,
      revised,
      lacking: index === 0 ? change.missing.length : 0,
      rejected: index === 0 ? rejected : [],
      notInPlan,
      extraWrites: [
        ...(target.extraWrites?.(batch) ?? []),
        ...recordStatements(events),
        ...(provisional === undefined ? [] : [markProvisional(job.series, provisional)]),
      ],
      ...(target.into === "fill" && { source: target.provider.name }),
      hasForeign: target.into === "compare" && hasForeign,
      isMarked: target.series === job.series && changedFrom !== null && changedFrom <= touched,
      counters: {
        jobId: task.jobId,
        apiCalls: job.apiCalls,
        fetchMs: job.fetchMs,
        dataPoints: job.dataPoints + added,
      },
    });
    job.dataPoints += added;
    if (provisional !== undefined) job.stored = { ...job.stored, provisionalFrom: provisional };
    if (target.series === job.series) noteWrite(job, write, touched, target.into === "fill");
    const acknowledged = stored.then(() => {
      if (events.length > 0) io.alert();
      progress.set([batch], notInPlan.length > 0 ? "not_in_plan" : bars.ts.length > 0 ? "fetched" : "empty");
    });
    await writes.add(write.ts.length, acknowledged);
  }
}

const SHRUNK = "The answer lacks bars that are stored; nothing stored was changed.";
const DETAILS = {
  correction: "The old values are kept.",
  withdrawn: "Rejected as a lone jump; the old values are kept.",
} as const;

/** How many of the bars `write` have no stored bar of the same time. */
function countNew(stored: BarColumns, write: BarColumns): number {
  if (stored.ts.length === 0) return write.ts.length;
  const known = new Set(stored.ts);
  return write.ts.reduce((count, ts) => (known.has(ts) ? count : count + 1), 0);
}

/** Keeps what is known of the stored series up to date; `touched` is the earliest bar that changed. */
function noteWrite(job: JobContext, { ts }: BarColumns, touched: number, isForeign: boolean): void {
  if (touched === Number.POSITIVE_INFINITY) return;
  const { first, last, changedFrom, hasForeign } = job.stored;
  job.stored = {
    ...job.stored,
    first: Math.min(first ?? Number.POSITIVE_INFINITY, ts[0] ?? Number.POSITIVE_INFINITY),
    last: Math.max(last ?? Number.NEGATIVE_INFINITY, ts[ts.length - 1] ?? Number.NEGATIVE_INFINITY),
    changedFrom: Math.min(changedFrom ?? touched, touched),
    hasForeign: hasForeign || isForeign,
  };
}

interface Change {
  /** The stored bars of the window. */
  readonly stored: BarColumns;
  readonly write: BarColumns;
  readonly revised: readonly (Revised & { readonly kind: keyof typeof DETAILS })[];
  /** Stored bars that the answer lacks, epoch seconds. */
  readonly missing: readonly number[];
}

/** What an answer changes in its series. */
async function changeOf(
  job: JobContext,
  { into, series, provider }: FetchTarget,
  window: Span,
  bars: BarColumns,
  rejected: readonly RejectedRow[],
  cuts: readonly PlanCut[],
): Promise<Change> {
  const { first, last, hasForeign } = job.stored;
  const isEmpty = into === "build" || first === null || last === null || window.to <= first || window.from > last;
  const known = isEmpty ? emptyBars() : await readBars(job.io.db, series, window.from, window.to);
  // What the plan leaves out is not missing from the answer.
  const stored = pick(
    known,
    positions(known, (ts) => !cuts.some(({ from, to }) => ts >= from && ts < to)),
  );
  if (stored.ts.length === 0) return { stored, write: bars, revised: [], missing: [] };
  if (into === "fill") {
    const there = new Set(stored.ts);
    return {
      stored,
      write: pick(
        bars,
        positions(bars, (ts) => !there.has(ts)),
      ),
      revised: [],
      missing: [],
    };
  }
  // Stored when it was the newest bar; the bars after it show that it is a lone jump.
  const jumps = new Set(
    rejected.filter(({ reason }) => reason === REASONS.jump).map(({ where }) => parseIsoMoment(where)),
  );
  const withdrawn = pick(
    stored,
    positions(stored, (ts) => jumps.has(ts)),
  );
  const rest =
    withdrawn.ts.length === 0
      ? stored
      : pick(
          stored,
          positions(stored, (ts) => !jumps.has(ts)),
        );
  const foreign = hasForeign ? await foreignBars(job.io.db, series, window.from, window.to) : new Set<number>();
  // What was fetched before it was final is replaced, and no revision.
  const settled = pick(
    rest,
    positions(rest, (ts) => ts < (job.stored.provisionalFrom ?? Number.POSITIVE_INFINITY)),
  );
  const { kind, factor, write, old, missing } = compareBars(settled, bars, foreign);
  if (kind === "split" || kind === "dividend") throw new PriceFactorDetected(kind, factor);
  const { log } = job.io;
  if (kind === "shrunk") {
    log(
      "warn",
      `suspicious answer for ${isoDate(window.from)} to ${isoDate(window.to - 1)}: it lacks ${count(missing.length)} that are stored; nothing stored was changed`,
    );
  }
  if (old.ts.length > 0)
    log("warn", `${count(old.ts.length)} corrected by ${provider.title}, the first ${isoDate(old.ts[0]!)}`);
  if (withdrawn.ts.length > 0) log("warn", `${count(withdrawn.ts.length)} withdrawn: ${REASONS.jump}`);
  const revised = [
    { kind: "correction", bars: old },
    { kind: "withdrawn", bars: withdrawn },
  ] as const;
  return { stored, write, revised: revised.filter((part) => part.bars.ts.length > 0), missing };
}

const count = (bars: number) => `${bars} ${bars === 1 ? "bar" : "bars"}`;

function positions(bars: BarColumns, test: (ts: number) => boolean): number[] {
  const found: number[] = [];
  for (let at = 0; at < bars.ts.length; at++) if (test(bars.ts[at]!)) found.push(at);
  return found;
}

/** One line per reason, with its first occurrence. */
function summary(rejected: readonly RejectedRow[]): string[] {
  const byReason = Map.groupBy(rejected, (row) => row.reason);
  return [...byReason].map(([reason, [first, ...more]]) =>
    more.length === 0
      ? `1 row rejected, ${first!.where}: ${reason}`
      : `${more.length + 1} rows rejected, ${first!.where} and others: ${reason}`,
  );
}

/** Records that the plan refuses a symbol, market or interval: the windows that remain are not asked for. */
async function leaveOut(
  job: JobContext,
  target: FetchTarget,
  windows: readonly Batch[],
  { message, refusal }: ProviderError,
  progress: BatchProgress,
): Promise<void> {
  const words = refusal?.words ?? message;
  await storeLeftOut(job.io.db, { seriesId: target.series, runId: job.task.runId, windows, words });
  progress.set(windows, "not_in_plan");
  job.noteLeftOut(windows.map(({ from, to }) => ({ from, to, words })));
}

async function recordFailure(job: JobContext, seriesId: number, window: Span, error: string): Promise<void> {
  const { task, io, apiCalls, fetchMs } = job;
  const counters = { jobId: task.jobId, apiCalls, fetchMs };
  await storeFailedBatch(io.db, { seriesId, runId: task.runId, window, error, counters });
}
