/** How many jobs of each provider are in a state in which they use no thread. */

import type { SymbolTask } from "../messages.ts";

/** A job as it was last counted. */
export interface CountedJob {
  readonly task: Pick<SymbolTask, "provider">;
  waits: boolean;
  isCommitting: boolean;
}

export class JobCounts {
  /** Jobs that wait for an answer, a permit, or a thread of their own. */
  readonly #waiting = new Map<string, number>();
  /** Jobs that wait for a commit and for nothing else. */
  readonly #committing = new Map<string, number>();
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

  /** Counts whether a job waits. */
  setWaiting(job: CountedJob, waits: boolean): void {
    if (job.waits === waits) return;
    job.waits = waits;
    this.#add(this.#waiting, job.task.provider, waits);
  }

  /** Counts whether a job waits for a commit and for nothing else. */
  setCommitting(job: CountedJob, isCommitting: boolean): void {
    if (job.isCommitting === isCommitting) return;
    job.isCommitting = isCommitting;
    this.#add(this.#committing, job.task.provider, isCommitting);
  }

  /** Counts a job that has ended no more. */
  end(job: CountedJob): void {
    this.setWaiting(job, false);
    this.setCommitting(job, false);
  }

  #add(counts: Map<string, number>, provider: string, isMore: boolean): void {
    counts.set(provider, (counts.get(provider) ?? 0) + (isMore ? 1 : -1));
    this.#onChange(provider);
  }
}

/** The one of some threads with the fewest jobs; `null` if there are none. */
export function leastBusy<Thread extends { readonly jobs: ReadonlyMap<number, unknown> }>(
  threads: readonly Thread[],
): Thread | null {
  return threads.reduce<Thread | null>(
    (least, thread) => (least === null || thread.jobs.size < least.jobs.size ? thread : least),
    null,
  );
}
