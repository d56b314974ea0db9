/** Profiles: what is known of a symbol at an interval, stored in one transaction with the end of their job. */

import { and, asc, desc, eq, getTableColumns, inArray, ne, type SQL, sql } from "drizzle-orm";
import type { Interval } from "../../domain/market/interval.ts";
import { HEALTHS, type Health, type HealthClock } from "../../domain/profiles/health.ts";
import type { BackfillMetadata } from "../../domain/profiles/profile.ts";
import type { Condition } from "../../domain/profiles/screener.ts";
import { auditStatement } from "../access/audit.ts";
import type { Database } from "../db.ts";
import { CONFIRMED_AFTER } from "../market/gaps.ts";
import { completeJob, type FinishedJob } from "../runs/jobs.ts";
import { series } from "../schema/market.ts";
import { featureStates, profiles } from "../schema/profiles.ts";
import { healthRank } from "./health.ts";
import { conditionSql, featureValue } from "./screener.ts";

export interface ProfileRecord {
  readonly symbol: string;
  readonly interval: Interval;
  readonly seriesId: number;
  readonly provider: string;
  readonly firstBar: number;
  readonly lastBar: number;
  readonly lastClose: number;
  readonly features: Readonly<Record<string, number | null>>;
  readonly catalogVersion: string;
  readonly backfill: BackfillMetadata;
  /** The state that the next incremental update starts from. */
  readonly state: Uint8Array;
  /** Float32, row-major: features × `tailLength`, NaN = undefined. */
  readonly tail: Float32Array;
  readonly tailLength: number;
}

/**
 * Stores a profile with its feature state and marks the job complete, in one transaction. A job that was paused or
 * cancelled in the meantime keeps that state.
 */
export async function storeProfile(db: Database, profile: ProfileRecord, job: FinishedJob): Promise<void> {
  const { state, tail, tailLength, symbol, interval, ...row } = profile;
  const now = Date.now();
  const values = {
    ...row,
    symbol,
    interval,
    features: { ...row.features },
    backfill: { ...row.backfill },
    updatedAt: now,
  };
  const kept = {
    symbol,
    interval,
    state: Buffer.from(state.buffer, state.byteOffset, state.byteLength),
    tail: Buffer.from(tail.buffer, tail.byteOffset, tail.byteLength),
    tailLength,
  };
  await db.write([
    db.orm
      .insert(profiles)
      .values(values)
      .onConflictDoUpdate({ target: [profiles.symbol, profiles.interval], set: values }),
    db.orm
      .insert(featureStates)
      .values(kept)
      .onConflictDoUpdate({ target: [featureStates.symbol, featureStates.interval], set: kept }),
    db.orm.update(series).set({ changedFrom: null }).where(eq(series.id, row.seriesId)),
    completeJob(job, now),
  ]);
}

const IS_CURRENT = `SELECT (SELECT count(*) FROM gaps WHERE series_id = s.id AND kind IN ('missing', 'truncated')
AND answers < ${CONFIRMED_AFTER})
FROM profiles p JOIN series s ON s.id = p.series_id JOIN feature_states f ON f.symbol = p.symbol AND f.interval = p.interval
WHERE p.symbol = ?1 AND p.interval = ?2 AND s.id = ?3 AND p.catalog_version = ?4 AND p.last_bar = ?5
AND s.changed_from IS NULL`;

/**
 * Whether the profile of a series shows all of its bars, of which `lastBar` (epoch seconds) is the last, and can be
 * continued; then how many of its gaps are not confirmed, otherwise `null`.
 */
export async function currentGaps(
  db: Database,
  {
    symbol,
    interval,
    seriesId,
    catalogVersion,
    lastBar,
  }: Pick<ProfileRecord, "symbol" | "interval" | "seriesId" | "catalogVersion" | "lastBar">,
): Promise<number | null> {
  const [row] = await db.rows(IS_CURRENT, [symbol, interval, seriesId, catalogVersion, lastBar]);
  return row === undefined ? null : (row[0] as number);
}

export async function findProfile(db: Database, symbol: string, interval: Interval) {
  return db.orm
    .select()
    .from(profiles)
    .where(and(eq(profiles.symbol, symbol), eq(profiles.interval, interval)))
    .get();
}

export async function findFeatureState(db: Database, symbol: string, interval: Interval) {
  return db.orm
    .select()
    .from(featureStates)
    .where(and(eq(featureStates.symbol, symbol), eq(featureStates.interval, interval)))
    .get();
}

/** The intervals at which a symbol has a profile. */
export async function intervalsOf(db: Database, symbol: string): Promise<Interval[]> {
  const rows = await db.orm.select({ interval: profiles.interval }).from(profiles).where(eq(profiles.symbol, symbol));
  return rows.map((row) => row.interval);
}

/** What a list of profiles can be sorted by, besides features. */
export const PROFILE_SORTS = ["symbol", "health", "bars", "last_bar", "updated"] as const;

export type ProfileSort = { readonly descending: boolean } & (
  | { readonly feature: string }
  | { readonly column: (typeof PROFILE_SORTS)[number] }
);

export interface ProfileQuery {
  readonly interval?: Interval | undefined;
  /** Part of the symbol. */
  readonly search?: string;
  /** Only profiles whose features satisfy this. */
  readonly where?: Condition | undefined;
  /** Only these profiles: `AAPL/1d`. */
  readonly keys?: readonly string[];
  /** Only profiles of these healths; empty for all. */
  readonly healths?: readonly Health[];
  /** How to sort; profiles without a value come last. By symbol if not given. */
  readonly sort?: ProfileSort | undefined;
  readonly limit: number;
  readonly offset?: number;
}

/** One page of profiles with their health, sorted as asked. */
export async function listProfiles(db: Database, query: ProfileQuery, clock: HealthClock) {
  const rank = healthRank(clock);
  const rows = await db.orm
    .select({ ...getTableColumns(profiles), rank })
    .from(profiles)
    .innerJoin(series, eq(series.id, profiles.seriesId))
    .where(conditionOf(query, rank))
    .orderBy(...orderOf(query.sort, rank), profiles.symbol, profiles.interval)
    .limit(query.limit)
    .offset(query.offset ?? 0);
  return rows.map(({ rank: place, ...profile }) => ({ ...profile, health: HEALTHS[place] ?? "ok" }));
}

/** All profiles that match a query, with what is needed to start a run for them. */
export async function matchingProfiles(
  db: Database,
  query: Omit<ProfileQuery, "limit" | "offset" | "sort">,
  clock: HealthClock,
) {
  const { symbol, interval, provider, firstBar } = profiles;
  return db.orm
    .select({ symbol, interval, provider, firstBar })
    .from(profiles)
    .innerJoin(series, eq(series.id, profiles.seriesId))
    .where(conditionOf(query, healthRank(clock)))
    .orderBy(symbol, interval);
}

/** How many profiles match a query, on all its pages. */
export async function countMatching(
  db: Database,
  query: Omit<ProfileQuery, "limit" | "offset" | "sort">,
  clock: HealthClock,
): Promise<number> {
  const [row] = await db.orm
    .select({ count: sql<number>`count(*)` })
    .from(profiles)
    .innerJoin(series, eq(series.id, profiles.seriesId))
    .where(conditionOf(query, healthRank(clock)));
  return row?.count ?? 0;
}

function conditionOf(query: Omit<ProfileQuery, "limit">, rank: SQL<number>) {
  const { interval, search = "", where, keys, healths = [] } = query;
  const parameters = healths.map((health) => HEALTHS.indexOf(health));
  return and(
    interval === undefined ? undefined : eq(profiles.interval, interval),
    search === "" ? undefined : sql`instr(${profiles.symbol}, ${search.toUpperCase()}) > 0`,
    where === undefined ? undefined : conditionSql(where),
    keys &&
      sql`${profiles.symbol} || '/' || ${profiles.interval} in (select value from json_each(${JSON.stringify(keys)}))`,
    parameters.length === 0 ? undefined : inArray(rank, parameters),
  );
}

function orderOf(sort: ProfileSort | undefined, rank: SQL<number>): SQL[] {
  if (sort === undefined) return [];
  const value = "feature" in sort ? featureValue(sort.feature) : columnOf(sort.column, rank);
  return [sql`${value} is null`, sort.descending ? desc(value) : asc(value)];
}

function columnOf(column: (typeof PROFILE_SORTS)[number], rank: SQL<number>): SQL {
  switch (column) {
    case "symbol":
      return sql`${profiles.symbol}`;
    case "health":
      return rank;
    case "bars":
      return sql`json_extract(${profiles.backfill}, '$.history_rows')`;
    case "last_bar":
      return sql`${profiles.lastBar}`;
    case "updated":
      return sql`${profiles.updatedAt}`;
  }
}

/** The symbols whose features were computed with another version of the catalogue, by provider and interval. */
export async function outdatedProfiles(
  db: Database,
  version: string,
): Promise<{ provider: string; interval: Interval; symbols: string[] }[]> {
  const { symbol, provider, interval, catalogVersion } = profiles;
  const rows = await db.orm
    .select({ symbol, provider, interval })
    .from(profiles)
    .where(ne(catalogVersion, version))
    .orderBy(symbol);
  return [...Map.groupBy(rows, (row) => `${row.provider} ${row.interval}`).values()].map((group) => ({
    provider: group[0]!.provider,
    interval: group[0]!.interval,
    symbols: group.map((row) => row.symbol),
  }));
}

export async function countProfiles(db: Database): Promise<number> {
  return db.orm.$count(profiles);
}

/** Deletes a profile and its feature state; the bars stay. */
export async function deleteProfile(db: Database, symbol: string, interval: Interval): Promise<void> {
  await db.write([
    db.orm.delete(featureStates).where(and(eq(featureStates.symbol, symbol), eq(featureStates.interval, interval))),
    db.orm.delete(profiles).where(and(eq(profiles.symbol, symbol), eq(profiles.interval, interval))),
    ...auditStatement({ action: "profile.delete", subject: symbol, before: { interval } }),
  ]);
}

/** How many of `symbols` have a profile at an interval, and the newest of their last bars (epoch seconds). */
export async function knownProfiles(db: Database, symbols: readonly string[], interval: Interval) {
  const [row] = await db.orm
    .select({ count: sql<number>`count(*)`, lastBar: sql<number | null>`max(${profiles.lastBar})` })
    .from(profiles)
    .where(
      and(
        eq(profiles.interval, interval),
        sql`${profiles.symbol} in (select value from json_each(${JSON.stringify(symbols)}))`,
      ),
    );
  return row ?? { count: 0, lastBar: null };
}
