/** When a database in trouble is tried again, and the trouble that lasts. */

import type { StorageFault, StorageTrouble } from "../../domain/errors.ts";

/** A lock counts as trouble after this long, milliseconds: usually it is over at once. */
const LOCKED_AFTER_MS = 1_000;
/** The shortest and the longest pause between two tries, milliseconds; it grows with the time that has passed. */
const LOCKED_PAUSE_MS = [1, 500] as const;
const PAUSE_MS = [250, 15_000] as const;
/** The share of the time since the first failure after which the next try comes. */
const GROWTH = 0.25;

export class Retries {
  #trouble: StorageTrouble | null = null;
  /** When the failing began, milliseconds of `performance.now()`; `null` while nothing fails. */
  #failingSince: number | null = null;
  #listener: (trouble: StorageTrouble | null) => void = () => {};
  /** What ends the pauses that last, and when each ends by itself, milliseconds of `performance.now()`. */
  readonly #pauses = new Map<() => void, number>();

  /** The trouble that lasts; `null` if there is none. */
  get trouble(): StorageTrouble | null {
    return this.#trouble;
  }

  /** Calls `listener` whenever trouble begins, changes or ends. */
  watch(listener: (trouble: StorageTrouble | null) => void): void {
    this.#listener = listener;
  }

  failed(fault: StorageFault): void {
    const now = performance.now();
    const failingSince = this.#failingSince ?? now;
    this.#failingSince = failingSince;
    if (fault.kind === "locked" && now - failingSince < LOCKED_AFTER_MS) return;
    if (this.#trouble?.what === fault.what) return;
    const since = this.#trouble?.since ?? Date.now() - Math.round(now - failingSince);
    this.#trouble = { ...fault, since };
    this.#listener(this.#trouble);
  }

  succeeded(): void {
    this.#failingSince = null;
    this.wake();
    if (this.#trouble === null) return;
    this.#trouble = null;
    this.#listener(null);
  }

  /** Somebody waits until then and no longer: what is paused is tried again by that time. */
  limit(until: number): void {
    for (const [end, planned] of this.#pauses) if (until < planned) end();
  }

  /** Tries again now. */
  wake(): void {
    for (const end of this.#pauses.keys()) end();
  }

  /** Ends when the next try is due, at `until` (milliseconds of `performance.now()`) at the latest. */
  async pause(until = Number.POSITIVE_INFINITY): Promise<void> {
    const now = performance.now();
    const isLocked = this.#trouble === null || this.#trouble.kind === "locked";
    const [least, most] = isLocked ? LOCKED_PAUSE_MS : PAUSE_MS;
    const usual = Math.min(most, Math.max(least, GROWTH * (now - (this.#failingSince ?? now))));
    const milliseconds = Math.max(1, Math.min(usual, until - now));
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    this.#pauses.set(resolve, now + milliseconds);
    await promise;
    this.#pauses.delete(resolve);
    clearTimeout(timer);
  }
}
