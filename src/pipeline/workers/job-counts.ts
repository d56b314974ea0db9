/** How many jobs of each provider are in a state in which they use no thread, or none that can be counted on. */

import type { SymbolTask } from "../messages.ts";

/** A job as it was last counted. */
export interface CountedJob {
  readonly task: Pick<SymbolTask, "provider">;
  waits: boolean;
  isCommitting: boolean;
  /** Whether its worker is silent: whatever else it does is not counted. */
  isAside: boolean;
}

type Flags = Pick<CountedJob, "waits" | "isCommitting" | "isAside">;

export class JobCounts {
  /** Jobs that wait for an answer, a permit, or a thread of their own. */
  readonly #waiting = new Map<string, number>();
  /** Jobs that wait for a commit and for nothing else. */
  readonly #committing = new Map<string, number>();
  /** Jobs of workers that are silent. */
  readonly #aside = new Map<string, number>();
  #onChange: (provider: string) => void = () => {};

  watch(listener: (provider: string) => void): void {
    this.#onChange = listener;
  }

  waiting(provider: string): number {
    return this.#waiting.get(provider) ?? 0;
  }

  committing(provider: string): number {
    return this.#committing.get(provider) ?? 0;
  }

  aside(provider: string): number {
    return this.#aside.get(provider) ?? 0;
  }

  get allAside(): number {
    return this.#aside.values().reduce((sum, count) => sum + count, 0);
  }

  /** Counts whether a job waits. */
  setWaiting(job: CountedJob, waits: boolean): void {
    this.#set(job, { waits });
  }

  /** Counts whether a job waits for a commit and for nothing else. */
  setCommitting(job: CountedJob, isCommitting: boolean): void {
    this.#set(job, { isCommitting });
  }

  /** Counts whether the worker of a job is silent. */
  setAside(job: CountedJob, isAside: boolean): void {
    this.#set(job, { isAside });
  }

  /** Counts a job that has ended no more. */
  end(job: CountedJob): void {
    this.#set(job, { waits: false, isCommitting: false, isAside: false });
  }

  #set(job: CountedJob, change: Partial<Flags>): void {
    const before = countedAs(job);
    Object.assign(job, change);
    const after = countedAs(job);
    const { provider } = job.task;
    const changed = [
      add(this.#waiting, provider, Number(after.waits) - Number(before.waits)),
      add(this.#committing, provider, Number(after.isCommitting) - Number(before.isCommitting)),
      add(this.#aside, provider, Number(after.isAside) - Number(before.isAside)),
    ];
    if (changed.includes(true)) this.#onChange(provider);
  }
}

function countedAs({ waits, isCommitting, isAside }: CountedJob): Flags {
  return { waits: waits && !isAside, isCommitting: isCommitting && !isAside, isAside };
}

/** @returns whether the count has changed */
function add(counts: Map<string, number>, provider: string, change: number): boolean {
  if (change !== 0) counts.set(provider, (counts.get(provider) ?? 0) + change);
  return change !== 0;
}

interface CountedThread {
  readonly jobs: ReadonlyMap<unknown, CountedJob>;
  readonly ready: boolean;
}

/** How many jobs of a thread compute: those that neither wait nor are committed. */
const computing = ({ jobs }: Pick<CountedThread, "jobs">): number =>
  jobs.values().reduce((count, { waits, isCommitting }) => (waits || isCommitting ? count : count + 1), 0);

/** Whether no job of a thread computes. */
export const isFree = (thread: Pick<CountedThread, "jobs">): boolean => computing(thread) === 0;

/** The one of some threads with the fewest jobs; `null` if there are none. */
export function leastBusy<Thread extends { readonly jobs: ReadonlyMap<number, unknown> }>(
  threads: readonly Thread[],
): Thread | null {
  return threads.reduce<Thread | null>(
    (least, thread) => (least === null || thread.jobs.size < least.jobs.size ? thread : least),
    null,
  );
}

/** How often the jobs of threads are looked at, milliseconds. */
const LOOK_MS = 50;
/** After how many such moments, less those without, a further thread costs less than the jobs have waited. */
const MOMENTS = 20;

/** Finds out when threads do not suffice: each further one costs a start, and its code is compiled and kept once more. */
export class ThreadDemand {
  #moments = 0;
  #timer: ReturnType<typeof setInterval> | null = null;

  /**
   * @param onDemand called when jobs have waited for each other for a second, with how many do
   * @param lookMs tests shorten it
   */
  constructor(
    private readonly threads: () => readonly CountedThread[],
    private readonly onDemand: (jobs: number) => void,
    private readonly lookMs = LOOK_MS,
  ) {}

  /** Looks at the jobs from now on, or no longer: there are none, or no thread can be started. */
  watch(isWatching: boolean): void {
    if (isWatching === (this.#timer !== null)) return;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = isWatching ? setInterval(() => this.#look(), this.lookMs) : null;
    this.#moments = 0;
  }

  #look(): void {
    const threads = this.threads();
    // What one that starts will do is not known.
    const isKnown = threads.every(({ ready }) => ready);
    const waiting = isKnown ? threads.reduce((sum, thread) => sum + computing(thread), 0) - threads.length : 0;
    this.#moments = Math.max(0, this.#moments + (waiting > 0 ? 1 : -1));
    if (this.#moments < MOMENTS) return;
    this.#moments = 0;
    this.onDemand(waiting);
  }
}
