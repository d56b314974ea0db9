/** The current job as every stage of the pipeline sees it: its task, its counters and its connections. */

import { yieldToEvents } from "../clock.ts";
import type { Calendar } from "../domain/market/calendar.ts";
import type { CorporateAction } from "../domain/market/corporate-actions.ts";
import { type Venue, venueOfSeries } from "../domain/market/exchanges/exchanges.ts";
import { mergeCuts, type PlanCut, type PlanMemory } from "../domain/plan.ts";
import type { Coverage } from "../domain/runs/coverage.ts";
import type { Stage } from "../domain/runs/progress.ts";
import { isTimed, StageClock, type StageTimes } from "../domain/runs/stage-times.ts";
import type { FetchContext, Permit, Provider, SeriesTraits } from "../providers/provider.ts";
import type { SeriesFacts } from "../storage/market/bars.ts";
import type { JobWork } from "../storage/runs/jobs.ts";
import type { SharedValue, StopReason, SymbolTask } from "./messages.ts";
import type { JobStore } from "./store/job-store.ts";
import { SharedBars, WrittenBars } from "./written-bars.ts";

/** How long a job computes without a pause, milliseconds, as far as there is one: a pause costs as much as a short update. */
const YIELD_MS = 4;
/** What the long first fetches of this thread keep until their features are computed: 72 MB. */
const LONG_FETCHES = new SharedBars(1_500_000);

/** What a job has stored and sent so far. */
export interface JobCounters {
  readonly dataPoints: number;
  readonly apiCalls: number;
}

/** The connections of a job: store, providers, signals and reports. */
export interface SymbolIo {
  readonly store: JobStore;
  readonly provider: Provider;
  /** The provider from which a repair may fetch what `provider` does not have. */
  readonly repairProvider: Provider | null;
  readonly calendar: Calendar;
  /** Aborted with a `Stopped` when the job is paused, cancelled, skipped or the server stops. */
  readonly signal: AbortSignal;
  /** The same for requests under way; on shutdown it is aborted later, so that a batch can still be stored. */
  readonly requestSignal: AbortSignal;
  /** Does `compute` in this job's turn, of which a thread has one at a time; `onWait` is called if it has to wait. */
  engineerAlone<T>(compute: () => Promise<T>, onWait: () => void): Promise<T>;
  /** Waits for a write, during which other jobs have the thread; `mayWait`: it may wait for their writes. */
  committing<T>(write: (mayWait: boolean) => Promise<T>): Promise<T>;
  /** Reserves one request to a provider in the shared limiter; `counters` are reported with its waits. */
  acquire(provider: string, cost: number | undefined, counters: () => JobCounters): Promise<Permit>;
  /**
   * The part of an answer that all jobs of the run share; `make` fetches it, once per run. Absent without a run.
   * @throws what `make` threw, here or in the job that made it
   */
  shared?(
    key: string,
    part: string,
    make: () => Promise<ReadonlyMap<string, SharedValue>>,
  ): Promise<SharedValue | undefined>;
  readonly log: FetchContext["log"];
  /** Reports that an event was recorded that may be mailed. */
  alert(): void;
  stage(stage: Stage, counters: JobCounters): void;
  /** Reports the state of the job's batches. */
  coverage(coverage: Coverage): void;
  /** Reports what the plan of the job's provider has left out so far. */
  leftOut(cuts: readonly PlanCut[]): void;
  /** What is remembered of a provider's plan. */
  plan(provider: string): PlanMemory;
}

/** The reason of an aborted signal: the job is to stop where it is. */
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
  /** Milliseconds spent waiting for the provider, earlier work intervals included. */
  fetchMs: number;
  /** Distinct bars of the run's range: those that are stored, and those whose write is under way. */
  dataPoints: number;
  #storedPoints: number;
  /** What is stored of the series; kept up to date by whoever writes to it. */
  stored: SeriesFacts;
  /** The bars of the series, if this job has written all of them. */
  readonly written: WrittenBars;
  /** Whether its work time was written together with its end. */
  isSaved = false;
  /** Start of the planned fetch, epoch seconds; `null` before the plan, or if nothing is fetched. */
  plannedFrom: number | null = null;
  /** Corporate actions that came with the bars, and the first day that those answers are about (epoch seconds). */
  readonly actions: CorporateAction[] = [];
  actionsSince = Number.POSITIVE_INFINITY;
  /** Whether splits or dividends were stored that were not known. */
  hasNewActions = false;
  /** When it last yielded to the event loop, milliseconds of `performance.now()`. */
  #yieldedAt = performance.now();
  #leftOut: readonly PlanCut[] = [];
  /** Bars that answers left out because they had not ended. */
  notFinal = 0;
  /** From when on all splits and dividends came with the bars (epoch seconds); `null`: they did not. */
  actionsFrom: number | null = null;
  /** What the provider says it has of the symbol. */
  holds: string | null = null;
  /** What separates the series from others of its symbol. */
  readonly traits: SeriesTraits;

  /** Continues a job on `series` where earlier work intervals ended. */
  static async begin(
    { keptFrom, ...task }: SymbolTask & { readonly keptFrom: number },
    io: SymbolIo,
    before: JobWork,
    series: number,
  ): Promise<JobContext> {
    const facts = await io.store.seriesFacts(series, task.rangeFrom, task.rangeTo);
    return new JobContext(task, io, before, series, facts, keptFrom);
  }

  private constructor(
    readonly task: SymbolTask,
    readonly io: SymbolIo,
    readonly before: JobWork,
    readonly series: number,
    stored: SeriesFacts,
    /** What was before it (epoch seconds) was deleted by choice: it is neither requested nor missing. 0: nothing was. */
    readonly keptFrom: number,
  ) {
    this.stored = stored;
    this.written = new WrittenBars(stored.first === null, LONG_FETCHES);
    this.dataPoints = stored.bars;
    this.#storedPoints = stored.bars;
    this.apiCalls = before.apiCalls;
    this.fetchMs = before.fetchMs;
    this.#clock = new StageClock(before.stageMs, () => performance.now());
    this.traits = io.provider.traits(task.symbol, task.interval);
  }

  /** The venue of the series, whose calendar decides its sessions. */
  get market(): Venue {
    const { symbol, provider } = this.task;
    return venueOfSeries({ symbol, provider, sessions: this.traits.sessions });
  }

  /** The context of requests to `provider`, counted for this job; `onRetry` is called before every retry. */
  contextOf(provider: Provider, onRetry = () => {}): FetchContext {
    const { io } = this;
    return {
      plan: io.plan(provider.name),
      signal: io.requestSignal,
      log: io.log,
      waiting: (wait) => {
        onRetry();
        this.stage({ stage: "waiting", wait });
      },
      acquire: async (cost) => {
        const permit = await io.acquire(provider.name, cost, () => this.counters);
        this.#clock.enter("fetch");
        this.apiCalls += 1;
        return permit;
      },
    };
  }

  /** Reports parts of the range that the plan of the job's provider leaves out. */
  noteLeftOut(cuts: readonly PlanCut[]): void {
    if (cuts.length === 0) return;
    this.#leftOut = mergeCuts([...this.#leftOut, ...cuts]);
    this.io.leftOut(this.#leftOut);
  }

  /** Milliseconds worked on this job, earlier work intervals included. */
  get workedMs(): number {
    return this.before.workedMs + Math.round(performance.now() - this.#startedAt);
  }

  /** How long each stage took, earlier work intervals included. */
  get stageMs(): StageTimes {
    return this.#clock.read();
  }

  /** Does `compute` in the job's turn at the engineer stage; a wait for it counts as time held up. */
  engineerAlone<T>(compute: () => Promise<T>): Promise<T> {
    const begin = () => {
      this.#clock.enter("engineer");
      return compute();
    };
    return this.io.engineerAlone(begin, () => this.#clock.enter("waiting"));
  }

  /** Notes how many distinct bars of the run's range are committed. */
  noteStored(points: number): void {
    this.#storedPoints = points;
  }

  /** What is shown of the job's work: bars count once they are committed. */
  get counters(): JobCounters {
    return { dataPoints: this.#storedPoints, apiCalls: this.apiCalls };
  }

  stage(stage: Stage): void {
    if (isTimed(stage.stage)) this.#clock.enter(stage.stage);
    this.io.stage(stage, this.counters);
  }

  /** Whether it has had the thread for so long that others are to have it. */
  get isYieldDue(): boolean {
    return performance.now() - this.#yieldedAt >= YIELD_MS;
  }

  /** Yields to the event loop if that is due, then throws if the job was stopped. */
  async checkpoint(): Promise<void> {
    if (this.isYieldDue) {
      await yieldToEvents();
      this.#yieldedAt = performance.now();
    }
    this.io.signal.throwIfAborted();
  }
}
