/** Tables of the log and of the settings stored by the server. */

import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

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

/** Settings changed in the browser, and small facts that the server stores about itself. */
export const settings = sqliteTable("settings", {
  key: text().primaryKey(),
  value: text().notNull(),
  updatedAt: integer("updated_at").notNull(),
});
