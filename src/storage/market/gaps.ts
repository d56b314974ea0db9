/** Stored gaps of a series, and how often repairs could not fill them. */

import { desc, eq, sql } from "drizzle-orm";
import { prepared } from "../connection/prepared.ts";
import type { Database, Statement } from "../db.ts";
import { type GapKind, gaps } from "../schema/market.ts";
import { barsIdSql } from "./bars.ts";

/** After this many repairs in a row that brought nothing, the vendor is taken to have no data for a gap. */
export const CONFIRMED_AFTER = 3;

export interface Gap {
  /** Midnight UTC of the trading date, epoch seconds. */
  readonly date: number;
  readonly kind: GapKind;
  /** How many bars are stored of the session. */
  readonly rows: number;
}

/** The bars of a UTC day of a series; `first` and `last` are the starts of its outermost bars, epoch seconds. */
export interface DayCount {
  readonly date: number;
  readonly rows: number;
  readonly first: number;
  readonly last: number;
}

/** The days with bars from `from` (epoch seconds) on, ascending: one scan of the primary key. */
export async function dayCounts(db: Database, seriesId: number, from: number): Promise<DayCount[]> {
  const rows = await db.rows(
    `SELECT ts / 86400 * 86400, count(*), min(ts), max(ts) FROM bars
WHERE series_id = ${barsIdSql()} AND ts >= ?2
GROUP BY ts / 86400 ORDER BY 1`,
    [seriesId, from],
  );
  return (rows as number[][]).map(([date, count, first, last]) => ({
    date: date!,
    rows: count!,
    first: first!,
    last: last!,
  }));
}

/**
 * Replaces the gaps from `from` (epoch seconds) on with `found`. A gap with as many bars as before keeps its count of
 * repairs. `extraWrites` are part of the same transaction.
 */
export async function replaceGaps(
  db: Database,
  seriesId: number,
  from: number,
  found: readonly Gap[],
  extraWrites: readonly Statement[] = [],
): Promise<void> {
  const dates = JSON.stringify(found.map(({ date }) => date));
  await db.write([
    {
      sql: `DELETE FROM gaps WHERE series_id = ?1 AND date >= ?2 AND date NOT IN (SELECT value FROM json_each(?3))`,
      args: [seriesId, from, dates],
    },
    {
      sql: `INSERT INTO gaps (series_id, date, kind, rows)
SELECT ?1, json_extract(value, '$.date'), json_extract(value, '$.kind'), json_extract(value, '$.rows')
FROM json_each(?2) WHERE true
ON CONFLICT (series_id, date) DO UPDATE SET answers = CASE WHEN rows = excluded.rows THEN answers ELSE 0 END,
kind = excluded.kind, rows = excluded.rows`,
      args: [seriesId, JSON.stringify(found)],
    },
    ...extraWrites,
  ]);
}

/** Records that run `runId` got an answer for gaps with `from` <= date < `to`; it counts if it changed nothing. */
export function recordAnswer(seriesId: number, runId: string, from: number, to: number): Statement {
  const stored = `(SELECT count(*) FROM bars WHERE bars.series_id = ${barsIdSql("gaps.series_id")}
AND ts >= gaps.date AND ts < gaps.date + 86400)`;
  return {
    sql: `UPDATE gaps SET answers = CASE WHEN run_id IS ?2 THEN answers WHEN rows = ${stored} THEN answers + 1 ELSE 0 END,
rows = ${stored}, run_id = ?2 WHERE series_id = ?1 AND date >= ?3 AND date < ?4`,
    args: [seriesId, runId, from, to],
  };
}

const gapsOf = prepared(({ orm }) => {
  const { date, kind, rows, answers, runId } = gaps;
  return orm
    .select({ date, kind, rows, answers, runId, confirmed: sql<number>`${answers} >= ${CONFIRMED_AFTER}` })
    .from(gaps)
    .where(eq(gaps.seriesId, sql.placeholder("seriesId")))
    .orderBy(desc(date))
    .prepare();
});

/** The gaps of a series, newest first. */
export const listGaps = (db: Database, seriesId: number) => gapsOf(db).all({ seriesId });
