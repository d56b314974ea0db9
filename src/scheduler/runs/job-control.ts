/**
 * Every change of a job's state. The tables come first, and memory follows what they took: a change that could not be written
 * has not happened, and while the database is in trouble everything waits where it is.
 *
 * | method      | 1              | 2      | 3                | 4         |
 * | ----------- | -------------- | ------ | ---------------- | --------- |
 * | stopJobs    | rows and audit | memory | queue and worker | reconcile |
 * | resumeJobs  | rows and audit | memory | enqueue          | reconcile |
 * | requeueJobs | rows and audit | memory | enqueue          | reconcile |
 */

import type { Coverage } from "../../domain/runs/coverage.ts";
import { advance, describeStage, type JobPosition, type Stage } from "../../domain/runs/progress.ts";
import type { FetchMode } from "../../domain/runs/refetch.ts";
import { runTitle } from "../../domain/runs/run-title.ts";
import { isActive, JOB_TRANSITIONS, type JobAction, type JobTransition } from "../../domain/runs/states.ts";
import { writeMoment } from "../../domain/time.ts";
import type { Log } from "../../log.ts";
import { auditMoved } from "../../storage/access/audit.ts";
import { type Database, isUniqueViolation, type Write } from "../../storage/db.ts";
import { putFirst, startJob, workOfStopped } from "../../storage/runs/jobs.ts";
import { failJobs, moveJobs, setRunState } from "../../storage/runs/runs.ts";
import type { JobDispatcher } from "../queue/dispatcher.ts";
import { refuseActive } from "./active-jobs.ts";
import { jobFailed, runEnded } from "./run-events.ts";
import { type Counters, describeRow, type JobRecord, keyOf, type RunRecord } from "./run-records.ts";
import type { RunRegistry } from "./run-registry.ts";

/** What takes a job from its worker. */
export type StopAction = "pause" | "cancel" | "skip";

interface Dependencies {
  readonly db: Database;
  readonly log: Log;
  readonly dispatcher: JobDispatcher;
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
  /** Reads what is known of the batches of those jobs whose coverage has changed by it. */
  coverage?(): Promise<ReadonlyMap<JobRecord, Coverage | null>>;
  /** What else is written with it. */
  readonly writes?: readonly Write[];
}

const QUEUED = { stage: "queued" } as const;

/** Whether the jobs of an action stand for all of their run: the audit says so. */
interface Extent {
  readonly whole: boolean;
}

const SOME: Extent = { whole: false };

export class JobControl {
  /** What is being done to record the state of each run. */
  readonly #reconciling = new WeakMap<RunRecord, Promise<void>>();

  constructor(private readonly dependencies: Dependencies) {}

  /** Does what a person asks for with jobs of one run, whose states must allow it. */
  async act(run: RunRecord, jobs: readonly JobRecord[], action: JobAction, extent?: Extent): Promise<void> {
    if (action === "retry") await this.requeueJobs(run, jobs, action);
    else if (action === "resume") await this.resumeJobs(run, jobs, extent);
    else await this.stopJobs(run, jobs, action, extent);
  }

  async stopJobs(
    run: RunRecord,
    jobs: readonly JobRecord[],
    action: StopAction,
    { whole }: Extent = SOME,
  ): Promise<void> {
    const { db, dispatcher, stopWork, registry } = this.dependencies;
    const stage = stopped(action);
    const { status, microStage } = describeStage(stage);
    const finishedAt = action === "pause" ? null : Date.now();
    const atWork = jobs.filter(({ state }) => state === "running");
    const moved = await moveJobs(db, idsOf(jobs), action, { status, microStage, finishedAt }, [
      ...atWork.map((job) => workOfStopped(job.id, { workedMs: registry.workedMs(job), progress: job.percent })),
      ...auditOf(run, jobs, { action, whole, before: countStates(jobs) }),
    ]);
    // A job that its worker completed a moment ago is not changed any more.
    for (const job of jobs.filter(({ id }) => moved.has(id))) {
      const isAtWork = job.state === "running";
      this.#change(job, action, stage);
      dispatcher.cancel(keyOf(job));
      if (isAtWork) stopWork(job.id, action);
    }
    await this.reconcile(run);
  }

  async resumeJobs(run: RunRecord, jobs: readonly JobRecord[], { whole }: Extent = SOME): Promise<void> {
    const patch = { ...describeStage(QUEUED), progress: 0, finishedAt: null };
    const audit = auditOf(run, jobs, { action: "resume", whole, before: countStates(jobs) });
    const moved = await moveJobs(this.dependencies.db, idsOf(jobs), "resume", patch, audit);
    const resumed = jobs.filter(({ id }) => moved.has(id));
    for (const job of resumed) this.#change(job, "resume", QUEUED);
    this.enqueue(run, resumed);
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
    { fetchMode = "unanswered", coverage, writes = [] }: Requeue = {},
  ): Promise<void> {
    const { db } = this.dependencies;
    const audit = auditOf(run, jobs, {
      action,
      before: countStates(jobs),
      ...(action === "refetch" && { fetchMode }),
    });
    const start = { ...describeStage(QUEUED), progress: 0, error: null, workerCrashes: 0, fetchMode, finishedAt: null };
    const moved = await moveJobs(db, idsOf(jobs), action, start, [...writes, ...audit]).catch(async (error) => {
      const symbols = jobs.map(({ symbol }) => symbol);
      if (isUniqueViolation(error)) await refuseActive(db, symbols, run.row.interval);
      throw error;
    });
    const queued = jobs.filter(({ id }) => moved.has(id));
    const known = await coverage?.();
    for (const job of queued) {
      job.fetchMode = fetchMode;
      job.workerCrashes = 0;
      job.coverage = known?.get(job) ?? job.coverage;
      this.#change(job, action, QUEUED);
    }
    this.enqueue(run, queued);
    await this.reconcile(run);
  }

  /** Enqueues those of some jobs of a run that wait for a worker. */
  enqueue(run: RunRecord, jobs: Iterable<JobRecord>): void {
    const { dispatcher } = this.dependencies;
    const { id, maxWorkers } = run.row;
    const queued = [...jobs].filter(({ state }) => state === "queued");
    if (queued.length === 0) return;
    queued.sort((a, b) => (b.firstAt ?? 0) - (a.firstAt ?? 0));
    dispatcher.limitGroup(id, maxWorkers);
    dispatcher.enqueue(queued.map((job) => ({ key: keyOf(job), group: id })));
  }

  /** Puts a queued job before all others of its run; false if it has been started meanwhile. */
  async moveToFront(job: JobRecord): Promise<boolean> {
    const { db, dispatcher, registry } = this.dependencies;
    const at = Date.now();
    if (!(await putFirst(db, { id: job.id, symbol: job.symbol, runId: job.run.row.id }, at))) return false;
    job.firstAt = at;
    dispatcher.promote(keyOf(job));
    registry.show(job);
    return true;
  }

  /** Lets the parked jobs of a provider go on before their time. */
  wake(provider: string): void {
    for (const run of this.dependencies.registry.runs.values()) {
      if (run.row.provider === provider) this.enqueue(run, run.jobs.values());
    }
  }

  /**
   * Records that a worker starts the job; false if it may no longer do so.
   * @param mayWait whether the write may wait for those of others, because other jobs use the time
   * @param more what is written with it
   */
  async begin(job: JobRecord, mayWait = false, more: readonly Write[] = []): Promise<boolean> {
    const { db, registry } = this.dependencies;
    if (job.state !== "queued") return false;
    const { changes } = job;
    const started = await startJob(db, job.id, Date.now(), mayWait, more);
    // It may have been paused while that was written, before or after it, and even resumed.
    if (!started || job.changes !== changes) return false;
    job.state = "running";
    job.wait = null;
    job.firstAt = null;
    registry.startWork(job);
    registry.touch(job.run);
    return true;
  }

  /** Queues a running job again: in the database, then in memory, then its run. */
  async putBack(job: JobRecord, stage: Stage, counters?: Counters): Promise<void> {
    const { db, registry } = this.dependencies;
    const next = { ...job, ...advance(job, stage), state: "queued" as const, workedMs: registry.workedMs(job) };
    const moved = await moveJobs(db, [job.id], "requeue", rowOf(next));
    if (moved.size > 0) this.#change(job, "requeue", stage, counters);
    await this.reconcile(job.run);
  }

  /** Ends jobs of one run with a reason that a person can act on. */
  async fail(jobs: readonly JobRecord[], reason: string, counters?: Counters): Promise<void> {
    const { db, dispatcher, onAlert, stopWork, registry } = this.dependencies;
    const at = Date.now();
    const stage = { stage: "failed", reason } as const;
    const rows = jobs.map((job) => {
      const next = { ...job, ...advance(job, stage), state: "failed" as const, workedMs: registry.workedMs(job) };
      return { id: job.id, patch: rowOf(next), event: jobFailed(job, reason, at) };
    });
    const failed = await failJobs(db, rows);
    for (const job of jobs.filter(({ id }) => failed.has(id))) {
      const isAtWork = job.state === "running";
      dispatcher.cancel(keyOf(job));
      this.#change(job, "fail", stage, counters);
      // It may have begun while that was written.
      if (isAtWork) stopWork(job.id, "cancel");
    }
    if (failed.size > 0) onAlert?.();
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
    await this.reconcile(job.run, "soon");
  }

  /**
   * Updates the state of a run from its jobs: in the database, in memory and for viewers.
   * @param show when viewers get its totals if its state stays: they take longer the more jobs it has, and change with each
   */
  async reconcile(run: RunRecord, show: "now" | "soon" = "now"): Promise<void> {
    // One after the other: two jobs that end together record the end of their run once.
    const turn = (this.#reconciling.get(run) ?? Promise.resolve()).then(() => this.#reconcile(run, show));
    const settled = turn.catch(() => {});
    this.#reconciling.set(run, settled);
    await turn;
  }

  async #reconcile(run: RunRecord, show: "now" | "soon"): Promise<void> {
    const { db, log, registry, onAlert, onRunEnd } = this.dependencies;
    const state = registry.stateOf(run);
    const isOpen = isActive(state);
    const finishedAt = isOpen ? null : (run.finishedAt ?? Date.now());
    const isChanged = run.storedState !== state || run.finishedAt !== finishedAt;
    if (isChanged) {
      const events = finishedAt === null ? [] : runEnded(run, registry.summary({ ...run, finishedAt }), finishedAt);
      await setRunState(db, run.row.id, state, finishedAt, events);
      run.finishedAt = finishedAt;
      if (isOpen) run.acknowledgedAt = null;
      run.storedState = state;
      if (events.length > 0) onAlert?.();
      if (!isOpen) onRunEnd?.(run.row.id);
      if (!isOpen) log.write("info", `Run ${runTitle(describeRow(run.row))}: ${state}`, run.row.id);
    }
    if (isChanged || show === "now") registry.publish(run);
    else registry.touch(run);
  }

  #change(job: JobRecord, transition: JobTransition, stage: Stage, counters?: Counters): void {
    job.state = JOB_TRANSITIONS[transition].to;
    job.changes += 1;
    this.dependencies.registry.stopWork(job);
    this.dependencies.registry.stage(job, stage, counters);
  }
}

/** The statement that records what is done with those of some jobs that are moved. */
function auditOf(
  run: RunRecord,
  jobs: readonly JobRecord[],
  entry: {
    readonly action: JobAction | "refetch";
    readonly whole?: boolean;
    readonly before: Readonly<Record<string, number>>;
    readonly fetchMode?: FetchMode;
  },
): Write[] {
  const { action, whole, before, fetchMode } = entry;
  const [first] = jobs;
  if (first === undefined) return [];
  const name = `${whole ? "run" : "job"}.${action}`;
  const subject = whole || jobs.length > 1 ? run.row.id : first.symbol;
  const after = { run: run.row.id, symbols: [], ...(fetchMode && { asks: fetchMode }) };
  return auditMoved({ action: name, subject, before, after }, idsOf(jobs), JOB_TRANSITIONS[action].to);
}

const idsOf = (jobs: readonly JobRecord[]) => jobs.map(({ id }) => id);

function countStates(jobs: readonly JobRecord[]): Record<string, number> {
  const byState = Map.groupBy(jobs, ({ state }) => state);
  return Object.fromEntries([...byState].map(([state, { length }]) => [state, length]));
}

/** What is stored of a job with its state: what a restart shows, so not what a queued job waits for. */
function rowOf({
  state,
  stage,
  percent,
  workedMs,
  workerCrashes,
}: Pick<JobRecord, "state" | "stage" | "percent" | "workedMs" | "workerCrashes">) {
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
