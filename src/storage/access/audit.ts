/** The record of who changed what. Rows are only ever added, in the transaction of the change wherever it has one. */

import { and, asc, desc, eq, gt, gte, lt, or, sql } from "drizzle-orm";
import { currentActor } from "../../auth.ts";
import type { Database, Statement } from "../db.ts";
import { audit } from "../schema/access.ts";

type State = Readonly<Record<string, unknown>>;

export interface AuditEntry {
  /** `run.start`, `job.cancel`, `profile.delete`, … */
  readonly action: string;
  /** What it was done to: a symbol, a run, a watchlist, … */
  readonly subject: string;
  readonly before?: State;
  readonly after?: State;
}

/** What of a state was changed: its old and its new values, and nothing that stayed; `null` if all did. */
export function changesOf(before: State, after: State): { before: State; after: State } | null {
  const same = (name: string) => JSON.stringify(before[name]) === JSON.stringify(after[name]);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !same(name));
  const pick = (state: State) =>
    Object.fromEntries(names.flatMap((name) => (name in state ? [[name, state[name]]] : [])));
  return names.length === 0 ? null : { before: pick(before), after: pick(after) };
}

const INSERT = "insert into audit (at, actor, action, subject, reason, before, after) values (?, ?, ?, ?, ?, ?, ?)";

/** The statement that records a deed of whoever acts now; none when the server acts by itself. */
export function auditStatement({ action, subject, before, after }: AuditEntry): Statement[] {
  const who = currentActor();
  if (who === undefined) return [];
  const json = (value: object | undefined) => (value === undefined ? null : JSON.stringify(value));
  return [{ sql: INSERT, args: [Date.now(), who.actor.name, action, subject, who.reason, json(before), json(after)] }];
}

/** Records a deed that has just been done. */
export async function record(db: Database, entry: AuditEntry): Promise<void> {
  const statements = auditStatement(entry);
  if (statements.length > 0) await db.write(statements);
}

export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  /** A symbol that was acted on, alone or with others. */
  readonly symbol?: string;
  /** Half-open, epoch milliseconds. */
  readonly from?: number;
  readonly to?: number;
  /** The id of a row: only older ones, or only newer ones, those next to it. */
  readonly before?: number;
  readonly after?: number;
}

/** What was done, newest first. */
export async function listAudit(db: Database, filter: AuditFilter, limit: number) {
  const { actor, action, symbol, from, to, before, after } = filter;
  const among = (column: "before" | "after") =>
    sql`exists (select 1 from json_each(${audit[column]}, '$.symbols') where value = ${symbol})`;
  const rows = await db.orm
    .select()
    .from(audit)
    .where(
      and(
        actor === undefined ? undefined : eq(audit.actor, actor),
        action === undefined ? undefined : eq(audit.action, action),
        symbol === undefined ? undefined : or(eq(audit.subject, symbol), among("before"), among("after")),
        from === undefined ? undefined : gte(audit.at, from),
        to === undefined ? undefined : lt(audit.at, to),
        before === undefined ? undefined : lt(audit.id, before),
        after === undefined ? undefined : gt(audit.id, after),
      ),
    )
    .orderBy(after === undefined ? desc(audit.id) : asc(audit.id))
    .limit(limit);
  return after === undefined ? rows : rows.reverse();
}

/** Who has ever done something, and what was done: the choices of the page's filter. */
export async function auditChoices(db: Database): Promise<{ actors: string[]; actions: string[] }> {
  const actors = await db.orm.selectDistinct({ actor: audit.actor }).from(audit).orderBy(asc(audit.actor));
  const actions = await db.orm.selectDistinct({ action: audit.action }).from(audit).orderBy(asc(audit.action));
  return { actors: actors.map(({ actor }) => actor), actions: actions.map(({ action }) => action) };
}
