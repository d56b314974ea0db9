/** When backups are made and where to; what came of the last ones. Both are kept in the settings of the database. */

import type { Database } from "../../storage/db.ts";
import { readSettings } from "../../storage/settings.ts";
import type { BackupFault } from "./fault.ts";

export interface BackupPlan {
  /** Absolute; empty: none was chosen. */
  readonly folder: string;
  /** `03:30` in UTC; `null`: not by the clock. */
  readonly at: string | null;
  /** How many of the newest files are kept. */
  readonly keep: number;
  /** The database file it was made for: a copy that runs elsewhere must not delete the backups of the original. */
  readonly database: string;
}

/** A backup that was made, and checked as a whole. */
export interface BackupMade {
  readonly file: string;
  readonly bytes: number;
  /** When it was begun, epoch milliseconds: it has what was stored by then. */
  readonly at: number;
  /** What did not work besides, e.g. deleting an old one; `null` if nothing. */
  readonly note: string | null;
}

export interface BackupState {
  /** Times of the plan up to this moment were dealt with, epoch milliseconds. */
  readonly settledUntil: number;
  readonly last: BackupMade | null;
  /** The last attempt, if it failed; `at` is epoch milliseconds. */
  readonly failure: (BackupFault & { readonly at: number; readonly folder: string }) | null;
}

const PREFIX = "backup:";
export const PLAN_KEY = `${PREFIX}plan`;
export const STATE_KEY = `${PREFIX}state`;

export const DEFAULT_KEEP = 7;

/** What is stored of backups; `null` where nothing was yet. */
export async function readBackups(
  db: Database,
): Promise<{ readonly plan: BackupPlan | null; readonly state: BackupState | null }> {
  const rows = new Map((await readSettings(db, PREFIX)).map(({ key, value }) => [key, value]));
  const read = <T>(key: string): T | null => {
    const text = rows.get(key);
    return text === undefined ? null : JSON.parse(text);
  };
  return { plan: read<BackupPlan>(PLAN_KEY), state: read<BackupState>(STATE_KEY) };
}
