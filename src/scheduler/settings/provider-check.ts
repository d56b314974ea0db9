/** Whether a provider takes its key: the cheapest question that it answers only with a good one. */

import { messageOf, ProviderError } from "../../domain/errors.ts";
import { DAY } from "../../domain/market/interval.ts";
import type { Gate } from "../../pipeline/workers/pool.ts";
import type { FetchContext, Provider } from "../../providers/provider.ts";

/** Days of daily bars asked for where there is no cheaper question: enough to hold a session. */
const CHECK_DAYS = 14;
/** A provider that has not answered by then (ms) is not waited for. */
const PATIENCE_MS = 20_000;

export interface CheckResult {
  readonly good: boolean;
  /** One line for the screen. */
  readonly text: string;
}

/**
 * Asks the provider something cheap.
 * @param byQuota ask for the quota, where the provider can tell it; a public key may not be allowed to
 */
export async function checkProvider(
  provider: Provider,
  dependencies: { readonly gate: Gate; redact(text: string): string },
  { byQuota }: { byQuota: boolean },
): Promise<CheckResult> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
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
    if (signal.aborted) return { good: false, text: `${provider.title} did not answer within ${PATIENCE_MS / 1000} s` };
    const known = error instanceof ProviderError;
    return { good: false, text: dependencies.redact(known ? error.message : `${provider.title}: ${messageOf(error)}`) };
  }
}
