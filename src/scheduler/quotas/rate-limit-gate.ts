/** The gate before the providers: every request of every worker passes the limiter here, and is counted. */

import type { Counters } from "../../metrics/counters.ts";
import type { Gate } from "../../pipeline/workers/gate.ts";
import type { Permit, QuotaReport, RequestEnd } from "../../providers/provider.ts";
import type { RateLimiter } from "../../providers/quotas/rate-limiter.ts";
import type { UsageStore } from "../../storage/quotas/usage.ts";

/** Seconds that a job may hold its worker for a spent quota; for longer it is parked until the reset. */
const MAX_WAIT_S = 90;

/**
 * Grants requests through the limiter, which counts them (`spend-record.ts`), and records what their answers correct and how they
 * ended.
 * @param confirm resolves while this server is sure to have the database to itself
 */
export function rateLimitGate(
  limiter: RateLimiter,
  usage: UsageStore,
  counters: Counters,
  confirm: () => Promise<void>,
): Gate {
  const settled = (permit: Permit, provider: string, cost: number) => (report: QuotaReport) => {
    permit.settle(report);
    if (report.ended) countRequest(counters, provider, report.ended);
    if (report.charged !== undefined && report.charged !== cost) usage.count(provider, report.charged - cost, 0);
  };
  return {
    async acquire({ provider, cost, task, signal, held }) {
      const permit = await limiter.acquire({
        provider,
        cost,
        run: task.runId,
        job: String(task.jobId),
        signal,
        maxWait: MAX_WAIT_S,
        onWait: held,
      });
      await confirm();
      return { settle: settled(permit, provider, cost) };
    },
    async lease({ provider, cost, task, count }) {
      const permits = await limiter.lease({ provider, cost, count, run: task.runId, job: String(task.jobId) });
      await confirm();
      return permits.map((permit) => ({ settle: settled(permit, provider, cost), unsent: permit.unsent }));
    },
  };
}

function countRequest(counters: Counters, provider: string, { code, seconds, isRetry }: RequestEnd): void {
  counters.add("barkeep_provider_requests_total", { provider, code });
  counters.observe("barkeep_provider_request_duration_seconds", { provider }, seconds);
  if (isRetry) counters.add("barkeep_provider_retries_total", { provider });
}
