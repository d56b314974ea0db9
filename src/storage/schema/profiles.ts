/** Profiles, the names of their features, and the state from which their features are updated. */

import { blob, index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { INTERVALS } from "../../domain/market/interval.ts";
import type { BackfillMetadata } from "../../domain/profiles/profile.ts";
import { series } from "./market.ts";

/** The names of the features that profiles were computed with, in the order of their values; one row per catalogue. */
export const featureLists = sqliteTable(
  "feature_lists",
  {
    id: integer().primaryKey(),
    names: text({ mode: "json" }).$type<readonly string[]>().notNull(),
  },
  (t) => [uniqueIndex("feature_lists_names").on(t.names)],
);

/**
 * What is known of a symbol at an interval: features at the last bar and metadata. A trigger, added to the migration by
 * hand, gives a row that is updated a new revision.
 */
export const profiles = sqliteTable(
  "profiles",
  {
    /** Counts all writes of profiles: a profile that is written again gets a new one, and none is used twice. */
    revision: integer().primaryKey({ autoIncrement: true }),
    symbol: text().notNull(),
    interval: text({ enum: INTERVALS }).notNull(),
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    provider: text().notNull(),
    /** Start of the first and the last bar, epoch seconds. */
    firstBar: integer("first_bar").notNull(),
    lastBar: integer("last_bar").notNull(),
    lastClose: real("last_close").notNull(),
    featureListId: integer("feature_list_id")
      .notNull()
      .references(() => featureLists.id),
    /** How many features have a value. */
    knownFeatures: integer("known_features").notNull(),
    /** The features at the last bar: Float64, little endian, in the order of their list, NaN = undefined. */
    featureValues: blob("feature_values", { mode: "buffer" }).notNull(),
    catalogVersion: text("catalog_version").notNull(),
    backfill: text({ mode: "json" }).$type<BackfillMetadata>().notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [uniqueIndex("profiles_key").on(t.symbol, t.interval), index("profiles_series").on(t.seriesId)],
);

/** Which series the profile of a symbol has shown since when: one row for each change. WITHOUT ROWID (migration). */
export const shownSeries = sqliteTable(
  "shown_series",
  {
    symbol: text().notNull(),
    interval: text({ enum: INTERVALS }).notNull(),
    /** Epoch milliseconds. */
    since: integer().notNull(),
    /** `null`: the profile was deleted. */
    seriesId: integer("series_id"),
  },
  (t) => [primaryKey({ columns: [t.symbol, t.interval, t.since] })],
);

/** The state that the next incremental update starts from. */
export const featureStates = sqliteTable(
  "feature_states",
  {
    symbol: text().notNull(),
    interval: text({ enum: INTERVALS }).notNull(),
    state: blob({ mode: "buffer" }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.symbol, t.interval] })],
);
