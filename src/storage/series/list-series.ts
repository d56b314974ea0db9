/** The stored series, and how many bars each has. */

import type { Interval } from "../../domain/market/interval.ts";
import type { SeriesSelection } from "../../domain/series/selection.ts";
import { type Database, type Row, readPragma } from "../db.ts";
import type { StoredSeries } from "../market/series.ts";
import { selectedSql } from "./select-series.ts";

export interface SeriesEntry extends StoredSeries {
  /** The id under which its bars are stored. */
  readonly barsId: number;
  readonly hasProfile: boolean;
  /** Of its profile, if no bar has changed since that was stored; `null`: to be counted. */
  readonly bars: number | null;
  /** Starts of the first and the last bar (epoch seconds); `null` without bars, or if `bars` is `null`. */
  readonly firstBar: number | null;
  readonly lastBar: number | null;
  /** When the profile was stored (epoch milliseconds). */
  readonly profileAt: number | null;
  /** What was before it (epoch seconds) was deleted by choice. */
  readonly keptFrom: number | null;
  readonly isPruning: boolean;
}

const SELECT = `SELECT s.id, s.symbol, s.interval, s.provider, s.feed, s.adjustment, s.sessions, coalesce(s.bars_id, s.id),
p.symbol IS NOT NULL, CASE WHEN s.changed_from IS NULL THEN json_extract(p.backfill, '$.history_rows') END,
p.first_bar, p.last_bar, p.updated_at, s.kept_from, s.is_pruning
FROM series s LEFT JOIN profiles p ON p.series_id = s.id`;

/** Series in no particular order. Bars are not read: what is not known without is left open. */
export async function listSeries(db: Database, selection: SeriesSelection): Promise<SeriesEntry[]> {
  const { sql, args } = selectedSql(selection);
  return (await db.rows(`${SELECT} WHERE ${sql}`, args)).map(entryOf);
}

function entryOf(row: Row): SeriesEntry {
  const bars = row[9] as number | null;
  return {
    id: row[0] as number,
    symbol: row[1] as string,
    interval: row[2] as Interval,
    provider: row[3] as string,
    feed: row[4] as string,
    adjustment: row[5] as string,
    sessions: row[6] as string,
    barsId: row[7] as number,
    hasProfile: row[8] === 1,
    bars,
    firstBar: bars === null ? null : (row[10] as number),
    lastBar: bars === null ? null : (row[11] as number),
    profileAt: row[12] as number | null,
    keptFrom: row[13] as number | null,
    isPruning: row[14] === 1,
  };
}

/** What is read of a series without counting its bars. */
export interface SeriesEdges {
  readonly firstBar: number | null;
  readonly lastBar: number | null;
  /** When it was last asked for (epoch milliseconds); `null` if the ledger has no line of it. */
  readonly fetchedAt: number | null;
  /** Changes whenever bars of it may have been added, changed or deleted. */
  readonly version: string;
}

const EDGES = `SELECT s.id, (SELECT min(ts) FROM bars WHERE series_id = coalesce(s.bars_id, s.id)),
(SELECT max(ts) FROM bars WHERE series_id = coalesce(s.bars_id, s.id)), s.bars_id, s.changed_from, s.kept_from, s.pruned_at,
s.judged, (SELECT json_array(max(fetched_at), count(*), sum(attempts)) FROM batches WHERE series_id = s.id)
FROM json_each(?1) j CROSS JOIN series s ON s.id = j.value`;

/** By the ids of the series. */
export async function seriesEdges(db: Database, ids: readonly number[]): Promise<Map<number, SeriesEdges>> {
  const rows = await db.rows(EDGES, [JSON.stringify(ids)]);
  return new Map(
    rows.map((row) => {
      const [id, firstBar, lastBar] = row as [number, number | null, number | null];
      const [fetchedAt] = JSON.parse(row.at(-1) as string) as [number | null];
      return [id, { firstBar, lastBar, fetchedAt, version: JSON.stringify(row) }];
    }),
  );
}

/** How many bars are stored under each of some ids. */
export async function countBarsOf(db: Database, barsIds: readonly number[]): Promise<number[]> {
  const rows = await db.rows(
    "SELECT (SELECT count(*) FROM bars WHERE series_id = j.value) FROM json_each(?1) j ORDER BY j.key",
    [JSON.stringify(barsIds)],
  );
  return rows.map(([bars]) => bars as number);
}

/** Pages of a table of which the size of a row is measured. */
const SAMPLE = 1_000;

/**
 * The bytes that a row of a table takes in the file, from a sample of its pages; `null` if it has none, or if the database
 * cannot tell. The table is stored without row ids, so that all cells of its pages are rows.
 */
export async function bytesPerRow(db: Database, table: "bars" | "bar_revisions"): Promise<number | null> {
  if (!db.local) return null;
  const sql = `SELECT sum(pgsize), sum(ncell) FROM (SELECT pgsize, ncell FROM dbstat WHERE name = ?1 LIMIT ${SAMPLE})`;
  const [row] = await db.rows(sql, [table]);
  const [bytes, rows] = (row ?? []) as [number | null, number | null];
  return bytes === null || !rows ? null : bytes / rows;
}

/** The pages of the file: bytes in all, bytes that are free and used again, and whether the file can shrink. */
export interface FilePages {
  readonly bytes: number;
  readonly free: number;
  readonly canShrink: boolean;
}

/** `null` on a server, which keeps its own file. */
export async function filePages(db: Database): Promise<FilePages | null> {
  if (!db.local) return null;
  const read = (name: string) => readPragma(db, name);
  const size = await read("page_size");
  return {
    bytes: (await read("page_count")) * size,
    free: (await read("freelist_count")) * size,
    canShrink: (await read("auto_vacuum")) > 0,
  };
}
