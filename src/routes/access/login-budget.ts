/** How many logins are attempted in all, from however many addresses. */

/** Attempts that need not wait, and the time after which there is one more, milliseconds. */
const FREE = 10;
const REFILL_MS = 500;
/** Attempts that wait for their turn, and how long each waits at most, milliseconds. */
const MAX_WAITING = 8;
const MAX_WAIT_MS = 1_500;

/**
 * A budget for all attempts together. Of those that wait, the newest is next: under a flood of guesses a person who has
 * just pressed the button waits for one turn instead of behind all guesses.
 */
export class LoginBudget {
  #tokens = FREE;
  #filledAt: number;
  readonly #waiting: { readonly since: number; resolve(granted: boolean): void }[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.#filledAt = now();
  }

  /** Takes one attempt, after a wait of at most 1.5 seconds; false if there was none. */
  take(): Promise<boolean> {
    this.#refill();
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return Promise.resolve(true);
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.push({ since: this.now(), resolve });
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()!.resolve(false);
    this.#timer ??= setTimeout(() => this.#turn(), REFILL_MS);
    return promise;
  }

  #refill(): void {
    const now = this.now();
    this.#tokens = Math.min(FREE, this.#tokens + (now - this.#filledAt) / REFILL_MS);
    this.#filledAt = now;
  }

  #turn(): void {
    this.#timer = null;
    this.#refill();
    while (this.#tokens >= 1 && this.#waiting.length > 0) {
      this.#tokens -= 1;
      this.#waiting.pop()!.resolve(true);
    }
    while (this.#waiting.length > 0 && this.now() - this.#waiting[0]!.since >= MAX_WAIT_MS) {
      this.#waiting.shift()!.resolve(false);
    }
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#turn(), REFILL_MS);
  }
}
