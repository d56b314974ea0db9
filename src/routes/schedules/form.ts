/** The schedule form: converts text fields to the body of the API, and a refusal to errors by field. */

import { RUN_DEFAULTS, SCHEDULE_DEFAULTS } from "../../domain/defaults.ts";
import { Refusal } from "../../domain/errors.ts";
import { readyProviders } from "../../providers/registry.ts";
import { checkCron, readCron } from "../../scheduler/schedules/cron.ts";
import { inputToWire } from "../../scheduler/schedules/schedule-request.ts";
import { requireSchedule } from "../../storage/schedules.ts";
import type { CronPreviewView } from "../../views/schedules/cron-preview.tsx";
import { SCHEDULE_FIELDS, type ScheduleFormView } from "../../views/schedules/schedule-form.tsx";
import { errorSentences, requireKnownFields } from "../form-errors.ts";
import { idIn, selectionBody, selectionOptions, typedFields } from "../http/selection-form.ts";
import type { Services } from "../services.ts";

type Values = ScheduleFormView["values"];

const NEW: Values = {
  name: "",
  cron: "30 18 * * 1-5",
  time_zone: "America/New_York",
  scope: "symbols",
  symbols: "",
  watchlist_id: "",
  mode: SCHEDULE_DEFAULTS.mode,
  interval: RUN_DEFAULTS.interval,
  provider: "",
  years: String(RUN_DEFAULTS.years),
  on_missed: SCHEDULE_DEFAULTS.onMissed,
  enabled: "on",
};

/** The form for a new or an existing schedule, with typed values and errors. */
export async function scheduleForm(
  { db, settings }: Pick<Services, "db" | "settings">,
  id: number | null,
  typed?: Values,
  errors: ScheduleFormView["errors"] = {},
): Promise<ScheduleFormView> {
  const values = typed ?? (id === null ? NEW : await storedValues(db, id));
  return {
    ...{ id, values, errors },
    preview: cronPreview(values),
    isOpen: id !== null || typed !== undefined,
    providers: readyProviders(settings.values),
    ...(await selectionOptions(db)),
  };
}

/** Next times that are shown. */
const PREVIEWED = 5;

/** What a typed expression means, or in which words it is refused. */
export function cronPreview({ cron, time_zone: timeZone }: Pick<Values, "cron" | "time_zone">): CronPreviewView {
  try {
    checkCron(cron, timeZone);
    const { words, next } = readCron(cron, timeZone);
    return { words, timeZone, nextRuns: next(Date.now(), PREVIEWED) };
  } catch (error) {
    if (error instanceof Refusal) return { error: Object.values(scheduleErrors(error))[0] ?? error.message };
    throw error;
  }
}

async function storedValues(db: Services["db"], id: number): Promise<Values> {
  const { symbols, enabled, ...wire } = inputToWire(await requireSchedule(db, id));
  return {
    ...wire,
    symbols: symbols.join(", "),
    enabled: enabled ? "on" : "",
    watchlist_id: String(wire.watchlist_id ?? ""),
    provider: wire.provider ?? "",
    years: String(wire.years),
  };
}

/** The form's fields as sent. @throws Refusal for a field that there is not */
export function typedSchedule(body: Readonly<Record<string, unknown>>): Values {
  requireKnownFields(body, [...SCHEDULE_FIELDS, "preset"]);
  return typedFields(SCHEDULE_FIELDS, body);
}

/** The typed values as a body of the API, for the same check. */
export function scheduleBody({ symbols, watchlist_id, years, provider, enabled, ...rest }: Values): unknown {
  return {
    ...rest,
    ...selectionBody({ scope: rest.scope, symbols, watchlist_id }),
    years: years === "all" ? years : Number(years),
    provider: provider === "" ? null : provider,
    enabled: enabled === "on",
  };
}

/** The errors of a refused schedule, by field. */
export const scheduleErrors = (refusal: Refusal): ScheduleFormView["errors"] =>
  errorSentences(refusal, SCHEDULE_FIELDS);

/** The id in an address. @throws Refusal if there is no such schedule */
export const scheduleId = ({ db }: Pick<Services, "db">, text: string): Promise<number> =>
  idIn(text, "schedule", (id) => requireSchedule(db, id));
