import { currentFacts, type PlanFact } from "../../domain/plan.ts";
import { accountFor, listProviders } from "../../providers/registry.ts";
import { readPlanFacts } from "../../storage/quotas/plan-facts.ts";
import type { Services } from "../services.ts";

/** What the plan of each provider's present key is known to give and to leave out, by the provider's name. */
export async function currentPlans({
  db,
  settings,
}: Pick<Services, "db" | "settings">): Promise<Map<string, PlanFact[]>> {
  const plans = new Map<string, PlanFact[]>();
  for (const { name } of listProviders(settings.values)) {
    const facts = await readPlanFacts(db, accountFor(name, settings.values));
    plans.set(name, currentFacts(facts, Date.now()));
  }
  return plans;
}
