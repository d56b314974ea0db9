/** Which series stands for a symbol when no provider is named. */

import { and, desc, eq, exists, lt, ne, or, sql } from "drizzle-orm";
import { RULES_VERSION } from "../../domain/market/anomalies/scale-changes.ts";
import { GAP_RULES } from "../../domain/market/holes.ts";
import { divides, INTERVALS, type Interval } from "../../domain/market/interval.ts";
import { prepared } from "../connection/prepared.ts";
import type { Database, Row } from "../db.ts";
import { isInPlace, series } from "../schema/market.ts";
import { profiles } from "../schema/profiles.ts";

export type SeriesRow = typeof series.$inferSelect;

/** The series behind a symbol's profile, or else the newest one of the symbol; only those of `provider`, if given. */
export async function findSeries(
  db: Database,
  symbol: string,
  interval: Interval,
  provider?: string,
): Promise<SeriesRow | undefined> {
  const rows = await db.orm
    .select({ series, profile: profiles.symbol })
    .from(series)
    .leftJoin(profiles, eq(profiles.seriesId, series.id))
    .where(
      and(
        eq(series.symbol, symbol),
        eq(series.interval, interval),
        isInPlace,
        provider === undefined ? undefined : eq(series.provider, provider),
      ),
    )
    .orderBy(desc(series.id));
  return (rows.find((row) => row.profile !== null) ?? rows[0])?.series;
}

const seriesById = prepared(({ orm }) =>
  orm
    .select()
    .from(series)
    .where(eq(series.id, sql.placeholder("id")))
    .prepare(),
);

/** Remembers where the bars of a series begin, epoch seconds; 0 if the provider does not state it. */
export async function saveListing(db: Database, id: number, listedFrom: number): Promise<void> {
  await db.write([{ sql: "UPDATE series SET listed_from = ?1 WHERE id = ?2", args: [listedFrom, id] }]);
}

/** Where bars of a symbol begin, epoch seconds. */
export interface Beginning {
  /** Those of the provider; 0: it states none, `null`: not looked up yet. */
  readonly listed: number | null;
  /** Those that are kept; 0: all. Older ones were deleted by choice. */
  readonly kept: number;
}

/** Where the bars of stored symbols begin. Of several series of a symbol, the one that keeps more counts. */
export async function beginningsOf(
  db: Database,
  { provider, interval, symbols }: { provider: string; interval: Interval; symbols: readonly string[] },
): Promise<Map<string, Beginning>> {
  const rows = await db.orm
    .select({
      symbol: series.symbol,
      listed: sql<number | null>`min(${series.listedFrom})`,
      kept: sql<number>`min(coalesce(${series.keptFrom}, 0))`,
    })
    .from(series)
    .where(
      and(
        eq(series.provider, provider),
        eq(series.interval, interval),
        isInPlace,
        sql`${series.symbol} in (select value from json_each(${JSON.stringify(symbols)}))`,
      ),
    )
    .groupBy(series.symbol);
  return new Map(rows.map(({ symbol, ...beginning }) => [symbol, beginning]));
}

/** @throws Error when there is no such series */
export async function readSeries(db: Database, id: number): Promise<SeriesRow> {
  const row = await seriesById(db).get({ id });
  if (row === undefined) throw new Error(`series ${id} is not in the database`);
  return row;
}

const STORED = `SELECT count(*), max(last)
FROM (SELECT max((SELECT max(ts) FROM bars WHERE series_id = coalesce(s.bars_id, s.id))) AS last
FROM json_each(?1) j CROSS JOIN series s ON s.symbol = j.value AND s.interval = ?2 AND s.provider = ?3 AND +s.staging_for = 0
GROUP BY s.symbol) WHERE last IS NOT NULL`;

/** How many of `symbols` have bars of `provider` at an interval, and the start of the newest one (epoch seconds). */
export async function storedSeries(
  db: Database,
  symbols: readonly string[],
  interval: Interval,
  provider: string,
): Promise<{ count: number; lastBar: number | null }> {
  const [row] = await db.rows(STORED, [JSON.stringify(symbols), interval, provider]);
  return { count: Number(row![0]), lastBar: row![1] as number | null };
}

/**
 * The series that the present rules have not judged: their bars and actions (`judged`), or the sessions of a series that
 * a profile shows (`gapRules`).
 */
export async function unjudgedSeries(
  db: Database,
): Promise<
  Pick<SeriesRow, "id" | "symbol" | "interval" | "provider" | "adjustment" | "sessions" | "judged" | "gapRules">[]
> {
  const { id, symbol, interval, provider, adjustment, sessions, judged, gapRules } = series;
  const isShown = exists(db.orm.select({ id: profiles.seriesId }).from(profiles).where(eq(profiles.seriesId, id)));
  const isUnjudged = or(lt(judged, RULES_VERSION), and(ne(gapRules, GAP_RULES), isShown));
  return db.orm
    .select({ id, symbol, interval, provider, adjustment, sessions, judged, gapRules })
    .from(series)
    .where(and(isUnjudged, isInPlace))
    .orderBy(id);
}

/** Records that all bars and actions of a series were judged by the present rules. */
export async function markJudged(db: Database, id: number): Promise<void> {
  await db.write([{ sql: "UPDATE series SET judged = ?1 WHERE id = ?2", args: [RULES_VERSION, id] }]);
}

/** The providers of which bars of a symbol are stored at an interval: that of its profile first, then by name. */
export async function providersOf(db: Database, symbol: string, interval: Interval): Promise<string[]> {
  const rows = await db.rows(
    `SELECT s.provider FROM series s LEFT JOIN profiles p ON p.series_id = s.id
WHERE s.symbol = ?1 AND s.interval = ?2 AND +s.staging_for = 0
AND EXISTS (SELECT 1 FROM bars WHERE series_id = coalesce(s.bars_id, s.id))
GROUP BY s.provider ORDER BY max(p.symbol IS NOT NULL) DESC, s.provider`,
    [symbol, interval],
  );
  return rows.map(([provider]) => provider as string);
}

/** A stored series. */
export interface StoredSeries {
  readonly id: number;
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  readonly feed: string;
  readonly adjustment: string;
  readonly sessions: string;
}

const WITH_BARS = `SELECT s.id, s.symbol, s.interval, s.provider, s.feed, s.adjustment, s.sessions
FROM json_each(?1) k JOIN series s ON s.symbol = k.value
LEFT JOIN profiles p ON p.symbol = s.symbol AND p.interval = s.interval AND p.series_id = s.id
WHERE +s.staging_for = 0 AND (?2 IS NULL OR s.provider = ?2)
AND EXISTS (SELECT 1 FROM bars WHERE series_id = coalesce(s.bars_id, s.id))
ORDER BY k.key, p.symbol IS NULL, s.id DESC`;

/** The series of some symbols that have bars, in the order of the symbols; of one interval, that of its profile first. */
export async function seriesWithBars(
  db: Database,
  symbols: readonly string[],
  provider?: string,
): Promise<StoredSeries[]> {
  return storedSeriesOf(await db.rows(WITH_BARS, [JSON.stringify(symbols), provider ?? null]));
}

const ALL_AT = `SELECT s.id, s.symbol, s.interval, s.provider, s.feed, s.adjustment, s.sessions
FROM json_each(?1) k JOIN series s ON s.symbol = k.value
WHERE +s.staging_for = 0 AND (?2 IS NULL OR s.provider = ?2)
ORDER BY k.key, s.id IS NOT (SELECT series_id FROM (
SELECT since, series_id FROM shown_series WHERE symbol = s.symbol AND interval = s.interval AND since <= ?3 UNION ALL
SELECT -1, series_id FROM profiles WHERE symbol = s.symbol AND interval = s.interval) ORDER BY since DESC LIMIT 1), s.id DESC`;

/**
 * All series of some symbols, in the order of the symbols; of one interval, that which its profile showed at a moment
 * (epoch milliseconds) first. Some may have had no bars then.
 */
export async function seriesAt(
  db: Database,
  symbols: readonly string[],
  at: number,
  provider?: string,
): Promise<StoredSeries[]> {
  return storedSeriesOf(await db.rows(ALL_AT, [JSON.stringify(symbols), provider ?? null, at]));
}

function storedSeriesOf(rows: readonly Row[]): StoredSeries[] {
  return rows.map(([id, symbol, interval, provider, feed, adjustment, sessions]) => ({
    id: id as number,
    symbol: symbol as string,
    interval: interval as Interval,
    provider: provider as string,
    feed: feed as string,
    adjustment: adjustment as string,
    sessions: sessions as string,
  }));
}

const DERIVABLE = `SELECT count(DISTINCT k.value), group_concat(DISTINCT s.interval)
FROM json_each(?1) k JOIN series s ON s.symbol = k.value AND +s.staging_for = 0
AND s.interval IN (SELECT value FROM json_each(?2))
WHERE EXISTS (SELECT 1 FROM bars WHERE series_id = coalesce(s.bars_id, s.id))
AND s.provider = ?4 AND NOT EXISTS (SELECT 1 FROM series o
WHERE o.symbol = k.value AND o.interval = ?3 AND o.provider = ?4 AND +o.staging_for = 0)`;

/** How many of `symbols` have bars of `provider` from which those of `interval` can be built, but none of it; and at which intervals. */
export async function countDerivable(
  db: Database,
  symbols: readonly string[],
  interval: Interval,
  provider: string,
): Promise<{ readonly symbols: number; readonly sources: readonly Interval[] }> {
  const finer = INTERVALS.filter((each) => divides(each, interval));
  if (finer.length === 0) return { symbols: 0, sources: [] };
  const [row] = await db.rows(DERIVABLE, [JSON.stringify(symbols), JSON.stringify(finer), interval, provider]);
  const found = String(row?.[1] ?? "").split(",");
  return { symbols: Number(row?.[0] ?? 0), sources: finer.filter((each) => found.includes(each)) };
}

const EDGES = `SELECT k.value ->> 0,
(SELECT ts FROM bars WHERE series_id = b.id AND ts >= k.value ->> 1 AND ts < ?2 ORDER BY ts LIMIT 1),
(SELECT ts FROM bars WHERE series_id = b.id AND ts >= k.value ->> 1 AND ts < ?2 ORDER BY ts DESC LIMIT 1)
FROM json_each(?1) k JOIN (SELECT id AS series, coalesce(bars_id, id) AS id FROM series) b ON b.series = k.value ->> 0`;

/** By series, the starts (epoch seconds) of its first and last bar from a moment of its own on and before `to`. */
export async function barEdges(
  db: Database,
  wanted: readonly { readonly id: number; readonly from: number }[],
  to: number,
): Promise<Map<number, { readonly first: number; readonly last: number }>> {
  const rows = await db.rows(EDGES, [JSON.stringify(wanted.map(({ id, from }) => [id, from])), to]);
  return new Map(
    rows
      .filter(([, first]) => first !== null)
      .map(([id, first, last]) => [id as number, { first: first as number, last: last as number }]),
  );
}
