/** A clock that only the test advances, so that hours pass in milliseconds. */

import type { Clock } from "../../src/clock.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

export class VirtualClock implements Clock {
  /** Advances only. */
  #now: number;
  /** How far the wall clock was set. */
  #shift = 0;
  #order = 0;
  readonly #timers = new Map<number, Timer>();

  constructor(start = Date.UTC(2026, 0, 15, 12)) {
    this.#now = start;
  }

  now(): number {
    return this.#now + this.#shift;
  }

  steady(): number {
    return this.#now;
  }

  /** Somebody sets the wall clock by so many milliseconds. */
  set(milliseconds: number): void {
    this.#shift += milliseconds;
  }

  after(milliseconds: number, action: () => void): () => void {
    const order = this.#order++;
    this.#timers.set(order, { at: this.#now + Math.max(0, milliseconds), order, action });
    return () => this.#timers.delete(order);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => void this.after(milliseconds, resolve));
  }

  /** Advances by `milliseconds` and runs everything that becomes due, in order. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await settled();
    for (let next = this.#next(); next && next.at <= end; next = this.#next()) await this.#fire(next);
    this.#now = end;
    await settled();
  }

  /** Advances until `work` is done. */
  async until<T>(work: Promise<T>): Promise<T> {
    let done = false;
    work.then(
      () => (done = true),
      () => (done = true),
    );
    await settled();
    while (!done) {
      const next = this.#next();
      if (!next) throw new Error("Nothing is due any more, and the work is not done");
      await this.#fire(next);
    }
    return work;
  }

  #next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order)) first = timer;
    }
    return first;
  }

  async #fire(timer: Timer): Promise<void> {
    this.#now = Math.max(this.#now, timer.at);
    this.#timers.delete(timer.order);
    timer.action();
    await settled();
  }
}

/** Waits until all promises that can continue have done so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
