/** The mail server's form on the settings page. */

import { Refusal } from "../../domain/errors.ts";
import type { MailSettingsView } from "../../views/alerts/mail-settings.tsx";
import { errorsByField, requireKnownFields } from "../form-errors.ts";
import type { Services } from "../services.ts";

export function mailView({ mail }: Pick<Services, "mail">, about: Partial<MailSettingsView> = {}): MailSettingsView {
  return {
    values: mail.fields ?? { server: "", from: "", to: "" },
    hasPassword: mail.hasPassword,
    fixed: mail.fixed,
    keepsPassword: mail.keepsPassword,
    unreadable: mail.unreadable,
    isSet: mail.fields !== null,
    hidden: false,
    errors: {},
    flash: null,
    ...about,
  };
}

/** Checks and saves the form; returns what the form shows if it was refused, otherwise `null`. */
export async function saveMail(
  { mail }: Pick<Services, "mail">,
  sent: Readonly<Record<string, unknown>>,
): Promise<Partial<MailSettingsView> | null> {
  requireKnownFields(sent, ["server", "password", "from", "to"]);
  const text = (name: string) => (typeof sent[name] === "string" ? sent[name].trim().slice(0, 1_000) : "");
  const values = { server: text("server"), from: text("from"), to: text("to") };
  const password = typeof sent.password === "string" ? sent.password : "";
  try {
    await mail.change(values, password);
    return null;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const errors = errorsByField(error);
    // A password typed into the address is not shown again.
    const server = values.server.replace(/^(\w+:\/\/[^:@/]*):.*@/, "$1@");
    return { values: { ...values, server }, errors, flash: { level: "error", text: "Nothing was saved: see below" } };
  }
}
