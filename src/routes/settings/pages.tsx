/** @jsxImportSource hono/jsx */
/** `/settings`: the providers' keys, addresses and limits, and the mail server. Keys are never shown. */

import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { Refusal } from "../../domain/errors.ts";
import { currentFacts, describeFact } from "../../domain/plan.ts";
import { isoMillisecond, writeMoment } from "../../domain/time.ts";
import { missingSettings, type ProviderEntry } from "../../providers/entry.ts";
import { accountFor, findProvider, listProviders } from "../../providers/registry.ts";
import { checkProvider } from "../../scheduler/settings/provider-check.ts";
import { record } from "../../storage/access/audit.ts";
import { forgetPlans, readPlanFacts } from "../../storage/quotas/plan-facts.ts";
import type { MailSettingsView } from "../../views/alerts/mail-settings.tsx";
import { type ProviderSettingsView, SettingsPage } from "../../views/settings.tsx";
import { ConfirmPage, type ConfirmView } from "../../views/ui/confirm-dialog.tsx";
import { mailView, saveMail } from "../alerts/mail-settings-form.ts";
import { errorsByField } from "../form-errors.ts";
import { isAdmin } from "../page-context.ts";
import { quotaViews } from "../quotas/gauges.ts";
import type { Services } from "../services.ts";

type SettingsServices = Pick<
  Services,
  "db" | "gate" | "hub" | "limiter" | "mail" | "provider" | "redact" | "runs" | "settings" | "usage"
>;

export function settingsPages(services: SettingsServices) {
  const { settings } = services;
  const pages = new Hono();

  const mailOf = (c: Context, about: Partial<MailSettingsView>) => {
    if (isAdmin(c)) return mailView(services, about);
    return mailView(services, { values: { server: "", from: "", to: "" }, hidden: true });
  };

  /** Renders the page; `about` overrides the view of one provider. */
  const show = async (
    c: Context,
    about: Partial<ProviderSettingsView> = {},
    status: ContentfulStatusCode = 200,
    aboutMail: Partial<MailSettingsView> = {},
  ) => {
    const plans = new Map<string, string[]>();
    for (const { name } of listProviders(settings.values)) {
      const facts = await readPlanFacts(services.db, accountFor(name, settings.values));
      plans.set(name, currentFacts(facts, Date.now()).map(describeFact).sort());
    }
    const quotas = new Map(quotaViews(services).map((quota) => [quota.provider, quota]));
    const providers = listProviders(settings.values).flatMap((entry) => {
      const { name, title, summary } = entry;
      const quota = quotas.get(name);
      if (quota === undefined) return [];
      const view = {
        name,
        title,
        summary,
        fields: settings.describe(entry),
        plan: plans.get(name) ?? [],
        quota,
        errors: {},
        flash: null,
      };
      return [about.name === name ? { ...view, ...about } : view];
    });
    return c.html(
      <SettingsPage
        page={{ ...c.var.page, path: "/settings" }}
        view={{ providers, keepsKeys: settings.keepsKeys, mail: mailOf(c, aboutMail) }}
      />,
      status,
    );
  };

  pages.get("/settings", (c) => {
    const saved = c.req.query("saved");
    const flash = { level: "info", text: "Saved; the next request uses it" } as const;
    if (saved === "mail")
      return show(c, {}, 200, { flash: { level: "info", text: "Saved: the mail server accepted the connection" } });
    return saved === undefined ? show(c) : show(c, { name: saved, flash });
  });

  // These addresses only receive forms: a reload leads back to the page.
  pages.get("/settings/*", (c) => c.redirect("/settings"));

  pages.post("/settings/mail", async (c) => {
    const refused = await saveMail(services, await c.req.parseBody());
    return refused === null ? c.redirect("/settings?saved=mail#mail", 303) : show(c, {}, 422, refused);
  });

  pages.post("/settings/mail/forget", async (c) => {
    await services.mail.forget();
    return c.redirect("/settings#mail", 303);
  });

  pages.post("/settings/:provider", async (c) => {
    const entry = entryOf(c);
    const changes = changesOf(entry, await c.req.parseBody({ all: true }));
    try {
      await settings.change(entry, changes);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const errors = errorsByField(error);
      const flash = { level: "error", text: "Nothing was saved: see below" } as const;
      // Typed values are kept, except keys.
      const fields = settings.describe(entry).map((field) => {
        const typed = changes.get(field.variable);
        return field.kind === "key" || field.locked !== null || typed == null ? field : { ...field, value: typed };
      });
      return show(c, { name: entry.name, errors, flash, fields }, error.status);
    }
    return c.redirect(`/settings?saved=${entry.name}#provider-${entry.name}`, 303);
  });

  pages.post("/settings/:provider/plan/forget", async (c) => {
    const { name } = entryOf(c);
    await forgetPlans(services.db, name);
    return c.redirect(`/settings#provider-${name}`, 303);
  });

  pages.post("/settings/:provider/hold/lift", async (c) => {
    const { name, title } = entryOf(c);
    const hold = services.limiter.state(name)?.hold ?? null;
    const back = `/settings#provider-${name}`;
    if (hold === null) return c.redirect(back, 303);
    const { expect } = await c.req.parseBody();
    if (expect !== String(hold.until)) {
      const dialog: ConfirmView = {
        title: `Ask ${title} again now?`,
        facts: [
          `Requests are held until ${writeMoment(hold.until * 1_000, c.var.page.timeZone, "second")}: ${hold.reason}.`,
          "If the vendor has banned this key or address, a request before the end may make the ban longer.",
        ],
        action: `/settings/${name}/hold/lift`,
        expect: hold.until,
        yes: "Lift the hold",
        no: "Keep waiting",
        back,
      };
      return c.html(<ConfirmPage page={{ ...c.var.page, path: "/settings" }} dialog={dialog} />);
    }
    await services.limiter.liftHold(name);
    services.runs.control.wake(name);
    const before = { until: isoMillisecond(hold.until), reason: hold.reason };
    await record(services.db, { action: "hold.lift", subject: name, before });
    return c.redirect(back, 303);
  });

  pages.post("/settings/:provider/check", async (c) => {
    const entry = entryOf(c);
    const provider = services.provider(entry.name);
    const keys = settings.describe(entry).filter(({ kind }) => kind === "key");
    if (keys.length === 0) return show(c, { name: entry.name, flash: { level: "info", text: "It needs no key" } });
    if (provider === undefined) {
      const text = `Not set: ${missingSettings(entry, settings.values).join(", ")}`;
      return show(c, { name: entry.name, flash: { level: "error", text } });
    }
    const byQuota = keys.every(({ source }) => source !== "default");
    const { good, text } = await checkProvider(provider, services, { byQuota });
    return show(c, { name: entry.name, flash: { level: good ? "info" : "error", text } });
  });

  return pages;
}

function entryOf(c: Context): ProviderEntry {
  const entry = findProvider(c.req.param("provider") ?? "");
  if (entry) return entry;
  throw new Refusal("not_found", "There is no such provider");
}

/** The changes in the form: an empty key stays unchanged, any other empty field returns to its default. */
function changesOf(entry: ProviderEntry, sent: Readonly<Record<string, unknown>>): Map<string, string | null> {
  const remove = new Set([sent.forget].flat());
  const changes = new Map<string, string | null>();
  for (const { variable, kind } of entry.settings) {
    const value = [sent[variable]].flat().at(-1);
    if (remove.has(variable)) changes.set(variable, null);
    else if (typeof value === "string" && value.trim() !== "") changes.set(variable, value.trim());
    else if (typeof value === "string" && kind !== "key") changes.set(variable, null);
  }
  return changes;
}
