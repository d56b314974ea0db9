/** The pool of worker threads: starts them on demand, gives each one job at a time, and replaces one that crashes. */

import type { LogLevel } from "../../domain/log.ts";
import type { Coverage } from "../../domain/runs/coverage.ts";
import type { Stage, Wait } from "../../domain/runs/progress.ts";
import type { QuotaReport } from "../../providers/provider.ts";
import {
  type FromWorker,
  type Outcome,
  refused,
  type StopReason,
  type SymbolTask,
  type ToWorker,
  type WorkerSettings,
} from "../messages.ts";

/** Grants requests to the providers; one for all workers. */
export interface Gate {
  /** Resolves when the request may be sent; `held` is called with the cause and end of a wait. */
  acquire(request: {
    readonly provider: string;
    readonly cost: number;
    /** The requesting job, so that the limiter can be fair between runs and jobs. */
    readonly task: Pick<SymbolTask, "runId" | "jobId">;
    readonly signal: AbortSignal;
    held(wait: Wait): void;
  }): Promise<{ settle(report: QuotaReport): void }>;
}

/** Receives the reports of a running job. */
export interface TaskListener {
  stage(stage: Stage, counters: { readonly dataPoints: number; readonly apiCalls: number }): void;
  coverage(coverage: Coverage): void;
  log(level: LogLevel, message: string): void;
  /** The job recorded an event that may be mailed. */
  alert(): void;
}

/** The worker crashed during the job, which is neither done nor failed. */
export class WorkerCrashed extends Error {
  override readonly name = "WorkerCrashed";
}

/** One job from its task to its outcome. */
class Assignment {
  readonly permits = new Map<number, { abort: AbortController; settle?: (report: QuotaReport) => void }>();
  readonly #end = Promise.withResolvers<Outcome>();
  readonly outcome = this.#end.promise;
  readonly resolve = this.#end.resolve;
  readonly reject = this.#end.reject;
  constructor(
    readonly task: SymbolTask,
    readonly listener: TaskListener,
  ) {}
}

/** One thread and its current job. */
class WorkerHandle {
  assignment: Assignment | null = null;
  ready = false;
  constructor(readonly thread: Worker) {}

  send(message: ToWorker): void {
    this.thread.postMessage(message);
  }
}

const WORKER = new URL("./worker.ts", import.meta.url);

/** The message in an error that was printed with lines of source and a stack. */
function reasonOf(printed: string): string {
  const line = /^(?:error|\w*Error): (.+)$/m.exec(printed)?.[1];
  return line ?? (printed.trim().split("\n")[0] || "the thread ended");
}

/** Failed starts in a row after which no worker is started again. */
const MAX_FAILED_STARTS = 5;

export class WorkerPool {
  readonly #workers = new Set<WorkerHandle>();
  /** Jobs for which no worker is ready yet. */
  readonly #waiting: Assignment[] = [];
  #failedStarts = 0;
  #lastExit = "";
  #closed = false;

  /** @param script the worker's module; tests replace it by one that crashes */
  constructor(
    readonly size: number,
    private settings: WorkerSettings,
    private readonly gate: Gate,
    private readonly script: URL = WORKER,
  ) {}

  /** Starts all workers now, so that the first jobs do not wait for a start. */
  warm(): void {
    while (this.#canSpawn) this.#spawn();
  }

  /** Workers that are ready for jobs or have one. */
  get alive(): number {
    return [...this.#workers].filter((worker) => worker.ready).length;
  }

  /**
   * Runs one job on the next free worker.
   * @throws WorkerCrashed when the worker ended before the job, or none can be started
   */
  run(task: SymbolTask, listener: TaskListener): Promise<Outcome> {
    const assignment = new Assignment(task, listener);
    if (this.#closed) assignment.resolve({ kind: "stopped", reason: "shutdown" });
    else if (this.#workers.size === 0 && !this.#canSpawn) assignment.reject(new WorkerCrashed(this.#lastExit));
    else this.#waiting.push(assignment);
    this.#assign();
    return assignment.outcome;
  }

  /** Stops a job: a waiting one at once, a running one at its worker's next checkpoint. */
  stop(jobId: number, reason: StopReason): void {
    const place = this.#waiting.findIndex(({ task }) => task.jobId === jobId);
    if (place >= 0) this.#waiting.splice(place, 1)[0]!.resolve({ kind: "stopped", reason });
    for (const worker of this.#workers) {
      if (worker.assignment?.task.jobId === jobId) worker.send({ type: "stop", reason });
    }
  }

  /** Changes the providers' variables; running jobs keep those they started with. */
  configure(providerValues: WorkerSettings["providerValues"]): void {
    this.settings = { ...this.settings, providerValues };
    for (const worker of this.#workers) worker.send({ type: "configure", providerValues });
  }

  /** Stops every job at its next batch and waits until all workers have closed. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve({ kind: "stopped", reason: "shutdown" });
    await Promise.all([...this.#workers].map((worker) => this.#shutDown(worker)));
    this.#workers.clear();
  }

  async #shutDown(worker: WorkerHandle): Promise<void> {
    const gone = new Promise<void>((resolve) =>
      worker.thread.addEventListener("close", () => resolve(), { once: true }),
    );
    if (worker.assignment !== null) {
      worker.send({ type: "stop", reason: "shutdown" });
      await worker.assignment.outcome.catch(() => {});
    }
    // Never `terminate()`: a thread that is stopped inside a call of the database driver crashes the process. A thread
    // that is still starting closes when it is ready.
    worker.send({ type: "close" });
    await gone;
  }

  /** Whether another worker may be started: there is room, and the last starts did not all fail. */
  get #canSpawn(): boolean {
    return !this.#closed && this.#workers.size < this.size && this.#failedStarts < MAX_FAILED_STARTS;
  }

  /** Gives waiting jobs to free workers in order, and starts workers for the remaining jobs. */
  #assign(): void {
    let starting = 0;
    for (const worker of this.#workers) {
      if (this.#waiting.length === 0) return;
      if (!worker.ready) starting += 1;
      if (!worker.ready || worker.assignment !== null) continue;
      worker.assignment = this.#waiting.shift()!;
      worker.send({ type: "task", task: worker.assignment.task });
    }
    for (; starting < this.#waiting.length && this.#canSpawn; starting++) this.#spawn();
  }

  #spawn(): void {
    const worker = new WorkerHandle(new Worker(this.script, { name: "barkeep-worker" }));
    this.#workers.add(worker);
    worker.thread.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#onMessage(worker, data));
    worker.thread.addEventListener("error", (event) => this.#onExit(worker, event.message));
    worker.thread.addEventListener("close", () => this.#onExit(worker, "the thread ended"));
    worker.send({ type: "open", settings: this.settings });
  }

  #onMessage(worker: WorkerHandle, message: FromWorker): void {
    if (message.type === "ready") {
      worker.ready = true;
      this.#failedStarts = 0;
      this.#assign();
      return;
    }
    const { assignment } = worker;
    if (assignment === null) return;
    switch (message.type) {
      case "stage":
        assignment.listener.stage(message.stage, message);
        break;
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
        void this.#acquire(worker, assignment, message);
        break;
      case "release":
        assignment.permits.get(message.request)?.abort.abort();
        assignment.permits.delete(message.request);
        break;
      case "settle":
        // Kept until the job ends: a permit is settled when the answer arrives, and again when it has been read.
        assignment.permits.get(message.request)?.settle?.(message.report);
        break;
      case "outcome":
        worker.assignment = null;
        assignment.resolve(message.outcome);
        this.#assign();
    }
  }

  async #acquire(
    worker: WorkerHandle,
    assignment: Assignment,
    { request, provider, cost }: { request: number; provider: string; cost: number },
  ): Promise<void> {
    const abort = new AbortController();
    const permit: { abort: AbortController; settle?: (report: QuotaReport) => void } = { abort };
    assignment.permits.set(request, permit);
    try {
      const granted = await this.gate.acquire({
        provider,
        cost,
        task: assignment.task,
        signal: abort.signal,
        held: (wait) => worker.send({ type: "held", request, wait }),
      });
      permit.settle = granted.settle;
      worker.send({ type: "granted", request });
    } catch (error) {
      assignment.permits.delete(request);
      // The request was released because its job is being stopped.
      if (abort.signal.aborted) return;
      worker.send(refused(request, error));
    }
  }

  /** Replaces a worker that ended by itself and rejects its job. */
  #onExit(worker: WorkerHandle, why: string): void {
    if (!this.#workers.delete(worker)) return;
    const { assignment } = worker;
    worker.assignment = null;
    for (const { abort } of assignment?.permits.values() ?? []) abort.abort();
    this.#lastExit = reasonOf(why);
    assignment?.reject(new WorkerCrashed(this.#lastExit));
    if (this.#closed) return;
    if (!worker.ready) this.#failedStarts += 1;
    if (this.#canSpawn) this.#spawn();
    else if (this.#workers.size === 0) {
      for (const { reject } of this.#waiting.splice(0)) reject(new WorkerCrashed(this.#lastExit));
    }
  }
}
