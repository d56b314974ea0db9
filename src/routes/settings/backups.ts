/** The backups on the settings page: what it shows, and its form. */

import { z } from "@hono/zod-openapi";
import { waitAtMost } from "../../clock.ts";
import { hasControlCharacters, invalidFields, Refusal } from "../../domain/errors.ts";
import { DEFAULT_KEEP } from "../../scheduler/backups/plan.ts";
import { fieldErrors } from "../../schemas.ts";
import type { BackupFields, BackupsView } from "../../views/backups.tsx";
import { sizeText } from "../../views/ui/format.ts";
import { capitalised, errorsByField, requireKnownFields } from "../form-errors.ts";
import type { Services } from "../services.ts";

type BackupServices = Pick<Services, "backups">;

/** How long an answer waits for a backup that was begun: a small one is then on the page already. */
const SHOW_MS = 2_000;
const MAX_FOLDER = 1_000;

export function backupsView(
  { backups }: BackupServices,
  hidden: boolean,
  about: Partial<BackupsView> = {},
): BackupsView {
  const { plan, last, failure } = backups;
  return {
    remote: !backups.possible,
    hidden,
    values: { folder: plan.folder, at: plan.at ?? "", keep: String(plan.keep) },
    hasFolder: plan.folder !== "",
    madeFor: backups.madeFor,
    underwaySince: backups.underwaySince,
    next: backups.next(),
    last: last === null ? null : { ...last, size: sizeText(last.bytes) },
    failure,
    errors: {},
    flash: null,
    ...about,
  };
}

const choice = z.object({
  folder: z
    .string()
    .max(MAX_FOLDER, `is longer than ${MAX_FOLDER} characters`)
    .refine((text) => !hasControlCharacters(text), "has characters that no folder has"),
  at: z
    .string()
    .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d)?$/, "wants a time such as 03:30, or nothing")
    .transform((text) => (text === "" ? null : text)),
  keep: z
    .string()
    .regex(/^\d{1,4}$/, "wants a whole number from 1 to 1000")
    .transform(Number)
    .refine((count) => count >= 1 && count <= 1_000, "wants a whole number from 1 to 1000"),
});

/** Checks and saves the form; returns what it shows if it was refused, otherwise `null`. */
export async function saveBackups(
  { backups }: BackupServices,
  sent: Readonly<Record<string, unknown>>,
): Promise<Partial<BackupsView> | null> {
  requireKnownFields(sent, ["folder", "at", "keep"]);
  const text = (name: string) => (typeof sent[name] === "string" ? sent[name].trim() : "");
  const values: BackupFields = { folder: text("folder"), at: text("at"), keep: text("keep") || String(DEFAULT_KEEP) };
  const refused = (errors: Readonly<Record<string, string>>): Partial<BackupsView> => ({
    values,
    errors,
    flash: { level: "error", text: "Nothing was saved: see below" },
  });
  const checked = choice.safeParse(values);
  if (!checked.success) return refused(errorsByField(invalidFields(fieldErrors(checked.error))));
  try {
    await backups.change(checked.data);
    return null;
  } catch (error) {
    if (!(error instanceof Refusal) || error.errors.length === 0) throw error;
    return refused(errorsByField(error));
  }
}

/** Begins a backup; returns what is shown if it was refused, otherwise `null`, soon after a small one has ended. */
export async function backUpNow({
  backups,
}: BackupServices): Promise<{ readonly status: Refusal["status"]; readonly about: Partial<BackupsView> } | null> {
  try {
    await waitAtMost(backups.backUpNow(), SHOW_MS);
    return null;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const flash = { level: "error", text: capitalised(error.message) } as const;
    return { status: error.status, about: { errors: errorsByField(error), flash } };
  }
}
