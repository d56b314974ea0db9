/** Profiles: what is known of a symbol at an interval, stored in one transaction with the end of their job. */

import { and, eq, sql } from "drizzle-orm";
import { GAP_RULES } from "../../domain/market/holes.ts";
import type { Interval } from "../../domain/market/interval.ts";
import type { BackfillMetadata, Profile } from "../../domain/profiles/profile.ts";
import { auditStatement } from "../access/audit.ts";
import { prepared } from "../connection/prepared.ts";
import type { Database, Row, Statement, Write } from "../db.ts";
import { markReplaced, markSymbol } from "../market/lake-changes.ts";
import { openGapsSql } from "../market/quality/gaps.ts";
import { completeJob, type FinishedJob } from "../runs/jobs.ts";
import { series } from "../schema/market.ts";
import { featureStates, profiles } from "../schema/profiles.ts";
import { type FeatureList, readFeatureLists } from "./feature-lists.ts";
import { decodeFeatures, encodeFeatures } from "./feature-values.ts";

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
}

/**
 * Stores a profile with its feature state and marks the job complete, in one transaction. A job that was paused or
 * cancelled in the meantime keeps that state. `mayWait` for the writes of others.
 */
export async function storeProfile(
  db: Database,
  profile: ProfileRecord,
  job: FinishedJob,
  extraWrites: readonly Write[] = [],
  mayWait = false,
): Promise<void> {
  const { symbol, interval, state } = profile;
  const now = Date.now();
  const writes = [
    ...showSeries(symbol, interval, now, profile.seriesId),
    markReplaced(symbol, interval, profile.seriesId),
    ...profileStatements({ ...profile, updatedAt: now }),
    {
      sql: "INSERT OR REPLACE INTO feature_states (symbol, interval, state) VALUES (?, ?, ?)",
      args: [symbol, interval, Buffer.from(state.buffer, state.byteOffset, state.byteLength)],
    },
    { sql: "UPDATE series SET changed_from = NULL WHERE id = ?", args: [profile.seriesId] },
    completeJob(job, now),
    ...extraWrites,
  ];
  await db.write(writes, mayWait);
}

const IS_CURRENT = `SELECT ${openGapsSql()}
FROM profiles p JOIN series s ON s.id = p.series_id JOIN feature_states f ON f.symbol = p.symbol AND f.interval = p.interval
WHERE p.symbol = ?1 AND p.interval = ?2 AND s.id = ?3 AND p.catalog_version = ?4 AND p.last_bar = ?5
AND s.changed_from IS NULL AND s.gap_rules = ${GAP_RULES}`;

/**
 * Whether the profile of a series shows all of its bars, of which `lastBar` (epoch seconds) is the last, can be
 * continued, and its sessions were compared by the present rules; then how many of its gaps are not confirmed, otherwise `null`.
 */
export async function currentGaps(
  db: Database,
  series: Pick<ProfileRecord, "symbol" | "interval" | "seriesId" | "catalogVersion" | "lastBar">,
): Promise<number | null> {
  const { symbol, interval, seriesId, catalogVersion, lastBar } = series;
  const [row] = await db.rows(IS_CURRENT, [symbol, interval, seriesId, catalogVersion, lastBar]);
  return row === undefined ? null : (row[0] as number);
}

const SAVE_GAPS = `UPDATE profiles SET backfill = json_set(backfill, '$.gaps', ?2)
WHERE series_id = ?1 AND json_extract(backfill, '$.gaps') IS NOT ?2`;

/** Stores how many gaps of a series are not confirmed, in the profile that shows it, if that number has changed. */
export const saveGapCount = (seriesId: number, gaps: number): Statement => ({ sql: SAVE_GAPS, args: [seriesId, gaps] });

/** What the profile shows that an earlier release stored: since when is not known. */
const SHOWED = `INSERT OR IGNORE INTO shown_series (symbol, interval, since, series_id)
SELECT symbol, interval, 0, series_id FROM profiles WHERE symbol = ?1 AND interval = ?2
AND NOT EXISTS (SELECT 1 FROM shown_series WHERE symbol = ?1 AND interval = ?2)`;
const SHOWS = `INSERT INTO shown_series (symbol, interval, since, series_id) SELECT ?1, ?2, ?3, ?4
WHERE ?4 IS NOT (SELECT series_id FROM shown_series WHERE symbol = ?1 AND interval = ?2 ORDER BY since DESC LIMIT 1)
ON CONFLICT DO UPDATE SET series_id = excluded.series_id`;

/** Records, before the profile is written, that it shows another series than before (`null`: none). */
const showSeries = (symbol: string, interval: Interval, now: number, seriesId: number | null): Statement[] => [
  { sql: SHOWED, args: [symbol, interval] },
  { sql: SHOWS, args: [symbol, interval, now, seriesId] },
];

const ADD_LIST = "INSERT INTO feature_lists (names) VALUES (?) ON CONFLICT (names) DO NOTHING";

/** Replaces the row, so that the profile gets a new revision. */
const REPLACE = `INSERT OR REPLACE INTO profiles (symbol, interval, series_id, provider, first_bar, last_bar, last_close,
feature_list_id, known_features, feature_values, catalog_version, backfill, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT id FROM feature_lists WHERE names = ?), ?, ?, ?, ?, ?)`;

/** What writes the row of a profile. */
export function profileStatements(profile: Profile & Pick<ProfileRecord, "seriesId" | "catalogVersion">): Statement[] {
  const { symbol, interval, seriesId, provider, firstBar, lastBar, lastClose, catalogVersion, updatedAt } = profile;
  const { names, values, known } = encodeFeatures(profile.features);
  const place = [symbol, interval, seriesId, provider, firstBar, lastBar, lastClose];
  return [
    { sql: ADD_LIST, args: [names] },
    {
      sql: REPLACE,
      args: [...place, names, known, values, catalogVersion, JSON.stringify(profile.backfill), updatedAt],
    },
  ];
}

/** A profile as it is stored. */
export interface StoredProfile extends Profile {
  readonly seriesId: number;
  /** How many features have a value. */
  readonly knownFeatures: number;
  readonly catalogVersion: string;
}

const SELECT = `SELECT p.symbol, p.interval, p.series_id, p.provider, p.first_bar, p.last_bar, p.last_close,
p.known_features, p.feature_values, p.feature_list_id, p.catalog_version, p.backfill, p.updated_at`;
/** The column of the list's id. */
const LIST_ID = 9;

async function profilesOf(db: Database, rows: readonly Row[]): Promise<StoredProfile[]> {
  const listOf = await readFeatureLists(
    db,
    rows.map((row) => row[LIST_ID] as number),
  );
  return rows.map((row) => profileOf(row, listOf(row[LIST_ID] as number)));
}

function profileOf(row: Row, { names }: FeatureList): StoredProfile {
  return {
    symbol: row[0] as string,
    interval: row[1] as Interval,
    seriesId: row[2] as number,
    provider: row[3] as string,
    firstBar: row[4] as number,
    lastBar: row[5] as number,
    lastClose: row[6] as number,
    knownFeatures: row[7] as number,
    features: decodeFeatures(names, row[8]),
    catalogVersion: row[10] as string,
    backfill: JSON.parse(row[11] as string),
    updatedAt: row[12] as number,
  };
}

export async function findProfile(
  db: Database,
  symbol: string,
  interval: Interval,
): Promise<StoredProfile | undefined> {
  const rows = await db.rows(`${SELECT} FROM profiles p WHERE p.symbol = ? AND p.interval = ?`, [symbol, interval]);
  return (await profilesOf(db, rows))[0];
}

const ofSymbol = (table: typeof profiles | typeof featureStates) =>
  and(eq(table.symbol, sql.placeholder("symbol")), eq(table.interval, sql.placeholder("interval")));
const rangeOf = prepared(({ orm }) => {
  const { seriesId, firstBar, lastBar } = profiles;
  return orm.select({ seriesId, firstBar, lastBar }).from(profiles).where(ofSymbol(profiles)).prepare();
});
const stateOf = prepared(({ orm }) => orm.select().from(featureStates).where(ofSymbol(featureStates)).prepare());

/** The series of a symbol's profile, and its first and last bar (epoch seconds). */
export async function profileRange(
  db: Database,
  symbol: string,
  interval: Interval,
): Promise<Pick<ProfileRecord, "seriesId" | "firstBar" | "lastBar"> | undefined> {
  return rangeOf(db).get({ symbol, interval });
}

/** Which profile: a symbol and an interval. */
export interface ProfileKey {
  readonly symbol: string;
  readonly interval: Interval;
}

/** Profiles in the order of `keys`; those that are no longer there are left out. */
export async function readProfiles(db: Database, keys: readonly ProfileKey[]): Promise<StoredProfile[]> {
  const requested = JSON.stringify(keys.map(({ symbol, interval }) => [symbol, interval]));
  const rows = await db.rows(
    `${SELECT} FROM json_each(?) k JOIN profiles p ON p.symbol = k.value ->> 0 AND p.interval = k.value ->> 1
ORDER BY k.key`,
    [requested],
  );
  return profilesOf(db, rows);
}

export async function findFeatureState(db: Database, symbol: string, interval: Interval) {
  return stateOf(db).get({ symbol, interval });
}

/** The intervals at which a symbol has a profile. */
export async function intervalsOf(db: Database, symbol: string): Promise<Interval[]> {
  const rows = await db.orm.select({ interval: profiles.interval }).from(profiles).where(eq(profiles.symbol, symbol));
  return rows.map((row) => row.interval);
}

/** The first and the last bar of each profile of a symbol whose bars are of this provider, epoch seconds. */
export async function rangesOf(db: Database, symbol: string, provider: string) {
  return db.orm
    .select({ interval: profiles.interval, firstBar: profiles.firstBar, lastBar: profiles.lastBar })
    .from(profiles)
    .where(and(eq(profiles.symbol, symbol), eq(profiles.provider, provider)));
}

export async function countProfiles(db: Database): Promise<number> {
  return db.orm.$count(profiles);
}

/** The statements that delete a profile and its feature state. */
export const forgetProfile = (symbol: string, interval: Interval): Statement[] => [
  ...showSeries(symbol, interval, Date.now(), null),
  { sql: "DELETE FROM feature_states WHERE symbol = ?1 AND interval = ?2", args: [symbol, interval] },
  { sql: "DELETE FROM profiles WHERE symbol = ?1 AND interval = ?2", args: [symbol, interval] },
  markSymbol(symbol, interval),
];

/** Deletes a profile and its feature state; the bars stay. */
export async function deleteProfile(db: Database, symbol: string, interval: Interval): Promise<void> {
  await db.write([
    ...forgetProfile(symbol, interval),
    ...auditStatement({ action: "profile.delete", subject: symbol, before: { interval } }),
  ]);
}

/** The last bars of those of `symbols` whose profile is a provider's, and their earliest provisional one: epoch seconds. */
export async function lastBarsOf(db: Database, provider: string, symbols: readonly string[], interval: Interval) {
  return db.orm
    .select({ symbol: profiles.symbol, lastBar: profiles.lastBar, provisionalFrom: series.provisionalFrom })
    .from(profiles)
    .innerJoin(series, eq(series.id, profiles.seriesId))
    .where(
      and(
        eq(profiles.interval, interval),
        eq(profiles.provider, provider),
        sql`${profiles.symbol} in (select value from json_each(${JSON.stringify(symbols)}))`,
      ),
    );
}
