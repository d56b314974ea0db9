/** Deletes old rows, and keeps the database file small and sound. */

import { and, inArray, lt, notInArray } from "drizzle-orm";
import { type Database, readPragma } from "./db.ts";
import { apiUsage } from "./schema/quotas.ts";
import { runs } from "./schema/runs.ts";
import { scheduleTurns } from "./schema/schedules.ts";
import { logs } from "./schema/server.ts";

/** Rows deleted at a time: others wait for the end of the transaction. */
const CHUNK = 500;

/** Older rows are deleted. Usage: epoch seconds; the others: epoch milliseconds. */
export interface DeleteLimits {
  readonly logs: number;
  readonly runs: number;
  readonly usage: number;
}

/**
 * Deletes log lines, finished runs (with their jobs), turns of schedules and usage from before the given moments, as long
 * as `goesOn` holds. It pauses after each piece for as long as that took, so that others have their turn to write.
 * @returns how many log lines and runs were deleted
 */
export async function deleteBefore(
  db: Database,
  before: DeleteLimits,
  goesOn: () => boolean = () => true,
): Promise<{ logs: number; runs: number }> {
  const oldLogs = db.orm.select({ id: logs.id }).from(logs).where(lt(logs.at, before.logs)).limit(CHUNK);
  // A run has up to thousands of jobs.
  const oldRun = db.orm
    .select({ id: runs.id })
    .from(runs)
    .where(and(lt(runs.finishedAt, before.runs), notInArray(runs.state, ["running", "paused"])))
    .limit(1);
  const deleted = {
    logs: await inPieces(CHUNK, goesOn, () => db.orm.delete(logs).where(inArray(logs.id, oldLogs)).run()),
    runs: await inPieces(1, goesOn, () => db.orm.delete(runs).where(inArray(runs.id, oldRun)).run()),
  };
  await db.orm.delete(scheduleTurns).where(lt(scheduleTurns.at, before.runs)).run();
  await db.orm.delete(apiUsage).where(lt(apiUsage.minute, before.usage)).run();
  return deleted;
}

/** Calls `remove` until it finds fewer than `size` rows; returns how many it has deleted. */
async function inPieces(
  size: number,
  goesOn: () => boolean,
  remove: () => Promise<{ readonly rowsAffected: number }>,
): Promise<number> {
  let sum = 0;
  for (let rows = size; rows === size && goesOn(); sum += rows) {
    const start = performance.now();
    rows = (await remove()).rowsAffected;
    if (rows === size) await Bun.sleep(performance.now() - start);
  }
  return sum;
}

/** Free pages returned to the disk at a time: other writers wait a few milliseconds for it. */
const PIECE_PAGES = 500;
/** The share of a file that may stay free: free pages are soon used again. */
const FREE_SHARE = 0.1;

/**
 * Returns free pages to the disk as long as `idle` holds, and moves the write-ahead log into the file; does nothing on a
 * remote server.
 */
export async function tidyFile(db: Database, idle: () => boolean = () => true): Promise<void> {
  if (!db.local) return;
  const read = (name: string) => readPragma(db, name);
  // A file that was created without `auto_vacuum` cannot shrink; its free pages are used again.
  const canShrink = (await read("auto_vacuum")) > 0;
  while (canShrink && idle() && (await read("freelist_count")) > FREE_SHARE * (await read("page_count"))) {
    // Not as a prepared statement: that would stop after its first page and leave its transaction open.
    await db.script(`PRAGMA incremental_vacuum(${PIECE_PAGES})`);
    await Bun.sleep(0);
  }
  await emptyLog(db);
}

/** Rows of an index that are read for its statistics: enough to tell indexes apart, and a few milliseconds. */
const ANALYSIS_ROWS = 1_000;

/** The statements that would refresh the statistics which the planner of this connection has missed; it changes nothing. */
export async function staleStatistics(db: Database): Promise<string[]> {
  return db.local ? (await db.rows("PRAGMA optimize(-1)", [])).map(([sql]) => String(sql)) : [];
}

/** Runs statements of `staleStatistics`, on any connection. */
export async function refreshStatistics(db: Database, statements: readonly string[]): Promise<void> {
  if (!db.local || statements.length === 0) return;
  await db.script(`PRAGMA analysis_limit = ${ANALYSIS_ROWS}`);
  for (const sql of statements) await db.script(sql);
}

/** Moves the write-ahead log of a file into it, as far as no reader needs it. */
export async function emptyLog(db: Database): Promise<void> {
  // Not as a read: other threads would be refused meanwhile, instead of waiting for their turn.
  if (db.local) await db.script("PRAGMA wal_checkpoint(TRUNCATE)");
}

/** The damage that SQLite finds in the file, in its words; empty if there is none. */
export async function findDamage(db: Database): Promise<string[]> {
  const rows = await db.rows("PRAGMA quick_check(20)", []);
  return rows.map((row) => String(row[0])).filter((line) => line !== "ok");
}
