/**
 * The outbox: alert events, and the mails made of them. An event is recorded in the transaction that causes it
 * (`recordStatements`), becomes part of a mail in one transaction (`postMail`), and the mail is sent under a lease
 * (`takeMail`): a crash neither loses an event nor puts it into two mails.
 */

import {
  and,
  asc,
  count,
  desc,
  eq,
  getTableColumns,
  gt,
  gte,
  inArray,
  isNull,
  lt,
  lte,
  max,
  min,
  ne,
  notExists,
  or,
  sql,
} from "drizzle-orm";
import { type AlertEvent, type AlertKind, alertKey, alertRun } from "../../domain/alerts.ts";
import type { Database, Statement } from "../db.ts";
import { keyedPage, type PageWindow } from "../pagination.ts";
import { alertDeliveries, alertEvents, channels, mails } from "../schema/alerts.ts";

export type MailRow = typeof mails.$inferSelect;
export type NewMail = Pick<MailRow, "id" | "kind" | "recipients" | "subject" | "text" | "html" | "createdAt"> &
  Partial<Pick<MailRow, "attachment" | "body" | "channelId">>;

/** An event that is not part of a mail yet. */
export interface PendingEvent {
  readonly id: number;
  readonly event: AlertEvent;
}

const RECORD = "INSERT INTO alert_events (key, kind, run_id, at, event) SELECT ?, ?, ?, ?, ?";

/**
 * Statements that record events, for the `Database.write` that causes them. An event with a known key is left as it is.
 * @param condition must hold for the events to be recorded, e.g. that a row was really changed
 */
export function recordStatements(
  events: readonly AlertEvent[],
  condition: Statement = { sql: "true", args: [] },
): Statement[] {
  return events.map((event) => ({
    sql: `${RECORD} WHERE ${condition.sql} ON CONFLICT (key) DO NOTHING`,
    args: [alertKey(event), event.kind, alertRun(event), event.at, JSON.stringify(event), ...condition.args],
  }));
}

/** Whether an event is recorded already. */
export const isRecorded = async (db: Database, event: AlertEvent): Promise<boolean> =>
  (await db.orm.$count(alertEvents, eq(alertEvents.key, alertKey(event)))) > 0;

/** The events since a channel was enabled that no message of it was made of yet, oldest first. */
export async function newEventsOf(db: Database, id: string, limit: number): Promise<PendingEvent[]> {
  // As it is stored: it is put right there when the clock is set back.
  const since = db.orm.select({ since: channels.since }).from(channels).where(eq(channels.id, id));
  const delivered = db.orm
    .select({ one: sql`1` })
    .from(alertDeliveries)
    .where(and(eq(alertDeliveries.channelId, id), eq(alertDeliveries.eventId, alertEvents.id)));
  return db.orm
    .select({ id: alertEvents.id, event: alertEvents.event })
    .from(alertEvents)
    .where(and(gte(alertEvents.at, sql`(${since})`), notExists(delivered)))
    .orderBy(asc(alertEvents.at), asc(alertEvents.id))
    .limit(limit);
}

/** Records what became of events in a channel: part of a message, or muted (`null`). */
const deliveries = (channelId: string, eventIds: readonly number[], mailId: string | null): Statement => ({
  sql: `INSERT INTO alert_deliveries (event_id, channel_id, mail_id)
SELECT e.id, ?, ? FROM json_each(?) ids JOIN alert_events e ON e.id = ids.value WHERE true ON CONFLICT DO NOTHING`,
  args: [channelId, mailId, JSON.stringify(eventIds)],
});

/** Stores a message of a channel with the events it is made of, in one transaction. */
export async function postMessage(
  db: Database,
  message: NewMail & { readonly channelId: string },
  eventIds: readonly number[],
): Promise<void> {
  await db.write([db.orm.insert(mails).values(rowOf(message)), deliveries(message.channelId, eventIds, message.id)]);
}

/** Marks events of which a channel makes no message. */
export async function muteEventsOf(db: Database, channelId: string, eventIds: readonly number[]): Promise<void> {
  if (eventIds.length > 0) await db.write([deliveries(channelId, eventIds, null)]);
}

/** The events that are not part of a mail yet, oldest first. */
export async function newEvents(db: Database, limit: number): Promise<PendingEvent[]> {
  return db.orm
    .select({ id: alertEvents.id, event: alertEvents.event })
    .from(alertEvents)
    .where(eq(alertEvents.state, "new"))
    .orderBy(asc(alertEvents.at), asc(alertEvents.id))
    .limit(limit);
}

/** The rows of mail (`null`), or of another channel. */
const inChannel = (id: string | null) => (id === null ? isNull(mails.channelId) : eq(mails.channelId, id));

/** When the last mail of each kind was created, epoch milliseconds; with `channel` the last message of that channel. */
export async function lastMails(db: Database, channel: string | null = null): Promise<Map<AlertKind | "test", number>> {
  const rows = await db.orm
    .select({ kind: mails.kind, at: max(mails.createdAt) })
    .from(mails)
    .where(inChannel(channel))
    .groupBy(mails.kind);
  return new Map(rows.map(({ kind, at }) => [kind, at ?? 0]));
}

/** Differences of clocks that are no reason to change anything, milliseconds. */
const TOLERANCE_MS = 60_000;

const IDS = "id IN (SELECT value FROM json_each(?)) AND state = 'new'";

const rowOf = ({ id, kind, recipients, subject, text, html, createdAt, attachment, body, channelId }: NewMail) => {
  return { id, kind, recipients, subject, text, html, createdAt, attachment, body, channelId, notBefore: createdAt };
};

/** Stores a mail and marks its events as mailed, in one transaction. */
export async function postMail(db: Database, mail: NewMail, eventIds: readonly number[]): Promise<void> {
  const { id } = mail;
  await db.write([
    db.orm.insert(mails).values(rowOf(mail)),
    {
      sql: `UPDATE alert_events SET state = 'mailed', mail_id = ? WHERE ${IDS}`,
      args: [id, JSON.stringify(eventIds)],
    },
  ]);
}

/** Marks events as muted: no mail is made of them. */
export async function muteEvents(db: Database, eventIds: readonly number[]): Promise<void> {
  if (eventIds.length === 0) return;
  await db.write([{ sql: `UPDATE alert_events SET state = 'muted' WHERE ${IDS}`, args: [JSON.stringify(eventIds)] }]);
}

const isDue = (now: number, channel: string | null) =>
  and(eq(mails.state, "waiting"), lte(mails.notBefore, now), inChannel(channel));

/** Leases the mail that has been due for longest, until `now + leaseMs`; `undefined` if none is due. */
export async function takeMail(
  db: Database,
  now: number,
  leaseMs: number,
  channel: string | null = null,
): Promise<MailRow | undefined> {
  const due = db.orm
    .select({ id: mails.id })
    .from(mails)
    .where(isDue(now, channel))
    .orderBy(asc(mails.notBefore))
    .limit(1);
  const taken = await db.orm
    .update(mails)
    .set({ state: "sending", leasedUntil: now + leaseMs, attempts: sql`${mails.attempts} + 1` })
    .where(and(inArray(mails.id, due), isDue(now, channel)))
    .returning();
  return taken[0];
}

const isMine = ({ id, attempts }: MailRow) =>
  and(eq(mails.id, id), eq(mails.state, "sending"), eq(mails.attempts, attempts));

export async function mailSent(db: Database, mail: MailRow, now: number): Promise<void> {
  const set = { state: "sent", sentAt: now, leasedUntil: null, error: null } as const;
  await db.orm.update(mails).set(set).where(isMine(mail)).run();
}

/** Who has yet to get a mail, and who was refused for good; `later` of `null` is everybody. */
export type Remaining = Pick<MailRow, "later" | "refused">;

/**
 * Records that a mail could not be sent to the `remaining` recipients: it is tried again for those that may get it later
 * at `retryAt` (epoch milliseconds), or never (`null`).
 */
export async function mailFailed(
  db: Database,
  mail: MailRow,
  error: string,
  retryAt: number | null,
  { later, refused }: Remaining = mail,
): Promise<void> {
  const left = { leasedUntil: null, error, later, refused };
  const set =
    retryAt === null
      ? ({ ...left, state: "failed" } as const)
      : ({ ...left, state: "waiting", notBefore: retryAt } as const);
  await db.orm.update(mails).set(set).where(isMine(mail)).run();
}

/**
 * Puts mails right whose times lie further ahead than this server can have set them, because the clock was set back:
 * they are due now.
 * @returns how many there were
 */
export async function correctMails(
  db: Database,
  now: number,
  longest: { readonly retryMs: number; readonly leaseMs: number },
): Promise<number> {
  const isWaiting = and(eq(mails.state, "waiting"), gt(mails.notBefore, now + longest.retryMs + TOLERANCE_MS));
  const isSending = and(eq(mails.state, "sending"), gt(mails.leasedUntil, now + longest.leaseMs + TOLERANCE_MS));
  const isDueAhead = or(isWaiting, isSending);
  const isMadeAhead = gt(mails.createdAt, now + TOLERANCE_MS);
  // Every poll comes here: it writes nothing if nothing is wrong.
  const found = await db.orm.$count(mails, or(isDueAhead, isMadeAhead));
  if (found === 0) return 0;
  await db.write([
    db.orm.update(mails).set({ state: "waiting", leasedUntil: null, notBefore: now }).where(isDueAhead),
    db.orm.update(mails).set({ createdAt: now }).where(isMadeAhead),
  ]);
  return found;
}

/** Queues the mails again whose lease has expired: their sender crashed before it recorded a result. */
export async function releaseMails(db: Database, now: number): Promise<void> {
  await db.orm
    .update(mails)
    .set({ state: "waiting", leasedUntil: null })
    .where(and(eq(mails.state, "sending"), lte(mails.leasedUntil, now)))
    .run();
}

/** When the next mail, or message of a channel, is due or its lease expires, epoch milliseconds. */
export async function nextMailAt(db: Database, channel: string | null = null): Promise<number | null> {
  const at = sql`coalesce(${mails.leasedUntil}, ${mails.notBefore})`;
  const row = await db.orm
    .select({ at: min(at) })
    .from(mails)
    .where(and(inArray(mails.state, ["waiting", "sending"]), inChannel(channel)))
    .get();
  return row?.at == null ? null : Number(row.at);
}

/**
 * Queues a mail to be sent at once, to those recipients who do not have it. Of a mail that was sent already a copy is queued, because a mailbox may hide a
 * second mail with the same Message-ID.
 * @param copyId the id of the copy
 * @returns false if there is no such mail, or it is being sent right now
 */
export async function sendAgain(db: Database, id: string, copyId: string, now: number): Promise<boolean> {
  const mail = await findMail(db, id);
  if (mail === undefined || mail.state === "sending") return false;
  if (mail.state === "sent") {
    await db.write([db.orm.insert(mails).values(rowOf({ ...mail, id: copyId, createdAt: now }))]);
    return true;
  }
  const { rowsAffected } = await db.orm
    .update(mails)
    .set({
      state: "waiting",
      notBefore: now,
      createdAt: now,
      later: mail.later === null ? null : [...mail.later, ...mail.refused],
      refused: [],
    })
    .where(and(eq(mails.id, id), inArray(mails.state, ["waiting", "failed"])))
    .run();
  return rowsAffected > 0;
}

/** Makes every queued mail, or message of a channel, due, because the settings of its server have changed. */
export async function hurryMails(db: Database, now: number, channel: string | null = null): Promise<void> {
  await db.orm
    .update(mails)
    .set({ notBefore: now })
    .where(and(eq(mails.state, "waiting"), inChannel(channel)))
    .run();
}

/** One page of the mails in one state, or in all, without their bodies; newest first. */
export function listMails(db: Database, page: PageWindow, state?: MailRow["state"]) {
  const { text: _, html: __, body: ___, attachment: ____, ...columns } = getTableColumns(mails);
  const key = sql`(${mails.createdAt}, ${mails.id})`;
  return keyedPage(({ limit, before, after }) => {
    const order = after === undefined ? desc : asc;
    return db.orm
      .select(columns)
      .from(mails)
      .where(
        and(
          state && eq(mails.state, state),
          before && sql`${key} < (${before.at}, ${before.id})`,
          after && sql`${key} > (${after.at}, ${after.id})`,
        ),
      )
      .orderBy(order(mails.createdAt), order(mails.id))
      .limit(limit);
  }, page);
}

export async function findMail(db: Database, id: string): Promise<MailRow | undefined> {
  return db.orm.select().from(mails).where(eq(mails.id, id)).get();
}

/** How many mails are in each state; the sent ones are left out. */
export async function countMails(db: Database): Promise<Map<MailRow["state"], number>> {
  const rows = await db.orm
    .select({ state: mails.state, count: count() })
    .from(mails)
    .where(ne(mails.state, "sent"))
    .groupBy(mails.state);
  return new Map(rows.map((row) => [row.state, row.count]));
}

/** How many events are not part of a mail yet. */
export async function countNewEvents(db: Database): Promise<number> {
  return db.orm.$count(alertEvents, eq(alertEvents.state, "new"));
}

/**
 * Deletes the mails that were sent or given up before `before` (epoch milliseconds) with their events, and muted events
 * from before it.
 * @returns how many mails were deleted
 */
export async function deleteMails(db: Database, before: number): Promise<number> {
  const old = and(inArray(mails.state, ["sent", "failed"]), lt(mails.createdAt, before));
  const { rowsAffected } = await db.orm.delete(mails).where(old).run();
  await db.orm
    .delete(alertEvents)
    .where(and(eq(alertEvents.state, "muted"), lt(alertEvents.at, before)))
    .run();
  return rowsAffected;
}
