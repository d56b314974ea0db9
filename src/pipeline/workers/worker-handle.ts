/** Worker threads as the pool has them: their jobs, what is known of them, and how they are ended. */

import type { SymbolTask, ToWorker } from "../messages.ts";
import type { Assignment } from "./assignment.ts";

/** What jobs are given to: a thread of this process, or of a worker on another machine. */
export interface PoolThread {
  readonly jobs: Map<number, Assignment>;
  ready: boolean;
  /** Whether its writes wait for the database. */
  inTrouble: boolean;
  /** Whether its worker has not been heard of for some seconds: whether it works is not known. */
  readonly isSilent: boolean;
  /** The worker on another machine whose thread it is; `null` for those of this process. */
  readonly host: object | null;
  /** Whether it has room for one more job. */
  readonly hasRoom: boolean;
  /** Whether it has room for one more job, and may have this one. */
  takes(task: SymbolTask): boolean;
  send(message: ToWorker): void;
  /** Stops its jobs at their next batch, and resolves when nothing more comes from it. */
  shutDown(): Promise<void>;
}

/** The thread crashed during the job, which is neither done nor failed. */
export class WorkerCrashed extends Error {
  override readonly name = "WorkerCrashed";
}

/** The worker on another machine is gone, with its jobs: nothing is wrong with these. */
export class WorkerLost extends Error {
  override readonly name = "WorkerLost";
}

/** A thread of this process. */
export class WorkerHandle implements PoolThread {
  readonly jobs = new Map<number, Assignment>();
  ready = false;
  inTrouble = false;
  readonly isSilent = false;
  readonly host = null;
  readonly hasRoom = true;
  #unsent: ToWorker[] = [];
  constructor(readonly thread: Worker) {}

  takes(): boolean {
    return true;
  }

  /** Sends it together with the other messages of this microtask turn: reports come together, as do most answers to them. */
  send(message: ToWorker): void {
    this.#unsent.push(message);
    if (this.#unsent.length > 1) return;
    queueMicrotask(() => {
      const messages = this.#unsent;
      this.#unsent = [];
      this.thread.postMessage(messages);
    });
  }

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
