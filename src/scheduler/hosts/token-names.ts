/** How many workers a token may stand for: one that leaks, or a script gone wrong, does not crowd out those of others. */

import { Refusal } from "../../domain/errors.ts";

/** Names of one token in a day, and its workers at once: one that is started again is there twice for a while. */
const MAX_NAMES = 200;
const MAX_PRESENT = 2 * MAX_NAMES;
const DAY_MS = 24 * 3_600_000;
/** When a worker that is refused may come again, seconds. */
const TRY_AGAIN_S = 60;

export class TokenNames {
  /** When each name of a token last came, epoch milliseconds. */
  readonly #names = new Map<string, Map<string, number>>();

  /**
   * Notes that a worker of this name comes with a token of which so many are present.
   * @throws Refusal if that is one too many
   */
  take(token: string, name: string, present: number, now: number): void {
    const known = this.#names.get(token) ?? new Map<string, number>();
    for (const [each, at] of known) if (now - at >= DAY_MS) known.delete(each);
    if (!known.has(name) && known.size >= MAX_NAMES) {
      const words = `The token ${token} has been used for ${MAX_NAMES} names of workers within a day`;
      throw new Refusal("too_many", `${words}: give each machine one with --name, or another token`, [], TRY_AGAIN_S);
    }
    if (present >= MAX_PRESENT)
      throw new Refusal("too_many", `${present} workers of the token ${token} are present already`, [], TRY_AGAIN_S);
    known.set(name, now);
    this.#names.set(token, known);
  }
}
