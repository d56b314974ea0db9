/**
 * Rebuilds a history in a second, staging series (`staging_for`). The new bars are stored under the id that the series
 * itself does not use; then a transaction of a few small rows swaps the two ids. The old bars, which the staging series
 * now has, become revisions and are deleted in small steps afterwards.
 */

import { eq, sql } from "drizzle-orm";
import { adjustBars } from "../../domain/market/corporate-actions.ts";
import { REASONS, timeOf } from "../../domain/market/validate-bars.ts";
import { prepared } from "../connection/prepared.ts";
import type { Database, Statement } from "../db.ts";
import { type RevisionKind, series } from "../schema/market.ts";
import { keepArrivals, type Stretch } from "./arrivals.ts";
import { barsIdOf, insertBars, readBars } from "./bars.ts";
import { markWhole } from "./lake-changes.ts";
import { readSeries, type SeriesRow } from "./series.ts";

/** Bars moved per transaction, so that no other writer waits for long. */
const PIECE = 10_000;
const END_OF_TIME = Number.MAX_SAFE_INTEGER;

const stagingOf = prepared(({ orm }) =>
  orm
    .select()
    .from(series)
    .where(eq(series.stagingFor, sql.placeholder("seriesId")))
    .prepare(),
);

/** The staging series of `seriesId`, if any: being built, with old bars to archive (`retiredKind`), or idle. */
export async function findStaging(db: Database, seriesId: number): Promise<SeriesRow | undefined> {
  return stagingOf(db).get({ seriesId });
}

/**
 * One step towards the staging series in which run `runId` builds the new history of `seriesId`, which is created if there
 * is none: what another run left unfinished in it is deleted in steps. Old bars must be archived before.
 * @returns whether that was the last step
 */
export async function openStaging(
  db: Database,
  seriesId: number,
  runId: string,
): Promise<{ readonly id: number; readonly isReady: boolean }> {
  const staging = await findStaging(db, seriesId);
  if (staging === undefined) {
    const { symbol, provider, feed, interval, adjustment, sessions } = await readSeries(db, seriesId);
    const key = { symbol, provider, feed, interval, adjustment, sessions };
    await db.write([db.orm.insert(series).values({ ...key, stagingFor: seriesId, stagingRun: runId })]);
    return { id: (await findStaging(db, seriesId))!.id, isReady: true };
  }
  const { id } = staging;
  if (staging.stagingRun === runId) return { id, isReady: true };
  if (staging.stagingRun !== null) {
    await db.write([
      db.orm.update(series).set({ stagingRun: null }).where(eq(series.id, id)),
      { sql: "DELETE FROM batches WHERE series_id = ?1", args: [id] },
      { sql: "DELETE FROM arrivals WHERE series_id = ?1", args: [id] },
      { sql: "DELETE FROM jump_bars WHERE series_id = ?1", args: [id] },
      { sql: "DELETE FROM rejected_bars WHERE series_id = ?1", args: [id] },
    ]);
  }
  const barsId = await barsIdOf(db, id);
  const end = await pieceEnd(db, barsId);
  if (end === null) await db.write([db.orm.update(series).set({ stagingRun: runId }).where(eq(series.id, id))]);
  else await db.write([{ sql: "DELETE FROM bars WHERE series_id = ?1 AND ts < ?2", args: [barsId, end] }]);
  return { id, isReady: end === null };
}

/** Where the first step through the bars under `barsId` ends (epoch seconds), or `null` if there are none. */
async function pieceEnd(db: Database, barsId: number): Promise<number | null> {
  const [row] = await db.rows(
    `SELECT (SELECT ts FROM bars WHERE series_id = ?1 ORDER BY ts LIMIT 1 OFFSET ${PIECE}),
EXISTS (SELECT 1 FROM bars WHERE series_id = ?1)`,
    [barsId],
  );
  const [end, any] = row as [number | null, number];
  return any === 0 ? null : (end ?? END_OF_TIME);
}

const DIFFERS = `(n.ts IS NULL OR n.open <> o.open OR n.high <> o.high OR n.low <> o.low OR n.close <> o.close
OR n.volume IS NOT o.volume)`;

/** How the new history compares with the old one in a range. */
export interface StagedChange {
  readonly fresh: number;
  readonly stored: number;
  /** Stored bars that the new history lacks; those that it has and that are impossible are not lost. */
  readonly lost: number;
  /** Stored bars that it lacks or has other values for, and the first and last of them (epoch seconds). */
  readonly changed: number;
  readonly first: number | null;
  readonly last: number | null;
}

export async function compareStaging(
  db: Database,
  seriesId: number,
  staging: number,
  from: number,
  to: number,
): Promise<StagedChange> {
  const ids = [await barsIdOf(db, seriesId), await barsIdOf(db, staging)];
  const [row] = await db.rows(
    `SELECT count(*), coalesce(sum(n.ts IS NULL AND NOT EXISTS (
SELECT 1 FROM jump_bars j WHERE j.series_id = ?5 AND j.ts = o.ts)), 0), coalesce(sum(${DIFFERS}), 0),
min(CASE WHEN ${DIFFERS} THEN o.ts END), max(CASE WHEN ${DIFFERS} THEN o.ts END),
(SELECT count(*) FROM bars WHERE series_id = ?2 AND ts >= ?3 AND ts < ?4)
FROM bars o LEFT JOIN bars n ON n.series_id = ?2 AND n.ts = o.ts
WHERE o.series_id = ?1 AND o.ts >= ?3 AND o.ts < ?4`,
    [...ids, from, to, staging],
  );
  const [stored, lost, changed, first, last, fresh] = row as number[];
  return { fresh: fresh!, stored: stored!, lost: lost!, changed: changed!, first: first!, last: last! };
}

/** Stored bars to copy into a staging series: those with `from` <= ts < `to`. */
export interface CopiedRange {
  readonly seriesId: number;
  readonly staging: number;
  readonly from: number;
  readonly to: number;
  /** What they are multiplied by. */
  readonly scale?: { readonly price: number; readonly volume: number };
}

/** How many bars a step has copied, and where the next one begins; `null`: it was the last. */
export interface CopiedBars {
  readonly bars: number;
  readonly next: number | null;
}

/** Copies the first bars of a range. */
export async function copyBars(db: Database, { seriesId, staging, from, to, scale }: CopiedRange): Promise<CopiedBars> {
  const page = await readBars(db, seriesId, from, to, PIECE);
  const { ts } = page;
  if (ts.length > 0) {
    const copied = scale === undefined ? page : adjustBars(page, [{ date: END_OF_TIME, ...scale }]);
    await db.write(insertBars(await barsIdOf(db, staging), copied));
  }
  return { bars: ts.length, next: ts.length < PIECE ? null : ts[ts.length - 1]! + 1 };
}

const RECORDED = `SELECT max(coalesce((SELECT max(seen_at) FROM bar_revisions WHERE series_id = ?1), 0),
coalesce((SELECT max(replaced_at) FROM provisional_bars WHERE series_id = ?1), 0),
coalesce((SELECT max(seen_at) FROM arrivals WHERE series_id = ?1 AND is_window = 0), 0))`;

/**
 * `now`, or just after what is recorded of the series, where the clock was set back since (epoch milliseconds). It is one
 * moment for all bars: those that are replaced have none of their own until they are archived.
 */
async function momentAfterRecorded(db: Database, seriesId: number, now: number): Promise<number> {
  const [row] = await db.rows(RECORDED, [seriesId]);
  return Math.max(now, 1 + (row as [number])[0]);
}

/** What is swapped: `from` <= ts < `to` was requested again. */
export interface Swap {
  readonly seriesId: number;
  readonly staging: number;
  readonly from: number;
  readonly to: number;
  readonly kind: RevisionKind;
}

/**
 * Replaces the bars of `seriesId`, and its ledger of `from` <= ts < `to`, with those of `staging`, whose bars are
 * complete; `added` are the stretches of those that it did not have (`addedStretches`). The old bars are left to
 * `archiveReplaced`. `extraWrites` are part of the same transaction.
 */
export async function swapStaging(
  db: Database,
  swap: Swap & { readonly added: readonly Stretch[] },
  extraWrites: readonly Statement[] = [],
): Promise<void> {
  const { seriesId, staging, from, to, kind } = swap;
  const [old, fresh] = [await barsIdOf(db, seriesId), await barsIdOf(db, staging)];
  const now = Date.now();
  const swappedAt = await momentAfterRecorded(db, seriesId, now);
  await db.write([
    ...keepArrivals(swap, swap.added, swappedAt),
    { sql: "DELETE FROM bar_sources WHERE series_id = ?1 AND ts >= ?2 AND ts < ?3", args: [seriesId, from, to] },
    {
      sql: "DELETE FROM batches WHERE series_id = ?1 AND from_ts >= ?2 AND to_ts <= ?3",
      args: [seriesId, from, to],
    },
    { sql: "DELETE FROM jump_bars WHERE series_id = ?1 AND ts >= ?2 AND ts < ?3", args: [seriesId, from, to] },
    {
      sql: "DELETE FROM rejected_bars WHERE series_id = ?1 AND reason = ?2 AND place >= ?3 AND place < ?4",
      args: [seriesId, REASONS.jump, timeOf(from), timeOf(to)],
    },
    ...["batches", "jump_bars", "rejected_bars"].map((table) => ({
      sql: `UPDATE OR REPLACE ${table} SET series_id = ?1 WHERE series_id = ?2`,
      args: [seriesId, staging],
    })),
    db.orm
      .update(series)
      .set({ barsId: fresh, changedFrom: 0, ...(kind !== "rebuild" && { revisedAt: now }) })
      .where(eq(series.id, seriesId)),
    db.orm.update(series).set({ barsId: old, retiredKind: kind, retiredAt: swappedAt }).where(eq(series.id, staging)),
    markWhole(fresh),
    ...extraWrites,
  ]);
}

/**
 * One step of archiving the bars that a swap has replaced: those that differ become revisions, and the old bars are
 * deleted. It can be interrupted and resumed after any step.
 * @returns whether nothing is left to archive
 */
export async function archiveReplaced(db: Database, seriesId: number): Promise<boolean> {
  const staging = await findStaging(db, seriesId);
  if (staging === undefined || staging.retiredKind === null) return true;
  const { id, stagingRun: runId, retiredKind, retiredAt } = staging;
  const [old, now] = [await barsIdOf(db, id), await barsIdOf(db, seriesId)];
  const end = await pieceEnd(db, old);
  if (end === null) {
    const idle = { stagingRun: null, retiredKind: null, retiredAt: null };
    await db.write([db.orm.update(series).set(idle).where(eq(series.id, id))]);
    return true;
  }
  await db.write([
    {
      sql: `INSERT INTO bar_revisions (series_id, ts, seen_at, run_id, kind, open, high, low, close, volume)
SELECT ?1, o.ts, ?2, ?3, CASE WHEN n.ts IS NULL THEN 'withdrawn' ELSE ?4 END, o.open, o.high, o.low, o.close, o.volume
FROM bars o LEFT JOIN bars n ON n.series_id = ?6 AND n.ts = o.ts
WHERE o.series_id = ?5 AND o.ts < ?7 AND ${DIFFERS} ON CONFLICT DO NOTHING`,
      args: [seriesId, retiredAt, runId, retiredKind, old, now, end],
    },
    { sql: "DELETE FROM bars WHERE series_id = ?1 AND ts < ?2", args: [old, end] },
  ]);
  return false;
}
