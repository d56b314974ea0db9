/** Series, their bars and what is known about them: revisions, sources, corporate actions, gaps, rejected rows. */

import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { ACTION_KINDS } from "../../domain/market/corporate-actions.ts";
import { INTERVALS } from "../../domain/market/interval.ts";
import { oneOf } from "./checks.ts";

/** Why a stored bar took other values, or went. */
export const REVISION_KINDS = ["split", "dividend", "correction", "withdrawn", "rebuild"] as const;

export type RevisionKind = (typeof REVISION_KINDS)[number];

/** One line of bars: two feeds or two adjustments of a symbol are two series, never blended. */
export const series = sqliteTable(
  "series",
  {
    id: integer().primaryKey(),
    symbol: text().notNull(),
    provider: text().notNull(),
    feed: text().notNull(),
    interval: text({ enum: INTERVALS }).notNull(),
    adjustment: text().notNull(),
    sessions: text().notNull(),
    /** The series that this one is to replace once it is complete; 0 for a series in its own right. */
    stagingFor: integer("staging_for").notNull().default(0),
    /** The run that builds it; kept until the bars that it replaced are put away. */
    stagingRun: text("staging_run"),
    /** The id under which its bars are stored: its own, until it changes with the one beside it (see staging.ts). */
    barsId: integer("bars_id"),
    /** Its bars were replaced for this reason at this time (epoch ms), and are still to become revisions. */
    retiredKind: text("retired_kind", { enum: REVISION_KINDS }),
    retiredAt: integer("retired_at"),
    /** The earliest bar (epoch seconds) that changed since the profile was computed; set with the bars, in one write. */
    changedFrom: integer("changed_from"),
    /** The run that asked for corporate actions last. */
    actionsRun: text("actions_run"),
    /** When the vendor last changed stored bars, and when it last gave an answer that was not believed (epoch ms). */
    revisedAt: integer("revised_at"),
    suspectAt: integer("suspect_at"),
  },
  (t) => [
    uniqueIndex("series_key").on(t.symbol, t.interval, t.provider, t.feed, t.adjustment, t.sessions, t.stagingFor),
    index("series_staging").on(t.stagingFor),
    oneOf("series_interval", t.interval, INTERVALS),
  ],
);

/** Bars as the provider gave them; `ts` is the start of the bar, epoch seconds. Created WITHOUT ROWID (migration). */
export const bars = sqliteTable(
  "bars",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    ts: integer().notNull(),
    open: real().notNull(),
    high: real().notNull(),
    low: real().notNull(),
    close: real().notNull(),
    volume: real().notNull(),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.ts] })],
);

/**
 * What bars were before a provider changed its mind: only ever appended to (a trigger in the migration sees to it).
 * Created WITHOUT ROWID (migration).
 */
export const barRevisions = sqliteTable(
  "bar_revisions",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    ts: integer().notNull(),
    /** Epoch milliseconds. */
    seenAt: integer("seen_at").notNull(),
    runId: text("run_id").notNull(),
    kind: text({ enum: REVISION_KINDS }).notNull(),
    open: real().notNull(),
    high: real().notNull(),
    low: real().notNull(),
    close: real().notNull(),
    volume: real().notNull(),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.ts, t.seenAt] }), oneOf("bar_revisions_kind", t.kind, REVISION_KINDS)],
);

/** Bars that another provider than that of their series filled in. */
export const barSources = sqliteTable(
  "bar_sources",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    ts: integer().notNull(),
    provider: text().notNull(),
    runId: text("run_id").notNull(),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.ts] })],
);

/** Splits and dividends as a provider lists them; stored bars stay raw and are adjusted on reading. */
export const corporateActions = sqliteTable(
  "corporate_actions",
  {
    provider: text().notNull(),
    symbol: text().notNull(),
    kind: text({ enum: ACTION_KINDS }).notNull(),
    /** Midnight UTC of the ex-date, epoch seconds. */
    date: integer().notNull(),
    /** New shares for each old one, or cash per share. */
    value: real().notNull(),
    /** Epoch milliseconds. */
    seenAt: integer("seen_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.provider, t.symbol, t.kind, t.date] }),
    oneOf("corporate_actions_kind", t.kind, ACTION_KINDS),
    check("corporate_actions_value", sql`${t.value} > 0`),
  ],
);

/** What can be wrong with a session; one finding each, the gravest. */
export const GAP_KINDS = ["missing", "truncated", "sparse", "outside"] as const;

export type GapKind = (typeof GAP_KINDS)[number];

/** Sessions that are not as the calendar and the symbol's own habit have them, and what repairs were told of them. */
export const gaps = sqliteTable(
  "gaps",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    /** Midnight UTC of the trading date, epoch seconds. */
    date: integer().notNull(),
    kind: text({ enum: GAP_KINDS }).notNull(),
    /** Bars that the session has. */
    rows: integer().notNull(),
    /** How many repairs in a row brought nothing. */
    answers: integer().notNull().default(0),
    /** The repair that asked last. */
    runId: text("run_id"),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.date] }), oneOf("gaps_kind", t.kind, GAP_KINDS)],
);

/** Rows of a source that are no usable bars: kept as they came, with the reason. */
export const rejectedBars = sqliteTable(
  "rejected_bars",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    /** Where it stood, e.g. `AAPL.csv:17`. */
    place: text().notNull(),
    reason: text().notNull(),
    raw: text().notNull(),
    runId: text("run_id").notNull(),
    seenAt: integer("seen_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.place] })],
);
