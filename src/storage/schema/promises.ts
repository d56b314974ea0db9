/** Tables of the promises: which series shall be up to date by when, and what came of each deadline. */

import { sql } from "drizzle-orm";
import { check, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { INTERVALS } from "../../domain/market/interval.ts";
import { PROMISE_DAYS, PROMISE_OUTCOMES, PROMISE_SCOPES, PROMISE_VENUES } from "../../domain/promises/promise.ts";
import { oneOf } from "./checks.ts";
import { watchlists } from "./companies.ts";

export const promises = sqliteTable(
  "promises",
  {
    id: integer().primaryKey(),
    name: text().notNull(),
    scope: text({ enum: PROMISE_SCOPES }).notNull(),
    symbols: text({ mode: "json" }).$type<readonly string[]>().notNull().default([]),
    watchlistId: integer("watchlist_id").references(() => watchlists.id, { onDelete: "set null" }),
    interval: text({ enum: INTERVALS }).notNull(),
    /** `null`: whichever series stands for the symbol. */
    provider: text(),
    /** `07:00` on the clock of the time zone. */
    byTime: text("by_time").notNull(),
    timeZone: text("time_zone").notNull(),
    days: text({ enum: PROMISE_DAYS }).notNull(),
    /** Whose trading days. A venue may be added, so the database does not check it. */
    venue: text({ enum: PROMISE_VENUES }).notNull(),
    maxGaps: integer("max_gaps").notNull(),
    gapDays: integer("gap_days").notNull(),
    warnHours: integer("warn_hours").notNull(),
    enabled: integer({ mode: "boolean" }).notNull(),
    /** Epoch milliseconds up to which every deadline has a result. */
    checkedAt: integer("checked_at").notNull(),
  },
  (t) => [
    uniqueIndex("promises_name").on(sql`lower(${t.name})`),
    oneOf("promises_scope", t.scope, PROMISE_SCOPES),
    oneOf("promises_interval", t.interval, INTERVALS),
    oneOf("promises_days", t.days, PROMISE_DAYS),
  ],
);

/** What came of each deadline, recorded once. Times are epoch milliseconds. */
export const promiseResults = sqliteTable(
  "promise_results",
  {
    id: integer().primaryKey(),
    promiseId: integer("promise_id")
      .notNull()
      .references(() => promises.id, { onDelete: "cascade" }),
    deadline: integer().notNull(),
    outcome: text({ enum: PROMISE_OUTCOMES }).notNull(),
    judgedAt: integer("judged_at").notNull(),
    total: integer().notNull(),
    fresh: integer().notNull(),
    missing: integer().notNull(),
    unknown: integer().notNull(),
    /** `null`: not known. */
    gaps: integer(),
    note: text().notNull().default(""),
    /** The first of those that were missing. */
    symbols: text({ mode: "json" }).$type<readonly string[]>().notNull().default([]),
    recoveredAt: integer("recovered_at"),
  },
  (t) => [
    uniqueIndex("promise_results_once").on(t.promiseId, t.deadline),
    oneOf("promise_results_outcome", t.outcome, PROMISE_OUTCOMES),
    check("promise_results_counts", sql`${t.fresh} + ${t.missing} + ${t.unknown} = ${t.total}`),
    check("promise_results_recovered", sql`${t.recoveredAt} is null or ${t.outcome} = 'missed'`),
  ],
);
