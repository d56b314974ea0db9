/** The promise form: converts text fields to the body of the API, a refusal to errors by field, and says what it means now. */

import { Refusal } from "../../domain/errors.ts";
import { PROMISE_DEFAULTS } from "../../domain/promises/promise.ts";
import { readyProviders } from "../../providers/registry.ts";
import { promiseToWire } from "../../scheduler/promises/promise-request.ts";
import { requirePromise } from "../../storage/promises/promises.ts";
import { PROMISE_FIELDS, type PromiseFormView, type PromisePreviewView } from "../../views/promises/promise-form.tsx";
import { errorSentences, requireKnownFields } from "../form-errors.ts";
import { idIn, selectionBody, selectionOptions, typedFields } from "../http/selection-form.ts";
import type { Services } from "../services.ts";

type Values = PromiseFormView["values"];
export type PromiseFormServices = Pick<Services, "db" | "promises" | "settings">;

const NEW: Values = {
  name: "",
  by_time: PROMISE_DEFAULTS.byTime,
  time_zone: PROMISE_DEFAULTS.timeZone,
  days: PROMISE_DEFAULTS.days,
  venue: PROMISE_DEFAULTS.venue,
  scope: "symbols",
  symbols: "",
  watchlist_id: "",
  interval: PROMISE_DEFAULTS.interval,
  provider: "",
  max_gaps: String(PROMISE_DEFAULTS.maxGaps),
  gap_days: String(PROMISE_DEFAULTS.gapDays),
  warn_hours: String(PROMISE_DEFAULTS.warnHours),
  enabled: "on",
};

/** The form for a new or an existing promise, with typed values and errors. */
export async function promiseForm(
  services: PromiseFormServices,
  id: number | null,
  typed?: Values,
  refused?: PromiseFormView["errors"],
): Promise<PromiseFormView> {
  const { db, settings } = services;
  const values = typed ?? (id === null ? NEW : await storedValues(db, id));
  const preview = await promisePreview(services, values);
  // What was typed is shown with its errors also if only its preview was asked for.
  const errors = refused ?? (typed !== undefined && "errors" in preview ? preview.errors : {});
  return {
    ...{ id, values, errors, preview },
    isOpen: id !== null || typed !== undefined,
    providers: readyProviders(settings.values),
    ...(await selectionOptions(db)),
  };
}

/** What typed values mean now; a form without symbols is not an error yet. */
export async function promisePreview(
  { promises }: Pick<Services, "promises">,
  values: Values,
): Promise<PromisePreviewView> {
  const isEmpty = values.scope === "symbols" ? values.symbols.trim() === "" : false;
  if (isEmpty || (values.scope === "watchlist" && values.watchlist_id === ""))
    return { hint: "Name symbols or choose a watchlist, and their state is shown here." };
  try {
    const { input, status } = await promises.preview(promiseBody({ ...values, name: values.name || "Preview" }));
    return { status, timeZone: input.timeZone, now: status.at };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { errors: promiseErrors(error) };
  }
}

async function storedValues(db: Services["db"], id: number): Promise<Values> {
  const { symbols, enabled, ...wire } = promiseToWire(await requirePromise(db, id));
  return {
    ...wire,
    symbols: symbols.join(", "),
    enabled: enabled ? "on" : "",
    watchlist_id: String(wire.watchlist_id ?? ""),
    provider: wire.provider ?? "",
    max_gaps: String(wire.max_gaps),
    gap_days: String(wire.gap_days),
    warn_hours: String(wire.warn_hours),
  };
}

/** The form's fields as sent. @throws Refusal for a field that there is not */
export function typedPromise(body: Readonly<Record<string, unknown>>): Values {
  requireKnownFields(body, PROMISE_FIELDS);
  return typedFields(PROMISE_FIELDS, body);
}

const numberOf = (text: string) => (text.trim() === "" ? Number.NaN : Number(text));

/** The typed values as a body of the API, for the same check. */
export function promiseBody(values: Values): unknown {
  const { symbols, watchlist_id, max_gaps, gap_days, warn_hours, provider, enabled, ...rest } = values;
  return {
    ...rest,
    ...selectionBody({ scope: rest.scope, symbols, watchlist_id }),
    by_time: rest.by_time.trim(),
    time_zone: rest.time_zone.trim(),
    max_gaps: numberOf(max_gaps),
    gap_days: numberOf(gap_days),
    warn_hours: numberOf(warn_hours),
    provider: provider === "" ? null : provider,
    enabled: enabled === "on",
  };
}

/** The errors of a refused promise, by field. */
export const promiseErrors = (refusal: Refusal): PromiseFormView["errors"] => errorSentences(refusal, PROMISE_FIELDS);

/** The id in an address. @throws Refusal if there is no such promise */
export const promiseId = ({ db }: Pick<Services, "db">, text: string): Promise<number> =>
  idIn(text, "promise", (id) => requirePromise(db, id));
