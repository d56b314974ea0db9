/**
 * The port of a job engine: it carries tasks to a handler and knows nothing of what they mean. The run tables are the
 * truth; whatever an engine forgets is enqueued again from them when the server starts.
 */

export interface QueuedTask {
  /** Enqueuing a key that waits already does nothing; one that is being worked on is worked on once more after it. */
  readonly key: string;
  /** Tasks of one group share its limit, and groups share the workers fairly. */
  readonly group: string;
}

export interface QueueCounts {
  readonly waiting: number;
  readonly active: number;
}

/** What is to become of a task after its handler returns: nothing more, or once more after so many milliseconds. */
export type TaskResult = { readonly again: false } | { readonly again: true; readonly afterMs: number };

export interface JobQueue {
  enqueue(tasks: readonly QueuedTask[]): void;
  /** At most so many tasks of a group are worked on at the same time. */
  limitGroup(group: string, limit: number): void;
  /** Begins to hand tasks to `handler`, at most `concurrency` at a time. */
  work(handler: (task: QueuedTask) => Promise<TaskResult>, concurrency: number): void;
  /** Takes a waiting task out; true if it was waiting. A task that is being worked on is not touched. */
  cancel(key: string): boolean;
  counts(): QueueCounts;
  /** Hands out no more tasks and resolves when those in work have ended. */
  close(): Promise<void>;
}
