/** The tables of the alerts: mails, and the events that they tell of. */

import { sql } from "drizzle-orm";
import { check, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { ALERT_KINDS, type AlertEvent, MAIL_STATES } from "../../domain/alerts.ts";
import { oneOf } from "./checks.ts";

/** Mails: made from events, sent by the outbox, kept for the screen. */
export const mails = sqliteTable(
  "mails",
  {
    /** Also the first half of its Message-ID, which stays the same however often it is sent. */
    id: text().primaryKey(),
    kind: text({ enum: [...ALERT_KINDS, "test"] }).notNull(),
    recipients: text().notNull(),
    subject: text().notNull(),
    text: text().notNull(),
    html: text().notNull(),
    state: text({ enum: MAIL_STATES }).notNull().default("waiting"),
    attempts: integer().notNull().default(0),
    /** Not before this time, and while it is being sent, until when that may take (both epoch milliseconds). */
    notBefore: integer("not_before").notNull(),
    leasedUntil: integer("leased_until"),
    error: text(),
    /** Epoch milliseconds. */
    createdAt: integer("created_at").notNull(),
    sentAt: integer("sent_at"),
  },
  (t) => [
    index("mails_by_time").on(t.createdAt),
    index("mails_open").on(t.notBefore).where(sql`${t.state} in ('waiting', 'sending')`),
    oneOf("mails_state", t.state, MAIL_STATES),
    check("mails_sending", sql`(${t.state} = 'sending') = (${t.leasedUntil} is not null)`),
    check("mails_sent", sql`(${t.state} = 'sent') = (${t.sentAt} is not null)`),
    check("mails_failed", sql`${t.state} <> 'failed' or ${t.error} is not null`),
  ],
);

const EVENT_STATES = ["new", "mailed", "muted"] as const;

/** What happened that is worth a mail, written in the transaction in which it happened. */
export const alertEvents = sqliteTable(
  "alert_events",
  {
    id: integer().primaryKey(),
    /** What makes it the same event (`alertKey`). */
    key: text().notNull().unique(),
    kind: text({ enum: ALERT_KINDS }).notNull(),
    runId: text("run_id"),
    /** Epoch milliseconds. */
    at: integer().notNull(),
    event: text({ mode: "json" }).$type<AlertEvent>().notNull(),
    /** `muted`: no rule wanted it, or there was nobody to mail it to. */
    state: text({ enum: EVENT_STATES }).notNull().default("new"),
    mailId: text("mail_id").references(() => mails.id, { onDelete: "cascade" }),
  },
  (t) => [
    index("alert_events_new").on(t.at).where(sql`${t.state} = 'new'`),
    index("alert_events_of_mail").on(t.mailId),
    oneOf("alert_events_kind", t.kind, ALERT_KINDS),
    oneOf("alert_events_state", t.state, EVENT_STATES),
    check("alert_events_mailed", sql`(${t.state} = 'mailed') = (${t.mailId} is not null)`),
  ],
);
