/** @jsxImportSource hono/jsx */
/** `/alerts`: the rules, the mails, the test mail. */

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { isQuiet } from "../../alerts/digest.ts";
import { MAIL_STATES } from "../../domain/alerts.ts";
import { Refusal } from "../../domain/errors.ts";
import { countNewEvents, findMail, listMails } from "../../storage/alerts/outbox.ts";
import { AlertsPage, type AlertsView, MailPage } from "../../views/alerts/alerts-page.tsx";
import { formatCursor, parseCursor } from "../cursor.ts";
import { errorsByField, requireKnownFields } from "../form-errors.ts";
import { chosen } from "../http/page-query.ts";
import { isAdmin } from "../page-context.ts";
import type { Services } from "../services.ts";
import { ALERT_FIELDS, fieldsOf, readAlertFields, rulesOf } from "./rules-form.ts";
import { withoutAddresses, withoutPlaces } from "./without-addresses.ts";

/** Mails on a page. */
const SHOWN = 100;

const DONE = {
  saved: "Saved; the rules hold from now on",
  test: "The test mail is on its way: its state is below",
  again: "The mail is on its way again",
} as const;

export function alertPages({ db, outbox, channels }: Pick<Services, "db" | "outbox" | "channels">) {
  const pages = new Hono();

  const show = async (c: Context, more: Partial<AlertsView> = {}, status: ContentfulStatusCode = 200) => {
    const { account, rules, waits } = outbox;
    const state = chosen(c, "state", MAIL_STATES);
    const cursor = (name: string) => parseCursor(c.req.query(name) ?? "") ?? undefined;
    const page = await listMails(db, { limit: SHOWN, before: cursor("before"), after: cursor("after") }, state);
    const view: AlertsView = {
      fields: fieldsOf(rules),
      errors: {},
      account: account && (isAdmin(c) ? { host: new URL(account.url).host, to: account.to } : "hidden"),
      unreadable: waits,
      mails: isAdmin(c) ? page.rows : page.rows.map(withoutAddresses),
      older: page.older && formatCursor(page.older),
      newer: page.newer && formatCursor(page.newer),
      state: state ?? null,
      waiting: await countNewEvents(db),
      quietNow: isQuiet(rules.quiet, Date.now()),
      channels: channels.list().filter(({ enabled }) => enabled).length,
      flash: null,
      ...more,
    };
    return c.html(<AlertsPage page={{ ...c.var.page, path: "/alerts" }} view={view} />, status);
  };
  const done = (c: Context, what: keyof typeof DONE) => c.redirect(`/alerts?done=${what}`, 303);

  pages.get("/alerts", (c) => {
    const what = c.req.query("done") ?? "";
    const text = Object.hasOwn(DONE, what) ? DONE[what as keyof typeof DONE] : null;
    return show(c, { flash: text === null ? null : { level: "info", text } });
  });

  pages.post("/alerts", async (c) => {
    const sent = await c.req.parseBody({ all: true });
    requireKnownFields(sent, ALERT_FIELDS);
    const fields = readAlertFields(sent);
    try {
      await outbox.changeRules(rulesOf(fields));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const errors = errorsByField(error);
      // A kind that there is not has no field of its own.
      const where = error.errors.some(({ path }) => path.startsWith("on.")) ? error.message : "see below";
      return show(c, { fields, errors, flash: { level: "error", text: `Nothing was saved: ${where}` } }, error.status);
    }
    return done(c, "saved");
  });

  pages.post("/alerts/test", async (c) => {
    await outbox.sendTest();
    return done(c, "test");
  });

  pages.get("/alerts/mails/:id", async (c) => {
    const mail = await findMail(db, c.req.param("id"));
    if (mail === undefined) throw new Refusal("not_found", "There is no such mail");
    return c.html(<MailPage page={c.var.page} mail={isAdmin(c) ? mail : withoutPlaces(mail)} />);
  });

  pages.post("/alerts/mails/:id/again", async (c) => {
    const id = c.req.param("id");
    const isMail = ((await findMail(db, id))?.channelId ?? null) === null;
    await (isMail ? outbox : channels).sendAgain(id);
    return done(c, "again");
  });

  return pages;
}
