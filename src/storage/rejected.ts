/** Rows of a source that were no usable bars. */

import { count, desc, eq } from "drizzle-orm";
import type { Database } from "./db.ts";
import { rejectedBars } from "./schema.ts";

/** How many rows of a series were rejected, by reason, the most frequent first. */
export async function countRejected(db: Database, seriesId: number): Promise<{ reason: string; rows: number }[]> {
  const { reason } = rejectedBars;
  return db.orm
    .select({ reason, rows: count() })
    .from(rejectedBars)
    .where(eq(rejectedBars.seriesId, seriesId))
    .groupBy(reason)
    .orderBy(desc(count()), reason);
}
