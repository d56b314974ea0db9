/** The runs in memory: the state of every job, what viewers get of it, and the totals of its run. */

import { leftOutOf } from "../../domain/plan.ts";
import { estimate, requestBlock } from "../../domain/runs/eta.ts";
import { failureReasons } from "../../domain/runs/failures.ts";
import { advance, type JobProgress, progressLine, STAGES, type Stage } from "../../domain/runs/progress.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { hasEnded, isActive, type RunState, runStateOf } from "../../domain/runs/states.ts";
import type { ProgressHub } from "../../hub.ts";
import type { Log } from "../../log.ts";
import type { QuotaState } from "../../providers/quotas/quota-state.ts";
import type { JobRow, RunRow } from "../../storage/runs/runs.ts";
import { ratesPerMinute, Throughput } from "./estimates/throughput.ts";
import {
  type Counters,
  type CoverageOf,
  type CutsBySymbol,
  describeRow,
  failed,
  type JobRecord,
  keyOf,
  progressOf,
  type RunRecord,
  recordOf,
  shownState,
  stuckJobs,
  titleOf,
  totals,
} from "./run-records.ts";

/** Finished runs that stay in memory for the pages; older ones are read from the database. */
const KEPT_FINISHED = 5;
/** The same of runs with failures that nobody has acknowledged. */
export const KEPT_FAILED = 20;
/** Shortest time between two totals of the same run, milliseconds. */
const SUMMARY_MS = 250;

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
    for (const each of this.#single(job, stage)) this.#record(job, each, counters);
  }

  /** The reports that one stands for; of features that nobody follows one by one, what begins the stage and the last. */
  #single(job: JobRecord, stage: Stage): Stage[] {
    if (stage.stage !== "engineer" || stage.first === undefined) return [stage];
    const { first, done, total } = stage;
    const { hub, log } = this.dependencies;
    const isFollowed = hub.hasStreams || (log.level ?? "debug") === "debug";
    const begins = job.stage.stage === "engineer" ? [] : [first];
    const features = isFollowed ? Array.from({ length: done - first }, (_, at) => first + at) : begins;
    return [...features, done].map((feature) => ({ stage: "engineer", done: feature, total }));
  }

  #record(job: JobRecord, stage: Stage, counters: Counters): void {
    const now = this.#now();
    const before = job.counters;
    const enters = stage.stage !== job.stage.stage;
    this.#measure(job, now);
    job.run.meter.count(job, stage);
    const { dataPoints, apiCalls, gaps = 0 } = counters;
    Object.assign(job, advance(job, stage));
    const isComplete = stage.stage === "complete";
    job.counters = { dataPoints, apiCalls, gaps: isComplete ? gaps : 0 };
    const line = progressLine(this.#report(job, now));
    const bars = job.hasReported ? dataPoints - before.dataPoints : 0;
    job.hasReported = true;
    const requests = apiCalls - before.apiCalls;
    job.run.throughput?.count({ symbols: isComplete ? 1 : 0, bars, requests }, now);
    this.dependencies.onBars?.(bars);
    if (job.state === "queued") job.queuedAt = now;
    if (hasEnded(job.state)) this.dependencies.onEnd?.(job);
    this.dependencies.log.write(levelOf(stage, enters), line, job.run.row.id, job.symbol);
  }

  /** Passes a job to the hub again, after a change that is no report of its own. */
  show(job: JobRecord): void {
    const { reportedAt } = job;
    this.#report(job, this.#now());
    job.reportedAt = reportedAt;
  }

  #report(job: JobRecord, now: number): JobProgress {
    job.reportedAt = now;
    const shown = this.dependencies.hub.report(progressOf(job, now));
    job.seq = shown.seq;
    return shown;
  }

  /** What viewers were last sent of a job. */
  lastShown = (job: JobRecord): JobProgress | undefined => this.dependencies.hub.jobByKey(keyOf(job));

  startWork(job: JobRecord): void {
    job.workingSince = job.measuredAt = this.#now();
    job.hasReported = false;
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
    this.#measure(job, this.#now());
    job.workedMs = this.workedMs(job);
    job.workingSince = null;
    job.run.throughput?.end(this.#now());
  }

  /** Adds the time since the last report to what the stage of the job takes. */
  #measure(job: JobRecord, now: number): void {
    if (job.workingSince !== null) job.run.meter.add(job, now - job.measuredAt);
    job.measuredAt = now;
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
    const isOpen = (run: RunRecord) => run.acknowledgedAt === null && this.stateOf(run) === "failed";
    const [failed, others] = [finished.filter(isOpen), finished.filter((run) => !isOpen(run))];
    const old = [...failed.slice(0, -KEPT_FAILED), ...others.slice(0, -KEPT_FINISHED)];
    for (const { row } of old) {
      this.runs.delete(row.id);
      this.dependencies.hub.forget(row.id);
    }
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  /** When the run will end, and what limits it. */
  #outlook({ row, jobs, throughput, meter }: RunRecord, { counts, apiCalls }: ReturnType<typeof totals>) {
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
    const left = meter.left(jobs.values(), throughput?.atOnce(now) ?? 1);
    const eta = estimate({
      ...limits,
      seconds: left === null ? null : left / 1_000,
      measured: meter.batches || counts.complete,
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
      acknowledgedAt: run.acknowledgedAt,
      counts,
      total: jobs.size,
      stuck: stuckJobs(run, this.#now()),
      progress: Math.floor(progress),
      dataPoints,
      newBars: throughput?.newBars ?? null,
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

/** The level of a report's log line: single features are details, the stage's begin and end are not. */
function levelOf(stage: Stage, isNew: boolean): "error" | "info" | "debug" {
  if (stage.stage === "failed") return "error";
  if (stage.stage !== "engineer" || isNew || stage.done === stage.total) return "info";
  return "debug";
}
