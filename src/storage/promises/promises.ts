/** Promises and the results of their deadlines. */

import { and, desc, eq, inArray, sql } from "drizzle-orm";
import { Refusal } from "../../domain/errors.ts";
import {
  type FreshnessPromise,
  PROMISE_OUTCOMES,
  type PromiseInput,
  type PromiseResult,
} from "../../domain/promises/promise.ts";
import { auditStatement, changesOf, record } from "../access/audit.ts";
import { byName, writeNamed } from "../connection/unique-names.ts";
import type { Database, Statement, Write } from "../db.ts";
import { promiseResults, promises } from "../schema/promises.ts";

const rowOf = ({ symbols, ...input }: PromiseInput) => ({ ...input, symbols: [...symbols] });

/** All promises by name. */
export async function readPromises(db: Database): Promise<FreshnessPromise[]> {
  return (await db.orm.select().from(promises)).sort(byName);
}

/** @throws Refusal if there is no such promise */
export async function requirePromise(db: Database, id: number): Promise<FreshnessPromise> {
  const row = await db.orm.select().from(promises).where(eq(promises.id, id)).get();
  if (row) return row;
  throw new Refusal("not_found", `There is no promise ${id}`);
}

/**
 * Stores a promise and returns its id. Its deadlines count from `now` (epoch milliseconds) on.
 * @throws Refusal if another one has the name
 */
export async function insertPromise(db: Database, input: PromiseInput, now: number): Promise<number> {
  const row = { ...rowOf(input), checkedAt: now };
  const { id } = await writeNamed(db, { table: "promises", name: input.name }, () =>
    db.orm.insert(promises).values(row).returning({ id: promises.id }).get(),
  );
  await record(db, { action: "promise.create", subject: input.name, after: { id, ...input } });
  return id;
}

/**
 * Replaces `before` with `after`, the same promise with other values.
 * @throws Refusal if another one has the name
 */
export async function updatePromise(db: Database, before: FreshnessPromise, after: FreshnessPromise): Promise<void> {
  const { id, checkedAt, ...input } = after;
  const { id: _, checkedAt: __, ...earlier } = before;
  const changes = changesOf(earlier, input);
  await writeNamed(db, { table: "promises", name: input.name, id }, () =>
    db.write([
      db.orm
        .update(promises)
        .set({ ...rowOf(input), checkedAt })
        .where(eq(promises.id, id)),
      ...(changes ? auditStatement({ action: actionOf(changes.after), subject: before.name, ...changes }) : []),
    ]),
  );
}

/** The audit action for a change of just these fields. */
function actionOf(changed: Readonly<Record<string, unknown>>): string {
  const only = Object.keys(changed).join() === "enabled";
  return only ? (changed.enabled ? "promise.resume" : "promise.pause") : "promise.change";
}

export async function deletePromise(db: Database, promise: FreshnessPromise): Promise<void> {
  await db.write([
    db.orm.delete(promises).where(eq(promises.id, promise.id)),
    ...auditStatement({ action: "promise.delete", subject: promise.name, before: { ...promise } }),
  ]);
}

/** Records that the deadlines of a promise until `at` (epoch milliseconds) are dealt with, whatever was recorded before. */
export async function setPromiseChecked(db: Database, id: number, at: number): Promise<void> {
  await db.write([{ sql: "UPDATE promises SET checked_at = ? WHERE id = ?", args: [at, id] }]);
}

/** Holds while a deadline of a promise has no result: of statements that belong to it, before the one that records it. */
export const isNotJudged = (promiseId: number, deadline: number): Statement => ({
  sql: `EXISTS (SELECT 1 FROM promises WHERE id = ?)
AND NOT EXISTS (SELECT 1 FROM promise_results WHERE promise_id = ? AND deadline = ?)`,
  args: [promiseId, promiseId, deadline],
});

/** Records the result of a deadline, and that it and all before it are dealt with. A second result of it changes nothing. */
export function resultWrites(promiseId: number, result: PromiseResult): Statement[] {
  const { deadline, outcome, judgedAt, total, fresh, missing, unknown, gaps, note, symbols, recoveredAt } = result;
  return [
    {
      sql: `INSERT INTO promise_results
(promise_id, deadline, outcome, judged_at, total, fresh, missing, unknown, gaps, note, symbols, recovered_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 WHERE EXISTS (SELECT 1 FROM promises WHERE id = ?1)
ON CONFLICT (promise_id, deadline) DO NOTHING`,
      args: [
        ...[promiseId, deadline, outcome, judgedAt, total, fresh, missing, unknown, gaps, note],
        ...[JSON.stringify(symbols), recoveredAt],
      ],
    },
    { sql: "UPDATE promises SET checked_at = max(checked_at, ?2) WHERE id = ?1", args: [promiseId, deadline] },
  ];
}

const STILL_MISSED = "outcome = 'missed' AND recovered_at IS NULL";

/** Holds while the result of a missed deadline has not recovered. */
export const isStillMissed = (promiseId: number, deadline: number): Statement => ({
  sql: `EXISTS (SELECT 1 FROM promise_results WHERE promise_id = ? AND deadline = ? AND ${STILL_MISSED})`,
  args: [promiseId, deadline],
});

/** Records when what missed deadlines up to this one needed was there after all (epoch milliseconds). */
export const recoveryWrite = (promiseId: number, deadline: number, at: number): Write => ({
  sql: `UPDATE promise_results SET recovered_at = ?3 WHERE promise_id = ?1 AND deadline <= ?2 AND ${STILL_MISSED}`,
  args: [promiseId, deadline, at],
});

/** The newest results of each of some promises, newest first. */
export async function resultsOf(
  db: Database,
  ids: readonly number[],
  limit: number,
): Promise<Map<number, PromiseResult[]>> {
  const place = sql<number>`row_number() OVER (PARTITION BY ${promiseResults.promiseId} ORDER BY ${promiseResults.deadline} DESC)`;
  const ranked = db.orm
    .select({ id: promiseResults.id, place: place.as("place") })
    .from(promiseResults)
    .where(inArray(promiseResults.promiseId, [...ids]))
    .as("ranked");
  const newest = db.orm.select({ id: ranked.id }).from(ranked).where(sql`${ranked.place} <= ${limit}`);
  const rows = await db.orm
    .select()
    .from(promiseResults)
    .where(inArray(promiseResults.id, newest))
    .orderBy(desc(promiseResults.deadline));
  const found = new Map<number, PromiseResult[]>(ids.map((id) => [id, []]));
  for (const { id: _, promiseId, ...result } of rows) found.get(promiseId)?.push(result);
  return found;
}

/** The results of a promise before `before` (epoch milliseconds), newest first. */
export async function listResults(
  db: Database,
  promiseId: number,
  { before, limit }: { readonly before: number; readonly limit: number },
): Promise<PromiseResult[]> {
  const rows = await db.orm
    .select()
    .from(promiseResults)
    .where(and(eq(promiseResults.promiseId, promiseId), sql`${promiseResults.deadline} < ${before}`))
    .orderBy(desc(promiseResults.deadline))
    .limit(limit);
  return rows.map(({ id: _, promiseId: __, ...result }) => result);
}

/** How many results of each outcome every promise has, by its name; of each outcome, so that an increase is seen. */
export async function countResults(
  db: Database,
): Promise<{ readonly name: string; readonly outcome: string; readonly count: number }[]> {
  const rows = await db.rows(
    `SELECT p.name, o.value, (SELECT count(*) FROM promise_results r WHERE r.promise_id = p.id AND r.outcome = o.value)
FROM promises p, json_each(?) o ORDER BY p.id, o.key`,
    [JSON.stringify(PROMISE_OUTCOMES)],
  );
  return rows.map(([name, outcome, count]) => ({
    name: String(name),
    outcome: String(outcome),
    count: Number(count),
  }));
}
