import { isoMillisecond, isoOrNull } from "../../domain/time.ts";
import type { RateLimiter } from "../../providers/quotas/rate-limiter.ts";
import type { UsageStore } from "../../storage/quotas/usage.ts";

/** Requests and limits of every provider, as the API writes them. */
export function usageReport(usage: UsageStore, limiter: RateLimiter) {
  const counted = new Map(usage.usage().map((each) => [each.provider, each]));
  const none = { requests: 0, units: 0 };
  return limiter.snapshot().map(({ provider, gauges, hold, waiting, spenders }) => ({
    provider,
    last_minute: counted.get(provider)?.lastMinute ?? none,
    today: counted.get(provider)?.today ?? none,
    limits: gauges.map(({ period, counts, used, limit, resetsAt }) => ({
      period,
      counts,
      used,
      limit,
      resets_at: isoOrNull(resetsAt),
    })),
    hold: hold && { until: isoMillisecond(hold.until), reason: hold.reason },
    waiting,
    spenders: spenders.slice(0, 10),
  }));
}
