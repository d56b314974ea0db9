/** Remembers for a moment which token a secret is, so that a worker's many requests are not each looked up. */

import type { TokenRow } from "../../storage/access/tokens.ts";

/** For how long a found token is not looked up again, milliseconds: another process may have changed the database. */
const KEPT_MS = 5_000;
const MAX_KEPT = 500;

export interface TokenCacheOptions {
  /** Steady, milliseconds. */
  readonly now?: () => number;
}

export class TokenCache {
  readonly #kept = new Map<string, { readonly token: TokenRow; readonly at: number }>();
  /** How often everything was forgotten. */
  #generation = 0;
  readonly #now: () => number;

  constructor({ now = () => performance.now() }: TokenCacheOptions = {}) {
    this.#now = now;
  }

  /**
   * The token with this hash, unless it has expired. One that is not found is looked up each time.
   * @param now epoch milliseconds
   * @param find looks up one that is not kept
   */
  async find(
    hash: string,
    now: number,
    find: (hash: string) => Promise<TokenRow | undefined>,
  ): Promise<TokenRow | undefined> {
    const kept = this.#kept.get(hash);
    if (kept !== undefined && this.#now() - kept.at < KEPT_MS)
      return (kept.token.expiresAt ?? Number.POSITIVE_INFINITY) > now ? kept.token : undefined;
    const [generation, at] = [this.#generation, this.#now()];
    const token = await find(hash);
    // A look-up that began before a revocation may end after it.
    if (generation !== this.#generation) return token;
    this.#kept.delete(hash);
    if (token === undefined) return undefined;
    this.#kept.set(hash, { token, at });
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return token;
  }

  /** A token was revoked: all are looked up again. */
  clear(): void {
    this.#generation += 1;
    this.#kept.clear();
  }
}
