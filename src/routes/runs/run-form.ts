/** The run form: converts text fields to a request, and a refusal to errors by field. */

import { MAX_AT_WORK, RUN_DEFAULTS } from "../../domain/defaults.ts";
import type { Refusal } from "../../domain/errors.ts";
import { DAY } from "../../domain/market/interval.ts";
import { splitSymbols } from "../../domain/market/symbol.ts";
import { isoDate } from "../../domain/time.ts";
import { readyProviders } from "../../providers/registry.ts";
import { parseRunRequest, type RunRequest } from "../../scheduler/runs/run-request.ts";
import { RUN_FIELDS, type RunField, type RunFormView } from "../../views/runs/run-form.tsx";
import { errorSentences, requireKnownFields } from "../form-errors.ts";
import type { Services } from "../services.ts";

type Values = RunFormView["values"];

/** The form with its defaults and no symbols; `values` overrides them. */
export function emptyForm(
  { config, settings }: Pick<Services, "config" | "settings">,
  values: Partial<Values> = {},
  errors: RunFormView["errors"] = {},
): RunFormView {
  return {
    values: {
      symbols: "",
      from: "",
      to: "",
      name: "",
      mode: RUN_DEFAULTS.mode,
      interval: RUN_DEFAULTS.interval,
      years: String(RUN_DEFAULTS.years),
      provider: config.provider,
      max_workers: String(MAX_AT_WORK),
      batch_days: String(RUN_DEFAULTS.batchDays),
      ...values,
    },
    errors,
    providers: readyProviders(settings.values),
  };
}

/** The form's fields as sent; fields that are missing or not text are left out. @throws Refusal for a field that there is not */
export function readFields(body: Readonly<Record<string, unknown>>): Partial<Values> {
  requireKnownFields(body, RUN_FIELDS);
  const entries = RUN_FIELDS.flatMap((field): [RunField, string][] => {
    const value = body[field];
    return typeof value === "string" ? [[field, value]] : [];
  });
  return Object.fromEntries(entries);
}

/** @throws Refusal with one error per wrong field */
export function runRequestOf(values: Partial<Values>): RunRequest {
  const { symbols = "", name, years, from, to, batch_days, max_workers, ...rest } = values;
  const isDated = from?.trim() || to?.trim();
  return parseRunRequest({
    ...rest,
    symbols: splitSymbols(symbols),
    name: name?.trim() || undefined,
    years: isDated ? undefined : years === "all" ? years : numberOf(years),
    from: from?.trim() || undefined,
    to: to?.trim() ? dayAfter(to.trim()) : undefined,
    batch_days: numberOf(batch_days),
    max_workers: numberOf(max_workers),
  });
}

/** The day after an ISO date, because the form includes the last day; any other text as it is. */
const dayAfter = (date: string) => {
  const at = Date.parse(date);
  return /^\d{4}-\d\d-\d\d$/.test(date) && !Number.isNaN(at) ? isoDate(at / 1_000 + DAY) : date;
};

/** An empty field takes its default; text that is not a number becomes NaN, which the check refuses. */
const numberOf = (text: string | undefined) =>
  text === undefined || text.trim() === "" ? undefined : Number(text.trim());

/** The errors of a refused run, by field. */
export const errorsOf = (refusal: Refusal): RunFormView["errors"] => errorSentences(refusal, RUN_FIELDS);
