/** Requests sent to the providers, and the state of their limits. */

import { integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

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
