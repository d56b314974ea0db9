/** Checks a provider key with the cheapest request that needs a valid one. */

import { messageOf, ProviderError } from "../../domain/errors.ts";
import { DAY } from "../../domain/market/interval.ts";
import type { Gate } from "../../pipeline/workers/pool.ts";
import type { FetchContext, Provider } from "../../providers/provider.ts";

/** Days of daily bars requested where nothing is cheaper: enough to contain a session. */
const CHECK_DAYS = 14;
/** Time limit of the check, milliseconds. */
const TIMEOUT_MS = 20_000;

export interface CheckResult {
  readonly good: boolean;
  /** One line for the page. */
  readonly text: string;
}

/**
 * Makes the cheapest authenticated request.
 * @param byQuota request the quota, if the provider has such a request; a public key may not be allowed to
 */
export async function checkProvider(
  provider: Provider,
  dependencies: { readonly gate: Gate; redact(text: string): string },
  { byQuota }: { byQuota: boolean },
): Promise<CheckResult> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let requests = 0;
  const context: FetchContext = {
    signal,
    waiting: () => {},
    log: () => {},
    async acquire(cost = 1) {
      const task = { runId: "check", jobId: 0 };
      const permit = await dependencies.gate.acquire({ provider: provider.name, cost, task, signal, held: () => {} });
      requests += 1;
      return permit;
    },
  };
  try {
    if (byQuota && provider.checkQuota) await provider.checkQuota(context);
    else {
      const asOf = Math.floor(Date.now() / 1000);
      const to = Math.floor(asOf / DAY) * DAY;
      const window = { symbol: "AAPL", interval: "1d", from: to - CHECK_DAYS * DAY, to, asOf } as const;
      await provider.fetchBars(window, context);
    }
    return { good: true, text: `${provider.title} accepts the key (${requests} request${requests === 1 ? "" : "s"})` };
  } catch (error) {
    if (signal.aborted) return { good: false, text: `${provider.title} did not answer within ${TIMEOUT_MS / 1000} s` };
    const known = error instanceof ProviderError;
    return { good: false, text: dependencies.redact(known ? error.message : `${provider.title}: ${messageOf(error)}`) };
  }
}
