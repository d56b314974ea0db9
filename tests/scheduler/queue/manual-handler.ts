import { expect } from "bun:test";

/** How long a wait may last, milliseconds: less than a test may, whose end by the runner kills the servers of the others. */
const LONGEST = 20_000;

/** Waits for something that happens outside, and says what it was if it does not. */
export async function inTime<T>(event: Promise<T>, what: () => string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`waited ${LONGEST / 1_000} s for ${what()}`)), LONGEST);
  try {
    return await Promise.race([event, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A handler of keys that end when the test says so. */
export class ManualHandler<Result> {
  /** Keys in the order in which they began. */
  readonly begun: string[] = [];
  /** The most that were at work at once. */
  most = 0;
  readonly #open = new Map<string, (result: Result) => void>();
  #events: (() => void) | null = null;
  #isFinished = false;

  /** @param done how a key ends unless the test says otherwise */
  constructor(private readonly done: Result) {}

  readonly begin = (key: string): Promise<Result> => {
    this.begun.push(key);
    if (this.#isFinished) return Promise.resolve(this.done);
    expect(this.#open.has(key), `${key} is at work twice`).toBe(false);
    this.#events?.();
    return new Promise((resolve) => {
      this.#open.set(key, resolve);
      this.most = Math.max(this.most, this.#open.size);
    });
  };

  get working(): string[] {
    return [...this.#open.keys()];
  }

  end(key: string, result: Result = this.done): void {
    const resolve = this.#open.get(key);
    if (resolve === undefined) throw new Error(`${key} is not at work`);
    this.#open.delete(key);
    resolve(result);
  }

  endAll(): void {
    for (const key of this.working) this.end(key);
  }

  /** Ends all keys, and those that come later at once: one whose lock was lost on a busy machine is delivered again. */
  finish(): void {
    this.#isFinished = true;
    this.endAll();
  }

  /** Waits until `count` keys have begun. */
  async taken(count: number): Promise<void> {
    while (this.begun.length < count) {
      const begins = new Promise<void>((resolve) => {
        this.#events = resolve;
      });
      await inTime(begins, () => `${count} keys to begin; these have: ${this.begun.join(", ")}`);
    }
  }

  /** Ends keys in the order in which they begin, until `count` more have ended. */
  async drain(count: number): Promise<void> {
    for (let ended = 0; ended < count; ended++) {
      await this.taken(this.begun.length - this.#open.size + 1);
      this.end(this.working[0]!);
    }
  }
}
