/** Tables of the schedules: what is run when, and the outcome of each turn. */

import { sql } from "drizzle-orm";
import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { INTERVALS } from "../../domain/market/interval.ts";
import { MODES } from "../../domain/runs/states.ts";
import { MISSED_POLICIES, SCHEDULE_SCOPES, TURN_CAUSES, TURN_OUTCOMES } from "../../domain/schedules.ts";
import { oneOf } from "./checks.ts";
import { watchlists } from "./companies.ts";
import { runs } from "./runs.ts";

/** What is run when. The migration inserts the first one: disabled, after the US close. */
export const schedules = sqliteTable(
  "schedules",
  {
    id: integer().primaryKey(),
    name: text().notNull(),
    cron: text().notNull(),
    timeZone: text("time_zone").notNull(),
    scope: text({ enum: SCHEDULE_SCOPES }).notNull(),
    symbols: text({ mode: "json" }).$type<readonly string[]>().notNull().default([]),
    watchlistId: integer("watchlist_id").references(() => watchlists.id, { onDelete: "set null" }),
    interval: text({ enum: INTERVALS }).notNull(),
    /** `null`: the server's default. */
    provider: text(),
    mode: text({ enum: MODES }).notNull(),
    /** A number of years, or `all`. */
    years: text().notNull(),
    enabled: integer({ mode: "boolean" }).notNull(),
    onMissed: text("on_missed", { enum: MISSED_POLICIES }).notNull(),
    /** Epoch milliseconds up to which every turn has been dealt with. */
    checkedAt: integer("checked_at").notNull(),
  },
  (t) => [
    uniqueIndex("schedules_name").on(sql`lower(${t.name})`),
    oneOf("schedules_scope", t.scope, SCHEDULE_SCOPES),
    oneOf("schedules_interval", t.interval, INTERVALS),
    oneOf("schedules_mode", t.mode, MODES),
    oneOf("schedules_on_missed", t.onMissed, MISSED_POLICIES),
  ],
);

/** The outcome of each turn of a schedule, written with the run that it starts. Times are epoch milliseconds. */
export const scheduleTurns = sqliteTable(
  "schedule_turns",
  {
    id: integer().primaryKey(),
    scheduleId: integer("schedule_id")
      .notNull()
      .references(() => schedules.id, { onDelete: "cascade" }),
    dueAt: integer("due_at").notNull(),
    at: integer().notNull(),
    cause: text({ enum: TURN_CAUSES }).notNull(),
    outcome: text({ enum: TURN_OUTCOMES }).notNull(),
    note: text().notNull().default(""),
    runId: text("run_id").references(() => runs.id, { onDelete: "set null" }),
  },
  (t) => [
    index("turns_of_schedule").on(t.scheduleId, t.id),
    index("turns_of_run").on(t.runId),
    // However often the schedules are polled, a turn is run once.
    uniqueIndex("turns_once").on(t.scheduleId, t.dueAt, t.cause),
    oneOf("turns_cause", t.cause, TURN_CAUSES),
    oneOf("turns_outcome", t.outcome, TURN_OUTCOMES),
  ],
);
