/** The job at hand, as every stage of the pipeline sees it: its order, its counters, its line to the outside. */

import type { Stage } from "../domain/progress.ts";
import type { FetchContext, Provider } from "../providers/provider.ts";
import { countBars } from "../storage/bars.ts";
import type { Database } from "../storage/db.ts";
import type { JobWork } from "../storage/jobs.ts";
import type { StopReason, SymbolTask } from "./messages.ts";

/** What a job has of the outside. */
export interface SymbolIo {
  readonly db: Database;
  readonly provider: Provider;
  /** Aborted with a `Stopped` when the job is paused, cancelled, skipped or the server stops. */
  readonly signal: AbortSignal;
  /** Asks the shared limiter for one request. */
  readonly acquire: FetchContext["acquire"];
  readonly log: FetchContext["log"];
  stage(stage: Stage, counters: { readonly dataPoints: number; readonly apiCalls: number }): void;
}

/** The reason of an aborted signal: somebody wants the job to stop where it is. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  constructor(readonly reason: StopReason) {
    super(`stopped: ${reason}`);
  }
}

export class Work {
  readonly #startedAt = performance.now();
  apiCalls: number;
  /** Milliseconds spent waiting for the provider, earlier stretches included. */
  fetchMs: number;
  /** Distinct bars held for the run's range. */
  dataPoints: number;
  readonly context: FetchContext;

  /** Takes up a job on `series` where earlier stretches of work left it. */
  static async begin(task: SymbolTask, io: SymbolIo, before: JobWork, series: number): Promise<Work> {
    return new Work(task, io, before, series, await countBars(io.db, series, task.rangeFrom, task.rangeTo));
  }

  private constructor(
    readonly task: SymbolTask,
    readonly io: SymbolIo,
    readonly before: JobWork,
    readonly series: number,
    held: number,
  ) {
    this.dataPoints = held;
    this.apiCalls = before.apiCalls;
    this.fetchMs = before.fetchMs;
    this.context = {
      signal: io.signal,
      log: io.log,
      waiting: (reason) => this.stage({ stage: "waiting", reason }),
      acquire: async (cost) => {
        const permit = await io.acquire(cost);
        this.apiCalls += 1;
        return permit;
      },
    };
  }

  /** Milliseconds worked on this job, earlier stretches included. */
  get workedMs(): number {
    return this.before.workedMs + Math.round(performance.now() - this.#startedAt);
  }

  stage(stage: Stage): void {
    this.io.stage(stage, { dataPoints: this.dataPoints, apiCalls: this.apiCalls });
  }

  /** Lets messages in, and stops here if one of them said so. */
  async breathe(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.io.signal.throwIfAborted();
  }
}
