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

/** Thrown by a handler that can do nothing with its key now: it is delivered again, here or to another process. */
export class GivenBack extends Error {
  override readonly name = "GivenBack";
}

/** Gets a delivered key; the key is done when the promise settles, however it does, unless it rejects with `GivenBack`. */
export type KeyHandler = (key: string) => Promise<void>;

/** Resolves when there is a place for one more key; until then it is left to other processes. */
export type KeyPlace = () => Promise<void>;

export interface JobQueue {
  /** Under which name other processes find it; `null` if it is in this one. */
  readonly name: string | null;
  /** What its owner leaves in it, new with each process: who finds it has the same queue. `null` if it has no owner here. */
  readonly mark: string | null;
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
   * process that had it is gone. A key that arrives while `place` has not resolved may be delivered to others.
   */
  work(handler: KeyHandler, concurrency: number, place?: KeyPlace): void;
  /** @throws Error if the queue cannot be reached */
  counts(): Promise<QueueCounts>;
  /** Why nothing can be enqueued or delivered now; `null` if all is well. */
  trouble(): QueueTrouble | null;
  /** Calls `listener` when trouble begins and, with `null`, when it is over: what the queue held may be lost then. */
  watch(listener: (trouble: QueueTrouble | null) => void): void;
  /** Delivers no more keys, and resolves when those that are active have ended or the queue cannot be reached. */
  close(): Promise<void>;
}
