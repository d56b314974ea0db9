/**
 * Deletes the bars of series before a date, by choice. One transaction of small rows says which and before when
 * (`kept_from`, `is_pruning`); the bars and what belongs to them go in small steps afterwards, which can be interrupted and
 * resumed after any of them. A job that begins meanwhile finishes them first.
 */

import { messageOf } from "../../domain/errors.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { timeOf } from "../../domain/market/validate-bars.ts";
import type { SeriesSelection } from "../../domain/series/selection.ts";
import { isoSecond } from "../../domain/time.ts";
import type { Database, Statement } from "../db.ts";
import { markPeriod } from "../market/lake-changes.ts";
import { openGapsSql } from "../market/quality/gaps.ts";
import { findStaging } from "../market/rebuild.ts";
import { readSeries } from "../market/series.ts";
import { forgetProfile } from "../profiles/profiles.ts";
import { IS_BUSY, withBarsBefore } from "./select-series.ts";

/** Rows deleted per transaction, so that no other writer waits for long. */
const PIECE = 10_000;

export interface PruneRequest {
  readonly selection: SeriesSelection;
  /** Epoch seconds: bars that start earlier are deleted. */
  readonly before: number;
  /** Series with such bars, as they were confirmed: nothing is done if there are others. */
  readonly expect: number;
}

/** What became of a request; `busy` are series with jobs that wait, run or are paused. */
export type PruneBegun =
  | { readonly kind: "begun"; readonly series: number }
  | { readonly kind: "busy"; readonly busy: number; readonly symbols: readonly string[] }
  | { readonly kind: "changed"; readonly series: number };

/** Symbols that a refusal names. */
const NAMED = 5;

/**
 * Records which bars are to be deleted, of all series or of none. `now` in epoch milliseconds.
 * @param audit statements of the same transaction, each an insert with values; they are left out if nothing is done
 */
export async function beginPruning(
  db: Database,
  { selection, before, expect }: PruneRequest,
  now: number,
  audit: readonly Statement[] = [],
): Promise<PruneBegun> {
  const chosen = withBarsBefore(selection, before);
  const begin = {
    sql: `UPDATE series SET kept_from = ?, pruned_at = ?, is_pruning = 1, changed_from = 0
WHERE id IN (SELECT s.id FROM series s WHERE ${chosen.sql})
AND (SELECT count(*) FROM series s WHERE ${chosen.sql}) = ?
AND NOT EXISTS (SELECT 1 FROM series s WHERE ${chosen.sql} AND ${IS_BUSY}) RETURNING id`,
    args: [before, now, ...chosen.args, ...chosen.args, expect, ...chosen.args],
  };
  const [begun] = await db.change([begin, ...audit.map((statement) => ifPruned(statement, now))]);
  if (begun!.length > 0) return { kind: "begun", series: begun!.length };
  const count = async (more: string) =>
    Number((await db.rows(`SELECT count(*) FROM series s WHERE ${chosen.sql}${more}`, chosen.args))[0]![0]);
  const busy = await count(` AND ${IS_BUSY}`);
  if (busy === 0) return { kind: "changed", series: await count("") };
  const sql = `SELECT DISTINCT s.symbol FROM series s WHERE ${chosen.sql} AND ${IS_BUSY} ORDER BY s.symbol LIMIT ${NAMED}`;
  return { kind: "busy", busy, symbols: (await db.rows(sql, chosen.args)).map(([symbol]) => symbol as string) };
}

/** An insert with values that does nothing unless this request has begun. */
const ifPruned = ({ sql, args }: Statement, now: number): Statement => ({
  sql: `${sql.replace(/values \(([^)]*)\)$/, "select $1")} where exists (select 1 from series where pruned_at = ?)`,
  args: [...args, now],
});

/** The ids of the series of which bars are still to be deleted, in the order of the requests. */
export async function unprunedSeries(db: Database): Promise<number[]> {
  const rows = await db.rows("SELECT id FROM series WHERE is_pruning = 1 ORDER BY pruned_at, id", []);
  return rows.map(([id]) => id as number);
}

/** The profiles whose features were computed from bars that have been deleted since. */
export async function prunedProfiles(
  db: Database,
): Promise<{ readonly symbol: string; readonly interval: Interval; readonly provider: string; firstBar: number }[]> {
  const rows = await db.rows(
    `SELECT p.symbol, p.interval, p.provider, p.first_bar FROM profiles p JOIN series s ON s.id = p.series_id
WHERE json_extract(p.backfill, '$.features_outdated') AND s.is_pruning = 0`,
    [],
  );
  return rows.map(([symbol, interval, provider, firstBar]) => ({
    symbol: symbol as string,
    interval: interval as Interval,
    provider: provider as string,
    firstBar: firstBar as number,
  }));
}

/** Tables with a row or more for a bar. */
const BY_BAR = ["bar_revisions", "provisional_bars", "bar_sources", "jump_bars"] as const;

/**
 * One step of deleting what is left to delete of a series. The oldest bars go first, so that what is stored has no hole at
 * any time.
 * @returns whether nothing is left
 */
export async function pruneSeries(db: Database, id: number): Promise<boolean> {
  const { keptFrom, prunedAt, isPruning, barsId } = await readSeries(db, id);
  if (!isPruning || keptFrom === null || prunedAt === null) return true;
  const staging = await findStaging(db, id);
  const own = barsId ?? id;
  const ids = staging === undefined ? [id] : [id, staging.id];
  // What an unfinished rebuild has fetched must not bring them back.
  const bars = staging === undefined ? [own] : [own, staging.barsId ?? staging.id];
  const tables = [["bars", bars] as const, ...BY_BAR.map((table) => [table, ids] as const)];
  const due = stillDue(id, prunedAt);
  try {
    for (const [table, of] of tables.flatMap(([name, each]) => each.map((of) => [name, of] as const))) {
      const step = await nextStep(db, table, of, keptFrom);
      if (step === null) continue;
      const { from, to } = step;
      const remove = { sql: `DELETE FROM ${table} WHERE series_id = ?1 AND ts < ?2`, args: [of, to] };
      await db.write([due, remove, ...(table === "bars" && of === own ? markPeriod(of, from, to) : [])]);
      return false;
    }
    await db.write([due, ...(await finish(db, { id, keptFrom, barsId: own, ids }))]);
    return true;
  } catch (error) {
    if (!isDone(error)) throw error;
    return false;
  }
}

/** SQL has no statement that fails on a condition: this path is none, and its error names it. */
const MARK = "pruned already";

/**
 * Fails, and with it the transaction, unless the request is still to be carried out: a job may have finished it, and then
 * fetched older bars.
 */
const stillDue = (id: number, prunedAt: number): Statement => ({
  sql: `SELECT json_extract('{}', '${MARK}')
WHERE NOT EXISTS (SELECT 1 FROM series WHERE id = ?1 AND pruned_at = ?2 AND is_pruning = 1)`,
  args: [id, prunedAt],
});

const isDone = (error: unknown) => messageOf(error).includes(`'${MARK}'`);

/** Where the first step through the rows before `keptFrom` begins and ends (epoch seconds), or `null` if there are none. */
async function nextStep(db: Database, table: string, id: number, keptFrom: number) {
  const [row] = await db.rows(
    `SELECT (SELECT min(ts) FROM ${table} WHERE series_id = ?1),
(SELECT ts FROM ${table} WHERE series_id = ?1 AND ts < ?2 ORDER BY ts LIMIT 1 OFFSET ${PIECE})`,
    [id, keptFrom],
  );
  const [from, end] = row as [number | null, number | null];
  if (from === null || from >= keptFrom) return null;
  return { from, to: end === null ? keptFrom : Math.max(end, from + 1) };
}

interface Finished {
  readonly id: number;
  readonly keptFrom: number;
  readonly barsId: number;
  /** The series and its staging series. */
  readonly ids: readonly number[];
}

/** What says by days, windows or places what was deleted, and what the profile says of its history. */
async function finish(db: Database, { id, keptFrom, barsId, ids }: Finished): Promise<Statement[]> {
  const [counted] = await db.rows("SELECT count(*) FROM bars WHERE series_id = ?", [barsId]);
  const [shown] = await db.rows("SELECT symbol, interval FROM profiles WHERE series_id = ?", [id]);
  const bars = Number(counted![0]);
  return [
    ...ids.flatMap((each) => FINISH.map((sql) => ({ sql, args: [each, keptFrom] }))),
    ...ids.map((each) => ({ sql: FORGET_ROWS, args: [each, timeOf(keptFrom)] })),
    ...(shown === undefined
      ? []
      : bars === 0
        ? forgetProfile(shown[0] as string, shown[1] as Interval)
        : [{ sql: BEGIN_LATER, args: [id, barsId, bars, isoSecond(keptFrom)] }]),
    { sql: "UPDATE series SET is_pruning = 0 WHERE id = ?1", args: [id] },
  ];
}

const FINISH = [
  "DELETE FROM gaps WHERE series_id = ?1 AND date < ?2",
  "DELETE FROM findings WHERE series_id = ?1 AND date < ?2",
  "DELETE FROM arrivals WHERE series_id = ?1 AND to_ts <= ?2",
  "DELETE FROM batches WHERE series_id = ?1 AND to_ts <= ?2",
  // A window that was not answered lacks nothing where nothing is kept.
  `UPDATE OR REPLACE batches SET from_ts = ?2, left_out = CASE WHEN left_out IS NOT NULL THEN
(SELECT json_group_array(json_array(max(value ->> 0, CAST(?2 AS INTEGER)), value ->> 1)) FROM json_each(left_out) WHERE value ->> 1 > ?2) END
WHERE series_id = ?1 AND from_ts < ?2 AND to_ts > ?2 AND status IN ('failed', 'not_in_plan')`,
];
/** Of other rejected rows the time is not known: their place is a line of a file, or a row of an answer. */
const FORGET_ROWS = `DELETE FROM rejected_bars WHERE series_id = ?1 AND place < ?2
AND place GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z'`;
const BEGIN_LATER = `UPDATE profiles SET first_bar = (SELECT min(ts) FROM bars WHERE series_id = ?2),
backfill = json_set(backfill, '$.history_rows', ?3, '$.gaps', (SELECT ${openGapsSql()} FROM series s WHERE s.id = ?1),
'$.kept_from', ?4, '$.features_outdated', json('true')) WHERE series_id = ?1`;

/** Lowers the limit of a series to `from` (epoch seconds), because a run asks for older bars; never raises it. */
export async function keepFrom(db: Database, id: number, from: number): Promise<void> {
  await db.write([{ sql: "UPDATE series SET kept_from = ?1 WHERE id = ?2 AND kept_from > ?1", args: [from, id] }]);
}
