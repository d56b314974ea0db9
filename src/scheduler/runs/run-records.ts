/** Runs and jobs as they are in memory, and what follows from them. */

import type { PlanCut } from "../../domain/plan.ts";
import type { Coverage } from "../../domain/runs/coverage.ts";
import { describePosition, describeStage, type JobPosition, type JobProgress } from "../../domain/runs/progress.ts";
import { isStuck } from "../../domain/runs/queue/attention.ts";
import type { FetchMode } from "../../domain/runs/refetch.ts";
import { isActive, JOB_STATES, type JobState, type RunState } from "../../domain/runs/states.ts";
import { isoDate } from "../../domain/time.ts";
import { jobKey } from "../../hub.ts";
import { findProvider } from "../../providers/registry.ts";
import type { JobRow, RunRow } from "../../storage/runs/runs.ts";
import type { Throughput } from "./estimates/throughput.ts";
import { WorkMeter } from "./estimates/work-meter.ts";

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
  /** When it last reported something, epoch milliseconds. */
  reportedAt: number;
  /** Whether it has reported since it began to work: its first report has the bars that were stored before. */
  hasReported: boolean;
  /** Until when its work was measured, epoch milliseconds. */
  measuredAt: number;
  /** When it was put at the head of the queue, epoch milliseconds. */
  firstAt: number | null;
  /** Number of the last event about it. */
  seq: number;
  /** How often its state was changed by anything but its beginning. */
  changes: number;
}

export interface RunRecord {
  /** The run as it was requested. Its state and end follow from its jobs. */
  readonly row: Readonly<Omit<RunRow, "state" | "finishedAt" | "acknowledgedAt">>;
  readonly jobs: Map<string, JobRecord>;
  finishedAt: number | null;
  acknowledgedAt: number | null;
  /** The state that was stored last; the present one is `stateOf`. */
  storedState: RunState;
  /** Its speed, since this process first worked on it. */
  throughput: Throughput | null;
  /** How long its batches and features take. */
  readonly meter: WorkMeter;
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
    reportedAt: job.reportedAt,
    firstAt: job.firstAt,
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
  const { state: storedState, finishedAt, acknowledgedAt } = row;
  const run: RunRecord = {
    row,
    jobs: new Map(),
    finishedAt,
    acknowledgedAt,
    storedState,
    throughput: null,
    meter: new WorkMeter(),
  };
  for (const job of rows) {
    const { id, symbol, state, progress, dataPoints, apiCalls, gaps, fetchMode, workerCrashes, workedMs, firstAt } =
      job;
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
      reportedAt: 0,
      hasReported: false,
      measuredAt: 0,
      firstAt,
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
export type CutsBySymbol = ReadonlyMap<string, readonly PlanCut[]>;

/** A run is over when that is stored. */
export const shownState = (state: RunState, finishedAt: number | null): RunState =>
  finishedAt === null && !isActive(state) ? "running" : state;

/** The name of a provider on the page. */
export const titleOf = (provider: string): string => findProvider(provider)?.title ?? provider;

/** What a summary says of the run as it was requested. */
export function describeRow(row: RunRecord["row"]) {
  const { id, name, mode, interval, provider, years, batchDays, maxWorkers, createdAt } = row;
  return {
    id,
    name,
    mode,
    interval,
    provider,
    years: years === "all" ? years : Number(years),
    dates: row.dated ? { from: isoDate(row.rangeFrom), to: isoDate(row.rangeTo) } : null,
    batchDays,
    maxWorkers,
    createdAt,
  } as const;
}

export function* failed(jobs: Iterable<JobRecord>) {
  for (const { symbol, state, stage } of jobs) {
    if (state === "failed") yield { symbol, state, microStage: describeStage(stage).microStage };
  }
}

/** Jobs at work without progress. */
export function stuckJobs({ jobs }: RunRecord, now: number): number {
  let stuck = 0;
  for (const job of jobs.values()) if (isStuck(job, now)) stuck += 1;
  return stuck;
}

/** No job in any state. */
export const noCounts = () => Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;

/** Jobs in each state, mean progress of those that count, and sums over all. A failed job is as far as it will come. */
export function totals(run: RunRecord) {
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
