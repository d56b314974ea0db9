/** Jobs as their workers see them: what earlier work intervals have recorded. */

import { eq } from "drizzle-orm";
import type { StageTimes } from "../../domain/runs/stage-times.ts";
import type { JobState } from "../../domain/runs/states.ts";
import type { Database } from "../db.ts";
import { jobs } from "../schema/runs.ts";

export interface JobWork {
  readonly apiCalls: number;
  readonly fetchMs: number;
  readonly workedMs: number;
  readonly stageMs: StageTimes;
  readonly planFrom: number | null;
}

/** @throws Error when the job does not exist */
export async function findJobWork(db: Database, jobId: number): Promise<JobWork> {
  const { apiCalls, fetchMs, workedMs, stageMs, planFrom } = jobs;
  const columns = { apiCalls, fetchMs, workedMs, stageMs, planFrom };
  const row = await db.orm.select(columns).from(jobs).where(eq(jobs.id, jobId)).get();
  if (row === undefined) throw new Error(`job ${jobId} is not in the database`);
  return row;
}

export async function savePlanStart(db: Database, jobId: number, planFrom: number): Promise<void> {
  await db.orm.update(jobs).set({ planFrom }).where(eq(jobs.id, jobId)).run();
}

/** Saves what a work interval has requested of its provider, and how long its stages took. */
export async function addWorkTime(
  db: Database,
  jobId: number,
  workTime: { readonly apiCalls: number; readonly fetchMs: number; readonly stageMs: StageTimes },
): Promise<void> {
  await db.orm.update(jobs).set(workTime).where(eq(jobs.id, jobId)).run();
}

export async function saveWork(
  db: Database,
  jobId: number,
  work: { readonly workedMs: number; readonly progress: number },
): Promise<void> {
  await db.orm.update(jobs).set(work).where(eq(jobs.id, jobId)).run();
}

/** The state of a job in the database: a worker may have completed it a moment ago. */
export async function storedState(db: Database, jobId: number): Promise<JobState | undefined> {
  return (await db.orm.select({ state: jobs.state }).from(jobs).where(eq(jobs.id, jobId)).get())?.state;
}
