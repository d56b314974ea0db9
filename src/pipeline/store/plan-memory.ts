/** The memory of an account's plan in the job store. */

import type { PlanMemory } from "../../domain/plan.ts";
import type { JobStore } from "./job-store.ts";

export const planMemory = (store: JobStore, account: string): PlanMemory => ({
  facts: () => store.planFacts(account),
  learn: (facts) => store.learnPlan(account, facts),
});
