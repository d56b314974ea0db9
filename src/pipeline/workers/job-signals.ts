/** How a job on a worker thread is stopped: itself at once, its request under way at once or a little later. */

import { Stopped } from "../job-context.ts";
import type { StopReason } from "../messages.ts";

/** How long a request under way may delay a shutdown, milliseconds; the server exits after nine seconds. */
const GRACE_MS = 5_000;

export class JobSignals {
  readonly #stop = new AbortController();
  readonly #cut = new AbortController();
  #cutTimer: ReturnType<typeof setTimeout> | undefined;

  /** Aborted with a `Stopped`: the job ends at its next checkpoint, and its waits for a permit or a turn at once. */
  readonly job = this.#stop.signal;
  /** The same for the request under way. */
  readonly request = this.#cut.signal;

  /** Stops the job. On shutdown a request under way may still be answered, so that its batch is stored. */
  stop(reason: StopReason): void {
    const stopped = new Stopped(reason);
    this.#stop.abort(stopped);
    clearTimeout(this.#cutTimer);
    if (reason === "shutdown") this.#cutTimer = setTimeout(() => this.#cut.abort(stopped), GRACE_MS);
    else this.#cut.abort(stopped);
  }

  /** The job has ended: nothing is left to stop. */
  close(): void {
    clearTimeout(this.#cutTimer);
  }
}
