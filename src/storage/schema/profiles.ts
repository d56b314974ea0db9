/** Profiles, and the state from which their features are updated. */

import { blob, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { INTERVALS } from "../../domain/market/interval.ts";
import type { BackfillMetadata } from "../../domain/profiles/profile.ts";
import { series } from "./market.ts";

/** What is known of a symbol at an interval: features at the last bar (JSON, `null` for undefined) and metadata. */
export const profiles = sqliteTable(
  "profiles",
  {
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
    features: text({ mode: "json" }).$type<Record<string, number | null>>().notNull(),
    catalogVersion: text("catalog_version").notNull(),
    backfill: text({ mode: "json" }).$type<BackfillMetadata>().notNull(),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.symbol, t.interval] })],
);

/** The state that the next incremental update starts from, and the last values of every feature for sparklines. */
export const featureStates = sqliteTable(
  "feature_states",
  {
    symbol: text().notNull(),
    interval: text({ enum: INTERVALS }).notNull(),
    state: blob({ mode: "buffer" }).notNull(),
    /** Float32, row-major: features × `tail_length`, NaN = undefined. */
    tail: blob({ mode: "buffer" }).notNull(),
    tailLength: integer("tail_length").notNull(),
  },
  (t) => [primaryKey({ columns: [t.symbol, t.interval] })],
);
