/** The last hour as the monitor shows it; `null` if nothing happened in it. */

import { findProvider } from "../../providers/registry.ts";
import { HOUR } from "../../scheduler/live/last-hour.ts";
import type { LastHourView } from "../../views/quotas/last-hour.tsx";
import type { Services } from "../services.ts";

export function lastHourView({ lastHour, usage }: Pick<Services, "lastHour" | "usage">): LastHourView | null {
  const perProvider = usage.minutes(HOUR);
  const bars = lastHour.bars();
  const requests = Array.from({ length: HOUR }, (_, i) => {
    let sum = 0;
    for (const minutes of perProvider.values()) sum += minutes[i]!;
    return sum;
  });
  if (!requests.some(Boolean) && !bars.some(Boolean)) return null;
  const quotas = lastHour.quotas().filter(({ provider }) => perProvider.get(provider)?.some(Boolean));
  return {
    since: bars.includes(null) ? lastHour.since : null,
    bars,
    requests,
    quotas: quotas.map(({ provider, levels, gauge: { period, counts, limit } }) => {
      const title = findProvider(provider)?.title ?? provider;
      return { title, levels: levels.map(hundredth), period, counts, limit };
    }),
  };
}

/** Smaller changes are not visible, but would be sent. */
const hundredth = (share: number | null) => (share === null ? null : Math.round(share * 100) / 100);
