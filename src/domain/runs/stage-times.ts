/** How long each stage of a job took. */

/** The stages that take time; `waiting` is time spent waiting for a limit or a retry, inside another stage. */
export const TIMED_STAGES = ["fetch", "waiting", "engineer", "create", "store"] as const;
export type TimedStage = (typeof TIMED_STAGES)[number];

/** Milliseconds; a stage that was never entered is missing. */
export type StageTimes = Readonly<Partial<Record<TimedStage, number>>>;

export function isTimed(stage: string): stage is TimedStage {
  return (TIMED_STAGES as readonly string[]).includes(stage);
}

/** Adds the time that passes to the stage that was entered last, on top of earlier work intervals. */
export class StageClock {
  readonly #times: Partial<Record<TimedStage, number>>;
  #stage: TimedStage = "fetch";
  #since: number;

  /** `now` gives milliseconds that only go forward. */
  constructor(
    before: StageTimes,
    private readonly now: () => number,
  ) {
    this.#times = { ...before };
    this.#since = now();
  }

  enter(stage: TimedStage): void {
    this.#charge();
    this.#stage = stage;
  }

  /** The times so far, in whole milliseconds. */
  read(): StageTimes {
    this.#charge();
    return Object.fromEntries(Object.entries(this.#times).map(([stage, time]) => [stage, Math.round(time)]));
  }

  #charge(): void {
    const now = this.now();
    this.#times[this.#stage] = (this.#times[this.#stage] ?? 0) + now - this.#since;
    this.#since = now;
  }
}
