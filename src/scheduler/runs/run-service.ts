/** Starts, lists and controls runs and their jobs, for routes, the command line and schedules. */

import { Refusal } from "../../domain/errors.ts";
import { leftOutOf } from "../../domain/plan.ts";
import { failureReasons } from "../../domain/runs/failures.ts";
import { describeStage, type JobProgress } from "../../domain/runs/progress.ts";
import { isUnacknowledged } from "../../domain/runs/queue/attention.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { runTitle } from "../../domain/runs/run-title.ts";
import { canApply, JOB_TRANSITIONS, type JobAction, type RunAction } from "../../domain/runs/states.ts";
import type { ProgressHub } from "../../hub.ts";
import type { Log } from "../../log.ts";
import type { Provider } from "../../providers/provider.ts";
import type { QuotaState } from "../../providers/quotas/quota-state.ts";
import { chunks, type Database, isUniqueViolation, type Write, yieldToEvents } from "../../storage/db.ts";
import type { PageWindow } from "../../storage/pagination.ts";
import { cutsOfRun } from "../../storage/runs/batches.ts";
import { listRuns, type RunFilter } from "../../storage/runs/run-list.ts";
import {
  acknowledgeRun,
  countJobs,
  findJob,
  findRun,
  insertRun,
  type JobCount,
  type JobRow,
  jobsOfRun,
  moveJobs,
  openRuns,
  type RunRow,
  speedOf,
  unacknowledgedRuns,
} from "../../storage/runs/runs.ts";
import type { JobDispatcher } from "../queue/dispatcher.ts";
import { refuseActive } from "./active-jobs.ts";
import { ratesPerMinute } from "./estimates/throughput.ts";
import { plannedCoverage, readCoverage } from "./job-batches.ts";
import { JobControl, type StopAction } from "./job-control.ts";
import { describeRow, type JobRecord, noCounts, progressOf, type RunRecord, recordOf, titleOf } from "./run-records.ts";
import { KEPT_FAILED, RunRegistry } from "./run-registry.ts";
import { providerFor, type RunRequest, runRow } from "./run-request.ts";

interface Dependencies {
  readonly db: Database;
  readonly hub: ProgressHub;
  readonly log: Log;
  readonly dispatcher: JobDispatcher;
  /** The provider of that name, or `undefined`. */
  provider(name: string): Provider | undefined;
  readonly defaults: { readonly provider: string; readonly maxWorkers: number };
  /** An alert event was recorded. */
  onAlert?(): void;
  /** Bars were stored. */
  onBars?(bars: number): void;
  /** A job has ended. */
  onEnd?(job: JobRecord): void;
  /** The quota state of a provider. */
  quotaOf?(provider: string): QuotaState | undefined;
  /** A run has ended. */
  onRunEnd?(runId: string): void;
  /** Tells the worker that has the job to stop it. */
  stopWork(jobId: number, reason: StopAction): void;
}

export class RunService {
  readonly registry: RunRegistry;
  readonly control: JobControl;

  constructor(private readonly dependencies: Dependencies) {
    this.registry = new RunRegistry(dependencies);
    this.control = new JobControl({ ...dependencies, registry: this.registry });
  }

  /** Queues the runs again that a restart interrupted. */
  async recover(): Promise<void> {
    const { db, log } = this.dependencies;
    for (const row of await openRuns(db)) {
      const rows = await jobsOfRun(db, row.id);
      const interrupted = rows.filter((job) => job.state === "running").map((job) => job.id);
      await moveJobs(db, interrupted, "requeue", { ...describeStage({ stage: "queued" }), progress: 0 });
      const present = interrupted.length > 0 ? await jobsOfRun(db, row.id) : rows;
      const run = await this.#openStored(row, present);
      const waiting = [...run.jobs.values()].filter((job) => job.state === "queued");
      this.control.enqueue(run, waiting);
      if (waiting.length > 0) log.write("info", `Resuming run ${row.id}: ${waiting.length} symbols to go`, row.id);
      await this.control.reconcile(run);
    }
    for (const row of await unacknowledgedRuns(db, KEPT_FAILED))
      await this.#openStored(row, await jobsOfRun(db, row.id));
  }

  /**
   * Starts a run: stored whole or not at all, then queued.
   * @param extraWrites what to write in the same transaction, given the run's id
   * @throws Refusal if the provider is unknown or has no such interval, or a symbol is active at this interval
   */
  async start(request: RunRequest, extraWrites?: (runId: string) => readonly Write[]): Promise<RunSummary> {
    const { db, log, defaults } = this.dependencies;
    const { symbols, interval } = request;
    const provider = providerFor(request, defaults.provider, this.dependencies.provider);
    await refuseActive(db, symbols, interval);
    const row = runRow(request, provider, defaults.maxWorkers, Date.now());
    try {
      await insertRun(db, row, symbols, extraWrites?.(row.id));
    } catch (error) {
      // Another request for the same symbol was stored between the check above and this write.
      if (isUniqueViolation(error)) await refuseActive(db, symbols, interval);
      throw error;
    }
    const jobs = await jobsOfRun(db, row.id);
    const run = this.registry.runs.get(row.id) ?? this.registry.open(row, jobs, plannedCoverage(row));
    const { jobs: earlier, workedMs, fetchMs } = await speedOf(db, provider.name);
    if (earlier > 0) run.meter.expect(Math.max(0, workedMs - fetchMs) / earlier);
    const count = symbols.length === 1 ? "1 symbol" : `${symbols.length} symbols`;
    log.write("info", `Run ${runTitle(describeRow(row))}: ${count}`, row.id);
    this.control.enqueue(run, run.jobs.values());
    this.registry.forgetOld();
    return this.registry.summary(run);
  }

  /** A page of the runs that match the filter, with their totals, newest first. */
  async list(filter: RunFilter, window: PageWindow) {
    const { db } = this.dependencies;
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
    if (open) return { run: this.registry.summary(open), jobs: jobsOf(open) };
    return this.#readStored(runId, (db) => jobsOfRun(db, runId));
  }

  /**
   * A run with one of its jobs, which is missing if the run has no such symbol, and with the others if it is not over.
   * @throws Refusal if there is no such run
   */
  async readJob(runId: string, symbol: string): Promise<{ run: RunSummary; jobs: JobProgress[] }> {
    if (this.registry.runs.has(runId)) return this.read(runId);
    return this.#readStored(runId, async (db) => [await findJob(db, runId, symbol)].filter((row) => row !== undefined));
  }

  async #readStored(runId: string, readJobs: (db: Database) => Promise<JobRow[]>) {
    const { db } = this.dependencies;
    const row = await findRun(db, runId);
    if (row === undefined) throw noRun(runId);
    const jobs: JobProgress[] = [];
    const cut: JobRecord[] = [];
    for (const part of chunks(await readJobs(db))) {
      if (jobs.length > 0) await yieldToEvents();
      const record = recordOf(row, part, () => null, await cutsOfRun(db, row, symbolsOf(part)));
      jobs.push(...jobsOf(record));
      cut.push(...[...record.jobs.values()].filter(({ leftOut }) => leftOut.length > 0));
    }
    const leftOut = leftOutOf(cut, titleOf(row.provider));
    return { run: { ...summaryOfRows(row, await countJobs(db, [runId]), jobs), leftOut }, jobs };
  }

  /** @throws Refusal if there is no such run, or the action applies to none of its jobs */
  async actOnRun(runId: string, action: RunAction): Promise<RunSummary> {
    const { states, state, open } = await this.#find(runId);
    if (![...states.values()].some((each) => canApply(action, each))) {
      throw new Refusal("conflict", `Run ${runId} is ${state}: nothing in it to ${action}`);
    }
    const run = await open();
    const jobs = [...run.jobs.values()].filter((job) => canApply(action, job.state));
    if (jobs.length > 0) await this.control.act(run, jobs, action, { whole: true });
    return this.registry.summary(run);
  }

  /**
   * Acts on every job that `picks` selects and whose state allows the action.
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
    const now = Date.now();
    const jobs = [...run.jobs.values()].filter((job) => canApply(action, job.state) && picks(progressOf(job, now)));
    if (jobs.length === 0) throw new Refusal("conflict", `Nothing that matches can ${action} any more`);
    if (expected !== undefined && jobs.length !== expected) return { instead: jobs.length };
    await this.control.act(run, jobs, action);
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
    const run = await open();
    const job = run.jobs.get(symbol)!;
    await this.control.act(run, [job], action);
    return job;
  }

  /**
   * Puts a queued job before all others of its run.
   * @throws Refusal if there is no such job, or it is not queued
   */
  async moveToFront(runId: string, symbol: string): Promise<void> {
    const { states, open } = await this.#find(runId);
    const state = states.get(symbol);
    if (state === undefined) throw new Refusal("not_found", `Run ${runId} has no symbol ${symbol}`);
    const job = state === "queued" ? (await open()).jobs.get(symbol) : undefined;
    if (job === undefined || !(await this.control.moveToFront(job))) {
      throw new Refusal("conflict", `${symbol} is ${job?.state ?? state}: only what is queued can be put first`);
    }
  }

  /**
   * Takes note of the failures of a run, so that the monitor shows it no longer.
   * @throws Refusal if there is no such run, or it has not ended with failures
   */
  async acknowledge(runId: string): Promise<RunSummary> {
    const { db } = this.dependencies;
    const { state, open } = await this.#find(runId);
    if (state !== "failed") throw new Refusal("conflict", `Run ${runId} is ${state}: it has not ended with failures`);
    const run = await open();
    if (run.acknowledgedAt === null) {
      const at = Date.now();
      await acknowledgeRun(db, runId, at);
      // It may have been retried while that was written.
      if (run.finishedAt !== null) run.acknowledgedAt = at;
      this.registry.publish(run);
    }
    const summary = this.registry.summary(run);
    this.registry.forgetOld();
    return summary;
  }

  /** Takes note of the failures of all runs in memory; returns how many runs those are. */
  async acknowledgeAll(): Promise<number> {
    const { registry } = this;
    const failed = [...registry.runs.values()].filter((run) => isUnacknowledged(registry.summary(run)));
    for (const { row } of failed) await this.acknowledge(row.id);
    return failed.length;
  }

  /**
   * A run in memory; it is loaded if it is only in the database.
   * @throws Refusal if there is no such run
   */
  async open(runId: string): Promise<RunRecord> {
    return (await this.#find(runId)).open();
  }

  close(): void {
    this.registry.close();
  }

  /** A run and the states of its jobs; one that is only in the database comes into memory when it is opened. */
  async #find(runId: string) {
    const { registry } = this;
    const { db } = this.dependencies;
    const known = registry.runs.get(runId);
    if (known) {
      const states = new Map([...known.jobs.values()].map((job) => [job.symbol, job.state]));
      return { states, state: registry.stateOf(known), open: () => known };
    }
    const row = await findRun(db, runId);
    if (row === undefined) throw noRun(runId);
    const rows = await jobsOfRun(db, runId);
    const states = new Map(rows.map((job) => [job.symbol, job.state]));
    return { states, state: row.state, open: () => this.#openStored(row, rows) };
  }

  /** Takes a run of the database into memory, unless it has come there meanwhile. */
  async #openStored(row: RunRow, rows: readonly JobRow[]): Promise<RunRecord> {
    const { db } = this.dependencies;
    const { runs } = this.registry;
    const coverage = await readCoverage(db, row, rows);
    const cuts = await cutsOfRun(db, row, symbolsOf(rows));
    return runs.get(row.id) ?? this.registry.open(row, rows, coverage, cuts);
  }
}

function jobsOf({ jobs }: RunRecord): JobProgress[] {
  const now = Date.now();
  return [...jobs.values()].map((job) => progressOf(job, now));
}

const symbolsOf = (rows: readonly JobRow[]) => rows.map(({ symbol }) => symbol);

/** The totals of a run that is no longer in memory, from the database; its failures come from `jobs`. */
function summaryOfRows(row: RunRow, counted: readonly JobCount[], jobs: readonly JobProgress[] = []): RunSummary {
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
    acknowledgedAt: row.acknowledgedAt,
    counts,
    total,
    stuck: 0,
    progress: row.finishedAt === null ? 0 : 100,
    dataPoints,
    newBars: null,
    apiCalls,
    gaps: sum((count) => count.gaps),
    failures: failureReasons(jobs),
    leftOut: [],
    ...(minutes > 0
      ? ratesPerMinute(counts.complete / minutes, dataPoints / minutes, apiCalls / minutes)
      : ratesPerMinute(0, 0, 0)),
    eta: null,
    blocked: null,
  };
}

const noRun = (runId: string) => new Refusal("not_found", `There is no run ${JSON.stringify(runId.slice(0, 60))}`);
