/**
 * The interface of a job queue: it hands keys to a handler and does not interpret them. The run tables are the source of
 * truth: unfinished jobs are enqueued again from them when the server starts.
 */

export interface QueuedTask {
  /** Enqueuing a waiting key does nothing; an active one is handled once more afterwards. */
  readonly key: string;
  /** Tasks of one group share its limit; groups share the workers fairly. */
  readonly group: string;
}

export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
}

/** What happens after a handler returns: nothing, or the task is enqueued again after `afterMs`. */
export type TaskResult = { readonly again: false } | { readonly again: true; readonly afterMs: number };

export interface JobQueue {
  enqueue(tasks: readonly QueuedTask[]): void;
  /** Limits how many tasks of a group are active at once. */
  limitGroup(group: string, limit: number): void;
  /**
   * Starts handing tasks to `handler`, at most `concurrency` at a time, and those of a group only while `admits` allows
   * it: it is called before every task.
   */
  work(
    handler: (task: QueuedTask) => Promise<TaskResult>,
    concurrency: number,
    admits?: (group: string) => boolean,
  ): void;
  /** Checks `admits` again, after a change of what it depends on. */
  poll(): void;
  /** Puts a waiting task before all others of its group; false if it does not wait. */
  promote(key: string): boolean;
  /** Removes a waiting task; true if it was waiting. An active task is not affected. */
  cancel(key: string): boolean;
  counts(): QueueCounts;
  /** Hands out no more tasks and resolves when the active ones have ended. */
  close(): Promise<void>;
}
