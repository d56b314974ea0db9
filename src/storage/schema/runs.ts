/**
 * Runs, their jobs and the ledger of batches.
 * The states allowed here are those of domain/runs/states.ts; a test compares them.
 */

import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { INTERVALS } from "../../domain/market/interval.ts";
import { FETCH_MODES } from "../../domain/runs/refetch.ts";
import type { StageTimes } from "../../domain/runs/stage-times.ts";
import { ACTIVE_STATES, JOB_STATES, MODES, RUN_STATES } from "../../domain/runs/states.ts";
import { oneOf } from "./checks.ts";
import { series } from "./market.ts";

/** A request to the pipeline. Times are epoch seconds; `range_from` to `range_to` is half open. */
export const runs = sqliteTable(
  "runs",
  {
    id: text().primaryKey(),
    /** What a person or a schedule calls it. */
    name: text(),
    mode: text({ enum: MODES }).notNull(),
    interval: text({ enum: INTERVALS }).notNull(),
    provider: text().notNull(),
    /** A number of years, or `all`. */
    years: text().notNull(),
    batchDays: integer("batch_days").notNull(),
    maxWorkers: integer("max_workers").notNull(),
    /** Whether the history is fetched into a staging series, which replaces the old one when it is complete. */
    rebuild: integer({ mode: "boolean" }).notNull().default(false),
    /** The provider from which a repair may fetch what the series' own does not have. */
    repairProvider: text("repair_provider"),
    rangeFrom: integer("range_from").notNull(),
    rangeTo: integer("range_to").notNull(),
    /** Whether the range was requested by dates; `years` is of no meaning then. */
    dated: integer({ mode: "boolean" }).notNull().default(false),
    /** What counts as now for this run, so that a resumed run makes the same requests as the first attempt. */
    asOf: integer("as_of").notNull(),
    state: text({ enum: RUN_STATES }).notNull().default("running"),
    /** Epoch milliseconds. */
    createdAt: integer("created_at").notNull(),
    finishedAt: integer("finished_at"),
    /** When a person took note of its failures; `null` again when it is retried. */
    acknowledgedAt: integer("acknowledged_at"),
  },
  (t) => [
    // One for each filter of the list, in the list's order, so that a page is read without sorting.
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
    /**
     * Where the plan of a job starts (epoch seconds), so that a resumed one requests the same windows: an increment at its
     * overlap, a full run where the bars begin.
     */
    planFrom: integer("plan_from"),
    /** What it requests from its provider. */
    fetchMode: text("asks", { enum: FETCH_MODES }).notNull().default("unanswered"),
    /** Milliseconds spent in the fetch stage. */
    fetchMs: integer("fetch_ms").notNull().default(0),
    /** Milliseconds in each stage; the work interval in which the process crashed is missing. */
    stageMs: text("stage_ms", { mode: "json" }).$type<StageTimes>().notNull().default({}),
    /** Milliseconds worked earlier, before a pause or a restart. */
    workedMs: integer("worked_ms").notNull().default(0),
    /** Worker crashes on this job. */
    workerCrashes: integer("deaths").notNull().default(0),
    attempts: integer().notNull().default(0),
    error: text(),
    /** Gaps in the series when the job completed. */
    gaps: integer(),
    startedAt: integer("started_at"),
    finishedAt: integer("finished_at"),
    /** The right to write for the job while a worker on another machine has it (`storage/runs/attempts.ts`). */
    attempt: text(),
    /** When it was put at the head of the queue, epoch milliseconds: the newest is first. */
    firstAt: integer("first_at"),
  },
  (t) => [
    uniqueIndex("jobs_of_run").on(t.runId, t.symbol),
    uniqueIndex("jobs_active_symbol")
      .on(t.symbol, t.interval)
      .where(sql`${t.state} in (${sql.raw(ACTIVE_STATES.map((state) => `'${state}'`).join(", "))})`),
    index("jobs_by_symbol").on(t.symbol, t.runId),
    oneOf("jobs_state", t.state, JOB_STATES),
    check("jobs_progress", sql`${t.progress} between 0 and 100`),
    check("jobs_finished", sql`${t.state} <> 'complete' or ${t.finishedAt} is not null`),
    check("jobs_failed", sql`${t.state} <> 'failed' or ${t.error} is not null`),
  ],
);

/** `not_in_plan`: the provider's plan leaves out the window or a part of it. */
export const BATCH_STATUSES = ["ok", "empty", "failed", "not_in_plan"] as const;

/** The coverage ledger: the windows requested from a provider and the result of each, written with its bars. */
export const batches = sqliteTable(
  "batches",
  {
    seriesId: integer("series_id")
      .notNull()
      .references(() => series.id, { onDelete: "cascade" }),
    /** Half-open window, epoch seconds. */
    fromTs: integer("from_ts").notNull(),
    toTs: integer("to_ts").notNull(),
    /** The last run that requested it. */
    runId: text("run_id").notNull(),
    status: text({ enum: BATCH_STATUSES }).notNull(),
    rows: integer().notNull(),
    rejected: integer().notNull().default(0),
    firstTs: integer("first_ts"),
    lastTs: integer("last_ts"),
    attempts: integer().notNull().default(1),
    /** Why it failed, or the words in which the provider left something out. */
    error: text(),
    /** The parts that the plan leaves out, as pairs of epoch seconds; `null` unless the status is `not_in_plan`. */
    leftOut: text("left_out", { mode: "json" }).$type<readonly (readonly [number, number])[]>(),
    /** Epoch milliseconds. */
    fetchedAt: integer("fetched_at").notNull(),
    /** When it was first answered (epoch milliseconds), if that was before `fetched_at`. */
    firstAt: integer("first_at"),
  },
  (t) => [
    primaryKey({ columns: [t.seriesId, t.fromTs, t.toTs] }),
    oneOf("batches_status", t.status, BATCH_STATUSES),
    check("batches_window", sql`${t.fromTs} < ${t.toTs}`),
    check("batches_empty", sql`${t.status} <> 'empty' or ${t.rows} = 0`),
    check("batches_failed", sql`${t.status} not in ('failed', 'not_in_plan') or ${t.error} is not null`),
    check("batches_left_out", sql`(${t.status} = 'not_in_plan') = (${t.leftOut} is not null)`),
  ],
);
