/** `/settings`: the providers' keys, addresses and limits, the mail server, backups, and the lake. Keys are never shown. */

import { Hono } from "hono";
import { saveMail } from "../alerts/mail-settings-form.ts";
import { backUpNow, saveBackups } from "./backups.ts";
import { providerForms } from "./provider-forms.tsx";
import { type SettingsServices, settingsPage } from "./settings-page.tsx";

export function settingsPages(services: SettingsServices): Hono {
  const show = settingsPage(services);
  const pages = new Hono();

  pages.get("/settings", (c) => {
    const saved = c.req.query("saved");
    const flash = { level: "info", text: "Saved; the next request uses it" } as const;
    if (saved === "mail")
      return show(c, {}, 200, {
        mail: { flash: { level: "info", text: "Saved: the mail server accepted the connection" } },
      });
    if (saved === "backups") return show(c, {}, 200, { backups: { flash: { level: "info", text: "Saved" } } });
    return saved === undefined ? show(c) : show(c, { name: saved, flash });
  });

  // These addresses only receive forms: a reload leads back to the page.
  pages.get("/settings/*", (c) => c.redirect("/settings"));

  pages.post("/settings/mail", async (c) => {
    const refused = await saveMail(services, await c.req.parseBody());
    return refused === null ? c.redirect("/settings?saved=mail#mail", 303) : show(c, {}, 422, { mail: refused });
  });

  pages.post("/settings/mail/forget", async (c) => {
    await services.mail.forget();
    return c.redirect("/settings#mail", 303);
  });

  pages.post("/settings/backups", async (c) => {
    const refused = await saveBackups(services, await c.req.parseBody());
    if (refused === null) return c.redirect("/settings?saved=backups#backups", 303);
    return show(c, {}, 422, { backups: refused });
  });

  pages.post("/settings/backups/now", async (c) => {
    const refused = await backUpNow(services);
    if (refused === null) return c.redirect("/settings#backups", 303);
    return show(c, {}, refused.status, { backups: refused.about });
  });

  // Last: the other addresses look like those of a provider.
  pages.route("/", providerForms(services, show));
  return pages;
}
