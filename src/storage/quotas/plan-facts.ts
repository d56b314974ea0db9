/** What the plans of the providers' keys were seen to leave out. */

import { eq, like } from "drizzle-orm";
import type { PlanFact } from "../../domain/plan.ts";
import type { Database } from "../db.ts";
import { planFacts } from "../schema/quotas.ts";

/** All facts of an account (`accountFor`), in no order. */
export async function readPlanFacts(db: Database, account: string): Promise<PlanFact[]> {
  const { kind, scope, value, words, seenAt } = planFacts;
  return db.orm.select({ kind, scope, value, words, seenAt }).from(planFacts).where(eq(planFacts.account, account));
}

/** Forgets what was seen of a provider's plans, with all of its keys: everything is requested again. */
export async function forgetPlans(db: Database, provider: string): Promise<void> {
  await db.orm.delete(planFacts).where(like(planFacts.account, `${provider}:%`));
}

/** Stores facts of an account, in place of earlier ones of the same kind and scope. */
export async function learnPlanFacts(db: Database, account: string, facts: readonly PlanFact[]): Promise<void> {
  const { kind, scope } = planFacts;
  await db.write(
    facts.map((fact) =>
      db.orm
        .insert(planFacts)
        .values({ account, ...fact })
        .onConflictDoUpdate({
          target: [planFacts.account, kind, scope],
          set: { value: fact.value, words: fact.words, seenAt: fact.seenAt },
        }),
    ),
  );
}
