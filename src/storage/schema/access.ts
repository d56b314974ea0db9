/** Tables of login and audit: tokens, login sessions and audit entries. */

import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { SCOPES } from "../../domain/access.ts";

/** API tokens for programs and guests. */
export const tokens = sqliteTable(
  "tokens",
  {
    id: integer().primaryKey(),
    name: text().notNull(),
    /** SHA-256 of the token, in hex: the token itself is shown once and never stored. */
    hash: text().notNull().unique(),
    scope: text({ enum: SCOPES }).notNull(),
    /** Epoch milliseconds. */
    createdAt: integer("created_at").notNull(),
    lastUsedAt: integer("last_used_at"),
    /** Epoch milliseconds; `null` for a token that does not expire. */
    expiresAt: integer("expires_at"),
  },
  (t) => [
    uniqueIndex("tokens_name").on(sql`lower(${t.name})`),
    check("tokens_scope", sql`${t.scope} in (${sql.raw(SCOPES.map((scope) => `'${scope}'`).join(", "))})`),
  ],
);

/** Login sessions of browsers, started with the password or with a token. */
export const sessions = sqliteTable(
  "sessions",
  {
    /** SHA-256 of the cookie, in hex. */
    hash: text().primaryKey(),
    /** The token that was used to sign in; `null` for the password. */
    tokenId: integer("token_id").references(() => tokens.id, { onDelete: "cascade" }),
    /** Epoch milliseconds. */
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    /** The last request, to the minute; 0 for a session from before this was recorded. */
    lastUsedAt: integer("last_used_at").notNull().default(0),
    /** The address and the browser that it was opened from. */
    address: text().notNull().default(""),
    agent: text().notNull().default(""),
  },
  (t) => [index("sessions_by_end").on(t.expiresAt)],
);

/** Who changed what, when and why; written in the transaction of the change where there is one. */
export const audit = sqliteTable(
  "audit",
  {
    id: integer().primaryKey(),
    /** Epoch milliseconds. */
    at: integer().notNull(),
    actor: text().notNull(),
    action: text().notNull(),
    /** What was changed: a symbol, a run, a watchlist, … */
    subject: text().notNull(),
    reason: text(),
    before: text({ mode: "json" }).$type<Record<string, unknown>>(),
    after: text({ mode: "json" }).$type<Record<string, unknown>>(),
  },
  (t) => [index("audit_by_time").on(t.at)],
);
