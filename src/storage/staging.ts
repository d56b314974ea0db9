/** A history that is built beside the one it will replace, and the moment when it does. */

import { and, eq } from "drizzle-orm";
import type { Database } from "./db.ts";
import { bars, type RevisionKind, series } from "./schema.ts";
import { readSeries } from "./series.ts";

/** The staging series of run `runId` for `seriesId`, if it has begun one. */
export async function findStaging(db: Database, seriesId: number, runId: string): Promise<number | undefined> {
  const [row] = await db.orm
    .select({ id: series.id })
    .from(series)
    .where(and(eq(series.stagingFor, seriesId), eq(series.stagingRun, runId)));
  return row?.id;
}

/** The staging series of run `runId`, made if it has none; what earlier runs left unfinished is forgotten. */
export async function openStaging(db: Database, seriesId: number, runId: string): Promise<number> {
  const known = await findStaging(db, seriesId, runId);
  if (known !== undefined) return known;
  const { id: _, changedFrom: __, revisedAt: ___, suspectAt: ____, ...row } = await readSeries(db, seriesId);
  await db.write([
    db.orm.delete(series).where(eq(series.stagingFor, seriesId)),
    db.orm.insert(series).values({ ...row, stagingFor: seriesId, stagingRun: runId }),
  ]);
  return (await findStaging(db, seriesId, runId))!;
}

/** How the new history compares with the old one in a range. */
export interface StagedChange {
  readonly fresh: number;
  /** Stored bars that the new history lacks. */
  readonly lost: number;
  readonly stored: number;
}

export async function compareStaging(
  db: Database,
  seriesId: number,
  staging: number,
  from: number,
  to: number,
): Promise<StagedChange> {
  const [row] = await db.rows(
    `SELECT (SELECT count(*) FROM bars WHERE series_id = ?2),
(SELECT count(*) FROM bars WHERE series_id = ?1 AND ts >= ?3 AND ts < ?4),
(SELECT count(*) FROM bars o WHERE o.series_id = ?1 AND o.ts >= ?3 AND o.ts < ?4
 AND NOT EXISTS (SELECT 1 FROM bars n WHERE n.series_id = ?2 AND n.ts = o.ts))`,
    [seriesId, staging, from, to],
  );
  const [fresh, stored, lost] = row as number[];
  return { fresh: fresh!, stored: stored!, lost: lost! };
}

/**
 * Puts the bars and the ledger of `staging` in the place of those of `seriesId` with `from` <= ts < `to`, and keeps
 * what differed as revisions of `kind`: all of it or nothing.
 */
export async function swapStaging(
  db: Database,
  swap: { seriesId: number; staging: number; from: number; to: number; runId: string; kind: RevisionKind },
): Promise<void> {
  const { seriesId, staging, from, to, runId, kind } = swap;
  const range = "series_id = ?1 AND ts >= ?2 AND ts < ?3";
  await db.write([
    {
      sql: `INSERT INTO bar_revisions (series_id, ts, seen_at, run_id, kind, open, high, low, close, volume)
SELECT ?1, o.ts, ?4, ?5, CASE WHEN n.ts IS NULL THEN 'withdrawn' ELSE ?6 END, o.open, o.high, o.low, o.close, o.volume
FROM bars o LEFT JOIN bars n ON n.series_id = ?7 AND n.ts = o.ts
WHERE o.series_id = ?1 AND o.ts >= ?2 AND o.ts < ?3
AND (n.ts IS NULL OR n.open <> o.open OR n.high <> o.high OR n.low <> o.low OR n.close <> o.close
OR n.volume <> o.volume)`,
      args: [seriesId, from, to, Date.now(), runId, kind, staging],
    },
    { sql: `DELETE FROM bars WHERE ${range}`, args: [seriesId, from, to] },
    { sql: `DELETE FROM bar_sources WHERE ${range}`, args: [seriesId, from, to] },
    {
      sql: "DELETE FROM batches WHERE series_id = ?1 AND from_ts >= ?2 AND to_ts <= ?3",
      args: [seriesId, from, to],
    },
    db.orm.update(bars).set({ seriesId }).where(eq(bars.seriesId, staging)),
    { sql: "UPDATE OR REPLACE batches SET series_id = ?1 WHERE series_id = ?2", args: [seriesId, staging] },
    db.orm
      .update(series)
      .set({ changedFrom: 0, ...(kind !== "rebuild" && { revisedAt: Date.now() }) })
      .where(eq(series.id, seriesId)),
    db.orm.delete(series).where(eq(series.id, staging)),
  ]);
}
