/** The audit log: who changed what. Rows are only added, in the transaction of the change where there is one. */

import { and, asc, desc, eq, gt, gte, lt, or, sql } from "drizzle-orm";
import { currentActor } from "../../auth.ts";
import { onOneLine } from "../../domain/errors.ts";
import type { Database, Statement } from "../db.ts";
import { audit } from "../schema/access.ts";

type State = Readonly<Record<string, unknown>>;

export interface AuditEntry {
  /** `run.start`, `job.cancel`, `profile.delete`, … */
  readonly action: string;
  /** What was changed: a symbol, a run, a watchlist, … */
  readonly subject: string;
  readonly before?: State;
  readonly after?: State;
}

/** The old and the new values of the fields that differ; `null` if none does. */
export function changesOf(before: State, after: State): { before: State; after: State } | null {
  const same = (name: string) => JSON.stringify(before[name]) === JSON.stringify(after[name]);
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) => !same(name));
  const pick = (state: State) =>
    Object.fromEntries(names.flatMap((name) => (name in state ? [[name, state[name]]] : [])));
  return names.length === 0 ? null : { before: pick(before), after: pick(after) };
}

const INSERT = "insert into audit (at, actor, action, subject, reason, before, after) values (?, ?, ?, ?, ?, ?, ?)";

/** The statement that records an action of the current actor; none when the server itself acts. */
export function auditStatement({ action, subject, before, after }: AuditEntry): Statement[] {
  const who = currentActor();
  if (who === undefined) return [];
  const json = (value: object | undefined) => (value === undefined ? null : JSON.stringify(value));
  // A subject may be the path of anybody's request, and a reason is free text: each stays on one line.
  const [actor, what] = [onOneLine(who.actor.name), onOneLine(subject)];
  const reason = who.reason === null ? null : onOneLine(who.reason);
  return [{ sql: INSERT, args: [Date.now(), actor, action, what, reason, json(before), json(after)] }];
}

const INSERT_MOVED = `insert into audit (at, actor, action, subject, reason, before, after)
select ?, ?, ?, ?, ?, ?, json_set(?, '$.symbols', json(names)) from (
select json_group_array(symbol) as names, count(*) as moved from (
select symbol from jobs where id in (select value from json_each(?)) and state = ? order by id)) where moved > 0`;

/**
 * The statement that records an action on jobs, for the transaction that moves them to `state`: after those that do it, so
 * that it names the symbols that were moved; it records nothing if none was.
 */
export function auditMoved(entry: AuditEntry, ids: readonly number[], state: string): Statement[] {
  const symbols: string[] = [];
  return auditStatement({ ...entry, after: { ...entry.after, symbols } }).map(({ args }) => ({
    sql: INSERT_MOVED,
    args: [...args, JSON.stringify(ids), state],
  }));
}

/** Records an action that has just been done. */
export async function record(db: Database, entry: AuditEntry): Promise<void> {
  const statements = auditStatement(entry);
  if (statements.length > 0) await db.write(statements);
}

export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  /** Only entries about this symbol, alone or among others. */
  readonly symbol?: string;
  /** Half-open range, epoch milliseconds. */
  readonly from?: number;
  readonly to?: number;
  /** Ids of rows: only older rows, or only newer ones, next to it. */
  readonly before?: number;
  readonly after?: number;
}

/** The entries that match, newest first. */
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

/** All actors and actions on record: the choices of the page's filter. */
export async function auditChoices(db: Database): Promise<{ actors: string[]; actions: string[] }> {
  const actors = await db.orm.selectDistinct({ actor: audit.actor }).from(audit).orderBy(asc(audit.actor));
  const actions = await db.orm.selectDistinct({ action: audit.action }).from(audit).orderBy(asc(audit.action));
  return { actors: actors.map(({ actor }) => actor), actions: actions.map(({ action }) => action) };
}
