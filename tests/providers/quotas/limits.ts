/** A limiter of one account on a virtual clock, and requests to it. */

import type { QuotaRequest } from "../../../src/providers/quotas/grant.ts";
import type { QuotaLimit } from "../../../src/providers/quotas/meters.ts";
import { RateLimiter } from "../../../src/providers/quotas/rate-limiter.ts";
import type { VirtualClock } from "../../helpers/virtual-clock.ts";

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const perMinute = (limit: number): QuotaLimit => ({ period: "minute", counts: "requests", limit });
export const perDay = (limit: number): QuotaLimit => ({ period: "day", counts: "units", limit });
export const ask = (more: Partial<QuotaRequest> = {}): QuotaRequest => ({
  provider: "acme",
  run: "r",
  job: "j",
  cost: 1,
  ...more,
});

export function limiterOf(clock: VirtualClock, limits: QuotaLimit[], hooks = {}): RateLimiter {
  return new RateLimiter([{ provider: "acme", account: "acme:1", limits }], { clock, ...hooks });
}
