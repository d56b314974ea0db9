/** Findings about the scale of series and their corporate actions, and the days that they follow from. */

import { and, desc, eq, sql } from "drizzle-orm";
import { type DayPrices, DOUBTS, type Finding } from "../../../domain/market/anomalies/scale-changes.ts";
import type { Interval } from "../../../domain/market/interval.ts";
import { prepared } from "../../connection/prepared.ts";
import { chunks, type Database, type Statement, yieldToEvents } from "../../db.ts";
import { findings } from "../../schema/market.ts";
import { barsIdSql } from "../bars.ts";

/** SQL for the kinds that make a series suspicious. */
export const DOUBTS_SQL = DOUBTS.map((kind) => `'${kind}'`).join(", ");

const DAILY = `SELECT ts, open, close, volume FROM bars WHERE series_id = ${barsIdSql()} AND ts >= ?2 ORDER BY ts`;
/** The first open and the last close of each UTC day, by seeks in the primary key: minutes are many. */
const BY_DAY = `WITH RECURSIVE s(id) AS (SELECT ${barsIdSql()}), d(day) AS (
SELECT (SELECT ts / 86400 * 86400 FROM bars WHERE series_id = s.id AND ts >= ?2 ORDER BY ts LIMIT 1) FROM s UNION ALL
SELECT (SELECT ts / 86400 * 86400 FROM bars WHERE series_id = s.id AND ts >= d.day + 86400 ORDER BY ts LIMIT 1)
FROM d, s WHERE d.day IS NOT NULL)
SELECT d.day, (SELECT open FROM bars WHERE series_id = s.id AND ts >= d.day ORDER BY ts LIMIT 1),
(SELECT close FROM bars WHERE series_id = s.id AND ts < d.day + 86400 ORDER BY ts DESC LIMIT 1), NULL
FROM d, s WHERE d.day IS NOT NULL`;
/** The volume of each UTC day; unknown if one of its bars has none. */
const VOLUMES = `SELECT ts / 86400 * 86400, CASE WHEN count(volume) = count(*) THEN sum(volume) END FROM bars
WHERE series_id = ${barsIdSql()} AND ts >= ?2 AND ts < ?3 GROUP BY ts / 86400`;

/** The days of a series from `from` (epoch seconds) on, ascending; those of shorter bars without their volumes. */
export async function readDays(db: Database, seriesId: number, interval: Interval, from: number): Promise<DayPrices[]> {
  const rows = await db.rows(interval === "1d" ? DAILY : BY_DAY, [seriesId, from]);
  return (rows as (number | null)[][]).map(([date, open, close, volume]) => ({
    date: date!,
    open: open!,
    close: close!,
    volume: volume ?? Number.NaN,
  }));
}

/** The volumes of the days with `from` <= date < `to` (epoch seconds), by date; NaN where one is unknown. */
export async function readVolumes(
  db: Database,
  seriesId: number,
  from: number,
  to: number,
): Promise<Map<number, number>> {
  const rows = await db.rows(VOLUMES, [seriesId, from, to]);
  return new Map((rows as [number, number | null][]).map(([date, volume]) => [date, volume ?? Number.NaN]));
}

const findingsOf = prepared(({ orm }) => {
  const { kind, date, ratio, jumpDate, seenAt } = findings;
  return orm
    .select({ kind, date, ratio, jumpDate, seenAt })
    .from(findings)
    .where(eq(findings.seriesId, sql.placeholder("seriesId")))
    .orderBy(desc(date), kind)
    .prepare();
});

/** The findings of a series, newest first. */
export async function listFindings(
  db: Database,
  seriesId: number,
): Promise<(Finding & { /** Epoch milliseconds. */ readonly seenAt: number })[]> {
  return findingsOf(db).all({ seriesId });
}

/** Replaces the findings of a series; those known before keep their time. `extraWrites` join the transaction. */
export async function replaceFindings(
  db: Database,
  seriesId: number,
  change: { readonly gone: readonly Finding[]; readonly fresh: readonly Finding[] },
  extraWrites: readonly Statement[] = [],
): Promise<void> {
  const seenAt = Date.now();
  await db.write([
    ...change.gone.map(({ kind, date }) =>
      db.orm
        .delete(findings)
        .where(and(eq(findings.seriesId, seriesId), eq(findings.kind, kind), eq(findings.date, date))),
    ),
    ...change.fresh.map(({ kind, date, ratio, jumpDate }) =>
      db.orm
        .insert(findings)
        .values({ seriesId, kind, date, ratio, jumpDate, seenAt })
        .onConflictDoUpdate({
          target: [findings.seriesId, findings.date, findings.kind],
          set: { ratio, jumpDate },
        }),
    ),
    ...extraWrites,
  ]);
}

const SYMBOLS_OF_RUN = "SELECT symbol FROM jobs WHERE run_id = ?1 ORDER BY symbol";
/** Symbols whose findings are read at a time, which takes some milliseconds. */
const SLICE = 500;
const OF_SYMBOLS = `SELECT s.symbol, f.kind, f.date, f.ratio, f.jump_date FROM runs r CROSS JOIN json_each(?2) k
CROSS JOIN series s ON s.symbol = k.value AND s.interval = r.interval AND s.provider = r.provider AND +s.staging_for = 0
CROSS JOIN findings f ON f.series_id = s.id WHERE r.id = ?1 ORDER BY s.symbol, f.date LIMIT ?3`;

type FindingOfSymbol = Finding & { readonly symbol: string };

/** The findings of the series that a run works on, by symbol, at most `limit`. Other work runs between parts of it. */
export async function findingsOfRun(db: Database, runId: string, limit: number): Promise<FindingOfSymbol[]> {
  const symbols = (await db.rows(SYMBOLS_OF_RUN, [runId])).map(([symbol]) => symbol);
  const found: FindingOfSymbol[] = [];
  for (const part of chunks(symbols, SLICE)) {
    const rows = await db.rows(OF_SYMBOLS, [runId, JSON.stringify(part), limit - found.length]);
    const parts = rows.map(([symbol, kind, date, ratio, jumpDate]) => ({ symbol, kind, date, ratio, jumpDate }));
    found.push(...(parts as FindingOfSymbol[]));
    if (found.length === limit) break;
    await yieldToEvents();
  }
  return found;
}
