/** What is stored before a request is sent: what it takes of the limits, and that it counts for its day and its job. */

import type { AccountHooks, SentRequest } from "../../providers/quotas/grant.ts";
import type { Database, Write } from "../../storage/db.ts";
import { limiterWrites } from "../../storage/quotas/limiter-state.ts";
import type { UsageStore } from "../../storage/quotas/usage.ts";
import { countRequests } from "../../storage/runs/jobs.ts";

/** Where the clocks are, to be stored with times if the clock was set since; `stored` is called after the commit. */
interface ClockMarks {
  mark(): { readonly writes: readonly Write[]; stored(): void };
}

/**
 * The hooks of the limiter: a kill, of the server or of a worker on another machine, loses no count of a provider that has
 * limits. One that was counted and may not have been sent stays counted.
 */
export function spendRecord(
  db: Database,
  usage: UsageStore,
  clockChanges: ClockMarks,
): Required<Pick<AccountHooks, "persist" | "unsent">> {
  /** Requests that are counted for their jobs. */
  const counted = new WeakSet<SentRequest>();
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
        await db.write([...limiterWrites(db, rows), ...mark.writes, ...spent.writes, ...countsOf(granted)]);
        mark.stored();
      } catch (error) {
        spent.undo();
        throw error;
      }
      for (const request of granted) counted.add(request);
    },
    unsent(request) {
      usage.count(request.provider, -request.cost, -1);
      // If that cannot be stored, the job counts a request more than it has sent.
      if (counted.delete(request) && isOfJob(request))
        void db.write([countRequests(Number(request.job), -1)]).catch(() => {});
    },
  };
}

/** Requests of the settings page and for lists of companies belong to no job. */
const isOfJob = ({ job }: SentRequest) => Number(job) > 0;

/** The statements that count requests for their jobs, one a job. */
function countsOf(granted: readonly SentRequest[]) {
  const jobs = Map.groupBy(granted.filter(isOfJob), ({ job }) => Number(job));
  return [...jobs].map(([job, requests]) => countRequests(job, requests.length));
}
