/** Earlier values of bars that a provider changed, and the bars that another provider supplied. */

import { and, desc, eq, gte, lt, sql } from "drizzle-orm";
import { type BarColumns, sliceBars } from "../../domain/market/bars.ts";
import type { Database, Statement } from "../db.ts";
import { barRevisions, barSources, type RevisionKind } from "../schema/market.ts";
import { volumeToSql } from "./bars.ts";
import { markYears } from "./lake-changes.ts";

/** Bars per statement: at most 10 values each, far below SQLite's limit on parameters. */
const ROWS = 500;

/** Stored bars before they change or are removed, and why. */
export interface Revised {
  readonly kind: RevisionKind;
  readonly bars: BarColumns;
}

function* parts(bars: BarColumns): Generator<BarColumns> {
  for (let start = 0; start < bars.ts.length; start += ROWS) {
    yield sliceBars(bars, start, Math.min(bars.ts.length, start + ROWS));
  }
}

const marks = (rows: number, one: string) => Array.from({ length: rows }, () => one).join(",");

/**
 * SQL for the moment at which the value of bar `ts` ended: `?2`, or just after what is recorded of the bar already. Writes
 * of one millisecond, and of a clock that was set back, keep their order in this way.
 */
const ENDED = `max(?2, 1 + coalesce((SELECT max(seen_at) FROM bar_revisions WHERE series_id = ?1 AND ts = v.ts), 0),
1 + coalesce((SELECT max(replaced_at) FROM provisional_bars WHERE series_id = ?1 AND ts = v.ts), 0),
CASE WHEN (SELECT max(seen_at) FROM arrivals WHERE series_id = ?1 AND is_window = 0) >= ?2 THEN 1 + coalesce((
SELECT max(seen_at) FROM arrivals WHERE series_id = ?1 AND is_window = 0 AND from_ts <= v.ts AND to_ts > v.ts), 0) ELSE 0 END)`;
const VALUES = "ts, open, high, low, close, volume";

/** Statements that insert bars by `insert`, which selects from `v` and uses the arguments `first` by their numbers. */
function insertValues(insert: string, first: readonly (string | number)[], bars: BarColumns): Statement[] {
  return [...parts(bars)].map(({ ts, open, high, low, close, volume }) => {
    const row = (_: unknown, at: number) =>
      `(${[1, 2, 3, 4, 5, 6].map((field) => `?${first.length + 6 * at + field}`).join(",")})`;
    return {
      sql: `WITH v (${VALUES}) AS (VALUES ${Array.from(ts, row).join(",")}) ${insert}`,
      args: [
        ...first,
        ...[...ts].flatMap((time, at) => [time, open[at]!, high[at]!, low[at]!, close[at]!, volumeToSql(volume[at]!)]),
      ],
    };
  });
}

/** Statements that append earlier values of bars; `seenAt` in epoch milliseconds. */
export function recordRevised(seriesId: number, runId: string, seenAt: number, { kind, bars }: Revised): Statement[] {
  const insert = `INSERT INTO bar_revisions (series_id, seen_at, run_id, kind, ${VALUES})
SELECT ?1, ${ENDED}, ?3, ?4, ${VALUES} FROM v`;
  return insertValues(insert, [seriesId, seenAt, runId, kind], bars);
}

/** Statements that keep values of bars that were not final and are replaced; `replacedAt` in epoch milliseconds. */
export function keepProvisional(seriesId: number, replacedAt: number, bars: BarColumns): Statement[] {
  const insert = `INSERT INTO provisional_bars (series_id, replaced_at, ${VALUES}) SELECT ?1, ${ENDED}, ${VALUES} FROM v`;
  return insertValues(insert, [seriesId, replacedAt], bars);
}
/** Statements that delete bars stored under the id `barsId` (`barsIdOf` of their series). */
export function removeBars(barsId: number, bars: BarColumns): Statement[] {
  const removals = [...parts(bars)].map(({ ts }) => ({
    sql: `DELETE FROM bars WHERE series_id = ? AND ts IN (${marks(ts.length, "?")})`,
    args: [barsId, ...ts],
  }));
  return [...removals, ...markYears(barsId, bars.ts)];
}

/** Statements that record who supplied `bars`; without `provider`, that they are the series' own. */
export function insertSources(
  seriesId: number,
  runId: string,
  bars: BarColumns,
  provider: string | undefined,
): Statement[] {
  const last = bars.ts[bars.ts.length - 1];
  if (last === undefined) return [];
  if (provider !== undefined) {
    return [...parts(bars)].map(({ ts }) => ({
      sql: `INSERT OR REPLACE INTO bar_sources (series_id, ts, provider, run_id) VALUES ${marks(ts.length, "(?,?,?,?)")}`,
      args: [...ts].flatMap((time) => [seriesId, time, provider, runId]),
    }));
  }
  return [
    {
      sql: `DELETE FROM bar_sources WHERE series_id = ?1 AND ts BETWEEN ?2 AND ?3
AND ts IN (SELECT value FROM json_each(?4))`,
      args: [seriesId, bars.ts[0]!, last, JSON.stringify([...bars.ts])],
    },
  ];
}

/** The statement that marks bars from the earliest of `times` (epoch seconds) on as newer than the profile. */
export function markChanged(seriesId: number, times: readonly number[]): Statement[] {
  if (times.length === 0) return [];
  const from = Math.min(...times);
  const sql = "UPDATE series SET changed_from = min(coalesce(changed_from, ?1), ?1) WHERE id = ?2";
  return [{ sql, args: [from, seriesId] }];
}

/** The statement that records the earliest bar (epoch seconds) of a series that was fetched before it was final. */
export const markProvisional = (seriesId: number, from: number | null): Statement => ({
  sql: "UPDATE series SET provisional_from = ?1 WHERE id = ?2",
  args: [from, seriesId],
});

/** The times of the bars with `from` <= ts < `to` that another provider supplied. */
export async function foreignBars(db: Database, seriesId: number, from: number, to: number): Promise<Set<number>> {
  const rows = await db.orm
    .select({ ts: barSources.ts })
    .from(barSources)
    .where(and(eq(barSources.seriesId, seriesId), gte(barSources.ts, from), lt(barSources.ts, to)));
  return new Set(rows.map(({ ts }) => ts));
}

/** What changed in a series, newest first: one row per write and reason. */
export async function listRevisions(db: Database, seriesId: number, limit: number) {
  const { seenAt, kind, runId, ts } = barRevisions;
  return db.orm
    .select({
      seenAt,
      kind,
      runId,
      bars: sql<number>`count(*)`,
      first: sql<number>`min(${ts})`,
      last: sql<number>`max(${ts})`,
    })
    .from(barRevisions)
    .where(eq(barRevisions.seriesId, seriesId))
    .groupBy(seenAt, kind, runId)
    .orderBy(desc(seenAt))
    .limit(limit);
}

/** How many bars of a series each other provider supplied. */
export async function listSources(db: Database, seriesId: number) {
  const { provider } = barSources;
  return db.orm
    .select({ provider, bars: sql<number>`count(*)` })
    .from(barSources)
    .where(eq(barSources.seriesId, seriesId))
    .groupBy(provider);
}

const REVISIONS_BETWEEN = `SELECT kind, seen_at, min(ts), max(ts), count(*) FROM (
SELECT kind, seen_at, run_id, ts FROM bar_revisions WHERE series_id = ?1 AND ts >= ?2 AND ts < ?3 ORDER BY ts LIMIT ?4)
GROUP BY kind, seen_at, run_id ORDER BY min(ts), seen_at`;

/** The most revised bars that are read for a chart: some milliseconds. */
const MOST_REVISED = 20_000;

/** Bars that changed together, of those in a range. */
export interface RevisedRange {
  readonly kind: RevisionKind;
  /** Epoch milliseconds. */
  readonly seenAt: number;
  /** Epoch seconds. */
  readonly first: number;
  readonly last: number;
  readonly bars: number;
}

/**
 * What changed in the bars with `from` <= ts < `to` (epoch seconds): one entry per write and reason, ascending. Of more
 * than 20,000 revised bars the first ones count.
 */
export async function revisionsBetween(
  db: Database,
  seriesId: number,
  from: number,
  to: number,
): Promise<{ readonly ranges: readonly RevisedRange[]; readonly more: boolean }> {
  const rows = await db.rows(REVISIONS_BETWEEN, [seriesId, from, to, MOST_REVISED]);
  const ranges = rows.map(([kind, seenAt, first, last, bars]) => ({
    kind: kind as RevisionKind,
    seenAt: seenAt as number,
    first: first as number,
    last: last as number,
    bars: bars as number,
  }));
  return { ranges, more: ranges.reduce((sum, { bars }) => sum + bars, 0) >= MOST_REVISED };
}
