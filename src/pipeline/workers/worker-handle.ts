/** One worker thread as the pool has it: its jobs, what is known of it, and how it is ended. */

import type { ToWorker } from "../messages.ts";
import type { Assignment } from "./assignment.ts";

export class WorkerHandle {
  readonly jobs = new Map<number, Assignment>();
  ready = false;
  /** Whether its writes wait for the database. */
  inTrouble = false;
  constructor(readonly thread: Worker) {}

  send(message: ToWorker): void {
    this.thread.postMessage(message);
  }

  /** Stops its jobs at their next batch, and resolves when the thread has closed. */
  async shutDown(): Promise<void> {
    // Before the jobs are waited for: the thread may crash meanwhile, and its end comes once.
    const closed = new Promise<void>((resolve) =>
      this.thread.addEventListener("close", () => resolve(), { once: true }),
    );
    const outcomes = [...this.jobs.values()].map(({ outcome }) => outcome);
    for (const jobId of this.jobs.keys()) this.send({ type: "stop", jobId, reason: "shutdown" });
    await Promise.allSettled(outcomes);
    // Never `terminate()`: a thread that is stopped inside a call of the database driver crashes the process. A thread
    // that is still starting closes when it is ready.
    this.send({ type: "close" });
    await closed;
  }
}

/** The message in an error that was printed with lines of source and a stack. */
export function reasonOf(printed: string): string {
  const line = /^(?:error|\w*Error): (.+)$/m.exec(printed)?.[1];
  return line ?? (printed.trim().split("\n")[0] || "the thread ended");
}
