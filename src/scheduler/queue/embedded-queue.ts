/** The job queue inside the server's process: a key is delivered as soon as there is a place for it. */

import type { QueueTrouble } from "../../domain/errors.ts";
import { GivenBack, type JobQueue, type KeyHandler, type QueueCounts } from "./job-queue.ts";

export class EmbeddedQueue implements JobQueue {
  readonly name = null;
  readonly mark = null;
  readonly #waiting = new Set<string>();
  readonly #active = new Set<string>();
  /** Keys that were enqueued while they were active. */
  readonly #again = new Set<string>();
  #handler: KeyHandler | null = null;
  #concurrency = 0;
  #closed = false;
  readonly #idle = Promise.withResolvers<void>();

  async enqueue(keys: readonly string[]): Promise<void> {
    for (const key of keys) (this.#active.has(key) ? this.#again : this.#waiting).add(key);
    this.#next();
  }

  async cancel(key: string): Promise<boolean> {
    return this.#waiting.delete(key);
  }

  work(handler: KeyHandler, concurrency: number): void {
    this.#handler = handler;
    this.#concurrency = concurrency;
    this.#next();
  }

  async counts(): Promise<QueueCounts> {
    return { waiting: this.#waiting.size + this.#again.size, active: this.#active.size };
  }

  trouble(): QueueTrouble | null {
    return null;
  }

  watch(): void {}

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#active.size > 0) await this.#idle.promise;
  }

  #next(): void {
    const handler = this.#handler;
    if (handler === null || this.#closed) return;
    for (const key of this.#waiting) {
      if (this.#active.size >= this.#concurrency) return;
      this.#waiting.delete(key);
      void this.#deliver(key, handler);
    }
  }

  async #deliver(key: string, handler: KeyHandler): Promise<void> {
    this.#active.add(key);
    try {
      await handler(key);
    } catch (error) {
      // Otherwise it is done all the same: who handles keys reports what went wrong with them.
      if (error instanceof GivenBack) this.#again.add(key);
    }
    this.#active.delete(key);
    if (this.#again.delete(key)) this.#waiting.add(key);
    if (this.#active.size === 0 && this.#closed) this.#idle.resolve();
    this.#next();
  }
}
