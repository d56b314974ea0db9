/** `GET /api/providers`: what each provider offers and needs, its plan as far as it is known, and its quotas. */

import { createRoute, z } from "@hono/zod-openapi";
import { INTERVALS, type Interval } from "../../domain/market/interval.ts";
import { describeFact, PLAN_FACT_KINDS, type PlanFact } from "../../domain/plan.ts";
import { isoMillisecond } from "../../domain/time.ts";
import { missingSettings, type ProviderEntry } from "../../providers/entry.ts";
import { listProviders } from "../../providers/registry.ts";
import { usageReport } from "../../scheduler/quotas/usage-report.ts";
import { type SettingState, withoutPlace } from "../../scheduler/settings/provider-settings.ts";
import { apiRouter, json } from "../api/parameters.ts";
import { isAdmin } from "../page-context.ts";
import { UsageBody } from "../quotas/api.ts";
import type { Services } from "../services.ts";
import { currentPlans } from "./plans.ts";

const Setting = z.object({
  variable: z.string(),
  kind: z.enum(["key", "url", "folder", "milliseconds", "count", "choice"]),
  label: z.string(),
  required: z.boolean(),
  source: z.enum(["environment", "page", "default", "unreadable", "none"]),
  value: z.string().nullable().openapi({
    description:
      "null for keys, for what has no value, and below the scope admin for folders and addresses that were set",
  }),
});

const Fact = z.object({
  kind: z.enum(PLAN_FACT_KINDS),
  scope: z
    .string()
    .openapi({ description: "Exchange and interval, for `exchange` the exchange alone", example: "US 1d" }),
  from: z.string().nullable().openapi({ description: "`history`: nothing before; `allowed`: everything from then on" }),
  days: z.int().nullable().openapi({
    description: "`recent`: days before the exchange's today that are refused as well; 0: only today",
  }),
  text: z.string(),
  seen_at: z.string(),
});

const Provider = z
  .object({
    name: z.string(),
    title: z.string(),
    summary: z.string(),
    usable: z.boolean(),
    missing: z.array(z.string()).openapi({ description: "What it needs and has not" }),
    settings: z.array(Setting),
    intervals: z
      .array(z.enum(INTERVALS))
      .nullable()
      .openapi({ description: "Those that its vendor is asked for or that are built from them; null: not declared" }),
    plans: z.array(z.string()).openapi({ description: "What the vendor's plans give, as far as it was published" }),
    lacks: z.array(z.string()).openapi({ description: "What cannot be had of the vendor here" }),
    plan: z
      .array(Fact)
      .openapi({ description: "What the present key was seen to get and not to get; empty: nothing seen" }),
    usage: UsageBody.omit({ provider: true }),
  })
  .openapi("Provider");

const list = createRoute({
  method: "get",
  path: "/providers",
  operationId: "listProviders",
  tags: ["Operation"],
  summary:
    "List providers: what each offers and needs, what is known of the plan of its key, and its quotas; keys are never shown",
  responses: { 200: json("The providers", z.object({ providers: z.array(Provider) })) },
});

export const providerRoutes = (services: Pick<Services, "db" | "limiter" | "settings" | "usage">) =>
  apiRouter().openapi(list, async (c) => {
    const { settings, usage, limiter } = services;
    const plans = await currentPlans(services);
    const reports = new Map(usageReport(usage, limiter).map(({ provider, ...report }) => [provider, report]));
    const providers = listProviders(settings.values).flatMap((entry) => {
      const report = reports.get(entry.name);
      if (report === undefined) return [];
      const missing = missingSettings(entry, settings.values);
      return [
        {
          ...{ name: entry.name, title: entry.title, summary: entry.summary },
          ...{ usable: missing.length === 0, missing },
          settings: settings.describe(entry).map((each) => settingToWire(isAdmin(c) ? each : withoutPlace(each))),
          ...declarationOf(entry),
          plan: (plans.get(entry.name) ?? []).map(factToWire),
          usage: report,
        },
      ];
    });
    return c.json({ providers }, 200);
  });

const settingToWire = ({ variable, kind, label, required = false, source, value }: SettingState) => ({
  ...{ variable, kind, label, required, source, value },
});

function declarationOf({ declaration }: ProviderEntry) {
  const offered = { ...declaration?.sources, ...declaration?.cryptoSources };
  const intervals: Interval[] | null = declaration ? INTERVALS.filter((interval) => offered[interval]) : null;
  return { intervals, plans: [...(declaration?.plans ?? [])], lacks: [...(declaration?.lacks ?? [])] };
}

const factToWire = (fact: PlanFact) => ({
  kind: fact.kind,
  scope: fact.scope,
  from: fact.kind === "history" || fact.kind === "allowed" ? isoMillisecond(fact.value) : null,
  days: fact.kind === "recent" ? fact.value : null,
  text: describeFact(fact),
  seen_at: new Date(fact.seenAt).toISOString(),
});
