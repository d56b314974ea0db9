/** Estimates the cost and duration of a run before it is started. Pure. */

import { DAY } from "../../../domain/market/interval.ts";

/** One limit of the provider and its present use. */
export interface SpentLimit {
  readonly period: "minute" | "hour" | "day" | "month";
  readonly counts: "requests" | "units";
  readonly used: number;
  readonly limit: number;
  /** Epoch seconds; `null` for the minute, which slides. */
  readonly resetsAt: number | null;
}

export interface CostInput {
  readonly symbols: number;
  readonly requests: number;
  /** Quota units that all these requests cost. */
  readonly units: number;
  readonly limits: readonly SpentLimit[];
  /** Symbols that are processed at once. */
  readonly atOnce: number;
  /** Measured seconds that one symbol takes without any limit; `null` if none was measured. */
  readonly secondsPerSymbol: number | null;
}

export interface CostEstimate {
  /** Seconds until the end; `null` if it cannot be estimated. */
  readonly seconds: number | null;
  /** The last quota reset (epoch seconds) that has to be waited for; `null` if what is left suffices. */
  readonly afterReset: number | null;
}

/**
 * Symbols at work at once: as many as keep the threads busy while the others wait for the provider, and at most `most`.
 * `workedMs` and `fetchMs` are those of earlier jobs; without any they compute all the time.
 */
export function symbolsAtOnce(
  { workedMs, fetchMs }: { readonly workedMs: number; readonly fetchMs: number },
  { threads, most }: { readonly threads: number; readonly most: number },
): number {
  const computing = workedMs > 0 ? Math.max(0, 1 - fetchMs / workedMs) : 1;
  return Math.max(1, Math.min(most, computing > 0 ? threads / computing : most));
}

const SECONDS = { minute: 60, hour: 3_600, day: DAY, month: 30 * DAY } as const;

/**
 * The end depends on the slowest of: the work itself, the limit per minute, and the resets of the longer periods, each
 * of which gives `limit` more units.
 * @param now epoch seconds
 */
export function estimateCost(plan: CostInput, now: number): CostEstimate {
  const work = plan.secondsPerSymbol === null ? null : (plan.symbols * plan.secondsPerSymbol) / plan.atOnce;
  let seconds = work;
  let afterReset: number | null = null;
  for (const { period, counts, used, limit, resetsAt } of plan.limits) {
    const need = counts === "units" ? plan.units : plan.requests;
    const left = Math.max(0, limit - used);
    if (need <= left) continue;
    if (limit <= 0) return { seconds: null, afterReset: null };
    let takes: number;
    if (resetsAt === null) takes = ((need - left) / limit) * SECONDS[period];
    else {
      const resets = Math.ceil((need - left) / limit);
      const last = resetsAt + (resets - 1) * SECONDS[period];
      if (afterReset === null || last > afterReset) afterReset = last;
      takes = last - now;
    }
    seconds = Math.max(seconds ?? 0, takes);
  }
  return { seconds, afterReset };
}
