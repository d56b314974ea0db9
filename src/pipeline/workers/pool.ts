/** The pool of workers: starts them when they are wanted, hands each one job at a time, and replaces one that dies. */

import { messageOf, ProviderError } from "../../domain/errors.ts";
import type { LogLevel } from "../../domain/log.ts";
import type { Coverage } from "../../domain/runs/coverage.ts";
import type { Stage } from "../../domain/runs/progress.ts";
import type { QuotaReport } from "../../providers/provider.ts";
import type { FromWorker, Outcome, StopReason, SymbolTask, ToWorker, WorkerSettings } from "../messages.ts";

/** Who grants requests to the providers: one for all workers. */
export interface Gate {
  /** Resolves when the request may be sent; `held` is told why it waits. */
  acquire(request: {
    readonly provider: string;
    readonly cost: number;
    /** Who asks, so that the limiter can be fair. */
    readonly task: Pick<SymbolTask, "runId" | "jobId">;
    readonly signal: AbortSignal;
    held(reason: string): void;
  }): Promise<{ settle(report: QuotaReport): void }>;
}

/** What a job says while it runs. */
export interface TaskListener {
  stage(stage: Stage, counters: { readonly dataPoints: number; readonly apiCalls: number }): void;
  coverage(coverage: Coverage): void;
  log(level: LogLevel, message: string): void;
  /** The job recorded something that may be worth a mail. */
  alert(): void;
}

/** The worker died while it had the job; the job itself is neither done nor failed. */
export class WorkerDied extends Error {
  override readonly name = "WorkerDied";
}

/** One job from its order to its outcome. */
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

/** One thread and the job it has. */
class Member {
  assignment: Assignment | null = null;
  ready = false;
  constructor(readonly thread: Worker) {}

  say(message: ToWorker): void {
    this.thread.postMessage(message);
  }
}

const WORKER = new URL("./worker.ts", import.meta.url);

/** The message of an error that is told as it would be printed, with lines of source and a stack. */
function reasonOf(printed: string): string {
  const line = /^(?:error|\w*Error): (.+)$/m.exec(printed)?.[1];
  return line ?? (printed.trim().split("\n")[0] || "the thread ended");
}

/** Starts that may fail one after the other before the pool gives up on replacing workers. */
const MAX_FAILED_STARTS = 5;

export class WorkerPool {
  readonly #members = new Set<Member>();
  /** Jobs for which no worker is free yet: workers take a moment to start. */
  readonly #waiting: Assignment[] = [];
  #failedStarts = 0;
  #lastLoss = "";
  #closed = false;

  /** @param script the worker's module; tests put a dying one in its place */
  constructor(
    readonly size: number,
    private settings: WorkerSettings,
    private readonly gate: Gate,
    private readonly script: URL = WORKER,
  ) {}

  /** Starts every worker now, so that the first jobs need not wait for a start. */
  warm(): void {
    while (this.#canHire) this.#hire();
  }

  /** Workers that are up. */
  get alive(): number {
    return [...this.#members].filter((member) => member.ready).length;
  }

  /**
   * Runs one job on the next free worker.
   * @throws WorkerDied when the worker went away before the job's end, or none can be started
   */
  run(task: SymbolTask, listener: TaskListener): Promise<Outcome> {
    const assignment = new Assignment(task, listener);
    if (this.#closed) assignment.resolve({ kind: "stopped", reason: "shutdown" });
    else if (this.#members.size === 0 && !this.#canHire) assignment.reject(new WorkerDied(this.#lastLoss));
    else this.#waiting.push(assignment);
    this.#assign();
    return assignment.outcome;
  }

  /** Stops a job: one that waits at once, one in work as soon as its worker breathes. */
  stop(jobId: number, reason: StopReason): void {
    const place = this.#waiting.findIndex(({ task }) => task.jobId === jobId);
    if (place >= 0) this.#waiting.splice(place, 1)[0]!.resolve({ kind: "stopped", reason });
    for (const member of this.#members) {
      if (member.assignment?.task.jobId === jobId) member.say({ type: "stop", reason });
    }
  }

  /** Gives the providers other variables; jobs in work end with those they began with. */
  configure(providerValues: WorkerSettings["providerValues"]): void {
    this.settings = { ...this.settings, providerValues };
    for (const member of this.#members) member.say({ type: "configure", providerValues });
  }

  /** Stops every job at its next batch, waits for the workers to close, and ends them. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve({ kind: "stopped", reason: "shutdown" });
    await Promise.all([...this.#members].map((member) => this.#dismiss(member)));
    this.#members.clear();
  }

  async #dismiss(member: Member): Promise<void> {
    const gone = new Promise<void>((resolve) =>
      member.thread.addEventListener("close", () => resolve(), { once: true }),
    );
    if (member.assignment !== null) {
      member.say({ type: "stop", reason: "shutdown" });
      await member.assignment.outcome.catch(() => {});
    }
    // Never `terminate()`: a thread that is stopped in the middle of a call into the database driver takes the whole
    // process with it. One that is still starting closes as soon as it is up.
    member.say({ type: "close" });
    await gone;
  }

  /** Is there room for another worker, and have the last ones come up? */
  get #canHire(): boolean {
    return !this.#closed && this.#members.size < this.size && this.#failedStarts < MAX_FAILED_STARTS;
  }

  /** Hands waiting jobs to free workers, first come, first served; those that are left over get a worker started. */
  #assign(): void {
    let starting = 0;
    for (const member of this.#members) {
      if (this.#waiting.length === 0) return;
      if (!member.ready) starting += 1;
      if (!member.ready || member.assignment !== null) continue;
      member.assignment = this.#waiting.shift()!;
      member.say({ type: "task", task: member.assignment.task });
    }
    for (; starting < this.#waiting.length && this.#canHire; starting++) this.#hire();
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
      this.#assign();
      return;
    }
    const { assignment } = member;
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
        void this.#acquire(member, assignment, message);
        break;
      case "forgo":
        assignment.permits.get(message.request)?.abort.abort();
        assignment.permits.delete(message.request);
        break;
      case "settle":
        // Kept until the job ends: an answer is settled when it arrives, and again when it has been read.
        assignment.permits.get(message.request)?.settle?.(message.report);
        break;
      case "outcome":
        member.assignment = null;
        assignment.resolve(message.outcome);
        this.#assign();
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

  /** Replaces a worker that died; whoever waits for its job learns of it. */
  #lose(member: Member, why: string): void {
    if (!this.#members.delete(member)) return;
    const { assignment } = member;
    member.assignment = null;
    for (const { abort } of assignment?.permits.values() ?? []) abort.abort();
    this.#lastLoss = reasonOf(why);
    assignment?.reject(new WorkerDied(this.#lastLoss));
    if (this.#closed) return;
    if (!member.ready) this.#failedStarts += 1;
    if (this.#canHire) this.#hire();
    else if (this.#members.size === 0) {
      for (const { reject } of this.#waiting.splice(0)) reject(new WorkerDied(this.#lastLoss));
    }
  }
}
