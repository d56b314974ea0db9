/** How many rows a deletion of old bars concerns. */

import type { PruneCounts } from "../../domain/series/prune-preview.ts";
import type { SeriesSelection } from "../../domain/series/selection.ts";
import type { Database } from "../db.ts";
import { IS_BUSY, withBarsBefore } from "./select-series.ts";

export const NOTHING: PruneCounts = {
  bars: 0,
  emptied: 0,
  profiles: 0,
  recomputed: 0,
  revisions: 0,
  refused: 0,
  gaps: 0,
  findings: 0,
  windows: 0,
  arrivals: 0,
};

/** Those of the selected series that have bars before a moment (epoch seconds), by symbol. */
export async function seriesToPrune(
  db: Database,
  selection: SeriesSelection,
  before: number,
): Promise<{ readonly id: number; readonly symbol: string; readonly isBusy: boolean }[]> {
  const { sql, args } = withBarsBefore(selection, before);
  const rows = await db.rows(
    `SELECT s.id, s.symbol, ${IS_BUSY} FROM series s WHERE ${sql} ORDER BY s.symbol, s.id`,
    args,
  );
  return rows.map(([id, symbol, isBusy]) => ({ id: id as number, symbol: symbol as string, isBusy: isBusy === 1 }));
}

const earlier = (table: string, column: string, sign = "<") =>
  `(SELECT count(*) FROM ${table} WHERE series_id = s.id AND ${column} ${sign} ?2)`;
const HAS_LATER = "EXISTS (SELECT 1 FROM bars WHERE series_id = coalesce(s.bars_id, s.id) AND ts >= ?2)";
const HAS_PROFILE = "EXISTS (SELECT 1 FROM profiles p WHERE p.series_id = s.id)";

const COUNTS: Readonly<Record<keyof PruneCounts, string>> = {
  bars: "(SELECT count(*) FROM bars WHERE series_id = coalesce(s.bars_id, s.id) AND ts < ?2)",
  emptied: `NOT ${HAS_LATER}`,
  profiles: `NOT ${HAS_LATER} AND ${HAS_PROFILE}`,
  recomputed: `${HAS_LATER} AND ${HAS_PROFILE}`,
  revisions: `${earlier("bar_revisions", "ts")} + ${earlier("provisional_bars", "ts")}`,
  refused: `${earlier("jump_bars", "ts")} + (SELECT count(*) FROM rejected_bars r WHERE r.series_id = s.id
AND place < strftime('%Y-%m-%dT%H:%M:%fZ', ?2, 'unixepoch') AND place GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T*Z')`,
  gaps: earlier("gaps", "date"),
  findings: earlier("findings", "date"),
  windows: earlier("batches", "to_ts", "<="),
  arrivals: earlier("arrivals", "to_ts", "<="),
};
const NAMES = Object.keys(COUNTS) as (keyof PruneCounts)[];

/** The sums over some series; `before` in epoch seconds. */
export async function countBefore(db: Database, ids: readonly number[], before: number): Promise<PruneCounts> {
  const sums = NAMES.map((name) => `coalesce(sum(${COUNTS[name]}), 0)`).join(", ");
  const [row] = await db.rows(`SELECT ${sums} FROM json_each(?1) j CROSS JOIN series s ON s.id = j.value`, [
    JSON.stringify(ids),
    before,
  ]);
  return Object.fromEntries(NAMES.map((name, at) => [name, Number(row![at])])) as unknown as PruneCounts;
}
