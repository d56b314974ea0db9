/**
 * Decides when a request may be sent: one account for each provider and key, shared by all workers and runs. It runs on
 * the main thread; workers reach it through messages. Units are reserved and stored before a request is sent, settled by
 * its answer, and survive a restart.
 */

import { type Clock, systemClock } from "../../clock.ts";
import type { Permit, QuotaReport } from "../provider.ts";
import { LimiterAccount } from "./account.ts";
import type { AccountHooks, LeasedPermit, LeaseRequest, QuotaRequest } from "./grant.ts";
import type { QuotaLimit } from "./meters.ts";
import type { QuotaRow, QuotaState } from "./quota-state.ts";

/** The limits of a provider. */
export interface QuotaRules {
  readonly provider: string;
  /** Identifies provider and key, see `accountOf` in `entry.ts`. */
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

  /** Adds a provider, or gives it another key or other limits; waiting requests continue under the new ones. */
  define({ provider, account, limits }: QuotaRules): void {
    const before = this.#accounts.get(provider);
    const next = new LimiterAccount(provider, account, limits, this.#clock, this.#hooks);
    if (before?.account === account) next.restore(before.rows());
    this.#accounts.set(provider, next);
    before?.moveTo(next);
  }

  /**
   * Resolves when one request may be sent.
   * @throws ProviderError `quota_exceeded` or `rate_limited` with `retryAfter` when the wait exceeds the request's `maxWait`;
   * the signal's reason when it is aborted; RangeError for an unknown provider.
   */
  acquire(request: QuotaRequest): Promise<Permit> {
    return this.#account(request.provider).acquire(request);
  }

  /**
   * Grants as many requests of a job ahead as the limits can spare, also none. Each holds its place until it is settled or
   * returned, as one that is under way.
   */
  lease(request: LeaseRequest): Promise<LeasedPermit[]> {
    return this.#account(request.provider).lease(request);
  }

  /** Applies a provider's report about its quota that belongs to no request. */
  report(provider: string, report: QuotaReport): void {
    this.#account(provider).report(report);
  }

  /** Ends the hold of a provider before its time. */
  liftHold(provider: string): Promise<void> {
    return this.#account(provider).liftHold();
  }

  /** One provider's quota now; `undefined` for an unknown one. */
  state(provider: string): QuotaState | undefined {
    return this.#accounts.get(provider)?.state();
  }

  /** Every provider's quota now, as the page shows it. */
  snapshot(): QuotaState[] {
    return [...this.#accounts.values()].map((account) => account.state());
  }

  /** The rows to store on a clean stop; `persist` gets the same rows during work. */
  rows(): QuotaRow[] {
    return [...this.#accounts.values()].flatMap((account) => account.rows());
  }

  /**
   * Applies stored rows; those of past periods and other keys are ignored.
   * @param clockSet how far the machine's clock was set since they were stored, milliseconds
   */
  restore(rows: readonly QuotaRow[], clockSet = 0): void {
    for (const account of this.#accounts.values()) {
      const own = rows.filter((row) => row.account === account.account);
      account.restore(own, clockSet);
    }
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
