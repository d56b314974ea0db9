/** What the rate limiter has used of each limit, stored so that a restart does not lose it. */

import { sql } from "drizzle-orm";
import type { Database } from "../db.ts";
import { quotas } from "../schema/quotas.ts";

type QuotaRow = typeof quotas.$inferInsert;

export async function readQuotas(db: Database) {
  return db.orm.select().from(quotas);
}

export async function saveLimiterState(db: Database, rows: readonly QuotaRow[]): Promise<void> {
  if (rows.length === 0) return;
  const set = { startedAt: sql`excluded.started_at`, used: sql`excluded.used` };
  await db.orm
    .insert(quotas)
    .values([...rows])
    .onConflictDoUpdate({ target: [quotas.account, quotas.period], set })
    .run();
}
