/** Fetches batches, validates them, compares them with stored bars, and writes bars and ledger. */

import { isSpentQuota, ProviderError } from "../../domain/errors.ts";
import { type BarColumns, barsBetween } from "../../domain/market/bars.ts";
import { type RejectedRow, validateRows } from "../../domain/market/validate-bars.ts";
import { cutsWithin } from "../../domain/plan.ts";
import { type Batch, mergeBatches, type Span } from "../../domain/runs/batch-plan.ts";
import { type BatchState, coverageOf } from "../../domain/runs/coverage.ts";
import type { FetchContext, Provider } from "../../providers/provider.ts";
import type { KnownWindow } from "../../storage/runs/batches.ts";
import { fetchInBulk } from "../bulk.ts";
import type { JobContext } from "../job-context.ts";
import type { SavedBatch } from "../store/job-store.ts";
import { changeOf } from "../validation/answer-change.ts";
import { Surroundings } from "../validation/surroundings.ts";
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
  /** How a batch answers for the gaps in its window; absent if it does not. */
  readonly answersGaps?: ((batch: Batch) => NonNullable<SavedBatch["answeredGaps"]>) | undefined;
}

/**
 * Fetches and stores those of `batches` that are not `known` yet, in order; `begin` is a write that comes before theirs.
 * @throws ProviderError when batches could not be fetched; stored ones stay, and a retry fetches only the rest
 * @throws PriceFactorDetected when a batch has another scale than the stored bars; it is not stored
 */
export async function fetchBatches(
  job: JobContext,
  target: FetchTarget,
  batches: readonly Batch[],
  known: readonly Span[],
  begin?: () => Promise<void>,
): Promise<void> {
  const total = batches.length;
  const writes = new PendingWrites(job.io);
  if (begin) await writes.add(0, begin());
  const ledger = await job.io.store.windowsOfRun(target.series, job.task.runId);
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

  const context = job.contextOf(target.provider, () => progress.retry());
  const surroundings = surroundingsOf(job, target, writes);
  try {
    for (const group of mergeBatches(pending, target.provider.maxWindowDays(job.task.interval, job.task.symbol))) {
      await job.checkpoint();
      job.stage({ stage: "fetch", done: group[0]!.n - 1, total });
      try {
        progress.begin(group);
        await fetchGroup(job, target, group, { context, progress, writes, surroundings });
        consecutiveFailures = 0;
      } catch (error) {
        // A spent quota is not the window's failure: it is fetched later.
        if (!(error instanceof ProviderError) || isSpentQuota(error)) throw error;
        writes.handOver();
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

/** Whether the next window may succeed; it does not after a refused key or an unknown symbol. */
function concernsOneWindow(error: ProviderError): boolean {
  return error.kind === "transient" || error.kind === "invalid_response" || error.kind === "bad_request";
}

/** The states of a job's batches, reported whenever they change. */
class BatchProgress {
  readonly #states: BatchState[];
  #group: readonly Batch[] = [];
  #isDue = false;

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

  /** The batches of `group` are requested next; those that failed before are retried. */
  begin(group: readonly Batch[]): void {
    this.#group = group;
    const again = group.filter(({ n }) => this.#states[n - 1] === "failed");
    if (again.length > 0) this.set(again, "retrying");
  }

  /** The request of the batches under way is sent again. */
  retry(): void {
    this.set(this.#group, "retrying");
  }

  /** Batches that are committed together are reported together. */
  set(group: readonly Batch[], state: BatchState): void {
    for (const { n } of group) this.#states[n - 1] = state;
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#report();
    });
  }

  #report(): void {
    if (this.#states.length > 0) this.job.io.coverage(coverageOf(this.#states));
  }
}

/** What the requests of a job have in common. */
interface Fetching {
  readonly context: FetchContext;
  readonly progress: BatchProgress;
  readonly writes: PendingWrites;
  readonly surroundings: Surroundings;
}

/** Fetches adjacent batches in one request chain; each is stored and reported separately. */
async function fetchGroup(
  job: JobContext,
  target: FetchTarget,
  group: readonly Batch[],
  { context, progress, writes, surroundings }: Fetching,
): Promise<void> {
  const { task, io } = job;
  const { into } = target;
  const { change, cuts, rejected } = await requestGroup(job, target, group, { context, surroundings });
  const final = finalAtOf(job);
  for (const [index, batch] of group.entries()) {
    const place = { isFirst: index === 0, isLast: index === group.length - 1 };
    if (!place.isFirst) {
      await job.checkpoint();
      job.stage({ stage: "fetch", done: batch.n - 1, total: batch.total });
    }
    const { added, touched, ...share } = shareOf(change, batch, place, task);
    const { bars, write, revised, restored, aside } = share;
    const notInPlan = cutsWithin(cuts, batch);
    const { barsId, changedFrom, hasForeign } = job.stored;
    const provisional = into === "fill" ? undefined : provisionalFrom(job, batch, bars, final);
    const lacking = place.isFirst ? change.missing : [];
    const events = eventsOf(task, lacking, revised);
    const dataPoints = job.dataPoints + added;
    const record: SavedBatch = {
      seriesId: target.series,
      barsId: target.barsId ?? barsId,
      runId: task.runId,
      window: batch,
      ...share,
      lacking: lacking.length,
      rejected: place.isFirst ? rejected : [],
      notInPlan,
      ...(target.answersGaps && { answeredGaps: target.answersGaps(batch) }),
      events,
      ...(provisional !== undefined && { provisional: { series: job.series, from: provisional } }),
      ...(into === "fill" && { source: target.provider.name }),
      hasForeign: into === "compare" && hasForeign,
      isMarked: target.series === job.series && changedFrom !== null && changedFrom <= touched,
      counters: { jobId: task.jobId, apiCalls: job.apiCalls, fetchMs: job.fetchMs, dataPoints },
    };
    const stored = writes.hold(() => io.store.saveBatch(record));
    const isAdded = into === "compare" && record.known.ts.length + restored.ts.length + revised.length === 0;
    if (isAdded && target.series === job.series) job.written.add(write);
    else job.written.forget();
    job.dataPoints = dataPoints;
    if (provisional !== undefined) job.stored = { ...job.stored, provisionalFrom: provisional };
    const noted = { isForeign: into === "fill", hasAside: aside.ts.length > 0 };
    if (target.series === job.series) noteWrite(job, [write, restored], touched, noted);
    const acknowledged = stored.then(() => {
      job.noteStored(dataPoints);
      if (events.length > 0) io.alert();
      progress.set([batch], notInPlan.length > 0 ? "not_in_plan" : bars.ts.length > 0 ? "fetched" : "empty");
    });
    await writes.add(write.ts.length, acknowledged);
  }
}

type Change = Awaited<ReturnType<typeof changeOf>>;

/** Requests the window of some batches, and compares the answer with what is stored; the job notes what else it says. */
async function requestGroup(
  job: JobContext,
  { provider, into, series }: FetchTarget,
  group: readonly Batch[],
  { context, surroundings }: Pick<Fetching, "context" | "surroundings">,
) {
  const { io } = job;
  const { symbol, interval, asOf } = job.task;
  const window = { from: group[0]!.from, to: group.at(-1)!.to };
  const request = async (span: Span, mayShare = false) => {
    const startedAt = performance.now();
    const shared = mayShare ? await fetchInBulk(job, span) : null;
    const fetched = shared ?? (await provider.fetchBars({ symbol, interval, asOf, ...span }, context));
    job.fetchMs += Math.round(performance.now() - startedAt);
    return { fetched, valid: validateRows(fetched.bars, { interval, asOf, ...span }) };
  };
  const { fetched, valid } = await request(window, provider === io.provider && into === "compare");
  // Another provider's plan says nothing about the series.
  const cuts = into === "fill" ? [] : (fetched.notInPlan ?? []);
  const answer = {
    into,
    series,
    title: provider.title,
    window,
    bars: valid.bars,
    cuts,
    maxDays: provider.maxWindowDays(interval, symbol),
    request: async (span: Span) => (await request(span)).valid.bars,
  };
  const change = await changeOf(job, answer, surroundings);
  const rejected = [...fetched.rejected, ...valid.rejected, ...change.rejected];
  for (const line of summary(rejected.filter((row) => !row.isReported))) io.log("warn", line);
  job.actions.push(...(fetched.actions ?? []));
  job.actionsSince = Math.min(job.actionsSince, window.from);
  job.noteLeftOut(cuts);
  job.notFinal += fetched.notFinal ?? 0;
  job.holds = fetched.holds ?? job.holds;
  return { change, cuts, rejected };
}

/** What of a change is stored with one batch; `touched` is its earliest bar, `added` how many bars of the run it adds. */
function shareOf(
  change: Change,
  batch: Batch,
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
  task: JobContext["task"],
) {
  // What changes beside the window goes with its first and its last batch.
  const from = isFirst ? Number.NEGATIVE_INFINITY : batch.from;
  const to = isLast ? Number.POSITIVE_INFINITY : batch.to;
  const within = (bars: BarColumns) => barsBetween(bars, batch.from, batch.to);
  const around = (bars: BarColumns) => barsBetween(bars, from, to);
  const [write, restored] = [within(change.write), around(change.restored)];
  const revised = change.revised.map(({ kind, bars }) => ({ kind, bars: around(bars) }));
  const withdrawn = revised.find(({ kind }) => kind === "withdrawn")?.bars;
  const firsts = [write, restored, ...revised.map(({ bars }) => bars)].map(
    ({ ts }) => ts[0] ?? Number.POSITIVE_INFINITY,
  );
  return {
    bars: within(change.bars),
    known: within(change.known),
    write,
    revised,
    restored,
    aside: around(change.aside),
    cleared: change.cleared.filter((ts) => ts >= from && ts < to),
    added:
      countNew(within(change.stored), write) +
      countWithin(restored, task) -
      (withdrawn ? countWithin(withdrawn, task) : 0),
    touched: Math.min(...firsts),
  };
}

/** The alerts about an answer that lacks stored bars, and about stored bars that changed. */
const eventsOf = (task: JobContext["task"], lacking: Change["missing"], revised: Change["revised"]) => [
  ...revisionFound(task, { what: "suspicious", detail: SHRUNK, times: lacking }),
  ...revised.flatMap(({ kind, bars }) =>
    revisionFound(task, { what: "correction", detail: DETAILS[kind], times: bars.ts }),
  ),
];

const SHRUNK = "The answer lacks bars that are stored; nothing stored was changed.";
const DETAILS = {
  correction: "The old values are kept.",
  withdrawn: "Rejected as a lone jump; the old values are kept.",
} as const;

/** How many of `bars` lie in the range of the run. */
const countWithin = (bars: BarColumns, { rangeFrom, rangeTo }: JobContext["task"]) =>
  barsBetween(bars, rangeFrom, rangeTo).ts.length;

/** What is stored around the windows of `target`; `job.stored` knows of writes that are not committed yet. */
function surroundingsOf(job: JobContext, { into, series }: FetchTarget, writes: PendingWrites): Surroundings {
  return new Surroundings(job.io.store, series, () => writes.settleBatches(), {
    bars(from, to) {
      const { first, last } = job.stored;
      return into === "build" || (first !== null && last !== null && first < to && last >= from);
    },
    jumps: () => into === "build" || job.stored.hasJumps,
  });
}

/** How many of the bars `write` have no stored bar of the same time. */
function countNew(stored: BarColumns, write: BarColumns): number {
  if (stored.ts.length === 0) return write.ts.length;
  const known = new Set(stored.ts);
  return write.ts.reduce((count, ts) => (known.has(ts) ? count : count + 1), 0);
}

/** Keeps what is known of the stored series up to date; `touched` is the earliest bar that changed. */
function noteWrite(
  job: JobContext,
  written: readonly BarColumns[],
  touched: number,
  { isForeign, hasAside }: { isForeign: boolean; hasAside: boolean },
): void {
  const { first, last, changedFrom, hasForeign, hasJumps } = job.stored;
  if (hasAside && !hasJumps) job.stored = { ...job.stored, hasJumps: true };
  if (touched === Number.POSITIVE_INFINITY) return;
  const firsts = written.map(({ ts }) => ts[0] ?? Number.POSITIVE_INFINITY);
  const lasts = written.map(({ ts }) => ts[ts.length - 1] ?? Number.NEGATIVE_INFINITY);
  const [earliest, latest] = [Math.min(...firsts), Math.max(...lasts)];
  job.stored = {
    ...job.stored,
    first: Number.isFinite(earliest) ? Math.min(first ?? earliest, earliest) : first,
    last: Number.isFinite(latest) ? Math.max(last ?? latest, latest) : last,
    changedFrom: Math.min(changedFrom ?? touched, touched),
    hasForeign: hasForeign || isForeign,
  };
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
  await job.io.store.saveLeftOut({ seriesId: target.series, runId: job.task.runId, windows, words });
  progress.set(windows, "not_in_plan");
  job.noteLeftOut(windows.map(({ from, to }) => ({ from, to, words })));
}

async function recordFailure(job: JobContext, seriesId: number, window: Span, error: string): Promise<void> {
  const { task, io, apiCalls, fetchMs } = job;
  const counters = { jobId: task.jobId, apiCalls, fetchMs };
  await io.store.saveFailedBatch({ seriesId, runId: task.runId, window, error, counters });
}
