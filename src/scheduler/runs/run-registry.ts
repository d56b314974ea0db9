/** The runs in memory: every job's present state, what it tells the hub, and the totals of its run. */

import type { Coverage } from "../../domain/runs/coverage.ts";
import { estimate, requestBlock } from "../../domain/runs/eta.ts";
import { failureReasons } from "../../domain/runs/failures.ts";
import {
  advance,
  describeStage,
  type JobProgress,
  progressLine,
  STAGES,
  type Stage,
} from "../../domain/runs/progress.ts";
import type { FetchMode } from "../../domain/runs/refetch.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { JOB_STATES, type JobState, runStateOf } from "../../domain/runs/states.ts";
import type { ProgressHub } from "../../hub.ts";
import type { Log } from "../../log.ts";
import type { QuotaState } from "../../providers/quotas/account.ts";
import type { JobCount, JobRow, RunRow } from "../../storage/runs/runs.ts";
import { ratesPerMinute, Throughput } from "./throughput.ts";

export interface JobRecord {
  readonly id: number;
  readonly key: string;
  readonly run: RunRecord;
  readonly symbol: string;
  state: JobState;
  /** What it asks its provider for. */
  fetchMode: FetchMode;
  workerCrashes: number;
  /** Milliseconds worked before the present stretch, and since when that one lasts (epoch ms). */
  workedMs: number;
  workingSince: number | null;
  progress: JobProgress;
}

export interface RunRecord {
  readonly row: RunRow;
  readonly jobs: Map<string, JobRecord>;
  finishedAt: number | null;
  /** Its speed, since this process first worked on it. */
  throughput: Throughput | null;
}

/** What a job looks like from its row in the database. */
export function progressOfRow(row: JobRow): Omit<JobProgress, "seq"> {
  return {
    runId: row.runId,
    symbol: row.symbol,
    interval: row.interval,
    state: row.state,
    status: row.status as JobProgress["status"],
    progress: row.progress,
    microStage: row.microStage,
    dataPoints: row.dataPoints,
    apiCalls: row.apiCalls,
    gaps: row.gaps ?? 0,
    duration: Math.round(row.workedMs / 100) / 10,
    wait: null,
    since: null,
    coverage: null,
  };
}

/** What a stage says besides itself; `gaps` comes with the last one. */
export type Counters = Pick<JobProgress, "dataPoints" | "apiCalls" | "gaps">;

/** What is known of the batches of a job in the database. */
export type CoverageOf = (job: JobRow) => Coverage | null;

export class RunRegistry {
  readonly runs = new Map<string, RunRecord>();
  readonly #now: () => number;

  constructor(
    private readonly dependencies: {
      readonly hub: ProgressHub;
      readonly log: Log;
      quotaOf?(provider: string): QuotaState | undefined;
      onBars?(bars: number): void;
      /** Epoch milliseconds; the clock of this machine if absent. */
      now?(): number;
    },
  ) {
    this.#now = dependencies.now ?? Date.now;
  }

  /** Takes a run and its jobs into memory and shows them. */
  open(row: RunRow, rows: readonly JobRow[], coverage: CoverageOf): RunRecord {
    const run: RunRecord = { row, jobs: new Map(), finishedAt: row.finishedAt, throughput: null };
    for (const job of rows) {
      const progress = this.dependencies.hub.report({ ...progressOfRow(job), coverage: coverage(job) });
      const { id, symbol, state, fetchMode, workerCrashes, workedMs } = job;
      const key = `${row.id}:${symbol}`;
      run.jobs.set(symbol, {
        id,
        key,
        run,
        symbol,
        state,
        fetchMode,
        workerCrashes,
        workedMs,
        workingSince: null,
        progress,
      });
    }
    this.runs.set(row.id, run);
    this.dependencies.hub.reportRun(this.summary(run));
    return run;
  }

  find(key: string): JobRecord | undefined {
    const split = key.indexOf(":");
    return this.runs.get(key.slice(0, split))?.jobs.get(key.slice(split + 1));
  }

  /** Records what a job reports, tells the hub, and writes the line of docs/contract.md §2. */
  stage(job: JobRecord, stage: Stage, counters?: Counters): void {
    const now = this.#now();
    const since = job.workingSince === null ? null : job.workingSince - job.workedMs;
    const duration = Math.round((since === null ? job.workedMs : now - since) / 100) / 10;
    const before = job.progress;
    job.progress = this.dependencies.hub.report({
      ...job.progress,
      ...advance(job.progress, stage, now),
      ...(counters && { dataPoints: counters.dataPoints, apiCalls: counters.apiCalls }),
      gaps: (stage.stage === "complete" && counters?.gaps) || 0,
      state: job.state,
      duration,
      since,
    });
    const { dataPoints, apiCalls } = job.progress;
    const done = {
      symbols: stage.stage === "complete" ? 1 : 0,
      bars: dataPoints - before.dataPoints,
      requests: apiCalls - before.apiCalls,
    };
    job.run.throughput?.count(done, now);
    this.dependencies.onBars?.(done.bars);
    const level = stage.stage === "failed" ? "error" : stage.stage === "engineer" ? "debug" : "info";
    this.dependencies.log.write(level, progressLine(job.progress), job.run.row.id, job.symbol);
  }

  /** Notes what came of a job's batches; its next stage shows it. */
  cover(job: JobRecord, coverage: Coverage): void {
    job.progress = { ...job.progress, coverage };
  }

  startWork(job: JobRecord): void {
    job.workingSince = this.#now();
    const { run } = job;
    run.throughput ??= new Throughput(job.workingSince, totals(run).progress);
    run.throughput.begin(job.workingSince);
  }

  stopWork(job: JobRecord): void {
    if (job.workingSince === null) return;
    const now = this.#now();
    job.workedMs += now - job.workingSince;
    job.workingSince = null;
    job.run.throughput?.end(now);
  }

  /** When the run will be done, and what holds it up. */
  #outlook({ row, jobs, throughput }: RunRecord, { progress, apiCalls }: ReturnType<typeof totals>) {
    let fetched = 0;
    let unfetched = 0;
    for (const { state, progress: job } of jobs.values()) {
      if (state === "cancelled" || state === "skipped" || state === "failed") continue;
      const share = Math.min(1, job.progress / STAGES.fetch.to);
      fetched += share;
      unfetched += 1 - share;
    }
    // What asks for nothing more waits for no limit.
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
    const { row, jobs, throughput, finishedAt } = run;
    const counts = countStates(run);
    const sums = totals(run);
    const { progress, dataPoints, apiCalls, gaps } = sums;
    const state = runStateOf(counts);
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
      failures: counts.failed > 0 ? failureReasons(progressOf(jobs.values())) : [],
      ...(throughput === null
        ? ratesPerMinute(0, 0, 0)
        : finishedAt === null
          ? throughput.lately(this.#now())
          : throughput.onAverage(finishedAt)),
      ...(state === "running" ? this.#outlook(run, sums) : { eta: null, blocked: null }),
    };
  }
}

/** The totals of a run that is no longer in memory, from what the database has; its failures come from `jobs`. */
export function summaryOfRows(
  row: RunRow,
  counted: readonly JobCount[],
  jobs: readonly JobProgress[] = [],
): RunSummary {
  const counts = noCounts();
  for (const { state, jobs } of counted) counts[state] = jobs;
  const sum = (pick: (count: JobCount) => number) => counted.reduce((total, each) => total + pick(each), 0);
  const dataPoints = sum((count) => count.dataPoints);
  const apiCalls = sum((count) => count.apiCalls);
  const total = sum((count) => count.jobs);
  const minutes = row.finishedAt === null ? 0 : (row.finishedAt - row.createdAt) / 60_000;
  return {
    ...describeRow(row),
    state: row.state,
    finishedAt: row.finishedAt,
    counts,
    total,
    progress: row.finishedAt === null ? 0 : 100,
    dataPoints,
    apiCalls,
    gaps: sum((count) => count.gaps),
    failures: failureReasons(jobs),
    ...(minutes > 0
      ? ratesPerMinute(counts.complete / minutes, dataPoints / minutes, apiCalls / minutes)
      : ratesPerMinute(0, 0, 0)),
    eta: null,
    blocked: null,
  };
}

function describeRow(row: RunRow) {
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

function* progressOf(jobs: Iterable<JobRecord>) {
  for (const { progress } of jobs) yield progress;
}

const noCounts = () => Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;

function countStates(run: RunRecord): Record<JobState, number> {
  const counts = noCounts();
  for (const job of run.jobs.values()) counts[job.state] += 1;
  return counts;
}

/** Mean progress of the jobs that count, and sums over all. A failed job is as far as it will come. */
function totals(run: RunRecord) {
  let counted = 0;
  let progress = 0;
  let dataPoints = 0;
  let apiCalls = 0;
  let gaps = 0;
  for (const job of run.jobs.values()) {
    dataPoints += job.progress.dataPoints;
    apiCalls += job.progress.apiCalls;
    if (job.state === "complete") gaps += job.progress.gaps ?? 0;
    if (job.state === "cancelled" || job.state === "skipped") continue;
    counted += 1;
    progress += job.state === "failed" ? 100 : job.progress.progress;
  }
  return { progress: counted === 0 ? 100 : progress / counted, dataPoints, apiCalls, gaps };
}

/** What the database keeps of a stage, so that a restart shows it. A wait is not kept: a restart queues the job. */
export function patchOf(job: JobRecord, stage: Stage) {
  const { status, microStage } = describeStage(stage.stage === "waiting" ? { stage: "queued" } : stage);
  return { status, microStage, progress: job.progress.progress, workedMs: job.workedMs };
}
