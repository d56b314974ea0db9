/** Series, their bars and what is known about them: revisions, sources, corporate actions, gaps, rejected rows. */

import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { FINDING_KINDS } from "../../domain/market/anomalies/scale-changes.ts";
import { ACTION_KINDS } from "../../domain/market/corporate-actions.ts";
import { GAP_KINDS } from "../../domain/market/holes.ts";
import { INTERVALS } from "../../domain/market/interval.ts";
import { oneOf } from "./checks.ts";

/** Why a stored bar was changed or removed. */
export const REVISION_KINDS = ["split", "dividend", "correction", "withdrawn", "rebuild"] as const;

export type RevisionKind = (typeof REVISION_KINDS)[number];

/** The bars of one symbol, interval, provider, feed, adjustment and session policy; two series are never blended. */
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
    /** The series that this one will replace once it is complete; 0 for all but staging series. */
    stagingFor: integer("staging_for").notNull().default(0),
    /** The run that builds it; set until the bars that it replaced are archived. */
    stagingRun: text("staging_run"),
    /** The id under which its bars are stored: its own (`null`), until a rebuild swaps it (see rebuild.ts). */
    barsId: integer("bars_id"),
    /** Why and when (epoch milliseconds) its bars were replaced; set until they have become revisions. */
    retiredKind: text("retired_kind", { enum: REVISION_KINDS }),
    retiredAt: integer("retired_at"),
    /** The earliest bar (epoch seconds) that has changed since the profile was computed; written with the bars. */
    changedFrom: integer("changed_from"),
    /** The last run that requested corporate actions. */
    actionsRun: text("actions_run"),
    /** When the vendor last changed stored bars, and when it last gave an implausible answer (epoch milliseconds). */
    revisedAt: integer("revised_at"),
    suspectAt: integer("suspect_at"),
    /** Nothing before it (epoch seconds) is requested: the provider said where its bars begin. 0: it does not tell. */
    listedFrom: integer("listed_from"),
    /** The earliest bar (epoch seconds) that the vendor may still change, because it was fetched before it was final. */
    provisionalFrom: integer("provisional_from"),
    /** The version of the rules by which its sessions were compared with the calendar; 0: of an earlier release. */
    gapRules: integer("gap_rules").notNull().default(0),
    /** The version of the rules by which its bars and actions were last judged as a whole; 0: by an earlier one. */
    judged: integer().notNull().default(0),
    /** From when on (epoch milliseconds) it is recorded when its bars were first seen; `null`: of all of them. */
    arrivalsSince: integer("arrivals_since"),
    /** What was before it (epoch seconds) was deleted by choice and is not fetched again unless a run asks for it. */
    keptFrom: integer("kept_from"),
    /** When that was decided (epoch milliseconds), and whether some of it is still to be deleted. */
    prunedAt: integer("pruned_at"),
    isPruning: integer("is_pruning", { mode: "boolean" }).notNull().default(false),
  },
  (t) => [
    uniqueIndex("series_key").on(t.symbol, t.interval, t.provider, t.feed, t.adjustment, t.sessions, t.stagingFor),
    index("series_staging").on(t.stagingFor),
    index("series_pruning").on(t.isPruning).where(sql`is_pruning = 1`),
    oneOf("series_interval", t.interval, INTERVALS),
  ],
);

/**
 * Whether a series is no staging series. With the plus no index is used for it: nearly all series match, and a planner
 * without statistics would read all of them in the order of `series_staging`, to find those of one symbol.
 */
export const isInPlace = sql`+${series.stagingFor} = 0`;

/** Bars as the provider returned them; `ts` is the start of the bar, epoch seconds. WITHOUT ROWID (migration). */
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
    /** `null`: unknown. */
    volume: real(),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.ts] })],
);

/**
 * Earlier values of bars that a provider changed. Rows are only added: a trigger refuses updates. The trigger and
 * WITHOUT ROWID were added to the migration by hand.
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
    volume: real(),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.ts, t.seenAt] }), oneOf("bar_revisions_kind", t.kind, REVISION_KINDS)],
);

/**
 * When bars were first seen, where the ledger does not say it (storage/market/arrivals.ts). WITHOUT ROWID (migration).
 */
export const arrivals = sqliteTable(
  "arrivals",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    /** Half open, epoch seconds. */
    fromTs: integer("from_ts").notNull(),
    toTs: integer("to_ts").notNull(),
    /** Epoch milliseconds; 0: not recorded. */
    seenAt: integer("seen_at").notNull(),
    /** Whether it is a window that the ledger no longer has; otherwise all bars in it arrived then. */
    isWindow: integer("is_window", { mode: "boolean" }).notNull(),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.fromTs, t.toTs, t.seenAt, t.isWindow] })],
);

/** Values of bars that were not final when they were fetched, and were replaced. WITHOUT ROWID (migration). */
export const provisionalBars = sqliteTable(
  "provisional_bars",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    ts: integer().notNull(),
    /** Epoch milliseconds. */
    replacedAt: integer("replaced_at").notNull(),
    open: real().notNull(),
    high: real().notNull(),
    low: real().notNull(),
    close: real().notNull(),
    volume: real(),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.ts, t.replacedAt] })],
);

/** Bars that were filled in from another provider than that of their series. */
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

/**
 * Splits and dividends as a provider lists them; stored bars stay raw and are adjusted when they are read. Several of one
 * kind and day are several rows; those of the same value and currency are one.
 */
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
    /** The currency of a dividend that cannot be compared with the prices; it is not applied. Empty for all others. */
    currency: text().notNull().default(""),
    /** Epoch milliseconds. */
    seenAt: integer("seen_at").notNull(),
    /** When the provider listed others in its place (epoch milliseconds); `null` while it counts. */
    replacedAt: integer("replaced_at"),
  },
  (t) => [
    primaryKey({ columns: [t.provider, t.symbol, t.kind, t.date, t.value, t.currency] }),
    oneOf("corporate_actions_kind", t.kind, ACTION_KINDS),
    check("corporate_actions_value", sql`${t.value} > 0`),
  ],
);

/** When actions counted that were replaced and then listed again; `corporate_actions` has the last time only. */
export const formerActions = sqliteTable(
  "former_actions",
  {
    provider: text().notNull(),
    symbol: text().notNull(),
    kind: text({ enum: ACTION_KINDS }).notNull(),
    date: integer().notNull(),
    value: real().notNull(),
    currency: text().notNull().default(""),
    /** Epoch milliseconds. */
    seenAt: integer("seen_at").notNull(),
    replacedAt: integer("replaced_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.provider, t.symbol, t.kind, t.date, t.value, t.currency, t.seenAt] }),
    oneOf("former_actions_kind", t.kind, ACTION_KINDS),
  ],
);

/** Doubts about the scale of a series and its corporate actions: recorded when found, deleted when they no longer hold. */
export const findings = sqliteTable(
  "findings",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    kind: text({ enum: FINDING_KINDS }).notNull(),
    /** Midnight UTC of the day, epoch seconds. */
    date: integer().notNull(),
    /** Price after ÷ price before: of the jump, or what the split says; `null` where it is not known. */
    ratio: real(),
    /** Of a split on another day than its jump: the day of the jump. */
    jumpDate: integer("jump_date"),
    /** Epoch milliseconds. */
    seenAt: integer("seen_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.date, t.kind] }), oneOf("findings_kind", t.kind, FINDING_KINDS)],
);

/** Sessions that differ from the calendar or from the symbol's usual number of bars, and how repairs of them went. */
export const gaps = sqliteTable(
  "gaps",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    /** Midnight UTC of the trading date, epoch seconds. */
    date: integer().notNull(),
    kind: text({ enum: GAP_KINDS }).notNull(),
    /** How many bars are stored of the session. */
    rows: integer().notNull(),
    /** The hours of the session, epoch seconds (half open); `null`: the UTC day of `date`. */
    opens: integer(),
    closes: integer(),
    /** The stretches without bars as JSON, `[[from, to], …]` in epoch seconds (half open), at most a dozen. */
    holes: text().notNull().default("[]"),
    /** How many repairs in a row brought nothing. */
    answers: integer().notNull().default(0),
    /** The repair that requested it last. */
    runId: text("run_id"),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.date] }), oneOf("gaps_kind", t.kind, GAP_KINDS)],
);

/**
 * Bars that are impossible among their neighbours, as their provider gives them; no other table has them. They become
 * bars when neighbours that were fetched later show that they are possible.
 */
export const jumpBars = sqliteTable(
  "jump_bars",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    ts: integer().notNull(),
    open: real().notNull(),
    high: real().notNull(),
    low: real().notNull(),
    close: real().notNull(),
    volume: real(),
    runId: text("run_id").notNull(),
    /** Epoch milliseconds. */
    seenAt: integer("seen_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.ts] })],
);

/** Rows of a source that are not usable as bars: stored as received, with the reason. */
export const rejectedBars = sqliteTable(
  "rejected_bars",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    /** Where the row was found, e.g. `AAPL.csv:17`. */
    place: text().notNull(),
    reason: text().notNull(),
    raw: text().notNull(),
    runId: text("run_id").notNull(),
    seenAt: integer("seen_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.seriesId, t.place] })],
);

/**
 * Years of stored bars that have changed since they were written to the lake; recorded with the bars, and deleted when
 * the lake has them.
 */
export const lakeChanges = sqliteTable(
  "lake_changes",
  {
    /** The id under which the bars are stored (see rebuild.ts). */
    barsId: integer("bars_id").notNull(),
    /** A year in UTC; 0: all of them. */
    year: integer().notNull(),
    /** How often it was changed: an export that meets a further change leaves the row. */
    changes: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.barsId, t.year] })],
);

/**
 * Series whose gaps, findings, last revision or last implausible answer have changed: what is known of their health must be
 * read again. One row each, with a higher revision for every change. Triggers write it, added to the migration by hand.
 */
export const healthChanges = sqliteTable(
  "health_changes",
  {
    revision: integer().primaryKey({ autoIncrement: true }),
    /** It may have been deleted since. */
    seriesId: integer("series_id").notNull(),
  },
  (t) => [uniqueIndex("health_changes_series").on(t.seriesId)],
);
