/** The list of all runs: filtered, paged by key in both directions, never counted. */

import { and, asc, desc, eq, gte, inArray, lt, type SQL, sql } from "drizzle-orm";
import type { Interval } from "../../domain/market/interval.ts";
import type { Mode, RunState } from "../../domain/runs/states.ts";
import type { Database } from "../db.ts";
import { type KeyedPage, keyedPage, type PageWindow } from "../pagination.ts";
import { jobs, runs } from "../schema/runs.ts";
import type { RunRow } from "./runs.ts";

export interface RunFilter {
  readonly state?: RunState;
  readonly mode?: Mode;
  readonly interval?: Interval;
  readonly provider?: string;
  /** Only runs with a job for this symbol. */
  readonly symbol?: string;
  /** When the run was created: half-open range, epoch milliseconds. */
  readonly from?: number;
  readonly to?: number;
}

/** One page of the runs that match the filter, newest first. */
export const listRuns = (db: Database, filter: RunFilter, page: PageWindow): Promise<KeyedPage<RunRow>> =>
  keyedPage((window) => runListQuery(db, filter, window), page);

/** The query of one page: newest first, or with `after` oldest first. */
export function runListQuery(db: Database, filter: RunFilter, { limit, before, after }: PageWindow) {
  const { state, mode, interval, provider, symbol, from, to } = filter;
  const key = sql`(${runs.createdAt}, ${runs.id})`;
  const conditions: (SQL | undefined)[] = [
    state && eq(runs.state, state),
    mode && eq(runs.mode, mode),
    interval && eq(runs.interval, interval),
    provider === undefined ? undefined : eq(runs.provider, provider),
    symbol === undefined
      ? undefined
      : inArray(runs.id, db.orm.select({ id: jobs.runId }).from(jobs).where(eq(jobs.symbol, symbol))),
    from === undefined ? undefined : gte(runs.createdAt, from),
    to === undefined ? undefined : lt(runs.createdAt, to),
    before && sql`${key} < (${before.at}, ${before.id})`,
    after && sql`${key} > (${after.at}, ${after.id})`,
  ];
  const order = after === undefined ? desc : asc;
  return db.orm
    .select()
    .from(runs)
    .where(and(...conditions))
    .orderBy(order(runs.createdAt), order(runs.id))
    .limit(limit);
}

/** The most frequent reason of failure of each run, and how many different reasons there are. */
export async function failuresOf(db: Database, runIds: readonly string[]) {
  const rows = await db.orm
    .select({ runId: jobs.runId, error: jobs.error, jobs: sql<number>`count(*)` })
    .from(jobs)
    .where(and(inArray(jobs.runId, [...runIds]), eq(jobs.state, "failed")))
    .groupBy(jobs.runId, jobs.error)
    .orderBy(desc(sql`count(*)`));
  const byRun = Map.groupBy(rows, ({ runId }) => runId);
  return new Map([...byRun].map(([runId, all]) => [runId, { commonest: all[0]!.error ?? "", reasons: all.length }]));
}
