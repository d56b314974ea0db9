/** A lock between the threads of this process: one at a time writes to the database file. */

const FREE = 0;
const HELD = 1;
/** Held, and at least one thread waits for it. */
const CONTENDED = 2;

/** Milliseconds after which a waiting thread checks again: a thread that has ended may have been notified instead. */
const LOOK_AGAIN_MS = 100;

/**
 * Waits without blocking its thread, unlike SQLite's busy handler, which sleeps. Hold it for one synchronous transaction
 * only, so that a thread cannot end while it holds it.
 */
export class WriteLock {
  readonly #state: Int32Array<SharedArrayBuffer>;

  /** @param shared the memory of a lock of another thread; a new lock without it */
  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.#state = new Int32Array(shared);
  }

  /** Takes the lock, now or as soon as it is given up. */
  async acquire(): Promise<void> {
    if (this.#swap(FREE, HELD)) return;
    do {
      if (Atomics.load(this.#state, 0) === CONTENDED || !this.#swap(HELD, CONTENDED)) {
        const { async, value } = Atomics.waitAsync(this.#state, 0, CONTENDED, LOOK_AGAIN_MS);
        if (async) await value;
      }
      // Others may wait too: the thread that takes it now has to notify the next one.
    } while (!this.#swap(FREE, CONTENDED));
  }

  release(): void {
    if (Atomics.exchange(this.#state, 0, FREE) === CONTENDED) Atomics.notify(this.#state, 0, 1);
  }

  #swap(from: number, to: number): boolean {
    return Atomics.compareExchange(this.#state, 0, from, to) === from;
  }
}
