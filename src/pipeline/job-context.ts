/** The job at hand, as every stage of the pipeline sees it: its order, its counters, its line to the outside. */

import type { Calendar } from "../domain/market/calendar.ts";
import type { CorporateAction } from "../domain/market/corporate-actions.ts";
import type { Market } from "../domain/market/symbol.ts";
import type { Coverage } from "../domain/runs/coverage.ts";
import type { Stage } from "../domain/runs/progress.ts";
import { isTimed, StageClock, type StageTimes } from "../domain/runs/stage-times.ts";
import type { FetchContext, Permit, Provider, SeriesTraits } from "../providers/provider.ts";
import type { Database } from "../storage/db.ts";
import { countBars } from "../storage/market/bars.ts";
import type { JobWork } from "../storage/runs/jobs.ts";
import type { StopReason, SymbolTask } from "./messages.ts";

/** What a job has of the outside. */
export interface SymbolIo {
  readonly db: Database;
  readonly provider: Provider;
  /** The provider that a repair may ask for what `provider` does not have. */
  readonly repairProvider: Provider | null;
  readonly calendar: Calendar;
  /** Aborted with a `Stopped` when the job is paused, cancelled, skipped or the server stops. */
  readonly signal: AbortSignal;
  /** The same for requests under way: when the server stops they get a little longer, so that a batch is not lost. */
  readonly requestSignal: AbortSignal;
  /** Asks the shared limiter for one request to a provider. */
  acquire(provider: string, cost?: number): Promise<Permit>;
  readonly log: FetchContext["log"];
  /** Says that something was recorded that may be worth a mail. */
  alert(): void;
  stage(stage: Stage, counters: { readonly dataPoints: number; readonly apiCalls: number }): void;
  /** What came of the batches so far. */
  coverage(coverage: Coverage): void;
}

/** The reason of an aborted signal: somebody wants the job to stop where it is. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  constructor(readonly reason: StopReason) {
    super(`stopped: ${reason}`);
  }
}

export class JobContext {
  readonly #startedAt = performance.now();
  readonly #clock: StageClock;
  apiCalls: number;
  /** Milliseconds spent waiting for the provider, earlier stretches included. */
  fetchMs: number;
  /** Distinct bars held for the run's range. */
  dataPoints: number;
  /** From when on the job asks (epoch seconds), once it has been planned; `null` if it asks for nothing. */
  plannedFrom: number | null = null;
  /** Corporate actions that came with the bars. */
  readonly actions: CorporateAction[] = [];
  /** How the series is told apart from others of its symbol. */
  readonly traits: SeriesTraits;

  /** Takes up a job on `series` where earlier stretches of work left it. */
  static async begin(task: SymbolTask, io: SymbolIo, before: JobWork, series: number): Promise<JobContext> {
    return new JobContext(task, io, before, series, await countBars(io.db, series, task.rangeFrom, task.rangeTo));
  }

  private constructor(
    readonly task: SymbolTask,
    readonly io: SymbolIo,
    readonly before: JobWork,
    readonly series: number,
    dataPoints: number,
  ) {
    this.dataPoints = dataPoints;
    this.apiCalls = before.apiCalls;
    this.fetchMs = before.fetchMs;
    this.#clock = new StageClock(before.stageMs, () => performance.now());
    this.traits = io.provider.traits(task.symbol, task.interval);
  }

  /** The calendar that the series keeps: only New York regular hours are known; anything else may trade on any day. */
  get market(): Market {
    return this.traits.sessions === "regular" ? "us_equity" : "crypto";
  }

  /** What requests to `provider` may use of the outside; they count as this job's. `onRetry` hears of every further try. */
  contextOf(provider: Provider, onRetry = () => {}): FetchContext {
    const { io } = this;
    return {
      signal: io.requestSignal,
      log: io.log,
      waiting: (reason) => {
        onRetry();
        this.stage({ stage: "waiting", reason });
      },
      acquire: async (cost) => {
        const permit = await io.acquire(provider.name, cost);
        this.#clock.enter("fetch");
        this.apiCalls += 1;
        return permit;
      },
    };
  }

  /** Milliseconds worked on this job, earlier stretches included. */
  get workedMs(): number {
    return this.before.workedMs + Math.round(performance.now() - this.#startedAt);
  }

  /** How long each stage took, earlier stretches included. */
  get stageMs(): StageTimes {
    return this.#clock.read();
  }

  stage(stage: Stage): void {
    if (isTimed(stage.stage)) this.#clock.enter(stage.stage);
    this.io.stage(stage, { dataPoints: this.dataPoints, apiCalls: this.apiCalls });
  }

  /** Yields to the event loop, then throws if the job was stopped. */
  async checkpoint(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.io.signal.throwIfAborted();
  }
}
