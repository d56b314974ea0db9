/** Starts, lists and controls runs and their jobs, for routes, the command line and schedules. */

import { invalid, Refusal } from "../../domain/errors.ts";
import { describeStage, type JobProgress, type Stage } from "../../domain/runs/progress.ts";
import type { FetchMode } from "../../domain/runs/refetch.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import {
  canApply,
  JOB_TRANSITIONS,
  type JobAction,
  type JobTransition,
  type RunAction,
} from "../../domain/runs/states.ts";
import type { ProgressHub } from "../../hub.ts";
import type { Log } from "../../log.ts";
import type { Provider } from "../../providers/provider.ts";
import type { QuotaState } from "../../providers/quotas/account.ts";
import { record } from "../../storage/access/audit.ts";
import { type Database, isUniqueViolation, type Write } from "../../storage/db.ts";
import type { PageWindow } from "../../storage/pagination.ts";
import { saveWork } from "../../storage/runs/jobs.ts";
import { listRuns, type RunFilter } from "../../storage/runs/run-list.ts";
import {
  countJobs,
  failJobs,
  findRun,
  insertRun,
  type JobPatch,
  jobsOfRun,
  moveJobs,
  openRuns,
  type RunRow,
  setRunState,
} from "../../storage/runs/runs.ts";
import type { JobQueue } from "../queue/job-queue.ts";
import { refuseActive } from "./active-jobs.ts";
import { plannedCoverage, readCoverage } from "./job-batches.ts";
import { stageOf } from "./job-control.ts";
import { jobFailed, runEnded } from "./run-events.ts";
import {
  type Counters,
  type JobRecord,
  patchOf,
  progressOfRow,
  type RunRecord,
  RunRegistry,
  summaryOfRows,
} from "./run-registry.ts";
import { type RunRequest, refuseContradictions, runRow } from "./run-request.ts";

/** Finished runs that stay in memory for the screen; older ones are read from the database. */
const KEPT_FINISHED = 5;
/** Shortest time between two totals of the same run on the screen, milliseconds. */
const SUMMARY_MS = 250;

/** What is written of a job that leaves its worker, besides its state. */
type Ending = JobPatch & { readonly counters?: Counters | undefined };

export interface RunServiceOptions {
  readonly db: Database;
  readonly hub: ProgressHub;
  readonly log: Log;
  readonly queue: JobQueue;
  /** The provider of that name, or `undefined`. */
  provider(name: string): Provider | undefined;
  readonly defaults: { readonly provider: string; readonly maxWorkers: number };
  /** Something was recorded that is worth a mail. */
  onAlert?(): void;
  /** Bars were taken in. */
  onBars?(bars: number): void;
  /** What the limits of a provider allow now. */
  quotaOf?(provider: string): QuotaState | undefined;
  /** Tells the worker that has the job to stop it. */
  stopWork(jobId: number, reason: "pause" | "cancel" | "skip"): void;
}

export class RunService {
  readonly registry: RunRegistry;
  readonly #dirty = new Set<RunRecord>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  constructor(private readonly options: RunServiceOptions) {
    this.registry = new RunRegistry(options);
  }

  /** Queues the runs again that a restart interrupted. */
  async recover(): Promise<void> {
    const { db, queue, log } = this.options;
    for (const row of await openRuns(db)) {
      const rows = await jobsOfRun(db, row.id);
      const interrupted = rows.filter((job) => job.state === "running").map((job) => job.id);
      await moveJobs(db, interrupted, "requeue", { ...describeStage({ stage: "queued" }), progress: 0 });
      const present = interrupted.length > 0 ? await jobsOfRun(db, row.id) : rows;
      const run = this.registry.open(row, present, await readCoverage(db, row, present));
      const waiting = [...run.jobs.values()].filter((job) => job.state === "queued");
      queue.limitGroup(row.id, row.maxWorkers);
      queue.enqueue(waiting.map((job) => ({ key: job.key, group: row.id })));
      if (waiting.length > 0) log.write("info", `Resuming run ${row.id}: ${waiting.length} symbols to go`, row.id);
      await this.#reconcile(run);
    }
  }

  /**
   * Starts a run: stored whole or not at all, then queued.
   * @param extraWrites what to write in the same transaction, given the run's id
   * @throws Refusal if the provider is unknown or has no such interval, or a symbol is active at this interval
   */
  async start(request: RunRequest, extraWrites?: (runId: string) => readonly Write[]): Promise<RunSummary> {
    const { db, queue, log, defaults } = this.options;
    const { symbols, interval } = request;
    const name = request.provider ?? defaults.provider;
    const provider = this.options.provider(name);
    if (provider === undefined) throw invalid("provider", `${JSON.stringify(name.slice(0, 40))} is no known provider`);
    if (!provider.intervals.includes(interval)) {
      throw invalid("interval", `${provider.title} has no ${interval} bars, only ${provider.intervals.join(", ")}`);
    }
    refuseContradictions(request, provider, this.options.provider);
    await refuseActive(db, symbols, interval);
    const row = runRow(request, provider, defaults.maxWorkers, Date.now());
    try {
      await insertRun(db, row, symbols, extraWrites?.(row.id));
    } catch (error) {
      // Another order for the same symbol came first, between the check above and this write.
      if (isUniqueViolation(error)) await refuseActive(db, symbols, interval);
      throw error;
    }
    const jobs = await jobsOfRun(db, row.id);
    const run = this.registry.runs.get(row.id) ?? this.registry.open(row, jobs, plannedCoverage(row));
    log.write("info", `Run ${row.id}: ${symbols.length} symbols, ${request.mode}, ${interval}, ${name}`, row.id);
    queue.limitGroup(row.id, row.maxWorkers);
    queue.enqueue([...run.jobs.values()].map((job) => ({ key: job.key, group: row.id })));
    this.#forgetOld();
    return this.registry.summary(run);
  }

  /** A page of the runs that pass the filter, with their totals, newest first. */
  async list(filter: RunFilter, window: PageWindow) {
    const { db } = this.options;
    const { rows, older, newer } = await listRuns(db, filter, window);
    const ids = rows.map(({ id }) => id);
    const counted = Map.groupBy(await countJobs(db, ids), ({ runId }) => runId);
    const summary = (row: RunRow): RunSummary => {
      const open = this.registry.runs.get(row.id);
      return open ? this.registry.summary(open) : summaryOfRows(row, counted.get(row.id) ?? []);
    };
    return { runs: rows.map(summary), older, newer };
  }

  /**
   * A run with its jobs as they are now.
   * @throws Refusal if there is no such run
   */
  async read(runId: string): Promise<{ run: RunSummary; jobs: JobProgress[] }> {
    const open = this.registry.runs.get(runId);
    if (open) return { run: this.registry.summary(open), jobs: [...open.jobs.values()].map((job) => job.progress) };
    const { db } = this.options;
    const row = await findRun(db, runId);
    if (row === undefined) throw noRun(runId);
    const jobs = (await jobsOfRun(db, runId)).map((job) => ({ ...progressOfRow(job), seq: 0 }));
    return { run: summaryOfRows(row, await countJobs(db, [runId]), jobs), jobs };
  }

  /** @throws Refusal if there is no such run, or none of its jobs can do that */
  async actOnRun(runId: string, action: RunAction): Promise<RunSummary> {
    const { states, state, open } = await this.#find(runId);
    if (![...states.values()].some((each) => canApply(action, each))) {
      throw new Refusal("conflict", `Run ${runId} is ${state}: nothing in it to ${action}`);
    }
    const run = open();
    const jobs = [...run.jobs.values()].filter((job) => canApply(action, job.state));
    if (jobs.length > 0) await this.act(run, jobs, action, { whole: true });
    return this.registry.summary(run);
  }

  /**
   * Acts on every job that `picks` chooses and whose state allows the action.
   * @param expected the number the person confirmed; if it has changed, nothing is done
   * @returns the symbols acted on, or how many it would be
   * @throws Refusal if there is no such run, or nothing in it to act on
   */
  async actOnJobs(
    runId: string,
    action: JobAction,
    picks: (job: JobProgress) => boolean,
    expected?: number,
  ): Promise<{ symbols: string[] } | { instead: number }> {
    const run = await this.open(runId);
    const jobs = [...run.jobs.values()].filter((job) => canApply(action, job.state) && picks(job.progress));
    if (jobs.length === 0) throw new Refusal("conflict", `Nothing that matches can ${action} any more`);
    if (expected !== undefined && jobs.length !== expected) return { instead: jobs.length };
    await this.act(run, jobs, action);
    return { symbols: jobs.map((job) => job.symbol) };
  }

  /** @throws Refusal if there is no such job, or its state does not allow the action */
  async actOnJob(runId: string, symbol: string, action: JobAction): Promise<JobRecord> {
    const { states, open } = await this.#find(runId);
    const state = states.get(symbol);
    if (state === undefined) throw new Refusal("not_found", `Run ${runId} has no symbol ${symbol}`);
    if (!canApply(action, state)) {
      const wanted = JOB_TRANSITIONS[action].from.join(", ");
      throw new Refusal("conflict", `${symbol} is ${state}: ${action} needs it to be ${wanted}`);
    }
    const run = open();
    const job = run.jobs.get(symbol)!;
    await this.act(run, [job], action);
    return job;
  }

  /**
   * A run in memory, brought there if only the database knows it.
   * @throws Refusal if there is no such run
   */
  async open(runId: string): Promise<RunRecord> {
    return (await this.#find(runId)).open();
  }

  /** Notes that a job changed in a way that shows in the totals of its run. */
  touch(run: RunRecord): void {
    this.#dirty.add(run);
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => this.#summarise(), SUMMARY_MS);
  }

  /** Brings the state of a run in line with its jobs, in memory, on disk and on the screen. */
  async #reconcile(run: RunRecord): Promise<void> {
    const { state } = this.registry.summary(run);
    const open = state === "running" || state === "paused";
    const finishedAt = open ? null : (run.finishedAt ?? Date.now());
    if (run.row.state !== state || run.finishedAt !== finishedAt) {
      run.finishedAt = finishedAt;
      run.row.state = state;
      const events = finishedAt === null ? [] : runEnded(run, this.registry.summary(run), finishedAt);
      await setRunState(this.options.db, run.row.id, state, finishedAt, events);
      if (events.length > 0) this.options.onAlert?.();
      if (!open) this.options.log.write("info", `Run ${run.row.id}: ${state}`, run.row.id);
    }
    this.#dirty.delete(run);
    this.options.hub.reportRun(this.registry.summary(run));
  }

  /** Notes that a worker takes the job up; false if it may not any more. */
  async begin(job: JobRecord): Promise<boolean> {
    if (job.state !== "queued") return false;
    job.state = "running";
    this.registry.startWork(job);
    await moveJobs(this.options.db, [job.id], "start", { startedAt: Date.now() });
    this.touch(job.run);
    // It may have been paused while that was written.
    return job.state === "running";
  }

  /** Puts a job that was in work back into the queue: in memory at once, then on disk, then its run. */
  async requeue(job: JobRecord, stage: Stage, { counters, ...patch }: Ending = {}): Promise<void> {
    this.#change(job, "requeue", stage, counters);
    await moveJobs(this.options.db, [job.id], "requeue", { ...patchOf(job, stage), ...patch });
    await this.#reconcile(job.run);
  }

  /** Ends jobs of one run with a reason that a person can act on. */
  async fail(jobs: readonly JobRecord[], reason: string, { counters, ...patch }: Ending = {}): Promise<void> {
    const stage = { stage: "failed", reason } as const;
    const at = Date.now();
    for (const job of jobs) {
      this.options.queue.cancel(job.key);
      this.#change(job, "fail", stage, counters);
    }
    const failures = jobs.map((job) => {
      return { id: job.id, patch: { ...patchOf(job, stage), ...patch }, event: jobFailed(job, reason, at) };
    });
    await failJobs(this.options.db, failures);
    if (jobs.length > 0) this.options.onAlert?.();
    if (jobs[0]) await this.#reconcile(jobs[0].run);
  }

  /** Ends every waiting job of a provider: none of them can succeed. */
  async failProvider(provider: string, reason: string): Promise<void> {
    for (const run of this.registry.runs.values()) {
      if (run.row.provider !== provider) continue;
      await this.fail(
        [...run.jobs.values()].filter((job) => job.state === "queued"),
        reason,
      );
    }
  }

  /** Takes in what a worker has written itself: the job is complete. */
  async complete(job: JobRecord, seconds: number, counters: Required<Counters>): Promise<void> {
    this.registry.stopWork(job);
    // The worker's own time, but no clock on the screen ever goes back; row and text say the same.
    job.workedMs = Math.max(Math.round(seconds * 1000), job.progress.duration * 1000);
    job.state = "complete";
    this.registry.stage(job, { stage: "complete", seconds: job.workedMs / 1_000 }, counters);
    await this.#reconcile(job.run);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  #change(job: JobRecord, transition: JobTransition, stage: Stage, counters?: Counters): void {
    job.state = JOB_TRANSITIONS[transition].to;
    if (transition === "retry" || transition === "refetch") job.workerCrashes = 0;
    this.registry.stopWork(job);
    this.registry.stage(job, stage, counters);
  }

  /**
   * Acts on jobs of one run, whose states must allow it; `whole` if they stand for all of it.
   * @throws Refusal if one of them has become active in another run
   */
  async act(
    run: RunRecord,
    jobs: readonly JobRecord[],
    action: JobAction | "refetch",
    { whole = false, fetchMode = "unanswered" }: { whole?: boolean; fetchMode?: FetchMode } = {},
  ): Promise<void> {
    const { db, queue } = this.options;
    const stage = stageOf(action);
    const isAgain = action === "retry" || action === "refetch";
    const before = Object.fromEntries(
      [...Map.groupBy(jobs, (job) => job.state)].map(([state, { length }]) => [state, length]),
    );
    const finishedAt = action === "cancel" || action === "skip" ? Date.now() : null;
    const wereRunning = jobs.filter((job) => job.state === "running");
    // What stops is stopped in memory first, so that nothing a worker still says is shown.
    if (!isAgain) for (const job of jobs) this.#change(job, action, stage);
    if (!isAgain && action !== "resume") {
      for (const job of jobs) queue.cancel(job.key);
      for (const job of wereRunning) this.options.stopWork(job.id, action);
    }
    const { progress: _, workedMs: __, ...shared } = patchOf(jobs[0]!, stage);
    const reset = isAgain
      ? { progress: 0, error: null, workerCrashes: 0, fetchMode }
      : action === "resume"
        ? { progress: 0 }
        : {};
    const ids = jobs.map((job) => job.id);
    const names = jobs.map((job) => job.symbol);
    const moved = await moveJobs(db, ids, action, { ...shared, ...reset, finishedAt }).catch(async (error) => {
      // A retry takes the symbol again; another run may have it by now.
      if (isUniqueViolation(error)) await refuseActive(db, names, run.row.interval);
      throw error;
    });
    const symbols = jobs.filter(({ id }) => moved.has(id)).map(({ symbol }) => symbol);
    if (symbols.length > 0) {
      await record(db, {
        action: `${whole ? "run" : "job"}.${action}`,
        subject: whole || symbols.length > 1 ? run.row.id : symbols[0]!,
        before,
        after: { run: run.row.id, symbols, ...(action === "refetch" && { asks: fetchMode }) },
      });
    }
    for (const job of isAgain ? jobs.filter(({ id }) => moved.has(id)) : []) {
      job.fetchMode = fetchMode;
      this.#change(job, action, stage);
    }
    for (const job of wereRunning) {
      // One that its worker completed a moment ago is not touched any more.
      if (moved.has(job.id)) await saveWork(db, job.id, { workedMs: job.workedMs, progress: job.progress.progress });
    }
    const queued = jobs.filter((job) => job.state === "queued");
    if (queued.length > 0) {
      queue.limitGroup(run.row.id, run.row.maxWorkers);
      queue.enqueue(queued.map((job) => ({ key: job.key, group: run.row.id })));
    }
    await this.#reconcile(run);
  }

  /** A run and the states of its jobs; one that is only in the database comes into memory when it is opened. */
  async #find(runId: string) {
    const { registry, options } = this;
    const known = registry.runs.get(runId);
    if (known) {
      const states = new Map([...known.jobs.values()].map((job) => [job.symbol, job.state]));
      return { states, state: registry.summary(known).state, open: () => known };
    }
    const row = await findRun(options.db, runId);
    if (row === undefined) throw noRun(runId);
    const rows = await jobsOfRun(options.db, runId);
    const states = new Map(rows.map((job) => [job.symbol, job.state]));
    const coverage = await readCoverage(options.db, row, rows);
    return { states, state: row.state, open: () => registry.runs.get(runId) ?? registry.open(row, rows, coverage) };
  }

  #forgetOld(): void {
    const finished = [...this.registry.runs.values()].filter((run) => run.finishedAt !== null);
    for (const run of finished.slice(0, Math.max(0, finished.length - KEPT_FINISHED))) {
      this.registry.runs.delete(run.row.id);
      this.options.hub.forget(run.row.id);
    }
  }

  #summarise(): void {
    this.#timer = null;
    for (const run of this.#dirty) this.options.hub.reportRun(this.registry.summary(run));
    this.#dirty.clear();
  }
}

const noRun = (runId: string) => new Refusal("not_found", `There is no run ${JSON.stringify(runId.slice(0, 60))}`);
