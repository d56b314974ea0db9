/** A write of what has gathered in memory, in the background. */

const DELAY_MS = 250;

/** Writes at most 250 ms after something has gathered, and never twice at once; what fails goes to `onError`. */
export class DeferredWrite {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #writing: Promise<void> = Promise.resolve();

  /** @param write stores all that has gathered, and does nothing if that is nothing */
  constructor(
    private readonly write: () => Promise<void>,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** There is something to write. */
  request(): void {
    this.#timer ??= setTimeout(() => void this.flush(), DELAY_MS);
  }

  /** Writes now; ends when all that has gathered so far is stored, or was reported. */
  flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(this.write).catch(this.onError);
    return this.#writing;
  }
}
