/** Requests sent to the providers, and the state of their limits. */

import { integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { PLAN_FACT_KINDS } from "../../domain/plan.ts";
import { oneOf } from "./checks.ts";

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

/** What the rate limiter must remember across a restart, per provider and key (`account`) and period. */
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

/** What the plan of a provider's key was seen to leave out, per key (`account`). */
export const planFacts = sqliteTable(
  "plan_facts",
  {
    account: text().notNull(),
    kind: text({ enum: PLAN_FACT_KINDS }).notNull(),
    /** The exchange and interval, e.g. `US 1d`, or the exchange alone. */
    scope: text().notNull(),
    /** A moment in epoch seconds, or a number of days (see `PlanFact`); 0 where the kind has no value. */
    value: integer().notNull(),
    /** The vendor's words. */
    words: text().notNull(),
    /** Epoch milliseconds. */
    seenAt: integer("seen_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.account, t.kind, t.scope] }), oneOf("plan_facts_kind", t.kind, PLAN_FACT_KINDS)],
);
