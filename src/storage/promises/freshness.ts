/** What is stored of many symbols at one interval: their newest bars, when these arrived, and their gaps. */

import { CONFIRMED_AFTER } from "../../domain/market/holes.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import { timeOf } from "../../domain/market/validate-bars.ts";
import type { Database } from "../db.ts";
import { MISSING_SQL } from "../market/quality/gaps.ts";

/** The series that stands for a symbol. */
export interface SymbolSeries {
  readonly symbol: string;
  readonly seriesId: number;
  readonly provider: string;
  readonly sessions: string;
  /** Start of the newest stored bar, epoch seconds; `null` without any. */
  readonly newest: number | null;
  /** The earliest bar that the provider may still change; `null` if none. */
  readonly provisionalFrom: number | null;
}

const SERIES = `SELECT s.symbol, s.id, s.provider, s.sessions, s.provisional_from,
(SELECT max(b.ts) FROM bars b WHERE b.series_id = coalesce(s.bars_id, s.id)),
EXISTS (SELECT 1 FROM profiles p WHERE p.series_id = s.id)
FROM json_each(?1) j CROSS JOIN series s ON s.symbol = j.value AND s.interval = ?2 AND +s.staging_for = 0
WHERE ?3 IS NULL OR s.provider = ?3`;

/**
 * The series of symbols: those behind their profiles, or else the newest, of `provider` if it is given. A symbol without
 * a series is left out.
 */
export async function seriesOfSymbols(
  db: Database,
  symbols: readonly string[],
  interval: Interval,
  provider: string | null,
): Promise<Map<string, SymbolSeries>> {
  const rows = await db.rows(SERIES, [JSON.stringify(symbols), interval, provider]);
  const found = new Map<string, SymbolSeries & { readonly isShown: boolean }>();
  for (const [symbol, seriesId, of, sessions, provisionalFrom, newest, shown] of rows) {
    const series = {
      symbol: symbol as string,
      seriesId: seriesId as number,
      provider: of as string,
      sessions: sessions as string,
      newest: newest as number | null,
      provisionalFrom: provisionalFrom as number | null,
      isShown: shown === 1,
    };
    const other = found.get(series.symbol);
    const isBetter =
      other === undefined ||
      (series.isShown && !other.isShown) ||
      (series.isShown === other.isShown && series.seriesId > other.seriesId);
    if (isBetter) found.set(series.symbol, series);
  }
  return found;
}

/** The symbols that have a profile of this interval, of `provider` if it is given, in alphabetical order. */
export async function symbolsWithProfile(db: Database, interval: Interval, provider: string | null): Promise<string[]> {
  const query = "SELECT symbol FROM profiles WHERE interval = ?1 AND (?2 IS NULL OR provider = ?2) ORDER BY symbol";
  return (await db.rows(query, [interval, provider])).map(([symbol]) => symbol as string);
}

/** A bar whose arrival is asked for; epoch seconds. */
export interface ExpectedBar {
  readonly seriesId: number;
  readonly ts: number;
}

/** No window is longer. */
const LONGEST_WINDOW = 366 * DAY;
const COVERS = "series_id = j.value ->> 0 AND from_ts <= j.value ->> 1 AND to_ts > j.value ->> 1";
// As in known-bars.ts: what arrived late in a window that was answered before has a line of its own.
const ARRIVALS = `SELECT j.value ->> 0, coalesce(
(SELECT max(seen_at) FROM arrivals WHERE ${COVERS} AND is_window = 0),
(SELECT min(at) FROM (
  SELECT coalesce(first_at, fetched_at) AS at FROM batches
  WHERE ${COVERS} AND from_ts >= j.value ->> 1 - ${LONGEST_WINDOW} AND status <> 'failed'
  UNION ALL SELECT seen_at FROM arrivals WHERE ${COVERS} AND is_window = 1)))
FROM json_each(?1) j`;

/** When stored bars were first seen (epoch milliseconds), by the id of their series; NaN where that was not recorded. */
export async function arrivalsOf(db: Database, bars: readonly ExpectedBar[]): Promise<Map<number, number>> {
  if (bars.length === 0) return new Map();
  const rows = await db.rows(ARRIVALS, [JSON.stringify(bars.map(({ seriesId, ts }) => [seriesId, ts]))]);
  return new Map(rows.map(([id, at]) => [id as number, at === null || at === 0 ? Number.NaN : (at as number)]));
}

/** The end of a session whose last bar nobody may have traded; `finalAt` is when it was final. Epoch seconds. */
export interface SessionEnd {
  readonly seriesId: number;
  readonly from: number;
  readonly to: number;
  readonly finalAt: number;
}

const ANSWERS = `SELECT j.value ->> 0, b.fetched_at, b.first_at >= 1000 * (j.value ->> 3), b.first_at
FROM json_each(?1) j CROSS JOIN batches b ON b.series_id = j.value ->> 0
AND b.from_ts <= j.value ->> 1 AND b.to_ts >= j.value ->> 2 AND b.from_ts >= j.value ->> 1 - ${LONGEST_WINDOW}
AND b.status IN ('ok', 'empty') AND b.fetched_at >= 1000 * (j.value ->> 3)
AND NOT EXISTS (SELECT 1 FROM rejected_bars r WHERE r.series_id = b.series_id AND r.run_id = b.run_id
AND r.place >= j.value ->> 4 AND r.place < j.value ->> 5
AND r.raw NOT LIKE '%"open":null,"high":null,"low":null,"close":null%')`;

/** When something was known at the latest (epoch milliseconds), and whether it was not known earlier. */
export interface KnownSince {
  readonly at: number;
  readonly isExact: boolean;
}

/**
 * When the provider had answered for the whole end of a session after it was final, by the id of the series; those for
 * which it has not are left out. Of a rejected bar of that time
 * with a price it is not known what was traded: that is no answer.
 */
export async function answersFor(db: Database, ends: readonly SessionEnd[]): Promise<Map<number, KnownSince>> {
  if (ends.length === 0) return new Map();
  const rows = await db.rows(ANSWERS, [
    JSON.stringify(
      ends.map(({ seriesId, from, to, finalAt }) => [seriesId, from, to, finalAt, timeOf(from), timeOf(to)]),
    ),
  ]);
  const found = new Map<number, KnownSince>();
  for (const [id, fetchedAt, isFinalFirst, firstAt] of rows as [number, number, number | null, number | null][]) {
    // A window that was answered before the end may have been answered again between then and its last answer.
    const each = isFinalFirst === 1 ? { at: firstAt!, isExact: true } : { at: fetchedAt, isExact: firstAt === null };
    const best = found.get(id);
    if (best === undefined || each.at < best.at) found.set(id, each);
  }
  return found;
}

const GAPS = `SELECT count(*) FILTER (WHERE g.answers < ${CONFIRMED_AFTER}), count(*) FILTER (WHERE g.answers >= ${CONFIRMED_AFTER})
FROM json_each(?1) j CROSS JOIN gaps g ON g.series_id = j.value AND g.date >= ?2 AND g.date < ?3 AND g.kind IN (${MISSING_SQL})`;

/** The gaps of series from `from` on and before `to` (epoch seconds): `confirmed` are those that repairs could not fill. */
export async function countGaps(
  db: Database,
  seriesIds: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
): Promise<{ open: number; confirmed: number }> {
  const [row] = await db.rows(GAPS, [JSON.stringify(seriesIds), from, to]);
  return { open: Number(row![0]), confirmed: Number(row![1]) };
}

const FILLED = `SELECT 1 FROM json_each(?1) j WHERE EXISTS (
SELECT 1 FROM arrivals a WHERE a.series_id = j.value AND a.is_window = 0 AND a.seen_at > ?4 AND a.from_ts < ?3 AND a.to_ts > ?2)
OR EXISTS (SELECT 1 FROM batches b WHERE b.series_id = j.value AND b.from_ts < ?3 AND b.to_ts <= ?3 AND b.to_ts > ?2
AND coalesce(b.first_at, b.fetched_at) > ?4) LIMIT 1`;

/**
 * Whether bars of the series from `from` on and before `to` (epoch seconds) may have come after a moment (epoch
 * milliseconds): late ones in a window that was answered before, or those of a window that was first answered since.
 */
export async function wasFilledAfter(
  db: Database,
  seriesIds: readonly number[],
  { from, to }: { readonly from: number; readonly to: number },
  at: number,
): Promise<boolean> {
  return (await db.rows(FILLED, [JSON.stringify(seriesIds), from, to, at])).length > 0;
}

const REFUSED = `SELECT max(e.at) FROM alert_events e
WHERE e.kind = 'key_refused' AND e.at > ?2 AND e.event ->> '$.provider' = ?1
AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.provider = ?1 AND r.state = 'complete' AND r.finished_at > e.at)`;

/** When a provider last refused its key after `since` (epoch milliseconds), unless a run of it was complete afterwards. */
export async function keyRefusedAt(db: Database, provider: string, since: number): Promise<number | null> {
  const [row] = await db.rows(REFUSED, [provider, since]);
  return (row?.[0] as number | null | undefined) ?? null;
}
