/** A job while a worker has it, and the listener to its reports. */

import type { LogLevel } from "../../domain/log.ts";
import type { PlanCut } from "../../domain/plan.ts";
import type { Coverage } from "../../domain/runs/coverage.ts";
import type { Stage } from "../../domain/runs/progress.ts";
import type { QuotaReport } from "../../providers/provider.ts";
import { type JobReport, type Outcome, refused, type SymbolTask, type ToWorker } from "../messages.ts";
import type { Gate } from "./gate.ts";
import type { CountedJob } from "./job-counts.ts";
import type { Shares } from "./shared-answers.ts";

/** Receives the reports of a running job. */
export interface TaskListener {
  stage(stage: Stage, counters: { readonly dataPoints: number; readonly apiCalls: number }): void;
  coverage(coverage: Coverage): void;
  /** What the plan of the provider has left out of the job so far. */
  leftOut(cuts: readonly PlanCut[]): void;
  log(level: LogLevel, message: string): void;
  /** The job recorded an event that may be mailed. */
  alert(): void;
}

/** A request of a job to the limiter. */
export interface PermitRequest {
  /** Stops its wait; one that was leased ahead does not wait. */
  readonly abort?: AbortController;
  settle?: (report: QuotaReport) => void;
  /** Returns one that was leased ahead; afterwards it is used, or returned. */
  unsent?: (() => void) | undefined;
  /** Whether its answer, or its refusal, has yet to come. */
  open: boolean;
}

/** Whether it holds its place at the limiter; whether one that was leased ahead was used may not have been said any more. */
const isUnanswered = ({ open, unsent }: PermitRequest) => open || unsent !== undefined;

type Ask<Type> = Extract<JobReport, { readonly type: Type }>;
type Answered = { send(answer: ToWorker): void };

/** One job from its task to its outcome. */
export class Assignment implements CountedJob {
  readonly permits = new Map<number, PermitRequest>();
  /** Its open requests for answers that its run shares. */
  readonly shares: Shares = new Map();
  /** Whether it was last counted among those that wait. */
  waits = false;
  /** Whether it waits for a commit and for nothing else. */
  isCommitting = false;
  /** Whether its worker is silent. */
  isAside = false;
  #isOver = false;
  readonly #end = Promise.withResolvers<Outcome>();
  readonly outcome = this.#end.promise;
  readonly resolve = this.#end.resolve;
  readonly reject = this.#end.reject;
  constructor(
    readonly task: SymbolTask,
    readonly listener: TaskListener,
    readonly alone: boolean,
    /** The worker that took its key from the queue; `null`: this process did. */
    readonly taker: object | null,
  ) {}

  /** Whether one of its requests waits for its permit or its answer. */
  get hasOpenRequests(): boolean {
    return this.shares.size > 0 || this.permits.values().some(({ open }) => open);
  }

  /**
   * Requests one permit of the limiter for it, and answers the thread.
   * @param changed called when its open requests have changed
   * @param waits called when it has to wait
   */
  async acquire(
    gate: Gate,
    worker: Answered,
    message: Ask<"acquire">,
    { changed, waits }: { changed(): void; waits(): void },
  ): Promise<void> {
    const { request, provider, cost } = message;
    const abort = new AbortController();
    const permit: PermitRequest = { abort, open: true };
    this.permits.set(request, permit);
    changed();
    try {
      const granted = await gate.acquire({
        provider,
        cost,
        task: this.task,
        signal: abort.signal,
        held(wait) {
          waits();
          worker.send({ type: "held", request, wait });
        },
      });
      permit.settle = granted.settle;
      worker.send({ type: "granted", request });
    } catch (error) {
      this.permits.delete(request);
      changed();
      // The request was released because its job is being stopped.
      if (abort.signal.aborted) return;
      worker.send(refused(request, error));
    }
  }

  /** Leases permits for it ahead, as many as the limiter can spare. */
  async lease(gate: Gate, worker: Answered, message: Ask<"lease"> & { readonly attempt?: string }): Promise<void> {
    const { request, provider, cost, count, attempt = "" } = message;
    const leased = await Promise.resolve(gate.lease?.({ provider, cost, count, task: this.task })).catch(() => []);
    const permits = leased ?? [];
    // The thread does not know of them.
    if (this.#isOver) {
      for (const { unsent } of permits) unsent();
      return;
    }
    for (const [at, { settle, unsent }] of permits.entries())
      this.permits.set(request + at, { settle, unsent, open: false });
    worker.send({ type: "leased", attempt, request, count: permits.length });
  }

  /** A request is sent with a permit that was leased ahead. */
  use(request: number): void {
    const permit = this.permits.get(request);
    if (permit?.unsent === undefined) return;
    permit.unsent = undefined;
    permit.open = true;
  }

  /** Permits that were leased ahead are not used. */
  returnUnused(requests: readonly number[]): void {
    for (const request of requests) {
      const permit = this.permits.get(request);
      if (permit?.unsent === undefined) continue;
      permit.unsent();
      this.permits.delete(request);
    }
  }

  /**
   * It has ended: its thread has `said` so, and sends nothing more; the thread is `dead`, and what it has sent will have no
   * answer; or its worker is `away`, and may be sending still.
   */
  forgetPermits(end: "said" | "dead" | "away"): void {
    this.#isOver = true;
    for (const { abort } of this.permits.values()) abort?.abort();
    if (end === "said") this.returnUnused([...this.permits.keys()]);
    if (end === "dead") for (const permit of this.permits.values()) if (isUnanswered(permit)) permit.settle?.({});
    this.permits.clear();
  }
}
