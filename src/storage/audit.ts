/** The record of who changed what. Rows are only ever added, in the transaction of the change wherever it has one. */

import { whoActs } from "../auth.ts";
import type { Database, Statement } from "./db.ts";

export interface Deed {
  /** `run.start`, `job.cancel`, `profile.delete`, … */
  readonly action: string;
  /** What it was done to: a symbol, a run, a watchlist, … */
  readonly subject: string;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

const INSERT = "insert into audit (at, actor, action, subject, reason, before, after) values (?, ?, ?, ?, ?, ?, ?)";

/** The statement that records a deed of whoever acts now; none when the server acts by itself. */
export function recorded({ action, subject, before, after }: Deed): Statement[] {
  const who = whoActs();
  if (who === undefined) return [];
  const json = (value: object | undefined) => (value === undefined ? null : JSON.stringify(value));
  return [{ sql: INSERT, args: [Date.now(), who.actor.name, action, subject, who.reason, json(before), json(after)] }];
}

/** Records a deed that has just been done. */
export async function record(db: Database, deed: Deed): Promise<void> {
  const statements = recorded(deed);
  if (statements.length > 0) await db.write(statements);
}
