/** The providers' quotas as pages show them. */

import { runTitle } from "../../domain/runs/run-title.ts";
import type { QuotaState } from "../../providers/quotas/quota-state.ts";
import { findProvider } from "../../providers/registry.ts";
import type { QuotaView } from "../../views/quotas/quota-gauges.tsx";
import type { Services } from "../services.ts";

/** Titles of what uses units besides runs. */
const OTHER_SPENDERS: Readonly<Record<string, string>> = { companies: "lists of companies", check: "key checks" };

type QuotaServices = Pick<Services, "limiter" | "usage" | "hub">;

/** Every provider's quota, in the order of the registry. */
export const quotaViews = (services: QuotaServices): QuotaView[] => viewsOf(services, services.limiter.snapshot());

function viewsOf({ usage, hub }: QuotaServices, states: readonly QuotaState[]): QuotaView[] {
  if (states.length === 0) return [];
  const counted = new Map(usage.usage().map((each) => [each.provider, each]));
  const runs = new Map(hub.runs().map((run) => [run.id, run]));
  return states.map((state) => {
    const { provider: name, gauges, hold, waiting } = state;
    const title = findProvider(name)?.title ?? name;
    const spenders = state.spenders.map(({ run: id, units }) => {
      const run = runs.get(id);
      const other = OTHER_SPENDERS[id];
      return {
        title: other ?? (run ? runTitle(run) : "an earlier run"),
        address: other ? null : `/runs/${encodeURIComponent(id)}`,
        units,
      };
    });
    const requests = {
      minute: counted.get(name)?.lastMinute.requests ?? 0,
      today: counted.get(name)?.today.requests ?? 0,
    };
    return { provider: name, title, gauges, hold, waiting, spenders, requests };
  });
}

/** The quotas with limits that open runs use, or that have used units, a hold, or waiting requests. */
export function quotasInUse(services: QuotaServices): QuotaView[] {
  const working = new Set(services.hub.runs().flatMap((run) => (run.finishedAt === null ? [run.provider] : [])));
  const inUse = services.limiter
    .snapshot()
    .filter(
      ({ provider, gauges, hold, waiting }) =>
        gauges.length > 0 &&
        (working.has(provider) || hold !== null || waiting > 0 || gauges.some(({ used }) => used > 0)),
    );
  return viewsOf(services, inUse);
}
