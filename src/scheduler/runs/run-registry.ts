/** The runs in memory: the state of every job, what viewers get of it, and the totals of its run. */

import { leftOutOf, type PlanCut } from "../../domain/plan.ts";
import type { Coverage } from "../../domain/runs/coverage.ts";
import { estimate, requestBlock } from "../../domain/runs/eta.ts";
import { failureReasons } from "../../domain/runs/failures.ts";
import {
  advance,
  describePosition,
  describeStage,
  type JobPosition,
  type JobProgress,
  progressLine,
  STAGES,
  type Stage,
} from "../../domain/runs/progress.ts";
import type { FetchMode } from "../../domain/runs/refetch.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { hasEnded, isActive, JOB_STATES, type JobState, type RunState, runStateOf } from "../../domain/runs/states.ts";
import { jobKey, type ProgressHub } from "../../hub.ts";
import type { Log } from "../../log.ts";
import type { QuotaState } from "../../providers/quotas/quota-state.ts";
import { findProvider } from "../../providers/registry.ts";
import type { JobRow, RunRow } from "../../storage/runs/runs.ts";
import { ratesPerMinute, Throughput } from "./throughput.ts";

/** Finished runs that stay in memory for the pages; older ones are read from the database. */
const KEPT_FINISHED = 5;
/** Shortest time between two totals of the same run, milliseconds. */
const SUMMARY_MS = 250;

/** The counts of a job so far; `gaps` is known once it is complete. */
export type Counters = Pick<JobProgress, "dataPoints" | "apiCalls" | "gaps">;

/** A job in memory. What viewers see of it is derived by `progressOf`; `job-control.ts` changes its state. */
export interface JobRecord {
  readonly id: number;
  readonly run: RunRecord;
  readonly symbol: string;
  state: JobState;
  stage: JobPosition["stage"];
  percent: JobPosition["percent"];
  wait: JobPosition["wait"];
  counters: Counters;
  /** The results of its batches; shown with its next stage. */
  coverage: Coverage | null;
  /** What the provider's plan leaves out of its range. */
  leftOut: readonly PlanCut[];
  /** What it requests from its provider. */
  fetchMode: FetchMode;
  workerCrashes: number;
  /** Milliseconds worked before the present work interval, and since when that one lasts (epoch ms). */
  workedMs: number;
  workingSince: number | null;
  /** Since when it waits for a worker, epoch milliseconds; of no meaning in another state. */
  queuedAt: number;
  /** Number of the last event about it. */
  seq: number;
  /** How often its state was changed by anything but its beginning. */
  changes: number;
}

export interface RunRecord {
  /** The run as it was requested. Its state and end follow from its jobs. */
  readonly row: Readonly<Omit<RunRow, "state" | "finishedAt">>;
  readonly jobs: Map<string, JobRecord>;
  finishedAt: number | null;
  /** The state that was stored last; the present one is `stateOf`. */
  storedState: RunState;
  /** Its speed, since this process first worked on it. */
  throughput: Throughput | null;
}

/** The key of a job in the queue. */
export const keyOf = ({ run, symbol }: JobRecord): string => jobKey(run.row.id, symbol);

/** What viewers see of a job at `now` (epoch milliseconds). */
export function progressOf(job: JobRecord, now: number): JobProgress {
  const { row } = job.run;
  const since = job.workingSince === null ? null : job.workingSince - job.workedMs;
  const { status, microStage } = describePosition(job, now);
  return {
    runId: row.id,
    symbol: job.symbol,
    interval: row.interval,
    state: job.state,
    status,
    progress: job.percent,
    microStage,
    wait: job.wait,
    dataPoints: job.counters.dataPoints,
    apiCalls: job.counters.apiCalls,
    gaps: job.counters.gaps ?? 0,
    duration: Math.round((since === null ? job.workedMs : now - since) / 100) / 10,
    since,
    coverage: job.coverage,
    seq: job.seq,
  };
}

/** A run and its jobs as the database has them. */
export function recordOf(
  row: RunRow,
  rows: readonly JobRow[],
  coverage: CoverageOf,
  cuts: CutsBySymbol = new Map(),
): RunRecord {
  const { state: storedState, finishedAt } = row;
  const run: RunRecord = { row, jobs: new Map(), finishedAt, storedState, throughput: null };
  for (const job of rows) {
    const { id, symbol, state, progress, dataPoints, apiCalls, gaps, fetchMode, workerCrashes, workedMs } = job;
    run.jobs.set(symbol, {
      id,
      run,
      symbol,
      state,
      stage: stageOfRow(job),
      percent: progress,
      wait: null,
      counters: { dataPoints, apiCalls, gaps: gaps ?? 0 },
      coverage: coverage(job),
      leftOut: cuts.get(symbol) ?? [],
      fetchMode,
      workerCrashes,
      workedMs,
      workingSince: null,
      queuedAt: row.createdAt,
      seq: 0,
      changes: 0,
    });
  }
  return run;
}

/** The stage of a stored job. One that was at work or waited when the server stopped waits for a worker. */
function stageOfRow({ state, microStage, workedMs }: JobRow): JobPosition["stage"] {
  switch (state) {
    case "queued":
    case "running":
      return { stage: "queued" };
    case "complete":
      return { stage: "complete", seconds: workedMs / 1_000 };
    case "failed":
      return { stage: "failed", reason: microStage };
    case "paused":
      return { stage: "stopped", status: "Paused", reason: microStage };
    case "cancelled":
      return { stage: "stopped", status: "Cancelled", reason: microStage };
    case "skipped":
      return { stage: "stopped", status: "Skipped", reason: microStage };
  }
}

/** What is known of the batches of a job in the database. */
export type CoverageOf = (job: JobRow) => Coverage | null;

/** What the plan left out of the jobs of a run. */
type CutsBySymbol = ReadonlyMap<string, readonly PlanCut[]>;

export class RunRegistry {
  readonly runs = new Map<string, RunRecord>();
  readonly #now: () => number;
  /** Runs whose totals have changed since they were last sent. */
  readonly #changed = new Set<RunRecord>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  constructor(
    private readonly dependencies: {
      readonly hub: ProgressHub;
      readonly log: Log;
      quotaOf?(provider: string): QuotaState | undefined;
      onBars?(bars: number): void;
      /** A job has ended. */
      onEnd?(job: JobRecord): void;
      /** Epoch milliseconds; the clock of this machine if absent. */
      now?(): number;
    },
  ) {
    this.#now = dependencies.now ?? Date.now;
  }

  /** Takes a run and its jobs into memory and shows them. */
  open(row: RunRow, rows: readonly JobRow[], coverage: CoverageOf, cuts?: CutsBySymbol): RunRecord {
    const run = recordOf(row, rows, coverage, cuts);
    const now = this.#now();
    for (const job of run.jobs.values()) this.#report(job, now);
    this.runs.set(row.id, run);
    this.publish(run);
    return run;
  }

  find(key: string): JobRecord | undefined {
    const split = key.indexOf(":");
    return this.runs.get(key.slice(0, split))?.jobs.get(key.slice(split + 1));
  }

  /** Records a job's report, passes it to the hub, and writes the log line of docs/contract.md §2. */
  stage(job: JobRecord, stage: Stage, counters: Counters = job.counters): void {
    const now = this.#now();
    const before = job.counters;
    const { dataPoints, apiCalls, gaps = 0 } = counters;
    Object.assign(job, advance(job, stage));
    const isComplete = stage.stage === "complete";
    job.counters = { dataPoints, apiCalls, gaps: isComplete ? gaps : 0 };
    const line = progressLine(this.#report(job, now));
    const bars = dataPoints - before.dataPoints;
    const requests = apiCalls - before.apiCalls;
    job.run.throughput?.count({ symbols: isComplete ? 1 : 0, bars, requests }, now);
    this.dependencies.onBars?.(bars);
    if (job.state === "queued") job.queuedAt = now;
    if (hasEnded(job.state)) this.dependencies.onEnd?.(job);
    const level = stage.stage === "failed" ? "error" : stage.stage === "engineer" ? "debug" : "info";
    this.dependencies.log.write(level, line, job.run.row.id, job.symbol);
  }

  #report(job: JobRecord, now: number): JobProgress {
    const shown = this.dependencies.hub.report(progressOf(job, now));
    job.seq = shown.seq;
    return shown;
  }

  /** What viewers were last sent of a job. */
  lastShown = (job: JobRecord): JobProgress | undefined => this.dependencies.hub.jobByKey(keyOf(job));

  startWork(job: JobRecord): void {
    job.workingSince = this.#now();
    const { run } = job;
    run.throughput ??= new Throughput(job.workingSince, totals(run).progress);
    run.throughput.begin(job.workingSince);
  }

  /** Milliseconds worked on a job until now. */
  workedMs({ workedMs, workingSince }: JobRecord): number {
    return workingSince === null ? workedMs : workedMs + this.#now() - workingSince;
  }

  stopWork(job: JobRecord): void {
    if (job.workingSince === null) return;
    job.workedMs = this.workedMs(job);
    job.workingSince = null;
    job.run.throughput?.end(this.#now());
  }

  /** The state of a run, computed from its jobs. */
  stateOf(run: RunRecord): RunState {
    return runStateOf(totals(run).counts);
  }

  /** Sends the totals of a run at once. */
  publish(run: RunRecord): void {
    this.#changed.delete(run);
    this.dependencies.hub.reportRun(this.summary(run));
  }

  /** Sends the totals of a run soon, with those of all others that change meanwhile. */
  touch(run: RunRecord): void {
    this.#changed.add(run);
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      for (const each of this.#changed) this.publish(each);
    }, SUMMARY_MS);
  }

  /** How long the job has waited that has waited longest, milliseconds; 0 when none waits. */
  oldestQueued(): number {
    let since = Number.POSITIVE_INFINITY;
    for (const { finishedAt, jobs } of this.runs.values()) {
      if (finishedAt !== null) continue;
      for (const { state, queuedAt } of jobs.values()) if (state === "queued") since = Math.min(since, queuedAt);
    }
    return since === Number.POSITIVE_INFINITY ? 0 : Math.max(0, this.#now() - since);
  }

  /** Drops the oldest finished runs from memory. */
  forgetOld(): void {
    const finished = [...this.runs.values()].filter((run) => run.finishedAt !== null && !isActive(this.stateOf(run)));
    for (const { row } of finished.slice(0, Math.max(0, finished.length - KEPT_FINISHED))) {
      this.runs.delete(row.id);
      this.dependencies.hub.forget(row.id);
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  /** When the run will end, and what limits it. */
  #outlook({ row, jobs, throughput }: RunRecord, { progress, apiCalls }: ReturnType<typeof totals>) {
    let fetched = 0;
    let unfetched = 0;
    for (const { state, percent } of jobs.values()) {
      if (state === "cancelled" || state === "skipped" || state === "failed") continue;
      const share = Math.min(1, percent / STAGES.fetch.to);
      fetched += share;
      unfetched += 1 - share;
    }
    // A run without further requests is limited by nothing.
    const quota = unfetched > 0 && row.mode !== "reprocess" ? this.dependencies.quotaOf?.(row.provider) : undefined;
    const spent = quota?.spenders.find((spender) => spender.run === row.id)?.units ?? 0;
    const units = apiCalls > 0 && spent > 0 ? spent / apiCalls : 1;
    const now = this.#now();
    const limits = {
      now: now / 1_000,
      limits: (quota?.gauges ?? []).map((gauge) => ({ ...gauge, cost: gauge.counts === "units" ? units : 1 })),
      holdUntil: quota?.hold?.until ?? null,
    };
    const eta = estimate({
      ...limits,
      seconds: (throughput?.worked(now) ?? 0) / 1_000,
      done: throughput === null ? 0 : ((progress - throughput.progress) / 100) * jobs.size,
      left: ((100 - progress) / 100) * jobs.size,
      requestsLeft: fetched > 0 ? (apiCalls / fetched) * unfetched : 0,
    });
    return { eta, blocked: requestBlock(limits) };
  }

  summary(run: RunRecord): RunSummary {
    const { row, jobs, throughput } = run;
    const sums = totals(run);
    const { counts, progress, dataPoints, apiCalls, gaps } = sums;
    const state = shownState(runStateOf(counts), run.finishedAt);
    const finishedAt = isActive(state) ? null : run.finishedAt;
    return {
      ...describeRow(row),
      state,
      finishedAt,
      counts,
      total: jobs.size,
      progress: Math.floor(progress),
      dataPoints,
      apiCalls,
      gaps,
      failures: counts.failed > 0 ? failureReasons(failed(jobs.values())) : [],
      leftOut: leftOutOf(jobs.values(), titleOf(row.provider)),
      ...(throughput === null
        ? ratesPerMinute(0, 0, 0)
        : finishedAt === null
          ? throughput.lately(this.#now())
          : throughput.onAverage(finishedAt)),
      ...(state === "running" ? this.#outlook(run, sums) : { eta: null, blocked: null }),
    };
  }
}

/** A run is over when that is stored. */
const shownState = (state: RunState, finishedAt: number | null): RunState =>
  finishedAt === null && !isActive(state) ? "running" : state;

/** The name of a provider on the page. */
export const titleOf = (provider: string): string => findProvider(provider)?.title ?? provider;

/** What a summary says of the run as it was requested. */
export function describeRow(row: RunRecord["row"]) {
  const { id, mode, interval, provider, years, batchDays, maxWorkers, createdAt } = row;
  return {
    id,
    mode,
    interval,
    provider,
    years: years === "all" ? years : Number(years),
    batchDays,
    maxWorkers,
    createdAt,
  } as const;
}

function* failed(jobs: Iterable<JobRecord>) {
  for (const { symbol, state, stage } of jobs) {
    if (state === "failed") yield { symbol, state, microStage: describeStage(stage).microStage };
  }
}

/** No job in any state. */
export const noCounts = () => Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;

/** Jobs in each state, mean progress of those that count, and sums over all. A failed job is as far as it will come. */
function totals(run: RunRecord) {
  const counts = noCounts();
  let counted = 0;
  let progress = 0;
  let dataPoints = 0;
  let apiCalls = 0;
  let gaps = 0;
  for (const { state, percent, counters } of run.jobs.values()) {
    counts[state] += 1;
    dataPoints += counters.dataPoints;
    apiCalls += counters.apiCalls;
    if (state === "complete") gaps += counters.gaps ?? 0;
    if (state === "cancelled" || state === "skipped") continue;
    counted += 1;
    progress += state === "failed" ? 100 : percent;
  }
  return { counts, progress: counted === 0 ? 100 : progress / counted, dataPoints, apiCalls, gaps };
}
