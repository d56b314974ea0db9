/** Jobs as their workers see them: what earlier work intervals have recorded. */

import { eq, sql } from "drizzle-orm";
import { describeStage } from "../../domain/runs/progress.ts";
import type { StageTimes } from "../../domain/runs/stage-times.ts";
import type { JobState } from "../../domain/runs/states.ts";
import { auditStatement } from "../access/audit.ts";
import { prepared } from "../connection/prepared.ts";
import { AnswerLost, type Database, type Statement, type Write } from "../db.ts";
import { jobs } from "../schema/runs.ts";

export interface JobWork {
  readonly apiCalls: number;
  readonly fetchMs: number;
  readonly workedMs: number;
  readonly stageMs: StageTimes;
  readonly planFrom: number | null;
}

const isJob = eq(jobs.id, sql.placeholder("jobId"));
const jobWork = prepared(({ orm }) => {
  const { apiCalls, fetchMs, workedMs, stageMs, planFrom } = jobs;
  return orm.select({ apiCalls, fetchMs, workedMs, stageMs, planFrom }).from(jobs).where(isJob).prepare();
});
const jobState = prepared(({ orm }) => orm.select({ state: jobs.state }).from(jobs).where(isJob).prepare());

/** @throws Error when the job does not exist */
export async function findJobWork(db: Database, jobId: number): Promise<JobWork> {
  const row = await jobWork(db).get({ jobId });
  if (row === undefined) throw new Error(`job ${jobId} is not in the database`);
  return row;
}

/** Records where a job begins to fetch (epoch seconds); `mayWait` for the writes of others. */
export async function savePlanStart(db: Database, jobId: number, planFrom: number, mayWait: boolean): Promise<void> {
  await db.write([{ sql: "UPDATE jobs SET plan_from = ?1 WHERE id = ?2", args: [planFrom, jobId] }], mayWait);
}

const SAVE_WORK_TIME = "UPDATE jobs SET api_calls = max(api_calls, ?1), fetch_ms = ?2, stage_ms = ?3 WHERE id = ?4";

/**
 * The write that saves what a work interval has requested of its provider, and how long its stages took: as `work` has it
 * when the write is run, so that the last stage counts until then.
 */
export function saveWorkTime(
  jobId: number,
  work: { readonly apiCalls: number; readonly fetchMs: number; readonly stageMs: StageTimes },
): Write {
  return {
    toSQL: () => ({
      sql: SAVE_WORK_TIME,
      params: [work.apiCalls, work.fetchMs, JSON.stringify(work.stageMs), jobId],
    }),
  };
}

const START = `UPDATE jobs SET state = 'running', attempts = attempts + 1, attempt = NULL, started_at = ?1, first_at = NULL
WHERE id = ?2 AND state = 'queued' RETURNING id`;

/**
 * Records that a worker starts a job, with `more` in the same transaction; `now` in epoch milliseconds, `mayWait` for the
 * writes of others.
 * @returns whether it was queued, and so may start
 */
export async function startJob(
  db: Database,
  jobId: number,
  now: number,
  mayWait: boolean,
  more: readonly Write[] = [],
): Promise<boolean> {
  try {
    const [started] = await db.change([{ sql: START, args: [now, jobId] }, ...more], mayWait);
    return started!.length > 0;
  } catch (error) {
    if (!(error instanceof AnswerLost)) throw error;
    return (await storedState(db, jobId)) === "running";
  }
}

/** Puts a queued job at the head of its run's queue at `at` (epoch milliseconds); false if it is not queued. */
export async function putFirst(
  db: Database,
  job: { readonly id: number; readonly symbol: string; readonly runId: string },
  at: number,
): Promise<boolean> {
  const set = {
    sql: "UPDATE jobs SET first_at = ?1 WHERE id = ?2 AND state = 'queued' RETURNING id",
    args: [at, job.id],
  };
  const audit = auditStatement({ action: "job.first", subject: job.symbol, after: { run: job.runId } });
  const [moved] = await db.change([set, ...audit]);
  return moved!.length > 0;
}

/**
 * Counts requests of a job before they are sent; what its worker counts later is never less. A negative number takes back
 * what was not sent.
 */
export const countRequests = (jobId: number, count: number): Statement => ({
  sql: "UPDATE jobs SET api_calls = max(0, api_calls + ?1) WHERE id = ?2",
  args: [count, jobId],
});

/** What is kept of the work of a job that is stopped. */
export const workOfStopped = (
  id: number,
  work: { readonly workedMs: number; readonly progress: number },
): Statement => ({
  sql: "UPDATE jobs SET worked_ms = ?1, progress = ?2 WHERE id = ?3 AND state IN ('paused', 'cancelled', 'skipped')",
  args: [work.workedMs, work.progress, id],
});

/** The final figures of a job. */
export interface FinishedJob {
  readonly jobId: number;
  /** Seconds worked in all work intervals. */
  readonly seconds: number;
  readonly workedMs: number;
  readonly dataPoints: number;
  readonly apiCalls: number;
  readonly gaps: number;
}

const COMPLETE = `UPDATE jobs SET state = 'complete', status = 'Complete', progress = 100, error = NULL, micro_stage = ?1,
worked_ms = ?2, data_points = ?3, api_calls = max(api_calls, ?4), gaps = ?5, finished_at = ?6 WHERE id = ?7 AND state = 'running'`;

/** The statement that completes a job, unless it was paused or cancelled in the meantime; `now` in epoch milliseconds. */
export function completeJob({ jobId, seconds, workedMs, dataPoints, apiCalls, gaps }: FinishedJob, now: number) {
  const { microStage } = describeStage({ stage: "complete", seconds });
  return { sql: COMPLETE, args: [microStage, workedMs, dataPoints, apiCalls, gaps, now, jobId] } satisfies Statement;
}

/** The state of a job in the database: a worker may have completed it a moment ago. */
export async function storedState(db: Database, jobId: number): Promise<JobState | undefined> {
  return (await jobState(db).get({ jobId }))?.state;
}
