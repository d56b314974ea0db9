/** @jsxImportSource hono/jsx */
/** Renders `/settings` as it is now, and what a form has to say about a part of it. */

import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { describeFact } from "../../domain/plan.ts";
import { listProviders } from "../../providers/registry.ts";
import { withoutPlace } from "../../scheduler/settings/provider-settings.ts";
import type { MailSettingsView } from "../../views/alerts/mail-settings.tsx";
import type { BackupsView } from "../../views/backups.tsx";
import { type ProviderSettingsView, SettingsPage } from "../../views/settings.tsx";
import { mailView } from "../alerts/mail-settings-form.ts";
import { isAdmin } from "../page-context.ts";
import { quotaViews } from "../quotas/gauges.ts";
import type { Services } from "../services.ts";
import { backupsView } from "./backups.ts";
import { lakeView } from "./lake.ts";
import { currentPlans } from "./plans.ts";

export type SettingsServices = Pick<
  Services,
  | "backups"
  | "calendar"
  | "config"
  | "counters"
  | "db"
  | "gate"
  | "hub"
  | "lake"
  | "limiter"
  | "mail"
  | "redact"
  | "runs"
  | "settings"
  | "usage"
>;

/** What the sections below the providers show besides the present state. */
interface MoreViews {
  readonly mail?: Partial<MailSettingsView>;
  readonly backups?: Partial<BackupsView>;
}

/** Renders the page; `about` overrides the view of one provider, `more` those of other sections. */
export type ShowSettings = (
  c: Context,
  about?: Partial<ProviderSettingsView>,
  status?: ContentfulStatusCode,
  more?: MoreViews,
) => Promise<Response>;

export function settingsPage(services: SettingsServices): ShowSettings {
  const { settings } = services;

  const mailOf = (c: Context, about: Partial<MailSettingsView> = {}) => {
    if (isAdmin(c)) return mailView(services, about);
    return mailView(services, { values: { server: "", from: "", to: "" }, hidden: true });
  };

  return async (c, about = {}, status = 200, more = {}) => {
    const plans = await currentPlans(services);
    const quotas = new Map(quotaViews(services).map((quota) => [quota.provider, quota]));
    const providers = listProviders(settings.values).flatMap((entry) => {
      const { name, title, summary } = entry;
      const quota = quotas.get(name);
      if (quota === undefined) return [];
      const view = {
        name,
        title,
        summary,
        fields: settings.describe(entry).map((field) => (isAdmin(c) ? field : withoutPlace(field))),
        plan: (plans.get(name) ?? []).map(describeFact).sort(),
        quota,
        errors: {},
        flash: null,
      };
      return [about.name === name ? { ...view, ...about } : view];
    });
    return c.html(
      <SettingsPage
        page={{ ...c.var.page, path: "/settings" }}
        view={{
          providers,
          keepsKeys: settings.keepsKeys,
          mail: mailOf(c, more.mail),
          backups: backupsView(services, !isAdmin(c), more.backups),
          lake: await lakeView(services, !isAdmin(c)),
        }}
      />,
      status,
    );
  };
}
