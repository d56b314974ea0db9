/** Runs and their jobs as stored; after a restart the registry and the job queue are filled from here. */

import { and, between, desc, eq, inArray, isNull, or, sql } from "drizzle-orm";
import type { AlertEvent, JobFailed } from "../../domain/alerts.ts";
import type { Interval } from "../../domain/market/interval.ts";
import {
  ACTIVE_STATES,
  JOB_TRANSITIONS,
  type JobState,
  type JobTransition,
  type RunState,
} from "../../domain/runs/states.ts";
import { auditStatement } from "../access/audit.ts";
import { recordStatements } from "../alerts/outbox.ts";
import { AnswerLost, chunks, type Database, type Write, yieldToEvents } from "../db.ts";
import { jobs, runs } from "../schema/runs.ts";

export type RunRow = typeof runs.$inferSelect;
export type JobRow = typeof jobs.$inferSelect;

/** Active jobs, spelled as in the partial index that has them alone: SQLite uses it for no other text. */
const IS_ACTIVE = `state in (${ACTIVE_STATES.map((state) => `'${state}'`).join(", ")})`;

/** One statement for any number of symbols, in their order. */
const INSERT_JOBS = `INSERT INTO jobs (run_id, symbol, interval)
SELECT ?1, value, ?2 FROM json_each(?3) ORDER BY key`;

/**
 * Stores a run with one queued job per symbol, or nothing if a symbol is active already (a unique index refuses it).
 * `extraWrites` are part of the same transaction.
 */
export async function insertRun(
  db: Database,
  run: typeof runs.$inferInsert,
  symbols: readonly string[],
  extraWrites: readonly Write[] = [],
): Promise<void> {
  const { name, mode, interval, provider, years } = run;
  await db.write([
    db.orm.insert(runs).values(run),
    { sql: INSERT_JOBS, args: [run.id, run.interval, JSON.stringify(symbols)] },
    ...auditStatement({
      action: "run.start",
      subject: run.id,
      after: { symbols, mode, interval, provider, years, ...(name && { name }) },
    }),
    ...extraWrites,
  ]);
}

/** The active jobs for any of `symbols` at `interval`. */
export async function activeJobs(db: Database, symbols: readonly string[], interval: Interval): Promise<JobRow[]> {
  const found: JobRow[] = [];
  for (const part of chunks(symbols)) {
    found.push(
      ...(await db.orm
        .select()
        .from(jobs)
        .where(and(inArray(jobs.symbol, part), eq(jobs.interval, interval), inArray(jobs.state, [...ACTIVE_STATES])))),
    );
  }
  return found;
}

/** The symbols that are queued, running or paused at an interval. */
export async function busySymbols(db: Database, interval: Interval): Promise<ReadonlySet<string>> {
  const rows = await db.rows(`SELECT symbol FROM jobs WHERE interval = ? AND ${IS_ACTIVE}`, [interval]);
  return new Set(rows.map(([symbol]) => symbol as string));
}

export async function findRun(db: Database, id: string): Promise<RunRow | undefined> {
  return db.orm.select().from(runs).where(eq(runs.id, id)).get();
}

/** Runs with work to do: unfinished ones, and those with a job that was retried just before the server stopped. */
export async function openRuns(db: Database): Promise<RunRow[]> {
  const hasActive = sql`${runs.id} IN (SELECT run_id FROM jobs WHERE ${sql.raw(IS_ACTIVE)})`;
  return db.orm
    .select()
    .from(runs)
    .where(or(inArray(runs.state, ["running", "paused"]), hasActive))
    .orderBy(runs.createdAt);
}

/** The newest runs that ended with failures which nobody has acknowledged, oldest first. */
export async function unacknowledgedRuns(db: Database, limit: number): Promise<RunRow[]> {
  const newest = await db.orm
    .select()
    .from(runs)
    .where(and(eq(runs.state, "failed"), isNull(runs.acknowledgedAt)))
    .orderBy(desc(runs.createdAt), desc(runs.id))
    .limit(limit);
  return newest.reverse();
}

/** Takes note of the failures of a run at `at` (epoch milliseconds), unless it was queued again meanwhile. */
export async function acknowledgeRun(db: Database, id: string, at: number): Promise<void> {
  await db.write([
    db.orm
      .update(runs)
      .set({ acknowledgedAt: at })
      .where(and(eq(runs.id, id), eq(runs.state, "failed"))),
    ...auditStatement({ action: "run.acknowledge", subject: id }),
  ]);
}

/** Rows of jobs read at a time: a few milliseconds. */
const SLICE = 500;

/** The symbols of a run in its order. */
export async function symbolsOfRun(db: Database, runId: string): Promise<string[]> {
  const rows = await db.rows("SELECT symbol FROM jobs WHERE run_id = ?1 ORDER BY id", [runId]);
  return rows.map(([symbol]) => symbol as string);
}

/** What counted as now in a run, epoch seconds; negative infinity for one that is not known any more. */
export async function asOfRun(db: Database, runId: string | null): Promise<number> {
  const [row] = runId === null ? [] : await db.rows("SELECT as_of FROM runs WHERE id = ?1", [runId]);
  return (row?.[0] as number | undefined) ?? Number.NEGATIVE_INFINITY;
}

/** The jobs of a run in its order, read in parts between which the thread is free. */
export async function jobsOfRun(db: Database, runId: string): Promise<JobRow[]> {
  const ends = { first: sql<number | null>`min(${jobs.id})`, last: sql<number | null>`max(${jobs.id})` };
  const { first = null, last = null } = (await db.orm.select(ends).from(jobs).where(eq(jobs.runId, runId)).get()) ?? {};
  const found: JobRow[] = [];
  if (first === null || last === null) return found;
  // The ids of a run lie together: read in their order, no part needs to be sorted (the `+` keeps the index out).
  const ofRun = sql`+${jobs.runId} = ${runId}`;
  for (let from = first; ; ) {
    const within = and(ofRun, between(jobs.id, from, last));
    const part = await db.orm.select().from(jobs).where(within).orderBy(jobs.id).limit(SLICE);
    found.push(...part);
    const newest = part.at(-1)?.id ?? last;
    if (newest >= last) return found;
    from = newest + 1;
    await yieldToEvents();
  }
}

/** One job of a run; `undefined` if the run has no such symbol. */
export async function findJob(db: Database, runId: string, symbol: string): Promise<JobRow | undefined> {
  return db.orm
    .select()
    .from(jobs)
    .where(and(eq(jobs.runId, runId), eq(jobs.symbol, symbol)))
    .get();
}

/** Whether a run had failed before it was complete, or its schedule's last run did. */
const RECOVERED = `(EXISTS (SELECT 1 FROM alert_events WHERE key >= 'run_failed:' || ? || ':' AND key < 'run_failed:' || ? || ';')
OR 'failed' = (SELECT r.state FROM schedule_turns mine JOIN schedule_turns t ON t.schedule_id = mine.schedule_id
AND t.id < mine.id JOIN runs r ON r.id = t.run_id WHERE mine.run_id = ? ORDER BY t.id DESC LIMIT 1))`;

/**
 * Sets a run's state and records its alert events, in one transaction; `run_recovered` only if it had failed before.
 */
export async function setRunState(
  db: Database,
  id: string,
  state: RunState,
  finishedAt: number | null,
  events: readonly AlertEvent[] = [],
): Promise<void> {
  const update = db.orm
    .update(runs)
    .set({ state, finishedAt, ...(finishedAt === null && { acknowledgedAt: null }) })
    .where(eq(runs.id, id));
  const hadFailed = { sql: RECOVERED, args: [id, id, id] };
  const recorded = events.flatMap((event) =>
    recordStatements([event], event.kind === "run_recovered" ? hadFailed : undefined),
  );
  await db.write([update, ...recorded]);
}

/** Columns that change together with a job's state. */
export type JobPatch = Partial<
  Pick<
    JobRow,
    | "status"
    | "microStage"
    | "progress"
    | "dataPoints"
    | "apiCalls"
    | "workedMs"
    | "workerCrashes"
    | "fetchMode"
    | "error"
    | "startedAt"
    | "finishedAt"
  >
>;

/**
 * Applies `transition` to those of the jobs that are in a state it starts from, in one transaction with `extraWrites`.
 * @returns the ids of the jobs that were moved
 */
export async function moveJobs(
  db: Database,
  ids: readonly number[],
  transition: JobTransition,
  patch: JobPatch = {},
  extraWrites: readonly Write[] = [],
): Promise<Set<number>> {
  const { from, to } = JOB_TRANSITIONS[transition];
  if (ids.length === 0) return new Set();
  const moves = [...chunks(ids)].map((part) =>
    db.orm
      .update(jobs)
      .set({ ...patch, state: to, ...(transition === "start" && { attempts: sql`${jobs.attempts} + 1` }) })
      .where(and(inArray(jobs.id, part), inArray(jobs.state, [...from] as JobState[])))
      .returning({ id: jobs.id }),
  );
  try {
    const rows = await db.change([...moves, ...extraWrites]);
    return new Set(rows.slice(0, moves.length).flatMap((part) => part.map(([id]) => id as number)));
  } catch (error) {
    if (!(error instanceof AnswerLost)) throw error;
    return jobsIn(db, ids, to);
  }
}

/** Those of some jobs that are in a state. */
async function jobsIn(db: Database, ids: readonly number[], state: JobState): Promise<Set<number>> {
  const wanted = "SELECT id FROM jobs WHERE id IN (SELECT value FROM json_each(?1)) AND state = ?2";
  return new Set((await db.rows(wanted, [JSON.stringify(ids), state])).map(([id]) => id as number));
}

/**
 * Fails the jobs that can still fail; each changes and gets its alert event in one transaction.
 * @returns the ids of those that were failed
 */
export async function failJobs(
  db: Database,
  failures: readonly { readonly id: number; readonly patch: JobPatch; readonly event: JobFailed }[],
): Promise<Set<number>> {
  const { from, to } = JOB_TRANSITIONS.fail;
  const ids = failures.map(({ id }) => id);
  for (const part of chunks(failures)) {
    await db.write(
      part.flatMap(({ id, patch, event }) => [
        db.orm
          .update(jobs)
          .set({ ...patch, state: to, error: event.reason, finishedAt: event.at })
          .where(and(eq(jobs.id, id), inArray(jobs.state, [...from]))),
        // Not if the job was completed a moment ago, so that the update above changed nothing.
        ...recordStatements([event], {
          sql: "EXISTS (SELECT 1 FROM jobs WHERE id = ? AND state = 'failed' AND finished_at = ?)",
          args: [id, event.at],
        }),
      ]),
    );
  }
  return jobsIn(db, ids, to);
}

/** The jobs of one run in one state, and their totals. */
export interface JobCount {
  readonly runId: string;
  readonly state: JobState;
  readonly jobs: number;
  readonly dataPoints: number;
  readonly apiCalls: number;
  /** Missing sessions in the series of complete jobs. */
  readonly gaps: number;
}

/** How many jobs of each run are in each state. */
export async function countJobs(db: Database, runIds: readonly string[]): Promise<JobCount[]> {
  return db.orm
    .select({
      runId: jobs.runId,
      state: jobs.state,
      jobs: sql<number>`count(*)`,
      dataPoints: sql<number>`sum(${jobs.dataPoints})`,
      apiCalls: sql<number>`sum(${jobs.apiCalls})`,
      gaps: sql<number>`coalesce(sum(${jobs.gaps}) filter (where ${jobs.state} = 'complete'), 0)`,
    })
    .from(jobs)
    .where(inArray(jobs.runId, [...runIds]))
    .groupBy(jobs.runId, jobs.state);
}

/** How many of a provider's last jobs its speed is estimated from. */
const SPEED_SAMPLE = 200;

/** Totals of the last complete jobs of a provider: their number, requests, milliseconds of work and of fetching in it. */
export async function speedOf(db: Database, provider: string) {
  const recent = db.orm
    .select({ requests: jobs.apiCalls, worked: jobs.workedMs, fetched: jobs.fetchMs })
    .from(jobs)
    .innerJoin(runs, eq(runs.id, jobs.runId))
    .where(and(eq(runs.provider, provider), eq(jobs.state, "complete")))
    .orderBy(desc(jobs.finishedAt))
    .limit(SPEED_SAMPLE)
    .as("recent");
  const [row] = await db.orm
    .select({
      jobs: sql<number>`count(*)`,
      requests: sql<number>`coalesce(sum(${recent.requests}), 0)`,
      workedMs: sql<number>`coalesce(sum(${recent.worked}), 0)`,
      fetchMs: sql<number>`coalesce(sum(${recent.fetched}), 0)`,
    })
    .from(recent);
  return row ?? { jobs: 0, requests: 0, workedMs: 0, fetchMs: 0 };
}
