/** @jsxImportSource hono/jsx */
/** The forms of a provider on `/settings`: its keys, addresses and limits, a check of its key, its plan, the end of a hold. */

import { type Context, Hono } from "hono";
import { Refusal } from "../../domain/errors.ts";
import { isoMillisecond, writeMoment } from "../../domain/time.ts";
import { directJobStore } from "../../pipeline/store/direct-store.ts";
import { planMemory } from "../../pipeline/store/plan-memory.ts";
import { missingSettings, type ProviderEntry } from "../../providers/entry.ts";
import { RateLimiter } from "../../providers/quotas/rate-limiter.ts";
import { accountFor, findProvider, quotaRules, secretsOf } from "../../providers/registry.ts";
import type { SettingValues } from "../../providers/setting.ts";
import { redactor } from "../../redact.ts";
import { rateLimitGate } from "../../scheduler/quotas/rate-limit-gate.ts";
import { checkProvider, temporaryPlan } from "../../scheduler/settings/provider-check.ts";
import { record } from "../../storage/access/audit.ts";
import { forgetPlans } from "../../storage/quotas/plan-facts.ts";
import { ConfirmPage, type ConfirmView } from "../../views/ui/confirm-dialog.tsx";
import type { Flash } from "../../views/ui/flash-message.tsx";
import { errorsByField, requireKnownFields } from "../form-errors.ts";
import type { SettingsServices, ShowSettings } from "./settings-page.tsx";

/** What was sent of a provider's settings: the changed variables, `null` for those that return to their default. */
interface SentForm {
  readonly entry: ProviderEntry;
  readonly changes: ReadonlyMap<string, string | null>;
}

/** @param show renders the page with what a form has to say */
export function providerForms(services: SettingsServices, show: ShowSettings): Hono {
  const { settings } = services;
  const pages = new Hono();

  /** The fields with what was typed, keys included: the response goes to the person who typed them and is not cached. */
  const typedFields = ({ entry, changes }: SentForm) =>
    settings.describe(entry).map((field) => {
      const typed = changes.get(field.variable);
      return typed != null && field.locked === null ? { ...field, value: typed } : field;
    });

  /** Shows why a form was refused, with what was typed but keys. */
  const refuse = (c: Context, { entry, changes }: SentForm, error: unknown, text: string) => {
    if (!(error instanceof Refusal)) throw error;
    const isKey = new Set(entry.settings.filter(({ kind }) => kind === "key").map(({ variable }) => variable));
    const shown = new Map([...changes].filter(([variable]) => !isKey.has(variable)));
    const fields = typedFields({ entry, changes: shown });
    const flash = { level: "error", text } as const;
    return show(c, { name: entry.name, errors: errorsByField(error), flash, fields }, error.status);
  };

  pages.post("/settings/:provider", async (c) => {
    const entry = entryOf(c);
    const changes = changesOf(entry, await c.req.parseBody({ all: true }));
    try {
      await settings.change(entry, changes);
    } catch (error) {
      return refuse(c, { entry, changes }, error, "Nothing was saved: see below");
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
        title: `Send requests to ${title} again now?`,
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
    const changes = changesOf(entry, await c.req.parseBody({ all: true }));
    let values: SettingValues;
    try {
      values = settings.preview(entry, changes);
    } catch (error) {
      return refuse(c, { entry, changes }, error, "Nothing was checked: see below");
    }
    const fields = typedFields({ entry, changes });
    const say = (level: Flash["level"], text: string) => show(c, { name: entry.name, fields, flash: { level, text } });
    const keys = entry.settings.filter(({ kind }) => kind === "key");
    if (keys.length === 0) return say("info", "It needs no key");
    const missing = missingSettings(entry, values);
    if (missing.length > 0) return say("error", `Not set: ${missing.join(", ")}`);
    const { good, text, quota, plan } = await checkProvider(
      entry.create(values, services.calendar),
      checkContext(services, entry.name, values),
      { entry, values },
    );
    const isTyped = keys.some(({ variable }) => values[variable] !== settings.values[variable]);
    const more = [...quota, ...plan.map((fact) => `plan: ${fact}`), ...(good && isTyped ? ["not saved yet"] : [])];
    return say(good ? "info" : "error", [text, ...more].join(" · "));
  });

  return pages;
}

function entryOf(c: Context): ProviderEntry {
  const entry = findProvider(c.req.param("provider") ?? "");
  if (entry) return entry;
  throw new Refusal("not_found", "There is no such provider");
}

/**
 * Limiter, memory of the plan and redaction for a check with `values`. A key that is not in use has an account and a plan
 * of its own: it is not limited by what the one in use has spent, and nothing about it is stored.
 */
function checkContext(services: SettingsServices, name: string, values: SettingValues) {
  const { counters, db, usage, settings } = services;
  const ownRedact = redactor(secretsOf(values));
  const redact = (text: string) => ownRedact(services.redact(text));
  const account = accountFor(name, values);
  if (account === accountFor(name, settings.values))
    return { gate: services.gate, plan: planMemory(directJobStore(db), account), redact };
  const limiter = new RateLimiter(quotaRules(values).filter(({ provider }) => provider === name));
  return { gate: rateLimitGate(limiter, usage, counters, async () => {}), plan: temporaryPlan(), redact };
}

/** The changes in the form: an empty key stays unchanged, any other empty field returns to its default. */
function changesOf(entry: ProviderEntry, sent: Readonly<Record<string, unknown>>): Map<string, string | null> {
  requireKnownFields(sent, [...entry.settings.map(({ variable }) => variable), "forget"]);
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
