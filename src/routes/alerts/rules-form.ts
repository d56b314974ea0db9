/** The rules form of `/alerts`: from fields to rules and back. */

import { ALERT_KINDS, type AlertRules } from "../../domain/alerts.ts";
import { type FieldError, Refusal } from "../../domain/errors.ts";
import type { AlertFields } from "../../views/alerts/alerts-page.tsx";

export function fieldsOf({ on, quotaPercent, digestMinutes, quiet }: AlertRules): AlertFields {
  return {
    on: ALERT_KINDS.filter((kind) => on[kind]),
    quota_percent: String(quotaPercent),
    digest_minutes: String(digestMinutes),
    quiet: quiet ? "on" : "",
    quiet_from: quiet?.from ?? "22:00",
    quiet_to: quiet?.to ?? "07:00",
    quiet_zone: quiet?.zone ?? "UTC",
  };
}

/** What was sent, as text. */
export function readAlertFields(sent: Readonly<Record<string, unknown>>): AlertFields {
  const text = (name: string) => {
    const value = [sent[name]].flat().at(-1);
    return typeof value === "string" ? value.trim().slice(0, 100) : "";
  };
  return {
    on: [sent.on].flat().filter((each) => typeof each === "string"),
    quota_percent: text("quota_percent"),
    digest_minutes: text("digest_minutes"),
    quiet: text("quiet"),
    quiet_from: text("quiet_from"),
    quiet_to: text("quiet_to"),
    quiet_zone: text("quiet_zone"),
  };
}

/** @throws Refusal with one error per wrong field */
export function rulesOf(fields: AlertFields): AlertRules {
  const errors: FieldError[] = [];
  const whole = (path: "quota_percent" | "digest_minutes", min: number, max: number) => {
    const value = Number(fields[path]);
    if (/^\d{1,6}$/.test(fields[path]) && value >= min && value <= max) return value;
    errors.push({ path, message: `Wants a whole number from ${min} to ${max}` });
    return min;
  };
  const clock = (path: "quiet_from" | "quiet_to") => {
    if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(fields[path]))
      errors.push({ path, message: "Wants a time from 00:00 to 23:59" });
    return fields[path];
  };
  const rules: AlertRules = {
    on: Object.fromEntries(ALERT_KINDS.map((kind) => [kind, fields.on.includes(kind)])) as AlertRules["on"],
    quotaPercent: whole("quota_percent", 1, 100),
    digestMinutes: whole("digest_minutes", 0, 1_440),
    quiet:
      fields.quiet === "on"
        ? { from: clock("quiet_from"), to: clock("quiet_to"), zone: zone(fields.quiet_zone, errors) }
        : null,
  };
  if (rules.quiet && rules.quiet.from === rules.quiet.to)
    errors.push({ path: "quiet_to", message: "Wants another time than the beginning" });
  if (errors.length > 0) throw new Refusal("invalid", errors[0]!.message, errors);
  return rules;
}

function zone(text: string, errors: FieldError[]): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    errors.push({ path: "quiet_zone", message: "Wants a time zone such as Europe/Berlin" });
    return text;
  }
}
