/** What an app may be given besides its configuration; tests replace most of it. */

import type { Clock } from "../clock.ts";
import type { QueueTimes } from "../scheduler/queue/open-queue.ts";

export interface AppOptions {
  /** The worker's module; tests replace it. */
  readonly workerScript?: URL;
  /** Where log lines are printed; stderr by default. */
  readonly print?: (text: string) => void;
  /** Called when another server has taken the database over: nothing can be written any more. */
  readonly onLeaseLost?: () => void;
  /** What the command line sends to be let in, when the app runs in its process. */
  readonly ownToken?: string;
  /** How long a worker on another machine may be silent, milliseconds. */
  readonly workerLeaseMs?: number;
  /** Times of a job queue in another process; tests shorten them. */
  readonly queueTimes?: QueueTimes;
  /** The clock of schedules and mails; tests replace it. */
  readonly clock?: Clock;
}

/** Closes what a stack has adopted. */
export const close = (each: { close(): void | Promise<void> }): void | Promise<void> => each.close();
