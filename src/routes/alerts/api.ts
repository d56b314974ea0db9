/** `GET /api/alerts`: the rules, where alerts go, and the messages that were made of them. */

import { createRoute, z } from "@hono/zod-openapi";
import { isQuiet } from "../../alerts/digest.ts";
import { ALERT_KINDS, type AlertRules, MAIL_STATES } from "../../domain/alerts.ts";
import { wholeNumberText } from "../../schemas.ts";
import { countNewEvents, listMails } from "../../storage/alerts/outbox.ts";
import { apiRouter, cursorParameter, json, refusals } from "../api/parameters.ts";
import { formatCursor } from "../cursor.ts";
import { isAdmin } from "../page-context.ts";
import type { Services } from "../services.ts";
import { withoutAddresses } from "./without-addresses.ts";

const TIME_OF_DAY = "A time of day, HH:MM";

const Rules = z.object({
  on: z.array(z.enum(ALERT_KINDS)).openapi({ description: "The kinds that are mailed" }),
  quota_percent: z.int().openapi({ description: "Share of a day's or month's quota at which a mail is sent" }),
  digest_minutes: z.int().openapi({ description: "How long events of a kind are collected into one mail" }),
  quiet: z
    .object({
      from: z.string().openapi({ description: TIME_OF_DAY }),
      to: z.string().openapi({ description: TIME_OF_DAY }),
      zone: z.string().openapi({ description: "IANA time zone" }),
    })
    .nullable(),
  summary: z.object({ at: z.string().openapi({ description: TIME_OF_DAY }), zone: z.string() }),
});

const Message = z
  .object({
    id: z.string(),
    kind: z.enum([...ALERT_KINDS, "test"]),
    subject: z.string(),
    recipients: z.string().nullable().openapi({ description: "Shown to the scope admin, otherwise null" }),
    channel_id: z.string().nullable().openapi({ description: "null: a mail" }),
    state: z.enum(MAIL_STATES),
    attempts: z.int(),
    error: z.string().nullable(),
    created_at: z.string(),
    not_before: z.string().openapi({ description: "It is not sent before" }),
    sent_at: z.string().nullable(),
  })
  .openapi("AlertMessage");

const Alerts = z.object({
  rules: Rules,
  quiet_now: z.boolean(),
  mail: z
    .object({
      set: z.boolean().openapi({ description: "Whether there is a mail server that can be used" }),
      unreadable: z.boolean().openapi({ description: "Whether one is set that cannot be used for now" }),
      host: z.string().nullable().openapi({ description: "Shown to the scope admin, otherwise null" }),
      to: z.array(z.string()).nullable().openapi({ description: "Shown to the scope admin, otherwise null" }),
    })
    .openapi({ description: "The mail server" }),
  channels: z.int().openapi({ description: "Enabled channels other than mail" }),
  waiting: z.int().openapi({ description: "Events that are not part of a mail yet" }),
  messages: z.array(Message),
  older: z.string().nullable(),
  newer: z.string().nullable(),
});

const read = createRoute({
  method: "get",
  path: "/alerts",
  operationId: "listAlerts",
  tags: ["Operation"],
  summary:
    "The rules of alerts and their messages, newest first; the next pages are at `before` and `after` with `older` and `newer` of the answer",
  request: {
    query: z
      .strictObject({
        state: z.enum(MAIL_STATES).optional(),
        limit: wholeNumberText(1, 1_000).default(100),
        before: cursorParameter.optional(),
        after: cursorParameter.optional(),
      })
      .refine(({ before, after }) => before === undefined || after === undefined, {
        error: "before and after are two pages: ask for one",
        path: ["after"],
      }),
  },
  responses: { 200: json("The alerts", Alerts), ...refusals(422) },
});

export const alertRoutes = ({ db, outbox, channels }: Pick<Services, "channels" | "db" | "outbox">) =>
  apiRouter().openapi(read, async (c) => {
    const { state, ...window } = c.req.valid("query");
    const { account, rules, waits } = outbox;
    const mayKnow = isAdmin(c);
    const page = await listMails(db, window, state);
    const messages = page.rows.map((mail) => ({
      id: mail.id,
      kind: mail.kind,
      subject: mail.subject,
      recipients: mayKnow ? mail.recipients : null,
      channel_id: mail.channelId,
      state: mail.state,
      attempts: mail.attempts,
      error: mayKnow ? mail.error : withoutAddresses(mail).error,
      created_at: isoMoment(mail.createdAt),
      not_before: isoMoment(mail.notBefore),
      sent_at: mail.sentAt === null ? null : isoMoment(mail.sentAt),
    }));
    const body = {
      rules: rulesToWire(rules),
      quiet_now: isQuiet(rules.quiet, Date.now()),
      mail: {
        set: account !== null,
        unreadable: waits,
        host: account !== null && mayKnow ? new URL(account.url).host : null,
        to: account !== null && mayKnow ? [...account.to] : null,
      },
      channels: channels.list().filter(({ enabled }) => enabled).length,
      waiting: await countNewEvents(db),
      messages,
      older: page.older && formatCursor(page.older),
      newer: page.newer && formatCursor(page.newer),
    };
    return c.json(body, 200);
  });

const isoMoment = (milliseconds: number) => new Date(milliseconds).toISOString();

const rulesToWire = ({ on, quotaPercent, digestMinutes, quiet, summary }: AlertRules) => ({
  on: ALERT_KINDS.filter((kind) => on[kind]),
  quota_percent: quotaPercent,
  digest_minutes: digestMinutes,
  quiet,
  summary,
});
