/** Which series stands for a symbol when no provider is named. */

import { and, desc, eq, isNotNull, sql } from "drizzle-orm";
import type { Interval } from "../../domain/market/interval.ts";
import { prepared } from "../connection/prepared.ts";
import type { Database } from "../db.ts";
import { series } from "../schema/market.ts";
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
        eq(series.stagingFor, 0),
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

/** Remembers where the bars of a series begin, epoch seconds; 0 where the provider does not tell. */
export async function saveListing(db: Database, id: number, listedFrom: number): Promise<void> {
  await db.write([{ sql: "UPDATE series SET listed_from = ?1 WHERE id = ?2", args: [listedFrom, id] }]);
}

/** Where the bars of symbols begin at a provider, as far as it has been looked up (epoch seconds, 0: not told). */
export async function listingsOf(
  db: Database,
  { provider, interval, symbols }: { provider: string; interval: Interval; symbols: readonly string[] },
): Promise<Map<string, number>> {
  const rows = await db.orm
    .select({ symbol: series.symbol, from: sql<number>`min(${series.listedFrom})` })
    .from(series)
    .where(
      and(
        eq(series.provider, provider),
        eq(series.interval, interval),
        eq(series.stagingFor, 0),
        isNotNull(series.listedFrom),
        sql`${series.symbol} in (select value from json_each(${JSON.stringify(symbols)}))`,
      ),
    )
    .groupBy(series.symbol);
  return new Map(rows.map(({ symbol, from }) => [symbol, from]));
}

/** @throws Error when there is no such series */
export async function readSeries(db: Database, id: number): Promise<SeriesRow> {
  const row = await seriesById(db).get({ id });
  if (row === undefined) throw new Error(`series ${id} is not in the database`);
  return row;
}
