/** A write of what has gathered in memory, in the background. */

import { messageOf } from "../domain/errors.ts";
import { withoutWaitLimit } from "./connection/wait-limit.ts";

const DELAY_MS = 250;
/** The first wait after a failed write; doubles with every further one, milliseconds. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

/**
 * Writes at most 250 ms after something has gathered, and never twice at once. A write that fails is tried again, less and
 * less often; each cause goes to `onError` once.
 */
export class DeferredWrite {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #writing: Promise<void> = Promise.resolve();
  #failures = 0;
  #reported = "";
  #closed = false;

  /** @param write stores all that has gathered, and does nothing if that is nothing; keeps it until it is stored */
  constructor(
    private readonly write: () => Promise<void>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** There is something to write. */
  request(): void {
    // While writes fail, the next try is due already.
    this.#schedule(DELAY_MS);
  }

  /** Writes now; ends when all that has gathered so far is stored, or was reported. */
  flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(this.write).then(
      () => this.#succeeded(),
      (error) => this.#failed(error),
    );
    return this.#writing;
  }

  /** Writes now, and never again. */
  close(): Promise<void> {
    this.#closed = true;
    return this.flush();
  }

  #schedule(ms: number): void {
    if (this.#closed) return;
    this.#timer ??= withoutWaitLimit(() => setTimeout(() => void this.flush(), ms));
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#reported = "";
  }

  #failed(error: unknown): void {
    const message = messageOf(error);
    if (message !== this.#reported) this.onError(error);
    this.#reported = message;
    this.#schedule(Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures));
    this.#failures += 1;
  }
}
