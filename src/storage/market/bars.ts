/** Reads and writes bars: the hot path, with prepared multi-row statements on the driver. */

import { and, count, desc, eq, sql } from "drizzle-orm";
import { RULES_VERSION } from "../../domain/market/anomalies/scale-changes.ts";
import { type BarColumns, emptyBars, sliceBars } from "../../domain/market/bars.ts";
import { GAP_RULES } from "../../domain/market/holes.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { prepared } from "../connection/prepared.ts";
import type { Database, Row, Statement } from "../db.ts";
import { isInPlace, rejectedBars, series } from "../schema/market.ts";
import { markYears } from "./lake-changes.ts";

/** Rows per insert statement: 6 values each plus one for the series are far below SQLite's 32,766 parameters. */
const ROWS_PER_INSERT = 1_000;
/** What is left is inserted in steps of this many rows, and its rest at once: few statements to prepare. */
const STEP = 64;

export interface SeriesKey {
  readonly symbol: string;
  readonly provider: string;
  readonly feed: string;
  readonly interval: Interval;
  readonly adjustment: string;
  readonly sessions: string;
}

const idOfKey = prepared(({ orm }) =>
  orm
    .select({ id: series.id })
    .from(series)
    .where(
      and(
        ...(["symbol", "interval", "provider", "feed", "adjustment", "sessions"] as const).map((field) =>
          eq(series[field], sql.placeholder(field)),
        ),
        isInPlace,
      ),
    )
    .prepare(),
);

/** The id of a series, which is created if it is new. */
export async function seriesId(db: Database, key: SeriesKey): Promise<number> {
  const find = () => idOfKey(db).get({ ...key });
  const known = await find();
  if (known) return known.id;
  await db.write([newSeries(key)]);
  return (await find())!.id;
}

const NEW_SERIES = `INSERT INTO series (symbol, provider, feed, interval, adjustment, sessions, judged, gap_rules)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING`;

/** The statement that creates a series unless it is there. Nothing of it was checked by earlier rules. */
export const newSeries = (key: SeriesKey): Statement => ({
  sql: NEW_SERIES,
  args: [key.symbol, key.provider, key.feed, key.interval, key.adjustment, key.sessions, RULES_VERSION, GAP_RULES],
});

const insertSql = new Map<number, string>();

function insertOf(rows: number): string {
  let sql = insertSql.get(rows);
  if (sql === undefined) {
    const values: string[] = [];
    for (let row = 0, p = 2; row < rows; row++, p += 6) {
      values.push(`(?1,?${p},?${p + 1},?${p + 2},?${p + 3},?${p + 4},?${p + 5})`);
    }
    sql = `INSERT INTO bars (series_id, ts, open, high, low, close, volume) VALUES ${values.join(",")}
ON CONFLICT (series_id, ts) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
close = excluded.close, volume = excluded.volume`;
    insertSql.set(rows, sql);
  }
  return sql;
}

/** SQL for the id under which the bars of a series are stored; `series` is the parameter or column with its own id. */
export const barsIdSql = (series = "?1") => `(SELECT coalesce(bars_id, id) FROM series WHERE id = ${series})`;

/** The id under which the bars of a series are stored: its own, unless it was rebuilt (see rebuild.ts). */
export async function barsIdOf(db: Database, series: number): Promise<number> {
  const [row] = await db.rows(`SELECT ${barsIdSql()}`, [series]);
  return row?.[0] as number;
}

/**
 * The statements that store `bars` under the id `barsId` (`barsIdOf` of their series); existing bars are overwritten.
 */
export function insertBars(barsId: number, bars: BarColumns): Statement[] {
  const statements: Statement[] = [];
  for (let start = 0; start < bars.ts.length; ) {
    const left = bars.ts.length - start;
    const size = left >= ROWS_PER_INSERT ? ROWS_PER_INSERT : Math.min(left, STEP);
    statements.push({ sql: insertOf(size), args: argsOf(barsId, sliceBars(bars, start, start + size)) });
    start += size;
  }
  statements.push(...markYears(barsId, bars.ts));
  return statements;
}

/** A volume as it is stored: `null` where it is unknown. */
export const volumeToSql = (volume: number): number | null => (Number.isNaN(volume) ? null : volume);

function argsOf(series: number, bars: BarColumns): (number | null)[] {
  const { ts, open, high, low, close, volume } = bars;
  const args = new Array<number | null>(1 + 6 * ts.length);
  args[0] = series;
  for (let i = 0, p = 1; i < ts.length; i++, p += 6) {
    args[p] = ts[i]!;
    args[p + 1] = open[i]!;
    args[p + 2] = high[i]!;
    args[p + 3] = low[i]!;
    args[p + 4] = close[i]!;
    args[p + 5] = volumeToSql(volume[i]!);
  }
  return args;
}

/** Rows of ts, open, high, low, close and volume as columns. */
export function columnsOf(rows: readonly Row[]): BarColumns {
  const bars = emptyBars(rows.length);
  const { ts, open, high, low, close, volume } = bars;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number[];
    ts[i] = row[0]!;
    open[i] = row[1]!;
    high[i] = row[2]!;
    low[i] = row[3]!;
    close[i] = row[4]!;
    volume[i] = row[5] ?? Number.NaN;
  }
  return bars;
}

const SELECT = `SELECT ts, open, high, low, close, volume FROM bars
WHERE series_id = ${barsIdSql()} AND ts >= ?2 AND ts < ?3`;

/** The stored bars with `from` <= ts < `to`, ascending; with `limit`, at most that many. */
export async function readBars(
  db: Database,
  series: number,
  from: number,
  to: number,
  limit = -1,
): Promise<BarColumns> {
  return columnsOf(await db.rows(`${SELECT} ORDER BY ts LIMIT ?4`, [series, from, to, limit]));
}

/** The last `count` stored bars before `to`, ascending. */
export async function readLastBars(db: Database, series: number, to: number, count: number): Promise<BarColumns> {
  const rows = await db.rows(`${SELECT} ORDER BY ts DESC LIMIT ?4`, [series, Number.MIN_SAFE_INTEGER, to, count]);
  return columnsOf(rows.reverse());
}

/** The start of the last bar before `to` that has `later` bars between itself and `to`; `null` if there is none. */
export async function startOfLast(db: Database, series: number, to: number, later: number): Promise<number | null> {
  const [row] = await db.rows(
    `SELECT ts FROM bars WHERE series_id = ${barsIdSql()} AND ts < ?2 ORDER BY ts DESC LIMIT 1 OFFSET ?3`,
    [series, to, later],
  );
  return (row?.[0] as number | undefined) ?? null;
}

/** Stored bars in pages of at most `pageSize`, so that no query blocks the thread for long. */
export async function* barPages(
  db: Database,
  series: number,
  from: number,
  to: number,
  pageSize = 5_000,
): AsyncGenerator<BarColumns> {
  for (let start = from; start < to; ) {
    const page = await readBars(db, series, start, to, pageSize);
    if (page.ts.length > 0) yield page;
    if (page.ts.length < pageSize) return;
    start = page.ts[page.ts.length - 1]! + 1;
  }
}

const COUNT = `SELECT count(*) FROM bars WHERE series_id = ${barsIdSql()} AND ts >= ?2 AND ts < ?3`;

/** How many bars are stored with `from` <= ts < `to`. */
export async function countBars(db: Database, series: number, from: number, to: number): Promise<number> {
  const [row] = await db.rows(COUNT, [series, from, to]);
  return Number(row?.[0] ?? 0);
}

/** The facts of a series that a job needs before it writes to it. Times are epoch seconds. */
export interface SeriesFacts {
  /** The id under which its bars are stored. */
  readonly barsId: number;
  /** Its first and last stored bar; `null` if it has none. */
  readonly first: number | null;
  readonly last: number | null;
  /** How many bars it has in the requested range. */
  readonly bars: number;
  /** The earliest bar that has changed since the profile was computed. */
  readonly changedFrom: number | null;
  /** The earliest bar that was fetched before it was final. */
  readonly provisionalFrom: number | null;
  /** Whether another provider supplied some of its bars. */
  readonly hasForeign: boolean;
  /** Whether bars of it were put aside as jumps. */
  readonly hasJumps: boolean;
}

const FACTS = `SELECT b.id, (SELECT min(ts) FROM bars WHERE series_id = b.id),
(SELECT max(ts) FROM bars WHERE series_id = b.id),
(SELECT count(*) FROM bars WHERE series_id = b.id AND ts >= ?2 AND ts < ?3), b.changed_from,
b.provisional_from, EXISTS (SELECT 1 FROM bar_sources WHERE series_id = ?1), EXISTS (SELECT 1 FROM jump_bars WHERE series_id = ?1)
FROM (SELECT coalesce(bars_id, id) AS id, changed_from, provisional_from FROM series WHERE id = ?1) b`;

/** The facts of a series; its bars are counted from `from` (inclusive) to `to` (exclusive). */
export async function seriesFacts(db: Database, series: number, from: number, to: number): Promise<SeriesFacts> {
  const [row] = await db.rows(FACTS, [series, from, to]);
  const [barsId, first, last, bars, changedFrom, provisionalFrom, foreign, jumps] = row as [
    number,
    number | null,
    number | null,
    number,
    number | null,
    number | null,
    number,
    number,
  ];
  const known = { barsId, first, last, bars, changedFrom, provisionalFrom };
  return { ...known, hasForeign: foreign === 1, hasJumps: jumps === 1 };
}

/** How many rows of a series were rejected, by reason, the most frequent first. */
export async function countRejected(db: Database, seriesId: number): Promise<{ reason: string; rows: number }[]> {
  const { reason } = rejectedBars;
  return db.orm
    .select({ reason, rows: count() })
    .from(rejectedBars)
    .where(eq(rejectedBars.seriesId, seriesId))
    .groupBy(reason)
    .orderBy(desc(count()), reason);
}
