/** The rules form of `/alerts`: converts fields to rules and back. */

import { z } from "zod";
import { ALERT_KINDS, type AlertRules, DEFAULT_ALERT_RULES } from "../../domain/alerts.ts";
import { Refusal } from "../../domain/errors.ts";
import { choice, fieldErrors, readable, wholeNumber } from "../../schemas.ts";
import type { AlertFields } from "../../views/alerts/alerts-page.tsx";
import { capitalised } from "../form-errors.ts";

export function fieldsOf({ on, quotaPercent, digestMinutes, quiet, summary }: AlertRules): AlertFields {
  return {
    on: ALERT_KINDS.filter((kind) => on[kind]),
    quota_percent: String(quotaPercent),
    digest_minutes: String(digestMinutes),
    quiet: quiet ? "on" : "",
    quiet_from: quiet?.from ?? "22:00",
    quiet_to: quiet?.to ?? "07:00",
    quiet_zone: quiet?.zone ?? "UTC",
    summary_at: summary.at,
    summary_zone: summary.zone,
  };
}

/** The fields of the form. */
export const ALERT_FIELDS = [
  ...["on", "quota_percent", "digest_minutes", "quiet", "quiet_from", "quiet_to", "quiet_zone"],
  ...["summary_at", "summary_zone"],
] as const satisfies readonly (keyof AlertFields)[];

/** The fields as sent, as text. */
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
    summary_at: text("summary_at") || DEFAULT_ALERT_RULES.summary.at,
    summary_zone: text("summary_zone") || DEFAULT_ALERT_RULES.summary.zone,
  };
}

const typedNumber = (min: number, max: number) =>
  z
    .string()
    .transform((text) => (/^\d{1,6}$/.test(text) ? Number(text) : Number.NaN))
    .pipe(wholeNumber(min, max));
const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: "wants a time from 00:00 to 23:59" });
const zone = readable(canonicalZone, () => "wants a time zone such as Europe/Berlin");

const common = {
  on: z.array(choice(ALERT_KINDS)),
  quota_percent: typedNumber(1, 100),
  digest_minutes: typedNumber(0, 1_440),
  summary_at: clockTime,
  summary_zone: zone,
};
const RuleFields = z.discriminatedUnion("quiet", [
  z.object({ ...common, quiet: z.literal("") }),
  z
    .object({ ...common, quiet: z.literal("on"), quiet_from: clockTime, quiet_to: clockTime, quiet_zone: zone })
    .refine(({ quiet_from, quiet_to }) => quiet_from !== quiet_to, {
      path: ["quiet_to"],
      error: "wants another time than the beginning",
      // Said together with the other faults.
      when: () => true,
    }),
]);

/** @throws Refusal with one error per wrong field */
export function rulesOf(fields: AlertFields): AlertRules {
  const { data, error } = RuleFields.safeParse({ ...fields, quiet: fields.quiet === "on" ? "on" : "" });
  if (error) {
    const errors = fieldErrors(error).map(({ path, message }) => ({ path, message: capitalised(message) }));
    throw new Refusal("invalid", errors[0]!.message, errors);
  }
  return {
    on: Object.fromEntries(ALERT_KINDS.map((kind) => [kind, data.on.includes(kind)])) as AlertRules["on"],
    quotaPercent: data.quota_percent,
    digestMinutes: data.digest_minutes,
    quiet: data.quiet === "on" ? { from: data.quiet_from, to: data.quiet_to, zone: data.quiet_zone } : null,
    summary: { at: data.summary_at, zone: data.summary_zone },
  };
}

/** The zone's name as the time zone database has it, or `null`. */
function canonicalZone(text: string): string | null {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}
