/** Deletes old rows, and keeps the database file small and sound. */

import { and, inArray, lt, notInArray } from "drizzle-orm";
import type { Database } from "./db.ts";
import { apiUsage } from "./schema/quotas.ts";
import { runs } from "./schema/runs.ts";
import { scheduleTurns } from "./schema/schedules.ts";
import { logs } from "./schema/server.ts";

/** Rows deleted per statement: a long delete would block all other writers. */
const CHUNK = 2_000;

/**
 * Deletes log lines, finished runs (with their jobs) and turns of schedules from before the given epoch milliseconds,
 * and usage from before the given epoch seconds.
 * @returns how many log lines and runs were deleted
 */
export async function deleteBefore(
  db: Database,
  before: { readonly logs: number; readonly runs: number; readonly usage: number },
): Promise<{ logs: number; runs: number }> {
  const deleted = { logs: 0, runs: 0 };
  const oldLogs = db.orm.select({ id: logs.id }).from(logs).where(lt(logs.at, before.logs)).limit(CHUNK);
  for (let rows = CHUNK; rows === CHUNK; deleted.logs += rows) {
    rows = (await db.orm.delete(logs).where(inArray(logs.id, oldLogs)).run()).rowsAffected;
  }
  const oldRuns = db.orm
    .select({ id: runs.id })
    .from(runs)
    .where(and(lt(runs.finishedAt, before.runs), notInArray(runs.state, ["running", "paused"])))
    .limit(20);
  for (let rows = 20; rows === 20; deleted.runs += rows) {
    rows = (await db.orm.delete(runs).where(inArray(runs.id, oldRuns)).run()).rowsAffected;
  }
  await db.orm.delete(scheduleTurns).where(lt(scheduleTurns.at, before.runs)).run();
  await db.orm.delete(apiUsage).where(lt(apiUsage.minute, before.usage)).run();
  return deleted;
}

/** Free pages returned to the disk at a time: other writers wait a few milliseconds for it. */
const PIECE_PAGES = 500;
/** The share of a file that may stay free: free pages are soon used again. */
const FREE_SHARE = 0.1;

/**
 * Returns free pages to the disk as long as `idle` holds, moves the write-ahead log into the file and refreshes the
 * planner's statistics; does nothing on a remote server.
 */
export async function tidyFile(db: Database, idle: () => boolean = () => true): Promise<void> {
  if (!db.local) return;
  const read = async (pragma: string) => Number((await db.rows(`PRAGMA ${pragma}`, []))[0]?.[0] ?? 0);
  // A file that was created without `auto_vacuum` cannot shrink; its free pages are used again.
  const canShrink = (await read("auto_vacuum")) > 0;
  while (canShrink && idle() && (await read("freelist_count")) > FREE_SHARE * (await read("page_count"))) {
    // Not as a prepared statement: that would stop after its first page and leave its transaction open.
    await db.script(`PRAGMA incremental_vacuum(${PIECE_PAGES})`);
    await Bun.sleep(0);
  }
  await emptyLog(db);
  await db.rows("PRAGMA optimize", []);
}

/** Moves the write-ahead log of a file into it, as far as no reader needs it. */
export async function emptyLog(db: Database): Promise<void> {
  if (db.local) await db.rows("PRAGMA wal_checkpoint(TRUNCATE)", []);
}

/** The damage that SQLite finds in the file, in its words; empty if there is none. */
export async function findDamage(db: Database): Promise<string[]> {
  const rows = await db.rows("PRAGMA quick_check(20)", []);
  return rows.map((row) => String(row[0])).filter((line) => line !== "ok");
}
