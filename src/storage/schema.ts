/** The tables. The states allowed here are those of domain/runs/states.ts; a test holds code, schema and docs together. */

import { sql } from "drizzle-orm";
import { blob, check, index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { ACTION_KINDS } from "../domain/market/corporate-actions.ts";
import { INTERVALS } from "../domain/market/interval.ts";
import type { BackfillMetadata } from "../domain/profiles/profile.ts";
import { ASKS } from "../domain/runs/refetch.ts";
import type { StageTimes } from "../domain/runs/stage-times.ts";
import { ACTIVE_STATES, JOB_STATES, MODES, RUN_STATES } from "../domain/runs/states.ts";
import { oneOf } from "./one-of.ts";

/**
 * Symbols known by name: imported, or listed by a provider. Their names are found through the full-text table
 * `company_names` (a virtual table, so only in the migrations), which triggers keep in step.
 */
export const companies = sqliteTable("companies", {
  id: integer().primaryKey(),
  symbol: text().notNull().unique(),
  name: text().notNull().default(""),
  exchange: text().notNull().default(""),
  /** The provider that listed it, or `import`. */
  source: text().notNull(),
  updatedAt: integer("updated_at").notNull(),
});

/** The lists that providers gave, so that they are not asked again at once. */
export const companyLists = sqliteTable(
  "company_lists",
  {
    provider: text().notNull(),
    exchange: text().notNull(),
    companies: integer().notNull(),
    /** Epoch milliseconds. */
    fetchedAt: integer("fetched_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.provider, t.exchange] })],
);

/** Symbols that a person keeps together under a name. */
export const watchlists = sqliteTable(
  "watchlists",
  {
    id: integer().primaryKey(),
    name: text().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [uniqueIndex("watchlists_name").on(sql`lower(${t.name})`)],
);

/** The symbols of a watchlist; they need not be known companies. */
export const watchlistSymbols = sqliteTable(
  "watchlist_symbols",
  {
    watchlistId: integer("watchlist_id")
      .notNull()
      .references(() => watchlists.id, { onDelete: "cascade" }),
    symbol: text().notNull(),
  },
  (t) => [primaryKey({ columns: [t.watchlistId, t.symbol] })],
);

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

/** An order to the pipeline. Times are epoch seconds; `range_from` to `range_to` is half open. */
export const runs = sqliteTable(
  "runs",
  {
    id: text().primaryKey(),
    mode: text({ enum: MODES }).notNull(),
    interval: text({ enum: INTERVALS }).notNull(),
    provider: text().notNull(),
    /** A number of years, or `all`. */
    years: text().notNull(),
    batchDays: integer("batch_days").notNull(),
    maxWorkers: integer("max_workers").notNull(),
    /** Is the history fetched anew beside the old one, which stays until the new one is whole? */
    rebuild: integer({ mode: "boolean" }).notNull().default(false),
    /** The provider that a repair may ask for what the series' own does not have. */
    repairProvider: text("repair_provider"),
    rangeFrom: integer("range_from").notNull(),
    rangeTo: integer("range_to").notNull(),
    /** What counts as now for this run, so that a resumed run asks what the first attempt would have asked. */
    asOf: integer("as_of").notNull(),
    state: text({ enum: RUN_STATES }).notNull().default("running"),
    /** Epoch milliseconds. */
    createdAt: integer("created_at").notNull(),
    finishedAt: integer("finished_at"),
  },
  (t) => [
    // One for each filter of the list, in the list's order, so that a page is read and nothing is sorted.
    index("runs_by_time").on(t.createdAt, t.id),
    index("runs_by_state").on(t.state, t.createdAt, t.id),
    index("runs_by_mode").on(t.mode, t.createdAt, t.id),
    index("runs_by_interval").on(t.interval, t.createdAt, t.id),
    index("runs_by_provider").on(t.provider, t.createdAt, t.id),
    oneOf("runs_state", t.state, RUN_STATES),
    oneOf("runs_mode", t.mode, MODES),
  ],
);

/** One symbol of a run. */
export const jobs = sqliteTable(
  "jobs",
  {
    id: integer().primaryKey(),
    runId: text("run_id")
      .notNull()
      .references(() => runs.id, { onDelete: "cascade" }),
    symbol: text().notNull(),
    interval: text({ enum: INTERVALS }).notNull(),
    state: text({ enum: JOB_STATES }).notNull().default("queued"),
    /** The status and micro-stage last shown; live values come from the hub. */
    status: text().notNull().default("Queued"),
    microStage: text("micro_stage").notNull().default("Waiting for a worker"),
    progress: integer().notNull().default(0),
    dataPoints: integer("data_points").notNull().default(0),
    apiCalls: integer("api_calls").notNull().default(0),
    /** Where an incremental job began to ask (epoch seconds): kept, so that a resumed one asks the same windows. */
    planFrom: integer("plan_from"),
    /** What it asks its provider for. */
    asks: text({ enum: ASKS }).notNull().default("unanswered"),
    /** Milliseconds spent in the fetch stage. */
    fetchMs: integer("fetch_ms").notNull().default(0),
    /** How long each stage took; of a stretch that the process did not survive nothing is known. */
    stageMs: text("stage_ms", { mode: "json" }).$type<StageTimes>().notNull().default({}),
    /** Milliseconds worked in earlier stretches, before a pause or a restart. */
    workedMs: integer("worked_ms").notNull().default(0),
    /** Workers that died on this job. */
    deaths: integer().notNull().default(0),
    attempts: integer().notNull().default(0),
    error: text(),
    /** Gaps in the series when the job was complete. */
    gaps: integer(),
    startedAt: integer("started_at"),
    finishedAt: integer("finished_at"),
  },
  (t) => [
    uniqueIndex("jobs_of_run").on(t.runId, t.symbol),
    uniqueIndex("jobs_active_symbol")
      .on(t.symbol, t.interval)
      .where(sql`${t.state} in (${sql.raw(ACTIVE_STATES.map((state) => `'${state}'`).join(", "))})`),
    index("jobs_by_state").on(t.state),
    index("jobs_by_symbol").on(t.symbol, t.runId),
    oneOf("jobs_state", t.state, JOB_STATES),
    check("jobs_progress", sql`${t.progress} between 0 and 100`),
    check("jobs_finished", sql`${t.state} <> 'complete' or ${t.finishedAt} is not null`),
    check("jobs_failed", sql`${t.state} <> 'failed' or ${t.error} is not null`),
  ],
);

export const BATCH_STATUSES = ["ok", "empty", "failed"] as const;

/** The coverage ledger: what was asked of a provider and what came of it, written with the bars it speaks of. */
export const batches = sqliteTable(
  "batches",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    /** Half-open window, epoch seconds. */
    fromTs: integer("from_ts").notNull(),
    toTs: integer("to_ts").notNull(),
    /** The run that asked last. */
    runId: text("run_id").notNull(),
    status: text({ enum: BATCH_STATUSES }).notNull(),
    rows: integer().notNull(),
    rejected: integer().notNull().default(0),
    firstTs: integer("first_ts"),
    lastTs: integer("last_ts"),
    attempts: integer().notNull().default(1),
    error: text(),
    /** Epoch milliseconds. */
    fetchedAt: integer("fetched_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.seriesId, t.fromTs, t.toTs] }),
    oneOf("batches_status", t.status, BATCH_STATUSES),
    check("batches_window", sql`${t.fromTs} < ${t.toTs}`),
    check("batches_empty", sql`${t.status} <> 'empty' or ${t.rows} = 0`),
    check("batches_failed", sql`${t.status} <> 'failed' or ${t.error} is not null`),
  ],
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

/** What the next incremental update starts from, and the last values of every feature for sparklines. */
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

/** Requests and weighted units spent, per provider and minute (epoch seconds of its start). */
export const apiUsage = sqliteTable(
  "api_usage",
  {
    provider: text().notNull(),
    minute: integer().notNull(),
    requests: integer().notNull(),
    units: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.provider, t.minute] })],
);

/** What the limiter must not forget over a restart, per provider and key (`account`) and period. */
export const quotas = sqliteTable(
  "quotas",
  {
    account: text().notNull(),
    period: text().notNull(),
    /** Epoch seconds. */
    startedAt: integer("started_at").notNull(),
    used: real().notNull(),
  },
  (t) => [primaryKey({ columns: [t.account, t.period] })],
);

export const logs = sqliteTable(
  "logs",
  {
    id: integer().primaryKey(),
    at: integer().notNull(),
    level: text().notNull(),
    runId: text("run_id"),
    symbol: text(),
    message: text().notNull(),
  },
  (t) => [index("logs_of_run").on(t.runId, t.id)],
);

/** Settings changed on the screen, and the small facts the server keeps about itself. */
export const settings = sqliteTable("settings", {
  key: text().primaryKey(),
  value: text().notNull(),
  updatedAt: integer("updated_at").notNull(),
});
