/** Turns at something that only one job of a thread may do at a time. */

export class Turns {
  #taken = false;
  /** Those that wait for a turn, in order. */
  readonly #waiting = new Set<() => void>();

  /**
   * Runs `work` after all earlier requests have finished; `onWait` is called if there are any.
   * @throws the signal's reason if it is aborted before the turn comes
   */
  async take<T>(signal: AbortSignal, work: () => Promise<T>, onWait: () => void): Promise<T> {
    signal.throwIfAborted();
    if (this.#taken) {
      onWait();
      await this.#wait(signal);
    }
    this.#taken = true;
    try {
      return await work();
    } finally {
      this.#pass();
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

  /** The turn stays taken while it passes to the next, so that no other request comes in between. */
  #pass(): void {
    const next = this.#waiting.values().next().value;
    this.#taken = next !== undefined;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next();
  }
}
