/**
 * The one place that decides when a request may be sent: a limiter for each provider and key, shared by all workers and
 * runs. It lives on the main thread; workers ask it through messages. Units are taken before a request is sent and
 * stored before leave is given, put right by the answer, and survive a restart.
 */

import { type Clock, systemClock } from "../../clock.ts";
import type { Permit, QuotaReport } from "../provider.ts";
import { type AccountHooks, LimiterAccount, type QuotaRequest, type QuotaRow, type QuotaState } from "./account.ts";
import type { QuotaLimit } from "./meters.ts";

/** What the limiter has to know of a provider. */
export interface QuotaRules {
  readonly provider: string;
  /** Tells keys apart, see `accountOf`. */
  readonly account: string;
  readonly limits: readonly QuotaLimit[];
}

export interface RateLimiterOptions extends AccountHooks {
  readonly clock?: Clock;
}

export class RateLimiter {
  readonly #accounts = new Map<string, LimiterAccount>();
  readonly #clock: Clock;
  readonly #hooks: AccountHooks;

  constructor(rules: readonly QuotaRules[], { clock = systemClock, ...hooks }: RateLimiterOptions = {}) {
    this.#clock = clock;
    this.#hooks = hooks;
    for (const rule of rules) this.define(rule);
  }

  /** Adds a provider, or gives it another key or other limits; what waits goes on waiting under the new ones. */
  define({ provider, account, limits }: QuotaRules): void {
    const before = this.#accounts.get(provider);
    const next = new LimiterAccount(provider, account, limits, this.#clock, this.#hooks);
    if (before?.account === account) next.restore(before.rows());
    this.#accounts.set(provider, next);
    before?.moveTo(next);
  }

  /**
   * Resolves when one request may be sent.
   * @throws ProviderError `quota_exceeded` or `rate_limited` with `retryAfter` when the wait exceeds the request's patience;
   * the signal's reason when it is aborted; RangeError for an unknown provider.
   */
  acquire(request: QuotaRequest): Promise<Permit> {
    return this.#account(request.provider).acquire(request);
  }

  /** Takes in what a provider said of its quota outside any request. */
  report(provider: string, report: QuotaReport): void {
    this.#account(provider).report(report);
  }

  /** Every provider's quota at this moment, for the screen. */
  snapshot(): QuotaState[] {
    return [...this.#accounts.values()].map((account) => account.state());
  }

  /** What to store on a clean stop; during work `persist` is given the same rows. */
  rows(): QuotaRow[] {
    return [...this.#accounts.values()].flatMap((account) => account.rows());
  }

  /** Takes up stored rows on start; those of past periods and other keys are ignored. */
  restore(rows: readonly QuotaRow[]): void {
    for (const account of this.#accounts.values())
      account.restore(rows.filter((row) => row.account === account.account));
  }

  close(): void {
    for (const account of this.#accounts.values()) account.close();
  }

  #account(provider: string): LimiterAccount {
    const account = this.#accounts.get(provider);
    if (!account) throw new RangeError(`No quota is defined for the provider "${provider}"`);
    return account;
  }
}

/** A short name for a provider's key, from which the key cannot be found: the limiter's rows carry it. */
export function accountOf(provider: string, key: string): string {
  return `${provider}:${new Bun.CryptoHasher("sha256").update(`barkeep ${provider} ${key}`).digest("hex").slice(0, 12)}`;
}
