/** How many live streams may be open at a time, for each login session or token and in all. */

import { Refusal } from "../../domain/errors.ts";

/** Open streams of one session or token: a browser opens one a page, a program rarely more than one. */
const PER_HOLDER = 100;
/** Open streams in all: each costs a descriptor, a queue and its share of every event. */
const IN_ALL = 1_000;
/** After which a refused reader may try again, seconds. */
const RETRY_AFTER = 10;

/** Registers what ends a stream with its login; returns what the stream calls, once or more often, when it has ended. */
export type StreamLifetime = (end: () => void) => () => void;

export class StreamLimits {
  readonly #open = new Map<string, number>();
  #total = 0;

  constructor(
    private readonly perHolder = PER_HOLDER,
    private readonly inAll = IN_ALL,
  ) {}

  /** Streams that are open now. */
  get total(): number {
    return this.#total;
  }

  /**
   * Takes the place of one more stream; it is free again when the stream has ended.
   * @param holder the session or token; `undefined` without a login, where only the limit in all holds
   * @param signal aborts when that login ends
   * @throws Refusal if too many are open
   */
  enter(holder?: string, signal?: AbortSignal): StreamLifetime {
    const held = holder === undefined ? 0 : (this.#open.get(holder) ?? 0);
    if (held >= this.perHolder) {
      const detail = `${held} live streams are open with this login, which is the most: close some`;
      throw new Refusal("too_many", detail, [], RETRY_AFTER);
    }
    if (this.#total >= this.inAll) {
      const detail = `${this.#total} live streams are open, which is the most: try again later`;
      throw new Refusal("unavailable", detail, [], RETRY_AFTER);
    }
    this.#total += 1;
    if (holder !== undefined) this.#open.set(holder, held + 1);
    return (end) => {
      let open = true;
      signal?.addEventListener("abort", end);
      return () => {
        if (!open) return;
        open = false;
        signal?.removeEventListener("abort", end);
        this.#leave(holder);
      };
    };
  }

  #leave(holder: string | undefined): void {
    this.#total -= 1;
    if (holder === undefined) return;
    const left = this.#open.get(holder)! - 1;
    if (left === 0) this.#open.delete(holder);
    else this.#open.set(holder, left);
  }
}
