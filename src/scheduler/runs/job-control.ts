/**
 * Every change of a job's state. What a person asks for has its effects in one of three orders: a stop is in memory first, so
 * that nothing a worker still reports is shown; a requeue is stored first, because the index of active symbols may refuse it.
 *
 * | method      | 1      | 2                | 3      | 4       | 5         |
 * | ----------- | ------ | ---------------- | ------ | ------- | --------- |
 * | stopJobs    | memory | queue and worker | rows   | audit   | reconcile |
 * | resumeJobs  | memory | rows             | audit  | enqueue | reconcile |
 * | requeueJobs | rows   | audit            | memory | enqueue | reconcile |
 */

import type { Coverage } from "../../domain/runs/coverage.ts";
import { describeStage, type JobPosition, type Stage } from "../../domain/runs/progress.ts";
import type { FetchMode } from "../../domain/runs/refetch.ts";
import { JOB_TRANSITIONS, type JobAction, type JobTransition } from "../../domain/runs/states.ts";
import { writeMoment } from "../../domain/time.ts";
import type { Log } from "../../log.ts";
import { record } from "../../storage/access/audit.ts";
import { type Database, isUniqueViolation } from "../../storage/db.ts";
import { saveWork, startJob } from "../../storage/runs/jobs.ts";
import { failJobs, moveJobs, setRunState } from "../../storage/runs/runs.ts";
import type { JobQueue } from "../queue/job-queue.ts";
import { refuseActive } from "./active-jobs.ts";
import { jobFailed, runEnded } from "./run-events.ts";
import { type Counters, type JobRecord, keyOf, type RunRecord, type RunRegistry } from "./run-registry.ts";

/** What takes a job from its worker. */
export type StopAction = "pause" | "cancel" | "skip";

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  readonly queue: JobQueue;
  readonly registry: RunRegistry;
  /** An alert event was recorded. */
  onAlert?(): void;
  /** A run has ended. */
  onRunEnd?(runId: string): void;
  /** Tells the worker that has the job to stop it. */
  stopWork(jobId: number, reason: StopAction): void;
}

/** What an ended job is queued again for. */
interface Requeue {
  readonly fetchMode?: FetchMode;
  /** What is known of the batches of those jobs whose coverage has changed. */
  readonly coverage?: ReadonlyMap<JobRecord, Coverage | null>;
}

const QUEUED = { stage: "queued" } as const;

export class JobControl {
  constructor(private readonly dependencies: Dependencies) {}

  /** Does what a person asks for with jobs of one run, whose states must allow it; `whole` if they stand for all of it. */
  async act(run: RunRecord, jobs: readonly JobRecord[], action: JobAction, whole = false): Promise<void> {
    if (action === "retry") await this.requeueJobs(run, jobs, action);
    else if (action === "resume") await this.resumeJobs(run, jobs, whole);
    else await this.stopJobs(run, jobs, action, whole);
  }

  async stopJobs(run: RunRecord, jobs: readonly JobRecord[], action: StopAction, whole = false): Promise<void> {
    const { db, queue, stopWork } = this.dependencies;
    const entry = { action, whole, before: countStates(jobs) };
    const atWork = jobs.filter(({ state }) => state === "running");
    const stage = stopped(action);
    for (const job of jobs) this.#change(job, action, stage);
    for (const job of jobs) queue.cancel(keyOf(job));
    for (const { id } of atWork) stopWork(id, action);
    const { status, microStage } = describeStage(stage);
    const finishedAt = action === "pause" ? null : Date.now();
    const moved = await moveJobs(db, idsOf(jobs), action, { status, microStage, finishedAt });
    for (const { id, workedMs, percent } of atWork) {
      // A job that its worker completed a moment ago is not changed any more.
      if (moved.has(id)) await saveWork(db, id, { workedMs, progress: percent });
    }
    await this.#audit(run, jobs, moved, entry);
    await this.reconcile(run);
  }

  async resumeJobs(run: RunRecord, jobs: readonly JobRecord[], whole = false): Promise<void> {
    const entry = { action: "resume", whole, before: countStates(jobs) } as const;
    for (const job of jobs) this.#change(job, "resume", QUEUED);
    const patch = { ...describeStage(QUEUED), progress: 0, finishedAt: null };
    const moved = await moveJobs(this.dependencies.db, idsOf(jobs), "resume", patch);
    await this.#audit(run, jobs, moved, entry);
    this.enqueue(run, jobs);
    await this.reconcile(run);
  }

  /**
   * Queues ended jobs again.
   * @throws Refusal if one of them has become active in another run
   */
  async requeueJobs(
    run: RunRecord,
    jobs: readonly JobRecord[],
    action: "retry" | "refetch",
    { fetchMode = "unanswered", coverage }: Requeue = {},
  ): Promise<void> {
    const { db } = this.dependencies;
    const entry = { action, before: countStates(jobs), ...(action === "refetch" && { fetchMode }) };
    const start = { ...describeStage(QUEUED), progress: 0, error: null, workerCrashes: 0, fetchMode, finishedAt: null };
    const moved = await moveJobs(db, idsOf(jobs), action, start).catch(async (error) => {
      const symbols = jobs.map(({ symbol }) => symbol);
      if (isUniqueViolation(error)) await refuseActive(db, symbols, run.row.interval);
      throw error;
    });
    await this.#audit(run, jobs, moved, entry);
    const queued = jobs.filter(({ id }) => moved.has(id));
    for (const job of queued) {
      job.fetchMode = fetchMode;
      job.workerCrashes = 0;
      job.coverage = coverage?.get(job) ?? job.coverage;
      this.#change(job, action, QUEUED);
    }
    this.enqueue(run, queued);
    await this.reconcile(run);
  }

  /** Enqueues those of some jobs of a run that wait for a worker. */
  enqueue(run: RunRecord, jobs: Iterable<JobRecord>): void {
    const { queue } = this.dependencies;
    const { id, maxWorkers } = run.row;
    const queued = [...jobs].filter(({ state }) => state === "queued");
    if (queued.length === 0) return;
    queue.limitGroup(id, maxWorkers);
    queue.enqueue(queued.map((job) => ({ key: keyOf(job), group: id })));
  }

  /**
   * Records that a worker starts the job; false if it may no longer do so.
   * @param mayWait whether the write may wait for those of others, because other jobs use the time
   */
  async begin(job: JobRecord, mayWait = false): Promise<boolean> {
    const { db, registry } = this.dependencies;
    if (job.state !== "queued") return false;
    job.state = "running";
    job.wait = null;
    registry.startWork(job);
    await startJob(db, job.id, Date.now(), mayWait);
    registry.touch(job.run);
    // It may have been paused while that was written.
    return job.state === "running";
  }

  /** Queues a running job again: in memory at once, then in the database, then its run. */
  async putBack(job: JobRecord, stage: Stage, counters?: Counters): Promise<void> {
    this.#change(job, "requeue", stage, counters);
    await moveJobs(this.dependencies.db, [job.id], "requeue", rowOf(job));
    await this.reconcile(job.run);
  }

  /** Ends jobs of one run with a reason that a person can act on. */
  async fail(jobs: readonly JobRecord[], reason: string, counters?: Counters): Promise<void> {
    const { db, queue, onAlert } = this.dependencies;
    const at = Date.now();
    for (const job of jobs) {
      queue.cancel(keyOf(job));
      this.#change(job, "fail", { stage: "failed", reason }, counters);
    }
    await failJobs(
      db,
      jobs.map((job) => ({ id: job.id, patch: rowOf(job), event: jobFailed(job, reason, at) })),
    );
    if (jobs.length > 0) onAlert?.();
    if (jobs[0]) await this.reconcile(jobs[0].run);
  }

  /** Ends every waiting job of a provider: none of them can succeed. */
  async failProvider(provider: string, reason: string): Promise<void> {
    for (const { row, jobs } of this.dependencies.registry.runs.values()) {
      if (row.provider !== provider) continue;
      await this.fail(
        [...jobs.values()].filter(({ state }) => state === "queued"),
        reason,
      );
    }
  }

  /** Applies what a worker has already stored: the job is complete. */
  async complete(job: JobRecord, seconds: number, counters: Required<Counters>): Promise<void> {
    const { registry } = this.dependencies;
    registry.stopWork(job);
    // The worker's own time, but no shown duration may decrease; row and text agree.
    const shown = registry.lastShown(job)?.duration ?? 0;
    job.workedMs = Math.max(Math.round(seconds * 1_000), shown * 1_000);
    job.state = JOB_TRANSITIONS.finish.to;
    registry.stage(job, { stage: "complete", seconds: job.workedMs / 1_000 }, counters);
    await this.reconcile(job.run);
  }

  /** Updates the state of a run from its jobs: in memory, in the database and for viewers. */
  async reconcile(run: RunRecord): Promise<void> {
    const { db, log, registry, onAlert, onRunEnd } = this.dependencies;
    const state = registry.stateOf(run);
    const isOpen = state === "running" || state === "paused";
    const finishedAt = isOpen ? null : (run.finishedAt ?? Date.now());
    if (run.storedState !== state || run.finishedAt !== finishedAt) {
      // Before it is written, so that two jobs that end together do not record the end of the run twice.
      run.finishedAt = finishedAt;
      run.storedState = state;
      const events = finishedAt === null ? [] : runEnded(run, registry.summary(run), finishedAt);
      await setRunState(db, run.row.id, state, finishedAt, events);
      if (events.length > 0) onAlert?.();
      if (!isOpen) onRunEnd?.(run.row.id);
      if (!isOpen) log.write("info", `Run ${run.row.id}: ${state}`, run.row.id);
    }
    registry.publish(run);
  }

  #change(job: JobRecord, transition: JobTransition, stage: Stage, counters?: Counters): void {
    job.state = JOB_TRANSITIONS[transition].to;
    this.dependencies.registry.stopWork(job);
    this.dependencies.registry.stage(job, stage, counters);
  }

  /** Records what was done with those jobs that were moved. */
  async #audit(
    run: RunRecord,
    jobs: readonly JobRecord[],
    moved: ReadonlySet<number>,
    entry: {
      readonly action: JobAction | "refetch";
      readonly whole?: boolean;
      readonly before: Readonly<Record<string, number>>;
      readonly fetchMode?: FetchMode;
    },
  ): Promise<void> {
    const { action, whole, before, fetchMode } = entry;
    const symbols = jobs.filter(({ id }) => moved.has(id)).map(({ symbol }) => symbol);
    if (symbols.length === 0) return;
    await record(this.dependencies.db, {
      action: `${whole ? "run" : "job"}.${action}`,
      subject: whole || symbols.length > 1 ? run.row.id : symbols[0]!,
      before,
      after: { run: run.row.id, symbols, ...(fetchMode && { asks: fetchMode }) },
    });
  }
}

const idsOf = (jobs: readonly JobRecord[]) => jobs.map(({ id }) => id);

function countStates(jobs: readonly JobRecord[]): Record<string, number> {
  const byState = Map.groupBy(jobs, ({ state }) => state);
  return Object.fromEntries([...byState].map(([state, { length }]) => [state, length]));
}

/** What is stored of a job with its state: what a restart shows, so not what a queued job waits for. */
function rowOf({ state, stage, percent, workedMs, workerCrashes }: JobRecord) {
  const { status, microStage } = describeStage(state === "queued" ? QUEUED : stage);
  return { status, microStage, progress: percent, workedMs, workerCrashes };
}

/** The stage of a job that a person stops, with the time at which that was asked for. */
function stopped(action: StopAction): JobPosition["stage"] {
  const at = writeMoment(Date.now(), "UTC", "second");
  switch (action) {
    case "pause":
      return { stage: "stopped", status: "Paused", reason: `Paused by you since ${at}` };
    case "cancel":
      return { stage: "stopped", status: "Cancelled", reason: `Cancelled by you at ${at}` };
    case "skip":
      return { stage: "stopped", status: "Skipped", reason: `Skipped by you at ${at}` };
  }
}
