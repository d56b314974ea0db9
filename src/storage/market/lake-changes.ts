/** What the lake has to write again: recorded in the transaction that changes the bars. */

import type { Database, Statement } from "../db.ts";

const MARK = "ON CONFLICT (bars_id, year) DO UPDATE SET changes = changes + 1";

/** The id under which splits and dividends are marked; no series has it. */
export const ACTIONS = 0;

/** The year of a moment (epoch seconds), in UTC. */
const yearOf = (ts: number): number => new Date(ts * 1_000).getUTCFullYear();
/** The first moment of a year, epoch seconds. */
export const yearStart = (year: number): number => Date.UTC(year, 0, 1) / 1_000;

/** The statements that mark the years of bars under the id `barsId`; `ts` in epoch seconds, ascending. */
export function markYears(barsId: number, ts: Float64Array): Statement[] {
  const years: number[] = [];
  for (let at = 0, end = Number.NEGATIVE_INFINITY; at < ts.length; at++) {
    if (ts[at]! < end) continue;
    const year = yearOf(ts[at]!);
    years.push(year);
    end = yearStart(year + 1);
  }
  return years.map((year) => ({
    sql: `INSERT INTO lake_changes (bars_id, year, changes) VALUES (?1, ?2, 1) ${MARK}`,
    args: [barsId, year],
  }));
}

/** The statement that marks the years of `from` <= ts < `to` (epoch seconds) of bars under the id `barsId`. */
export function markPeriod(barsId: number, from: number, to: number): Statement[] {
  const years = Array.from({ length: yearOf(to - 1) - yearOf(from) + 1 }, (_, at) => yearOf(from) + at);
  return [
    {
      sql: `INSERT INTO lake_changes (bars_id, year, changes) SELECT ?1, value, 1 FROM json_each(?2) WHERE true ${MARK}`,
      args: [barsId, JSON.stringify(years)],
    },
  ];
}

/** The statement that marks all bars under the id `barsId`. */
export const markWhole = (barsId: number): Statement => ({
  sql: `INSERT INTO lake_changes (bars_id, year, changes) VALUES (?1, 0, 1) ${MARK}`,
  args: [barsId],
});

/** The statement that marks the bars of all series. */
export const MARK_ALL: Statement = {
  sql: `INSERT INTO lake_changes (bars_id, year, changes)
SELECT coalesce(bars_id, id), 0, 1 FROM series WHERE +staging_for = 0
UNION ALL SELECT ${ACTIONS}, 0, 1 WHERE true ${MARK}`,
  args: [],
};

/** The statement that marks the splits and dividends. */
export const MARK_ACTIONS: Statement = {
  sql: `INSERT INTO lake_changes (bars_id, year, changes) VALUES (${ACTIONS}, 0, 1) ${MARK}`,
  args: [],
};

/** The statement that marks the series of a symbol: another of them may stand for it now. */
export const markSymbol = (symbol: string, interval: string): Statement => ({
  sql: `INSERT INTO lake_changes (bars_id, year, changes)
SELECT coalesce(bars_id, id), 0, 1 FROM series WHERE symbol = ?1 AND interval = ?2 AND +staging_for = 0 ${MARK}`,
  args: [symbol, interval],
});

/** The statement that marks the series that a profile is about to show in the place of another one. */
export const markReplaced = (symbol: string, interval: string, seriesId: number): Statement => ({
  sql: `INSERT INTO lake_changes (bars_id, year, changes) SELECT coalesce(bars_id, id), 0, 1 FROM series WHERE id = ?3
AND EXISTS (SELECT 1 FROM profiles WHERE symbol = ?1 AND interval = ?2 AND series_id <> ?3) ${MARK}`,
  args: [symbol, interval, seriesId],
});

export interface LakeChange {
  readonly barsId: number;
  readonly year: number;
  readonly changes: number;
}

/** A series that stands for its symbol at a provider and interval. */
export interface LakeSeries {
  readonly id: number;
  readonly symbol: string;
  readonly provider: string;
  readonly interval: string;
  readonly feed: string;
  readonly adjustment: string;
  readonly sessions: string;
}

// A symbol of a job at work is written when the job has ended. What belongs to no series is of one being built.
const DUE = `SELECT c.bars_id, c.year, c.changes, s.symbol, s.provider, s.interval
FROM lake_changes c LEFT JOIN series s ON coalesce(s.bars_id, s.id) = c.bars_id AND +s.staging_for = 0
WHERE s.id IS NULL OR NOT EXISTS (SELECT 1 FROM jobs j WHERE j.symbol = s.symbol AND j.interval = s.interval AND j.state = 'running')
ORDER BY s.provider, s.interval, s.symbol LIMIT ?1`;

/** What is to be written, at most `limit` rows; `key` is `null` for bars that belong to no series. */
export async function dueChanges(
  db: Database,
  limit: number,
): Promise<(LakeChange & { readonly key: readonly [symbol: string, provider: string, interval: string] | null })[]> {
  const rows = await db.rows(DUE, [limit]);
  return rows.map(([barsId, year, changes, symbol, provider, interval]) => ({
    barsId: barsId as number,
    year: year as number,
    changes: changes as number,
    key: symbol === null ? null : [symbol as string, provider as string, interval as string],
  }));
}

/** All that is recorded of the bars under some ids. */
export async function changesOfBars(db: Database, barsIds: readonly number[]): Promise<LakeChange[]> {
  const rows = await db.rows(
    "SELECT bars_id, year, changes FROM lake_changes WHERE bars_id IN (SELECT value FROM json_each(?1))",
    [JSON.stringify(barsIds)],
  );
  return rows.map(([barsId, year, changes]) => ({
    barsId: barsId as number,
    year: year as number,
    changes: changes as number,
  }));
}

export async function countChanges(db: Database): Promise<number> {
  const [row] = await db.rows("SELECT count(*) FROM lake_changes", []);
  return Number(row![0]);
}

/** The statements that delete changes, unless they have been counted up meanwhile. */
export const clearChanges = (done: readonly LakeChange[]): Statement[] =>
  done.map(({ barsId, year, changes }) => ({
    sql: "DELETE FROM lake_changes WHERE bars_id = ?1 AND year = ?2 AND changes = ?3",
    args: [barsId, year, changes],
  }));

const SERIES = `SELECT s.id, s.symbol, s.provider, s.interval, s.feed, s.adjustment, s.sessions, coalesce(s.bars_id, s.id)
FROM series s LEFT JOIN profiles p ON p.series_id = s.id
WHERE s.symbol = ?1 AND s.provider = ?2 AND s.interval = ?3 AND +s.staging_for = 0
ORDER BY p.symbol IS NULL, s.id DESC`;

/** The series behind the profile, or else the newest one, and the ids of the bars of all that it was chosen from. */
export async function lakeSeries(
  db: Database,
  key: readonly [symbol: string, provider: string, interval: string],
): Promise<{ readonly series: LakeSeries; readonly barsIds: readonly number[] } | null> {
  const rows = await db.rows(SERIES, key);
  if (rows.length === 0) return null;
  const [id, symbol, provider, interval, feed, adjustment, sessions] = rows[0] as [number, ...string[]];
  const series = { id, symbol, provider, interval, feed, adjustment, sessions } as LakeSeries;
  return { series, barsIds: rows.map((row) => row[7] as number) };
}

/** Symbol, provider and interval of all series that have their place, in order. */
export async function keysOfSeries(db: Database): Promise<(readonly [string, string, string])[]> {
  const rows = await db.rows(
    "SELECT DISTINCT symbol, provider, interval FROM series WHERE +staging_for = 0 ORDER BY provider, interval, symbol",
    [],
  );
  return rows as (readonly [string, string, string])[];
}

/** How many series, or bars of none, have changes. */
export async function countChangedSeries(db: Database): Promise<number> {
  const [row] = await db.rows("SELECT count(DISTINCT bars_id) FROM lake_changes", []);
  return Number(row?.[0] ?? 0);
}

/** The first and last year of the bars of a series; `null` if it has none. */
export async function yearsOf(db: Database, seriesId: number): Promise<readonly [number, number] | null> {
  const [row] = await db.rows(
    `SELECT (SELECT min(ts) FROM bars WHERE series_id = b.id), (SELECT max(ts) FROM bars WHERE series_id = b.id)
FROM (SELECT coalesce(bars_id, id) AS id FROM series WHERE id = ?1) b`,
    [seriesId],
  );
  const [first, last] = (row ?? [null, null]) as [number | null, number | null];
  return first === null || last === null ? null : [yearOf(first), yearOf(last)];
}
