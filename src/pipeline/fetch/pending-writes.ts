/** The batches of a job that are not committed yet, while it fetches the next ones. */

import type { JobStore } from "../store/job-store.ts";

/** The most batches and bars that may be lost, and fetched again, when the process is killed. */
const MAX_BATCHES = 32;
const MAX_BARS = 20_000;

export class PendingWrites {
  #writes: Promise<void>[] = [];
  #bars = 0;
  #error: { readonly cause: unknown } | null = null;

  constructor(private readonly store: Pick<JobStore, "flush">) {}

  /**
   * Leaves `write` to the background, as soon as fewer than the maximum are pending.
   * @throws the error of an earlier write
   */
  async add(bars: number, write: Promise<void>): Promise<void> {
    this.#writes.push(
      write.catch((cause) => {
        this.#error ??= { cause };
      }),
    );
    this.#bars += bars;
    if (this.#error || this.#writes.length >= MAX_BATCHES || this.#bars >= MAX_BARS) await this.settle();
  }

  /**
   * Waits until everything is committed.
   * @throws the error of one of the writes
   */
  async settle(): Promise<void> {
    this.store.flush();
    await Promise.all(this.#writes);
    this.#writes = [];
    this.#bars = 0;
    const error = this.#error;
    this.#error = null;
    if (error) throw error.cause;
  }
}
