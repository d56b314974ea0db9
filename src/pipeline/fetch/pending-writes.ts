/** The batches of a job that are not committed yet, while it fetches the next ones. */

import type { SymbolIo } from "../job-context.ts";

/** The most batches and bars that may be lost, and fetched again, when the process is killed. */
const MAX_BATCHES = 32;
const MAX_BARS = 20_000;
/** How long a batch may wait for the next ones of its job, milliseconds: together they write a page once. */
const HOLD_MS = 250;

interface HeldBatch {
  save(): Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

export class PendingWrites {
  #held: HeldBatch[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writes: Promise<void>[] = [];
  #bars = 0;
  /** Whether a batch is among what is not committed. */
  #hasBatches = false;
  #error: { readonly cause: unknown } | null = null;

  constructor(
    private readonly io: Pick<SymbolIo, "store" | "committing">,
    private readonly holdMs = HOLD_MS,
  ) {}

  /** Keeps a batch back for those that follow; resolves when it is saved. */
  hold(save: () => Promise<void>): Promise<void> {
    this.#timer ??= setTimeout(() => this.handOver(), this.holdMs);
    this.#hasBatches = true;
    return new Promise((resolve, reject) => this.#held.push({ save, resolve, reject }));
  }

  /** Gives the batches that are kept back to the store, in order and before any later write. */
  handOver(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { save, resolve, reject } of this.#held.splice(0)) Promise.try(save).then(resolve, reject);
  }

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

  /** Waits until all batches are committed. @throws as `settle` does */
  async settleBatches(): Promise<void> {
    if (this.#hasBatches) await this.settle();
  }

  /**
   * Waits until everything is committed.
   * @throws the error of one of the writes
   */
  async settle(): Promise<void> {
    this.handOver();
    if (this.#writes.length > 0) {
      await this.io.committing(async (mayWait) => {
        if (!mayWait) this.io.store.flush();
        await Promise.all(this.#writes);
      });
    }
    this.#writes = [];
    this.#bars = 0;
    this.#hasBatches = false;
    const error = this.#error;
    this.#error = null;
    if (error) throw error.cause;
  }
}
