/** Schedules and the outcomes of their turns. */

import { and, desc, eq, inArray, sql } from "drizzle-orm";
import { Refusal } from "../domain/errors.ts";
import type { Schedule, ScheduleInput, Turn } from "../domain/schedules.ts";
import { auditStatement, changesOf, record } from "./access/audit.ts";
import { byName, writeNamed } from "./connection/unique-names.ts";
import type { Database, Write } from "./db.ts";
import { countJobs } from "./runs/runs.ts";
import { profiles } from "./schema/profiles.ts";
import { runs } from "./schema/runs.ts";
import { schedules, scheduleTurns } from "./schema/schedules.ts";

type Row = typeof schedules.$inferSelect;

const scheduleOf = ({ years, ...row }: Row): Schedule => ({ ...row, years: years === "all" ? years : Number(years) });

const rowOf = ({ years, symbols, ...input }: ScheduleInput) => ({
  ...input,
  symbols: [...symbols],
  years: String(years),
});

/** All schedules by name. */
export async function readSchedules(db: Database): Promise<Schedule[]> {
  const rows = await db.orm.select().from(schedules);
  return rows.map(scheduleOf).sort(byName);
}

/** @throws Refusal if there is no such schedule */
export async function requireSchedule(db: Database, id: number): Promise<Schedule> {
  const row = await db.orm.select().from(schedules).where(eq(schedules.id, id)).get();
  if (row) return scheduleOf(row);
  throw new Refusal("not_found", `There is no schedule ${id}`);
}

/**
 * Stores a schedule and returns its id. Its turns count from `now` (epoch milliseconds) on.
 * @throws Refusal if another one has the name
 */
export async function insertSchedule(db: Database, input: ScheduleInput, now: number): Promise<number> {
  const row = { ...rowOf(input), checkedAt: now };
  const { id } = await writeNamed(db, { table: "schedules", name: input.name }, () =>
    db.orm.insert(schedules).values(row).returning({ id: schedules.id }).get(),
  );
  await record(db, { action: "schedule.create", subject: input.name, after: { id, ...input } });
  return id;
}

/**
 * Replaces `before` with `after`, the same schedule with other values.
 * @throws Refusal if another one has the name
 */
export async function updateSchedule(db: Database, before: Schedule, after: Schedule): Promise<void> {
  const { id, checkedAt, ...input } = after;
  const { id: _, checkedAt: __, ...earlier } = before;
  const changes = changesOf(earlier, input);
  const row = { ...rowOf(input), checkedAt };
  await writeNamed(db, { table: "schedules", name: input.name, id }, () =>
    db.write([
      db.orm.update(schedules).set(row).where(eq(schedules.id, id)),
      ...(changes ? auditStatement({ action: auditEntry(changes.after), subject: before.name, ...changes }) : []),
    ]),
  );
}

/** The audit action for a change of just these fields. */
function auditEntry(changed: Readonly<Record<string, unknown>>): string {
  const only = Object.keys(changed).join() === "enabled";
  return only ? (changed.enabled ? "schedule.resume" : "schedule.pause") : "schedule.change";
}

/** Records that the turns of a schedule until `at` (epoch milliseconds) are dealt with, whatever was recorded before. */
export async function setChecked(db: Database, id: number, at: number): Promise<void> {
  await db.orm.update(schedules).set({ checkedAt: at }).where(eq(schedules.id, id)).run();
}

export async function deleteSchedule(db: Database, schedule: Schedule): Promise<void> {
  await db.write([
    db.orm.delete(schedules).where(eq(schedules.id, schedule.id)),
    ...auditStatement({ action: "schedule.delete", subject: schedule.name, before: { ...schedule } }),
  ]);
}

/** Records a turn, and that it and all before it are dealt with. The same turn a second time fails the transaction. */
export function turnWrites(
  db: Database,
  scheduleId: number,
  { run: _, ...turn }: Turn,
  runId: string | null = null,
): Write[] {
  return [
    db.orm.insert(scheduleTurns).values({ ...turn, scheduleId, runId }),
    db.orm
      .update(schedules)
      .set({ checkedAt: sql`max(${schedules.checkedAt}, ${turn.cause === "by_hand" ? 0 : turn.dueAt})` })
      .where(eq(schedules.id, scheduleId)),
  ];
}

/** The newest turns of a schedule, newest first, with the progress of their runs. */
export async function turnsOf(db: Database, scheduleId: number, limit: number): Promise<Turn[]> {
  const rows = await db.orm
    .select({ turn: scheduleTurns, state: runs.state, createdAt: runs.createdAt, finishedAt: runs.finishedAt })
    .from(scheduleTurns)
    .leftJoin(runs, eq(runs.id, scheduleTurns.runId))
    .where(eq(scheduleTurns.scheduleId, scheduleId))
    .orderBy(desc(scheduleTurns.id))
    .limit(limit);
  const counts = await countJobs(
    db,
    rows.flatMap(({ turn }) => turn.runId ?? []),
  );
  const count = (runId: string, state: string) =>
    counts.find((each) => each.runId === runId && each.state === state)?.jobs ?? 0;
  return rows.map(({ turn: { runId, dueAt, at, cause, outcome, note }, state, createdAt, finishedAt }) => ({
    dueAt,
    at,
    cause,
    outcome,
    note,
    run:
      runId === null || state === null
        ? null
        : {
            id: runId,
            state,
            complete: count(runId, "complete"),
            failed: count(runId, "failed"),
            seconds: finishedAt === null || createdAt === null ? null : (finishedAt - createdAt) / 1_000,
          },
  }));
}

/** The unfinished run of this schedule, if there is one. */
export async function unfinishedRun(db: Database, scheduleId: number): Promise<string | undefined> {
  const row = await db.orm
    .select({ id: runs.id })
    .from(scheduleTurns)
    .innerJoin(runs, eq(runs.id, scheduleTurns.runId))
    .where(and(eq(scheduleTurns.scheduleId, scheduleId), inArray(runs.state, ["running", "paused"])))
    .limit(1)
    .get();
  return row?.id;
}

/** The symbols that have a profile of this interval from this provider, in alphabetical order. */
export async function storedSymbols(db: Database, interval: Schedule["interval"], provider: string): Promise<string[]> {
  const rows = await db.orm
    .select({ symbol: profiles.symbol })
    .from(profiles)
    .where(and(eq(profiles.interval, interval), eq(profiles.provider, provider)))
    .orderBy(profiles.symbol);
  return rows.map(({ symbol }) => symbol);
}

/** Turns that are searched for the last success: more are those of weeks. */
const SEARCHED_TURNS = 2_000;

const SUCCESSES = `SELECT s.name, s.enabled, (
  SELECT r.finished_at FROM (
    SELECT run_id FROM schedule_turns WHERE schedule_id = s.id AND run_id IS NOT NULL ORDER BY id DESC LIMIT ${SEARCHED_TURNS}
  ) t JOIN runs r ON r.id = t.run_id AND r.state = 'complete' LIMIT 1
) FROM schedules s ORDER BY s.id`;

/** When the last complete run of each schedule ended, epoch milliseconds; `null` if none of its recent runs was complete. */
export async function lastSuccesses(
  db: Database,
): Promise<{ readonly name: string; readonly enabled: boolean; readonly at: number | null }[]> {
  const rows = await db.rows(SUCCESSES, []);
  return rows.map(([name, enabled, at]) => ({ name: String(name), enabled: enabled === 1, at: at as number | null }));
}
