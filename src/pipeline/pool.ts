/** The pool of workers: hands each one job at a time, passes on what it says, and replaces it when it dies. */

import { messageOf, ProviderError } from "../domain/errors.ts";
import type { Stage } from "../domain/progress.ts";
import type { LogLevel } from "../domain/telemetry.ts";
import type { QuotaReport } from "../providers/provider.ts";
import type { FromWorker, Outcome, StopReason, SymbolTask, ToWorker, WorkerSettings } from "./messages.ts";

/** Who grants requests to the providers: one for all workers. */
export interface Gate {
  /** Resolves when the request may be sent; `held` is told why it waits. */
  acquire(request: {
    readonly provider: string;
    readonly cost: number;
    readonly task: SymbolTask;
    readonly signal: AbortSignal;
    held(reason: string): void;
  }): Promise<{ settle(report: QuotaReport): void }>;
}

/** What a job says while it runs. */
export interface TaskListener {
  stage(stage: Stage, counters: { readonly dataPoints: number; readonly apiCalls: number }): void;
  log(level: LogLevel, message: string): void;
}

/** The worker died while it had the job; the job itself is neither done nor failed. */
export class WorkerDied extends Error {
  override readonly name = "WorkerDied";
}

interface Assignment {
  readonly task: SymbolTask;
  readonly listener: TaskListener;
  readonly permits: Map<number, { abort: AbortController; settle?: (report: QuotaReport) => void }>;
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

/** One thread and the job it has. */
class Member {
  assignment: Assignment | null = null;
  ready = false;
  /** Promised to a job, from before it is handed over until its outcome is in. */
  busy = false;
  constructor(readonly thread: Worker) {}

  say(message: ToWorker): void {
    this.thread.postMessage(message);
  }
}

const WORKER = new URL("./worker.ts", import.meta.url);
/** Starts that may fail one after the other before the pool gives up on replacing workers. */
const MAX_FAILED_STARTS = 5;

export class WorkerPool {
  readonly #members = new Set<Member>();
  readonly #waiting: ((member: Member) => void)[] = [];
  #failedStarts = 0;
  #closed = false;

  /** @param script the worker's module; tests put a dying one in its place */
  constructor(
    readonly size: number,
    private readonly settings: WorkerSettings,
    private readonly gate: Gate,
    private readonly script: URL = WORKER,
  ) {
    for (let i = 0; i < size; i++) this.#hire();
  }

  /** Workers that are up. */
  get alive(): number {
    return [...this.#members].filter((member) => member.ready).length;
  }

  /**
   * Runs one job on the next free worker.
   * @throws WorkerDied when the worker went away before the job's end
   */
  async run(task: SymbolTask, listener: TaskListener): Promise<Outcome> {
    const member = await this.#take();
    return new Promise<Outcome>((resolve, reject) => {
      member.assignment = { task, listener, resolve, reject, permits: new Map() };
      member.say({ type: "task", task });
    });
  }

  /** Tells the worker that has the job to stop it; it answers with its outcome. */
  stop(jobId: number, reason: StopReason): void {
    for (const member of this.#members) {
      if (member.assignment?.task.jobId === jobId) member.say({ type: "stop", reason });
    }
  }

  /** Stops every job at its next batch, waits for the workers to close, and ends them. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#members].map((member) => this.#dismiss(member)));
    this.#members.clear();
  }

  async #dismiss(member: Member): Promise<void> {
    const gone = new Promise<void>((resolve) =>
      member.thread.addEventListener("close", () => resolve(), { once: true }),
    );
    if (member.assignment !== null) {
      const { assignment } = member;
      const ended = new Promise<void>((resolve) => {
        const { resolve: done, reject } = assignment;
        assignment.resolve = (outcome) => {
          done(outcome);
          resolve();
        };
        assignment.reject = (error) => {
          reject(error);
          resolve();
        };
      });
      member.say({ type: "stop", reason: "shutdown" });
      await ended;
    }
    if (member.ready) member.say({ type: "close" });
    else member.thread.terminate();
    await gone;
  }

  #take(): Promise<Member> {
    const free = [...this.#members].find((member) => member.ready && !member.busy);
    if (free) {
      free.busy = true;
      return Promise.resolve(free);
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #hire(): void {
    const member = new Member(new Worker(this.script, { name: "barkeep-worker" }));
    this.#members.add(member);
    member.thread.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => this.#hear(member, data));
    member.thread.addEventListener("error", (event) => this.#lose(member, event.message));
    member.thread.addEventListener("close", () => this.#lose(member, "the thread ended"));
    member.say({ type: "open", settings: this.settings });
  }

  #hear(member: Member, message: FromWorker): void {
    if (message.type === "ready") {
      member.ready = true;
      this.#failedStarts = 0;
      this.#release(member);
      return;
    }
    const { assignment } = member;
    if (assignment === null) return;
    switch (message.type) {
      case "stage":
        assignment.listener.stage(message.stage, message);
        break;
      case "log":
        assignment.listener.log(message.level, message.message);
        break;
      case "acquire":
        void this.#acquire(member, assignment, message);
        break;
      case "forgo":
        assignment.permits.get(message.request)?.abort.abort();
        assignment.permits.delete(message.request);
        break;
      case "settle":
        assignment.permits.get(message.request)?.settle?.(message.report);
        assignment.permits.delete(message.request);
        break;
      case "outcome":
        member.assignment = null;
        assignment.resolve(message.outcome);
        this.#release(member);
    }
  }

  async #acquire(
    member: Member,
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
        held: (reason) => member.say({ type: "held", request, reason }),
      });
      permit.settle = granted.settle;
      member.say({ type: "granted", request });
    } catch (error) {
      assignment.permits.delete(request);
      // The job of a forgone request is already on its way to stop.
      if (abort.signal.aborted) return;
      const [kind, retryAfter] =
        error instanceof ProviderError ? [error.kind, error.retryAfter] : ["transient" as const];
      member.say({ type: "refused", request, kind, message: messageOf(error), retryAfter });
    }
  }

  #release(member: Member): void {
    const next = this.#closed ? undefined : this.#waiting.shift();
    member.busy = next !== undefined;
    next?.(member);
  }

  /** Replaces a worker that died; whoever waits for its job learns of it. */
  #lose(member: Member, why: string): void {
    if (!this.#members.delete(member)) return;
    const { assignment } = member;
    member.assignment = null;
    for (const { abort } of assignment?.permits.values() ?? []) abort.abort();
    assignment?.reject(new WorkerDied(why.split("\n")[0] || "the thread ended"));
    if (this.#closed) return;
    if (!member.ready) this.#failedStarts += 1;
    if (this.#failedStarts < MAX_FAILED_STARTS) this.#hire();
  }
}
