/** What the rate limiter has used of each limit, stored so that a restart does not lose it. */

import { sql } from "drizzle-orm";
import type { Database, Write } from "../db.ts";
import { quotas } from "../schema/quotas.ts";
import { readSettings, settingStatement } from "../settings.ts";

type QuotaRow = typeof quotas.$inferInsert;

export async function readQuotas(db: Database) {
  return db.orm.select().from(quotas);
}

/** The writes that store what an account has used. */
export function limiterWrites(db: Database, rows: readonly QuotaRow[]): Write[] {
  if (rows.length === 0) return [];
  const set = { startedAt: sql`excluded.started_at`, used: sql`excluded.used` };
  const target = [quotas.account, quotas.period];
  return [
    db.orm
      .insert(quotas)
      .values([...rows])
      .onConflictDoUpdate({ target, set }),
  ];
}

/** Where the clocks of this machine were: shows after a restart whether its clock was set. */
export interface ClockMark {
  /** Differs for each boot of the machine; `null` where the system does not say. */
  readonly boot: string | null;
  /** Milliseconds since that boot. */
  readonly uptime: number;
  /** Epoch milliseconds. */
  readonly wall: number;
}

const CLOCK_KEY = "clock";

export async function readClockMark(db: Database): Promise<ClockMark | null> {
  const [row] = await readSettings(db, CLOCK_KEY);
  try {
    return row === undefined ? null : (JSON.parse(row.value) as ClockMark);
  } catch {
    return null;
  }
}

export const clockMarkStatement = (db: Database, mark: ClockMark): Write =>
  settingStatement(db, CLOCK_KEY, JSON.stringify(mark));
