/** The pool of worker threads: starts them as jobs need them, shares the jobs out, replaces one that crashes, ends idle ones. */

import type { StorageTrouble } from "../../domain/errors.ts";
import { threadModule } from "../../installation.ts";
import { IdleTimer } from "../idle-timer.ts";
import { isHold } from "../leased-permits.ts";
import type { FromWorker, Outcome, ProviderVariables, StopReason, SymbolTask, WorkerSettings } from "../messages.ts";
import { Assignment, type TaskListener } from "./assignment.ts";
import type { Gate } from "./gate.ts";
import { isFree, JobCounts, leastBusy, ThreadDemand } from "./job-counts.ts";
import { SharedAnswers } from "./shared-answers.ts";
import { type PoolThread, reasonOf, WorkerCrashed, WorkerHandle } from "./worker-handle.ts";

const WORKER = threadModule("pipeline/workers");

/** Failed starts in a row after which no worker is started again. */
const MAX_FAILED_STARTS = 5;

export class WorkerPool {
  readonly #workers = new Set<PoolThread>();
  /** The providers of which a thread has asked for permits ahead since these were last recalled. */
  readonly #leasing = new WeakMap<PoolThread, Set<string>>();
  /** Jobs that no thread has yet, in order. */
  readonly #queue: Assignment[] = [];
  /** The thread kept for jobs that must be alone, while there are any. */
  #reserved: WorkerHandle | null = null;
  readonly #counts = new JobCounts();
  #onStorage: (thread: object, trouble: StorageTrouble | null) => void = () => {};
  /** Threads that ended by themselves since the start. */
  crashes = 0;
  readonly #answers = new SharedAnswers();
  #failedStarts = 0;
  #lastExit = "";
  #closed = false;
  readonly #idle: IdleTimer;
  readonly #demand: ThreadDemand;
  /** Threads that had no job for long and close now. */
  readonly #ending = new Set<Promise<void>>();

  /**
   * @param script the worker's module; tests replace it by one that crashes
   * @param idleMs how long threads stay when no job is left
   */
  constructor(
    readonly size: number,
    private settings: WorkerSettings,
    private readonly gate: Gate,
    private readonly script: URL = WORKER,
    idleMs?: number,
    lookMs?: number,
  ) {
    this.#idle = new IdleTimer(() => this.#endIdle(), idleMs);
    this.#demand = new ThreadDemand(
      () => this.#own,
      (jobs) => this.#spawnMore(jobs),
      lookMs,
    );
  }

  /** Starts all workers now, for measurements of jobs alone. */
  warm(): void {
    while (this.#canSpawn) this.#spawn();
  }

  /** Threads for jobs: those that this process may start, and those of workers on other machines that are not silent. */
  get threads(): number {
    const elsewhere = [...this.#workers].filter((worker) => !(worker instanceof WorkerHandle) && !worker.isSilent);
    return this.size + elsewhere.length;
  }

  /** Adds a thread of another machine. */
  attach(thread: PoolThread): void {
    this.#workers.add(thread);
    this.#assign();
  }

  /** Removes a thread of another machine and rejects its jobs with `error`. */
  detach(thread: PoolThread, error: Error): void {
    if (!this.#workers.delete(thread)) return;
    this.#onStorage(thread, null);
    this.#rejectJobs(thread, error);
    this.#assign();
  }

  /** The worker of a thread became silent, or was heard of again: its jobs take no place of others meanwhile, or do again. */
  silenceChanged(thread: PoolThread): void {
    for (const assignment of thread.jobs.values()) this.#counts.setAside(assignment, thread.isSilent);
    if (!thread.isSilent) this.#assign();
  }

  /** The fewest jobs of a thread, of those whose worker is chosen, that has room and computes nothing; ∞: there is none. */
  fewestJobs(isChosen: (host: object | null) => boolean): number {
    if (isChosen(null) && this.#canSpawn) return 0;
    const free = this.#workers.values().filter((thread) => isChosen(thread.host) && thread.hasRoom && isFree(thread));
    return Math.min(...free.map(({ jobs }) => jobs.size));
  }

  get #local(): WorkerHandle[] {
    return [...this.#workers].filter((worker) => worker instanceof WorkerHandle);
  }

  /** Workers that are ready for jobs or have some. */
  get alive(): number {
    return [...this.#workers].filter((worker) => worker.ready).length;
  }

  /** Whether workers can be started, as far as is known: the last start did not fail, or none was needed yet. */
  get canStart(): boolean {
    return this.#failedStarts === 0;
  }

  /** Workers that should be up: those that were started for jobs, and all of them when none can be started. */
  get wanted(): number {
    return this.canStart ? this.#workers.size : this.size;
  }

  /** How many of its jobs use no thread. */
  get counts(): Omit<JobCounts, "setWaiting" | "setCommitting" | "setAside" | "end"> {
    return this.#counts;
  }

  /** Calls `listener` when the writes of a thread start to wait for the database, and with `null` when that is over. */
  watchStorage(listener: (thread: object, trouble: StorageTrouble | null) => void): void {
    this.#onStorage = listener;
  }

  /** The database can be written again: the threads try at once, and not only after their pause. */
  storageRecovered(): void {
    for (const worker of this.#workers) worker.send({ type: "storage_recovered" });
  }

  /**
   * Runs one job: `alone` on a thread that has no other; else on a free one of its taker, or on the one that has the fewest.
   * @param taker the worker that took its key from the queue; `null`: this process did
   * @throws WorkerCrashed when the worker ended before the job, or none can be started
   */
  run(task: SymbolTask, listener: TaskListener, alone = false, taker: object | null = null): Promise<Outcome> {
    this.#idle.stop();
    const assignment = new Assignment(task, listener, alone, taker);
    if (this.#closed) assignment.resolve({ kind: "stopped", reason: "shutdown" });
    else if (this.#workers.size === 0 && !this.#canSpawn) assignment.reject(new WorkerCrashed(this.#lastExit));
    else {
      this.#queue.push(assignment);
      this.#counts.setWaiting(assignment, alone);
    }
    this.#assign();
    return assignment.outcome;
  }

  /** Stops a job: a waiting one at once, a running one at its next checkpoint. */
  stop(jobId: number, reason: StopReason): void {
    const place = this.#queue.findIndex(({ task }) => task.jobId === jobId);
    if (place >= 0) this.#endUnstarted(this.#queue.splice(place, 1), reason);
    for (const worker of this.#workers) if (worker.jobs.has(jobId)) worker.send({ type: "stop", jobId, reason });
  }

  /** Changes the providers' variables; running jobs keep those they started with. */
  configure({ providerValues, secrets }: ProviderVariables): void {
    this.settings = { ...this.settings, providerValues, secrets };
    for (const worker of this.#workers) worker.send({ type: "configure", providerValues, secrets });
  }

  /** Stops every job at its next batch and waits until all workers have closed. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#idle.stop();
    this.#demand.watch(false);
    this.#endUnstarted(this.#queue.splice(0), "shutdown");
    await Promise.all([...[...this.#workers].map((worker) => worker.shutDown()), ...this.#ending]);
    this.#workers.clear();
  }

  /** Ends the threads, which have had no job for long; one whose writes wait goes on until they are done. */
  #endIdle(): void {
    for (const worker of this.#local) {
      if (worker.inTrouble || worker.jobs.size > 0) continue;
      this.#workers.delete(worker);
      const ending = worker.shutDown();
      this.#ending.add(ending);
      void ending.then(() => this.#ending.delete(ending));
    }
    if (this.#local.length > 0) this.#idle.start();
  }

  #endUnstarted(assignments: readonly Assignment[], reason: StopReason): void {
    for (const assignment of assignments) {
      this.#counts.setWaiting(assignment, false);
      assignment.resolve({ kind: "stopped", reason });
    }
    this.#assign();
  }

  /** Whether another worker may be started: there is room, and the last starts did not all fail. */
  get #canSpawn(): boolean {
    return !this.#closed && this.#local.length < this.size && this.#failedStarts < MAX_FAILED_STARTS;
  }

  /** Assigns jobs to threads as far as there are threads for them, and starts threads for the others. */
  #assign(): void {
    if (this.#closed) return;
    this.#reserve();
    for (const assignment of this.#queue.splice(0)) {
      const worker = this.#workerFor(assignment);
      if (worker === null) this.#queue.push(assignment);
      else this.#give(worker, assignment);
    }
    // The first is started at once, further ones when it does not suffice.
    if (this.#queue.some(({ alone }) => !alone) && this.#own.length === 0) this.#spawnMore(1);
    const isIdle = this.#queue.length === 0 && this.#workers.values().every(({ jobs }) => jobs.size === 0);
    if (isIdle) this.#idle.start();
    this.#demand.watch(!isIdle && this.#canSpawn);
  }

  #spawnMore(threads: number): void {
    for (let started = 0; started < threads && this.#canSpawn; started++) this.#spawn();
    if (!this.#canSpawn) this.#demand.watch(false);
  }

  /** Keeps a thread free of other jobs while some must be alone; they take it one after the other. */
  #reserve(): void {
    const isAlone = ({ alone }: Assignment) => alone;
    if (!this.#queue.some(isAlone) && !this.#reserved?.jobs.values().some(isAlone)) this.#reserved = null;
    else if (this.#reserved === null) {
      const least = leastBusy(this.#local);
      this.#reserved = (least === null || least.jobs.size > 0) && this.#canSpawn ? this.#spawn() : least;
    }
  }

  /** The threads for jobs that share one; `#own`: those of this process. */
  get #shared(): PoolThread[] {
    return [...this.#workers].filter((worker) => worker !== this.#reserved);
  }
  get #own(): WorkerHandle[] {
    return this.#local.filter((worker) => worker !== this.#reserved);
  }

  #workerFor({ alone, task, taker }: Assignment): PoolThread | null {
    const reserved = this.#reserved;
    if (alone) return reserved?.ready && reserved.jobs.size === 0 ? reserved : null;
    const shared = this.#shared;
    const fitting = shared.filter((worker) => worker.ready && worker.takes(task));
    const own = taker && leastBusy(fitting.filter((worker) => worker.host === taker && isFree(worker)));
    if (own !== null) return own;
    const least = leastBusy(fitting);
    // The first thread of this process has no job yet and is worth the wait.
    const isFirstToCome = this.#own.length === 0 ? this.#canSpawn : this.#own.every(({ ready }) => !ready);
    return least === null || (least.jobs.size > 0 && isFirstToCome) ? null : least;
  }

  #give(worker: PoolThread, assignment: Assignment): void {
    const hasOthers = this.#queue.length > 0 || this.#workers.values().some(({ jobs }) => jobs.size > 0);
    worker.jobs.set(assignment.task.jobId, assignment);
    worker.send({ type: "task", task: assignment.task, hasOthers });
    this.#counts.setWaiting(assignment, false);
  }

  #spawn(): WorkerHandle {
    const worker = new WorkerHandle(new Worker(this.script, { name: "barkeep-worker" }));
    this.#workers.add(worker);
    worker.thread.addEventListener("message", ({ data }: MessageEvent<FromWorker[]>) => {
      for (const message of data) this.receive(worker, message);
    });
    worker.thread.addEventListener("error", (event) => this.#onExit(worker, event.message));
    worker.thread.addEventListener("close", () => this.#onExit(worker, "the thread ended"));
    worker.send({ type: "open", settings: this.settings });
    return worker;
  }

  /** Takes what a thread reports. */
  receive(worker: PoolThread, message: FromWorker): void {
    if (message.type === "storage") {
      worker.inTrouble = message.trouble !== null;
      this.#onStorage(worker, message.trouble);
      return;
    }
    if (message.type === "ready") {
      worker.ready = true;
      this.#failedStarts = 0;
      this.#assign();
      return;
    }
    const assignment = worker.jobs.get(message.jobId);
    if (assignment === undefined) return;
    switch (message.type) {
      case "stage":
        assignment.listener.stage(message.stage, message);
        break;
      case "left_out":
        assignment.listener.leftOut(message.cuts);
        return;
      case "coverage":
        assignment.listener.coverage(message.coverage);
        break;
      case "log":
        assignment.listener.log(message.level, message.message);
        break;
      case "alert":
        assignment.listener.alert();
        break;
      case "acquire":
        void assignment.acquire(this.gate, worker, message, {
          changed: () => this.#countRequests(assignment),
          // What others have ahead and do not use now is for it.
          waits: () => this.#recall(message.provider),
        });
        break;
      case "lease":
        this.#leasing.getOrInsertComputed(worker, () => new Set()).add(message.provider);
        void assignment.lease(this.gate, worker, message);
        return;
      case "use":
        assignment.use(message.request);
        this.#countRequests(assignment);
        break;
      case "unused":
        assignment.returnUnused(message.requests);
        return;
      case "release":
        assignment.permits.get(message.request)?.abort?.abort();
        this.#forget(assignment, message.request);
        break;
      case "settle": {
        // Kept until the job ends: a permit is settled when the answer arrives, and again when it has been read.
        const permit = assignment.permits.get(message.request);
        permit?.settle?.(message.report);
        if (permit) permit.open = false;
        this.#countRequests(assignment);
        const { provider, repairProvider } = assignment.task;
        if (isHold(message.report)) for (const each of [provider, repairProvider ?? provider]) this.#recall(each);
        break;
      }
      case "share":
      case "share_made":
      case "share_failed":
      case "share_left":
        this.#answers.receive(message, assignment, worker, () => this.#countRequests(assignment));
        break;
      case "committing":
        this.#counts.setCommitting(assignment, message.isCommitting);
        break;
      case "outcome":
        worker.jobs.delete(message.jobId);
        assignment.forgetPermits("said");
        this.#answers.leaveAll(assignment);
        this.#counts.end(assignment);
        assignment.resolve(message.outcome);
        this.#assign();
    }
  }

  /** Drops what a run that has ended has shared. */
  forgetRun(runId: string): void {
    this.#answers.forget(runId);
  }

  #forget(assignment: Assignment, request: number): void {
    assignment.permits.delete(request);
    this.#countRequests(assignment);
  }

  #countRequests(assignment: Assignment): void {
    this.#counts.setWaiting(assignment, assignment.hasOpenRequests);
  }

  /** A provider holds requests, or one waits: permits that were leased ahead are not used any more. */
  #recall(provider: string): void {
    for (const worker of this.#workers)
      if (this.#leasing.get(worker)?.delete(provider)) worker.send({ type: "recall", provider });
  }

  #rejectJobs(worker: PoolThread, error: Error): void {
    for (const assignment of worker.jobs.values()) {
      assignment.forgetPermits(worker.host === null ? "dead" : "away");
      this.#answers.leaveAll(assignment);
      this.#counts.end(assignment);
      assignment.reject(error);
    }
    worker.jobs.clear();
  }

  /** Replaces a worker that ended by itself and rejects its jobs. */
  #onExit(worker: WorkerHandle, why: string): void {
    if (!this.#workers.delete(worker)) return;
    this.crashes += 1;
    if (this.#reserved === worker) this.#reserved = null;
    this.#onStorage(worker, null);
    this.#lastExit = reasonOf(why);
    this.#rejectJobs(worker, new WorkerCrashed(this.#lastExit));
    if (this.#closed) return;
    if (!worker.ready) this.#failedStarts += 1;
    if (this.#canSpawn) this.#spawn();
    else if (this.#workers.size === 0) {
      for (const assignment of this.#queue.splice(0)) {
        this.#counts.setWaiting(assignment, false);
        assignment.reject(new WorkerCrashed(this.#lastExit));
      }
    }
    this.#assign();
  }
}
