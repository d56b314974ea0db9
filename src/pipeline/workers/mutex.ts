/** Lets one job of a thread after the other do what only one may do at a time. */

export class Mutex {
  #locked = false;
  /** Those that wait, in order. */
  readonly #waiting = new Set<() => void>();

  /**
   * Runs `work` after all earlier requests have finished; `onWait` is called if there are any.
   * @throws the signal's reason if it is aborted before `work` begins
   */
  async run<T>(signal: AbortSignal, work: () => Promise<T>, onWait: () => void): Promise<T> {
    signal.throwIfAborted();
    if (this.#locked) {
      onWait();
      await this.#wait(signal);
    }
    this.#locked = true;
    try {
      return await work();
    } finally {
      this.#unlock();
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiting.delete(begin);
        reject(signal.reason);
      };
      const begin = () => {
        signal.removeEventListener("abort", stop);
        resolve();
      };
      this.#waiting.add(begin);
      signal.addEventListener("abort", stop, { once: true });
    });
  }

  /** Stays locked while the next one begins, so that no other request comes in between. */
  #unlock(): void {
    const next = this.#waiting.values().next().value;
    this.#locked = next !== undefined;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next();
  }
}
