/** A job while a worker has it, and the listener to its reports. */

import type { LogLevel } from "../../domain/log.ts";
import type { PlanCut } from "../../domain/plan.ts";
import type { Coverage } from "../../domain/runs/coverage.ts";
import type { Stage } from "../../domain/runs/progress.ts";
import type { QuotaReport } from "../../providers/provider.ts";
import type { Outcome, SymbolTask } from "../messages.ts";
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
  readonly abort: AbortController;
  settle?: (report: QuotaReport) => void;
  /** Whether its answer, or its refusal, has yet to come. */
  open: boolean;
}

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
}
