/** Stored gaps of a series, and how often repairs could not fill them. */

import { desc, eq, sql } from "drizzle-orm";
import { CONFIRMED_AFTER, GAP_RULES, type GapKind, MISSING_KINDS } from "../../../domain/market/holes.ts";
import { prepared } from "../../connection/prepared.ts";
import type { Database, Statement } from "../../db.ts";
import { gaps } from "../../schema/market.ts";
import { barsIdSql } from "../bars.ts";

/** SQL for the kinds that say that bars are missing. */
export const MISSING_SQL = MISSING_KINDS.map((kind) => `'${kind}'`).join(", ");

/** SQL for the number of gaps of some kinds of the series `s` that are not confirmed. */
export const openGapsSql = (kinds = MISSING_SQL): string => `(SELECT count(*) FROM gaps g
WHERE g.series_id = s.id AND g.answers < ${CONFIRMED_AFTER} AND g.kind IN (${kinds}))`;

/** Half open, epoch seconds. */
export type Times = readonly [from: number, to: number];

export interface Gap {
  /** Midnight UTC of the trading date, epoch seconds. */
  readonly date: number;
  readonly kind: GapKind;
  /** How many bars are stored of the session. */
  readonly rows: number;
  /** The hours of the session; `null` on a day without one, and of a daily bar. */
  readonly hours: Times | null;
  /** The stretches without bars inside a session that has some, ascending. */
  readonly holes: readonly Times[];
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
  const rows = found.map(({ date, kind, rows, hours, holes }) => ({
    date,
    kind,
    rows,
    opens: hours?.[0] ?? null,
    closes: hours?.[1] ?? null,
    holes,
  }));
  await db.write([
    {
      sql: `DELETE FROM gaps WHERE series_id = ?1 AND date >= ?2 AND date NOT IN (SELECT value FROM json_each(?3))`,
      args: [seriesId, from, dates],
    },
    {
      sql: `INSERT INTO gaps (series_id, date, kind, rows, opens, closes, holes)
SELECT ?1, value ->> 'date', value ->> 'kind', value ->> 'rows', value ->> 'opens', value ->> 'closes', value -> 'holes'
FROM json_each(?2) WHERE true
ON CONFLICT (series_id, date) DO UPDATE SET answers = CASE WHEN rows = excluded.rows THEN answers ELSE 0 END,
kind = excluded.kind, rows = excluded.rows, opens = excluded.opens, closes = excluded.closes, holes = excluded.holes`,
      args: [seriesId, JSON.stringify(rows)],
    },
    ...extraWrites,
  ]);
}

/**
 * Records that run `runId` got an answer for gaps with `from` <= date < `to`; it counts if it changed nothing. Bars of a
 * session are counted as for its gap: without those inside one of its `breaks`.
 */
export function recordAnswer(
  seriesId: number,
  runId: string,
  { from, to }: { readonly from: number; readonly to: number },
  breaks: readonly Times[],
): Statement {
  const bars = `FROM bars WHERE bars.series_id = ${barsIdSql("gaps.series_id")} AND ts >=`;
  const stored = `((SELECT count(*) ${bars} coalesce(gaps.opens, gaps.date) AND ts < coalesce(gaps.closes, gaps.date + 86400)) -
(SELECT coalesce(sum((SELECT count(*) ${bars} b.value ->> 0 AND ts < b.value ->> 1)), 0) FROM json_each(?5) b
WHERE b.value ->> 0 >= gaps.opens AND b.value ->> 1 <= gaps.closes))`;
  return {
    sql: `UPDATE gaps SET answers = CASE WHEN run_id IS ?2 THEN answers WHEN rows = ${stored} THEN answers + 1 ELSE 0 END,
rows = ${stored}, run_id = ?2 WHERE series_id = ?1 AND date >= ?3 AND date < ?4`,
    args: [seriesId, runId, from, to, JSON.stringify(breaks)],
  };
}

const gapsOf = prepared(({ orm }) => {
  const { date, kind, rows, opens, closes, holes, answers, runId } = gaps;
  const confirmed = sql<number>`${answers} >= ${CONFIRMED_AFTER}`;
  return orm
    .select({ date, kind, rows, opens, closes, holes, answers, runId, confirmed })
    .from(gaps)
    .where(eq(gaps.seriesId, sql.placeholder("seriesId")))
    .orderBy(desc(date))
    .prepare();
});

/** A gap, and how repairs of it went. */
export interface StoredGap extends Gap {
  readonly answers: number;
  readonly runId: string | null;
  readonly confirmed: number;
}

/** The gaps of a series, newest first. */
export async function listGaps(db: Database, seriesId: number): Promise<StoredGap[]> {
  const rows = await gapsOf(db).all({ seriesId });
  return rows.map(({ opens, closes, holes, ...gap }) => ({
    ...gap,
    hours: opens === null || closes === null ? null : [opens, closes],
    holes: JSON.parse(holes),
  }));
}

/** Records that the sessions of a series were compared by the present rules. */
export const saveGapRules = (seriesId: number): Statement => ({
  sql: "UPDATE series SET gap_rules = ?2 WHERE id = ?1 AND gap_rules <> ?2",
  args: [seriesId, GAP_RULES],
});
