/** The runs in memory: every job's present state, what it tells the hub, and the totals of its run. */

import type { Coverage } from "../domain/coverage.ts";
import { type Eta, estimate } from "../domain/eta.ts";
import { advance, describeStage, type JobProgress, progressLine, type Stage } from "../domain/progress.ts";
import { JOB_STATES, type JobState, runStateOf } from "../domain/run.ts";
import type { RunSummary } from "../domain/telemetry.ts";
import type { ProgressHub } from "../hub.ts";
import type { Log } from "../log.ts";
import type { QuotaState } from "../providers/quota-account.ts";
import type { JobRow, RunRow } from "../storage/runs.ts";

export interface JobRecord {
  readonly id: number;
  readonly key: string;
  readonly run: RunRecord;
  readonly symbol: string;
  state: JobState;
  deaths: number;
  /** Milliseconds worked before the present stretch, and since when that one lasts (epoch ms). */
  workedMs: number;
  workingSince: number | null;
  progress: JobProgress;
}

export interface RunRecord {
  readonly row: RunRow;
  readonly jobs: Map<string, JobRecord>;
  finishedAt: number | null;
  /** For speed and ETA: when this process first worked on the run, and how far it was. */
  measuredFrom: { at: number; progress: number; dataPoints: number; complete: number } | null;
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
    since: null,
    coverage: null,
  };
}

/** What a stage says besides itself; `gaps` comes with the last one. */
export type Counters = Pick<JobProgress, "dataPoints" | "apiCalls" | "gaps">;

/** What is known of the batches of a job in the database. */
export type CoverageOf = (job: JobRow) => Coverage | null;

export class RunBook {
  readonly runs = new Map<string, RunRecord>();

  constructor(
    private readonly hub: ProgressHub,
    private readonly log: Log,
    private readonly quotaOf: (provider: string) => QuotaState | undefined = () => undefined,
  ) {}

  /** Takes a run and its jobs into memory and shows them. */
  open(row: RunRow, rows: readonly JobRow[], coverage: CoverageOf): RunRecord {
    const run: RunRecord = { row, jobs: new Map(), finishedAt: row.finishedAt, measuredFrom: null };
    for (const job of rows) {
      const progress = this.hub.report({ ...progressOfRow(job), coverage: coverage(job) });
      const { id, symbol, state, deaths, workedMs } = job;
      const key = `${row.id}:${symbol}`;
      run.jobs.set(symbol, { id, key, run, symbol, state, deaths, workedMs, workingSince: null, progress });
    }
    this.runs.set(row.id, run);
    this.hub.reportRun(this.summary(run));
    return run;
  }

  find(key: string): JobRecord | undefined {
    const split = key.indexOf(":");
    return this.runs.get(key.slice(0, split))?.jobs.get(key.slice(split + 1));
  }

  /** Records what a job reports, tells the hub, and writes the line of contract §2. */
  stage(job: JobRecord, stage: Stage, counters?: Counters): void {
    const now = Date.now();
    const since = job.workingSince === null ? null : job.workingSince - job.workedMs;
    const duration = Math.round((since === null ? job.workedMs : now - since) / 100) / 10;
    job.progress = this.hub.report({
      ...job.progress,
      ...advance(job.progress, stage),
      ...(counters && { dataPoints: counters.dataPoints, apiCalls: counters.apiCalls }),
      gaps: (stage.stage === "complete" && counters?.gaps) || 0,
      state: job.state,
      duration,
      since,
    });
    const level = stage.stage === "failed" ? "error" : stage.stage === "engineer" ? "debug" : "info";
    this.log.write(level, progressLine(job.progress), job.run.row.id, job.symbol);
  }

  /** Notes what came of a job's batches; its next stage shows it. */
  cover(job: JobRecord, coverage: Coverage): void {
    job.progress = { ...job.progress, coverage };
  }

  beginStretch(job: JobRecord): void {
    job.workingSince = Date.now();
    const { run } = job;
    run.measuredFrom ??= { at: job.workingSince, ...totals(run) };
  }

  endStretch(job: JobRecord): void {
    if (job.workingSince !== null) job.workedMs += Date.now() - job.workingSince;
    job.workingSince = null;
  }

  #eta(
    { row, jobs }: RunRecord,
    measured: { minutes: number; gained: number; progress: number; apiCalls: number },
  ): Eta | null {
    const { minutes, gained, progress, apiCalls } = measured;
    let fetched = 0;
    let unfetched = 0;
    for (const { state, progress: job } of jobs.values()) {
      if (state === "cancelled" || state === "skipped" || state === "failed") continue;
      const share = Math.min(1, job.progress / FETCH_SHARE);
      fetched += share;
      unfetched += 1 - share;
    }
    const quota = this.quotaOf(row.provider);
    const spent = quota?.spenders.find((spender) => spender.run === row.id)?.units ?? 0;
    const units = apiCalls > 0 && spent > 0 ? spent / apiCalls : 1;
    return estimate({
      now: Date.now() / 1_000,
      seconds: minutes * 60,
      done: (gained / 100) * jobs.size,
      left: ((100 - progress) / 100) * jobs.size,
      requestsLeft: fetched > 0 ? (apiCalls / fetched) * unfetched : 0,
      limits: (quota?.gauges ?? []).map((gauge) => ({ ...gauge, cost: gauge.counts === "units" ? units : 1 })),
      holdUntil: quota?.hold?.until ?? null,
    });
  }

  summary(run: RunRecord): RunSummary {
    const { row, jobs } = run;
    const counts = countStates(run);
    const { progress, dataPoints, complete } = totals(run);
    const state = runStateOf(counts);
    const from = run.measuredFrom;
    const minutes = from === null ? 0 : ((run.finishedAt ?? Date.now()) - from.at) / 60_000;
    const gained = from === null ? 0 : progress - from.progress;
    const round = (value: number) => Math.round(value * 10) / 10;
    let apiCalls = 0;
    for (const job of jobs.values()) apiCalls += job.progress.apiCalls;
    return {
      ...describeRow(row),
      state,
      finishedAt: run.finishedAt,
      counts,
      total: jobs.size,
      progress: Math.floor(progress),
      dataPoints,
      apiCalls,
      symbolsPerMinute: minutes > 0 ? round((complete - from!.complete) / minutes) : 0,
      barsPerMinute: minutes > 0 ? Math.round((dataPoints - from!.dataPoints) / minutes) : 0,
      eta: state === "running" ? this.#eta(run, { minutes, gained, progress, apiCalls }) : null,
    };
  }
}

/** Share of a job's percentage that fetching takes. */
const FETCH_SHARE = 45;

/** The totals of a run that is no longer in memory, from what the database has. */
export function summaryOfRows(
  row: RunRow,
  counted: readonly { state: JobState; jobs: number; dataPoints: number; apiCalls: number }[],
): RunSummary {
  const counts = noCounts();
  for (const { state, jobs } of counted) counts[state] = jobs;
  const sum = (pick: (count: (typeof counted)[number]) => number) =>
    counted.reduce((total, each) => total + pick(each), 0);
  const dataPoints = sum((count) => count.dataPoints);
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
    apiCalls: sum((count) => count.apiCalls),
    symbolsPerMinute: minutes > 0 ? Math.round((10 * counts.complete) / minutes) / 10 : 0,
    barsPerMinute: minutes > 0 ? Math.round(dataPoints / minutes) : 0,
    eta: null,
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

const noCounts = () => Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>;

function countStates(run: RunRecord): Record<JobState, number> {
  const counts = noCounts();
  for (const job of run.jobs.values()) counts[job.state] += 1;
  return counts;
}

/** Mean progress of the jobs that count, bars held and jobs complete. A failed job is as far as it will come. */
function totals(run: RunRecord) {
  let counted = 0;
  let progress = 0;
  let dataPoints = 0;
  let complete = 0;
  for (const job of run.jobs.values()) {
    dataPoints += job.progress.dataPoints;
    if (job.state === "complete") complete += 1;
    if (job.state === "cancelled" || job.state === "skipped") continue;
    counted += 1;
    progress += job.state === "failed" ? 100 : job.progress.progress;
  }
  return { progress: counted === 0 ? 100 : progress / counted, dataPoints, complete };
}

/** What the database keeps of a stage, so that a restart shows it. */
export function patchOf(job: JobRecord, stage: Stage) {
  const { status, microStage } = describeStage(stage);
  return { ...(status && { status }), microStage, progress: job.progress.progress, workedMs: job.workedMs };
}
