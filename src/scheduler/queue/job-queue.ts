/**
 * The interface of a job queue: it carries keys from the server to whoever works on them, and does not interpret them. The
 * run tables are the source of truth: what a queue loses is enqueued again from them, and what it delivers too often or
 * too late is dropped by the handler.
 */

import type { QueueTrouble } from "../../domain/errors.ts";

export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
}

/** Gets a delivered key; the key is done when the promise settles, however it does. */
export type KeyHandler = (key: string) => Promise<void>;

export interface JobQueue {
  /**
   * Adds keys, and resolves when the queue holds them. One that waits is not added again; one that is active is delivered
   * once more after it.
   * @throws Error if the queue cannot be reached; it may have taken some keys all the same
   */
  enqueue(keys: readonly string[]): Promise<void>;
  /** Removes a key; true if it waited. One that is active stays so. */
  cancel(key: string): Promise<boolean>;
  /**
   * Starts to deliver keys to `handler`, at most `concurrency` at a time, first come first served (those that are delivered
   * at the same time in any order). Each key is delivered at least once, never twice at once here, and again if another
   * process that had it is gone.
   */
  work(handler: KeyHandler, concurrency: number): void;
  /** @throws Error if the queue cannot be reached */
  counts(): Promise<QueueCounts>;
  /** Why nothing can be enqueued or delivered now; `null` if all is well. */
  trouble(): QueueTrouble | null;
  /** Calls `listener` when trouble begins and, with `null`, when it is over: what the queue held may be lost then. */
  watch(listener: (trouble: QueueTrouble | null) => void): void;
  /** Delivers no more keys, and resolves when those that are active have ended or the queue cannot be reached. */
  close(): Promise<void>;
}
