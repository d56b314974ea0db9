/** What is stored before a request is sent: what it takes of the limits, and that it counts for its day and its job. */

import type { AccountHooks, SentRequest } from "../../providers/quotas/grant.ts";
import type { Database, Write } from "../../storage/db.ts";
import { limiterWrites } from "../../storage/quotas/limiter-state.ts";
import type { UsageStore } from "../../storage/quotas/usage.ts";
import { countRequest } from "../../storage/runs/jobs.ts";

/** Where the clocks are, to be stored with times if the clock was set since; `stored` is called after the commit. */
interface ClockMarks {
  mark(): { readonly writes: readonly Write[]; stored(): void };
}

/** The hooks of the limiter: a kill loses no count of a provider that has limits. */
export function spendRecord(
  db: Database,
  usage: UsageStore,
  clockChanges: ClockMarks,
): Required<Pick<AccountHooks, "persist" | "unsent">> {
  return {
    async persist(rows, granted) {
      // Nobody meters a provider without limits: its count may come later.
      if (rows.length === 0) {
        for (const { provider, cost } of granted) usage.count(provider, cost);
        return;
      }
      const spent = usage.spend(granted);
      try {
        const mark = clockChanges.mark();
        await db.write([...limiterWrites(db, rows), ...mark.writes, ...spent.writes, ...granted.flatMap(countOf)]);
        mark.stored();
      } catch (error) {
        spent.undo();
        throw error;
      }
    },
    unsent: ({ provider, cost }) => usage.count(provider, -cost, -1),
  };
}

/** Requests of the settings page and for lists of companies belong to no job; one that may be returned is counted by its worker. */
const countOf = ({ job, isAhead }: SentRequest) => (Number(job) > 0 && !isAhead ? [countRequest(Number(job))] : []);
