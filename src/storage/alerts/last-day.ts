/** What ended in the last 24 hours, for the daily summary. */

import type { DailySummary } from "../../domain/alerts.ts";
import { DAY } from "../../domain/market/interval.ts";
import type { Database } from "../db.ts";

const RUNS = "SELECT state, count(*) FROM runs WHERE finished_at > ? AND created_at > ? GROUP BY state";
const JOBS = `SELECT j.state, count(*) FROM runs r JOIN jobs j ON j.run_id = r.id
WHERE r.created_at > ? AND j.finished_at > ? GROUP BY j.state`;
const REQUESTS = "SELECT coalesce(sum(requests), 0) FROM api_usage WHERE minute > ?";
/** Runs that began earlier than this many days ago are not searched for: there is an index of beginnings alone. */
const LONGEST_RUN_DAYS = 30;

/** @param now epoch milliseconds */
export async function lastDay(db: Database, now: number): Promise<Pick<DailySummary, "runs" | "jobs" | "requests">> {
  const since = now - DAY * 1_000;
  const begun = now - LONGEST_RUN_DAYS * DAY * 1_000;
  const [runs, jobs, requests] = await Promise.all([
    db.rows(RUNS, [since, begun]),
    db.rows(JOBS, [begun, since]),
    db.rows(REQUESTS, [since / 1_000]),
  ]);
  return { runs: Object.fromEntries(runs), jobs: Object.fromEntries(jobs), requests: Number(requests[0]![0]) };
}
