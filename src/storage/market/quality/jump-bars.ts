/** Bars that were put aside as impossible among their neighbours, and what moves bars between there and the series. */

import { cutText } from "../../../domain/errors.ts";
import type { BarColumns } from "../../../domain/market/bars.ts";
import { jumpRows, REASONS, timeOf } from "../../../domain/market/validate-bars.ts";
import type { Database, Statement } from "../../db.ts";
import { recordArrivals, singly } from "../arrivals.ts";
import { barsIdOf, columnsOf, insertBars, volumeToSql } from "../bars.ts";
import { insertSources, markChanged, recordRevised, removeBars } from "../revisions.ts";

const READ = `SELECT ts, open, high, low, close, volume FROM jump_bars
WHERE series_id = ?1 AND ts >= ?2 AND ts < ?3 ORDER BY ts`;

/** The bars put aside with `from` <= ts < `to` (epoch seconds), ascending. */
export async function readJumps(db: Database, seriesId: number, from: number, to: number): Promise<BarColumns> {
  const [start, end] = [Math.max(from, Number.MIN_SAFE_INTEGER), Math.min(to, Number.MAX_SAFE_INTEGER)];
  return columnsOf(await db.rows(READ, [seriesId, start, end]));
}

const SAVE = `INSERT INTO jump_bars (series_id, ts, open, high, low, close, volume, run_id, seen_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (series_id, ts) DO UPDATE SET
open = ?3, high = ?4, low = ?5, close = ?6, volume = ?7, run_id = ?8, seen_at = ?9`;

/** Statements that put bars aside; `seenAt` in epoch milliseconds. */
export function saveJumps(seriesId: number, runId: string, seenAt: number, bars: BarColumns): Statement[] {
  const { ts, open, high, low, close, volume } = bars;
  return [...ts].map((time, at) => ({
    sql: SAVE,
    args: [seriesId, time, open[at]!, high[at]!, low[at]!, close[at]!, volumeToSql(volume[at]!), runId, seenAt],
  }));
}

/** Statements after which bars are no longer put aside, nor listed as rejected for it; `times` in epoch seconds. */
export function deleteJumps(seriesId: number, times: readonly number[]): Statement[] {
  if (times.length === 0) return [];
  return [
    {
      sql: "DELETE FROM jump_bars WHERE series_id = ?1 AND ts IN (SELECT value FROM json_each(?2))",
      args: [seriesId, JSON.stringify(times)],
    },
    {
      sql: `DELETE FROM rejected_bars WHERE series_id = ?1 AND reason = ?2
AND place IN (SELECT value FROM json_each(?3))`,
      args: [seriesId, REASONS.jump, JSON.stringify(times.map(timeOf))],
    },
  ];
}

/** Characters that are kept of a reason and of a row. */
const MAX_TEXT = 500;

const SAVE_REJECTED = `INSERT INTO rejected_bars (series_id, place, reason, raw, run_id, seen_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT (series_id, place) DO UPDATE SET reason = ?3, raw = ?4, run_id = ?5, seen_at = ?6`;

/** Rows of one reason that are kept of an answer; the others are counted. A million of them help nobody. */
const MAX_KEPT = 1_000;
/** Reasons whose rows are counted as they are stored. */
const COUNTED = new Set<string>([REASONS.jump, REASONS.duplicate, REASONS.lowerVolume]);

interface Rejected {
  readonly where: string;
  readonly reason: string;
  readonly raw: string;
}

/** The rows of an answer that are kept, and one more for the others of a reason. */
function keptOf(rows: readonly Rejected[]): readonly Rejected[] {
  if (rows.length <= MAX_KEPT) return rows;
  return [...Map.groupBy(rows, ({ reason }) => reason)].flatMap(([reason, list]) => {
    const more = list.length - MAX_KEPT;
    if (more <= 0 || COUNTED.has(reason)) return list;
    const { where, raw } = list[MAX_KEPT]!;
    const others = { where: `${where} and others`, reason: `${more} more rows, not kept: ${reason}`, raw };
    return [...list.slice(0, MAX_KEPT), others];
  });
}

/** Statements that list rows of a source as rejected. */
export function saveRejected(seriesId: number, runId: string, seenAt: number, rows: readonly Rejected[]): Statement[] {
  return keptOf(rows).map(({ where, reason, raw }) => ({
    sql: SAVE_REJECTED,
    args: [seriesId, where, cutText(reason, MAX_TEXT), cutText(raw, MAX_TEXT), runId, seenAt],
  }));
}

/**
 * Removes `withdrawn` bars from a series, puts those of them that its provider gave `aside`, and stores `restored` ones
 * again, in one transaction.
 */
export async function moveJumps(
  db: Database,
  { seriesId, runId }: { seriesId: number; runId: string },
  { withdrawn, aside, restored }: { withdrawn: BarColumns; aside: BarColumns; restored: BarColumns },
): Promise<void> {
  const now = Date.now();
  const barsId = await barsIdOf(db, seriesId);
  const isRevised = withdrawn.ts.length > 0;
  await db.write([
    ...recordRevised(seriesId, runId, now, { kind: "withdrawn", bars: withdrawn }),
    ...removeBars(barsId, withdrawn),
    ...insertSources(seriesId, runId, withdrawn, undefined),
    ...saveJumps(seriesId, runId, now, aside),
    ...saveRejected(seriesId, runId, now, jumpRows(withdrawn)),
    ...insertBars(barsId, restored),
    ...recordArrivals(seriesId, now, singly(restored)),
    ...deleteJumps(seriesId, [...restored.ts]),
    ...markChanged(seriesId, [...withdrawn.ts, ...restored.ts]),
    ...(isRevised ? [{ sql: "UPDATE series SET revised_at = ?1 WHERE id = ?2", args: [now, seriesId] }] : []),
  ]);
}
