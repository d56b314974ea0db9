/** The loop of whatever sends alerts, and when it tries again what was not accepted. */

import type { Clock } from "../clock.ts";

/** Longest time between two polls, milliseconds: worker threads record events without notifying anybody. */
const POLL_MS = 30_000;
/** How long what is being sent may delay a shutdown, milliseconds. */
const CLOSE_MS = 2_000;
const FIRST_RETRY_MS = 30_000;
export const MAX_RETRY_MS = 60 * 60_000;
/** What was not accepted for this long is given up, as mail servers do (RFC 5321, 4.5.4.1). */
const GIVE_UP_MS = 5 * 24 * 60 * 60_000;

/** Polls when it is notified, when something is due, and every half minute. Only one poll runs at a time. */
export class PollLoop {
  #cancelTimer: (() => void) | null = null;
  #polling: Promise<void> | null = null;
  #started = false;
  #again = false;
  #closed = false;
  readonly #abort = new AbortController();

  /** @param poll does what is due, does not throw, and returns when it is due again, epoch milliseconds, or `null` */
  constructor(
    private readonly clock: Clock,
    private readonly poll: () => Promise<number | null>,
  ) {}

  get closed(): boolean {
    return this.#closed;
  }

  /** Ends what is being sent when a shutdown does not wait for it any longer. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  start(): void {
    this.#started = true;
    this.notify();
  }

  /** Polls now, or again after the poll under way: there may be new events. Does nothing before the start. */
  notify(): void {
    if (!this.#started || this.#closed) return;
    this.#again = true;
    this.#polling ??= this.#keepPolling().finally(() => {
      this.#polling = null;
      // Notified between the last poll and now.
      if (this.#again) this.notify();
    });
  }

  /** Resolves when there is nothing to do at present. */
  async idle(): Promise<void> {
    while (this.#polling !== null) await this.#polling;
  }

  /** Stops. What is being sent may finish for a moment. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    if (this.#polling === null) return;
    const timer = setTimeout(() => this.#abort.abort(), CLOSE_MS);
    await this.#polling;
    clearTimeout(timer);
  }

  async #keepPolling(): Promise<void> {
    this.#cancelTimer?.();
    let dueAt: number | null = null;
    while (this.#again && !this.#closed) {
      this.#again = false;
      dueAt = await this.poll();
    }
    if (this.#closed) return;
    const wait = Math.min(POLL_MS, Math.max(0, (dueAt ?? Number.POSITIVE_INFINITY) - this.clock.now()));
    this.#cancelTimer = this.clock.after(wait, () => this.notify());
  }
}

/** The earlier of two moments, of which either may not come. */
export const earlier = (a: number | null, b: number | null) => (a === null ? b : b === null ? a : Math.min(a, b));

/**
 * When a mail or message is tried again after a failed attempt, epoch milliseconds; `null` if it is given up.
 * @param leastMs the shortest wait, milliseconds
 */
export function retryAt(
  { attempts, createdAt }: { readonly attempts: number; readonly createdAt: number },
  now: number,
  leastMs = 0,
): number | null {
  return now - createdAt >= GIVE_UP_MS ? null : now + Math.max(leastMs, retryDelay(attempts));
}

/** Wait before the next attempt after `attempts` failed ones, milliseconds: doubled each time, up to an hour. */
export const retryDelay = (attempts: number): number =>
  Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(20, attempts - 1));

/** The end of a sentence about a failed attempt. */
export const describeRetry = (at: number | null, now: number): string =>
  at === null ? "given up" : `tried again in ${Math.round((at - now) / 1_000)}s`;
