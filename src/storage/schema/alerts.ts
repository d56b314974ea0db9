/** Tables of the alerts: events, and the mails made of them. */

import { sql } from "drizzle-orm";
import { check, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { ALERT_KINDS, type AlertEvent, type AlertRules, CHANNEL_KINDS, MAIL_STATES } from "../../domain/alerts.ts";
import { oneOf } from "./checks.ts";

/** Where alerts go besides mail. */
export const channels = sqliteTable(
  "channels",
  {
    id: text().primaryKey(),
    name: text().notNull().unique(),
    kind: text({ enum: CHANNEL_KINDS }).notNull(),
    /** Its address and secrets, sealed. */
    target: text().notNull(),
    /** The host it posts to, which is no secret. */
    host: text().notNull(),
    rules: text({ mode: "json" }).$type<AlertRules>().notNull(),
    enabled: integer({ mode: "boolean" }).notNull(),
    /** It gets the events from this moment on, epoch milliseconds. */
    since: integer().notNull(),
    /** Epoch milliseconds. */
    createdAt: integer("created_at").notNull(),
  },
  (t) => [oneOf("channels_kind", t.kind, CHANNEL_KINDS)],
);

/** Mails, and messages of other channels: made of events, sent by a dispatcher, kept for the alerts page. */
export const mails = sqliteTable(
  "mails",
  {
    /** Also the first half of its Message-ID, which is the same for every attempt. */
    id: text().primaryKey(),
    kind: text({ enum: [...ALERT_KINDS, "test"] }).notNull(),
    recipients: text().notNull(),
    subject: text().notNull(),
    text: text().notNull(),
    html: text().notNull(),
    /** `null`: a mail. */
    channelId: text("channel_id").references(() => channels.id, { onDelete: "cascade" }),
    /** What a channel other than mail posts, as JSON. */
    body: text(),
    /** A table of the whole run, as CSV. */
    attachment: text(),
    state: text({ enum: MAIL_STATES }).notNull().default("waiting"),
    attempts: integer().notNull().default(0),
    /** It is not sent before the first time; while it is being sent, its lease ends at the second (epoch ms). */
    notBefore: integer("not_before").notNull(),
    leasedUntil: integer("leased_until"),
    error: text(),
    /** Those of the recipients who have yet to get it; `null`: all of them. */
    later: text({ mode: "json" }).$type<readonly string[]>(),
    /** Those whom the mail server refused for good. */
    refused: text({ mode: "json" }).$type<readonly string[]>().notNull().default([]),
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

/** Events that are worth a mail, recorded in the transaction that causes them. */
export const alertEvents = sqliteTable(
  "alert_events",
  {
    id: integer().primaryKey(),
    /** Identifies the event, so that it is recorded once (`alertKey`). */
    key: text().notNull().unique(),
    kind: text({ enum: ALERT_KINDS }).notNull(),
    runId: text("run_id"),
    /** Epoch milliseconds. */
    at: integer().notNull(),
    event: text({ mode: "json" }).$type<AlertEvent>().notNull(),
    /** `muted`: no rule asks for it, or there was no recipient. */
    state: text({ enum: EVENT_STATES }).notNull().default("new"),
    mailId: text("mail_id").references(() => mails.id, { onDelete: "cascade" }),
  },
  (t) => [
    index("alert_events_new").on(t.at).where(sql`${t.state} = 'new'`),
    index("alert_events_of_mail").on(t.mailId),
    index("alert_events_by_time").on(t.at),
    oneOf("alert_events_kind", t.kind, ALERT_KINDS),
    oneOf("alert_events_state", t.state, EVENT_STATES),
    check("alert_events_mailed", sql`(${t.state} = 'mailed') = (${t.mailId} is not null)`),
  ],
);

/** What became of events in a channel other than mail; an event without a row is still to come. */
export const alertDeliveries = sqliteTable(
  "alert_deliveries",
  {
    eventId: integer("event_id")
      .notNull()
      .references(() => alertEvents.id, { onDelete: "cascade" }),
    channelId: text("channel_id")
      .notNull()
      .references(() => channels.id, { onDelete: "cascade" }),
    /** `null`: no rule of the channel asks for it, or the message was deleted since. */
    mailId: text("mail_id").references(() => mails.id, { onDelete: "set null" }),
  },
  (t) => [primaryKey({ columns: [t.channelId, t.eventId] }), index("deliveries_of_event").on(t.eventId)],
);
