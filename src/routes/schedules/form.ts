/** The schedule form: converts text fields to the body of the API, and a refusal to errors by field. */

import { RUN_DEFAULTS, SCHEDULE_DEFAULTS } from "../../domain/defaults.ts";
import { Refusal } from "../../domain/errors.ts";
import { splitSymbols } from "../../domain/market/symbol.ts";
import { readyProviders } from "../../providers/registry.ts";
import { checkCron, readCron } from "../../scheduler/schedules/cron.ts";
import { orderToWire } from "../../scheduler/schedules/schedule-request.ts";
import { readWatchlists } from "../../storage/companies/watchlists.ts";
import { requireSchedule } from "../../storage/schedules.ts";
import type { CronPreviewView } from "../../views/schedules/cron-preview.tsx";
import { SCHEDULE_FIELDS, type ScheduleField, type ScheduleFormView } from "../../views/schedules/schedule-form.tsx";
import { errorSentences } from "../form-errors.ts";
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
    watchlists: await readWatchlists(db),
    timeZones: ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")],
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
  const { symbols, enabled, ...wire } = orderToWire(await requireSchedule(db, id));
  return {
    ...wire,
    symbols: symbols.join(", "),
    enabled: enabled ? "on" : "",
    watchlist_id: String(wire.watchlist_id ?? ""),
    provider: wire.provider ?? "",
    years: String(wire.years),
  };
}

/** The form's fields as sent; a missing field is empty, because browsers leave out an unchecked box. */
export function typedSchedule(body: Readonly<Record<string, unknown>>): Values {
  const text = (field: ScheduleField) => (typeof body[field] === "string" ? body[field] : "");
  return Object.fromEntries(SCHEDULE_FIELDS.map((field) => [field, text(field)])) as Values;
}

/** The typed values as a body of the API, for the same check. */
export function scheduleBody({ symbols, watchlist_id, years, provider, enabled, ...rest }: Values): unknown {
  return {
    ...rest,
    ...(rest.scope === "symbols" && { symbols: splitSymbols(symbols) }),
    ...(rest.scope === "watchlist" && watchlist_id !== "" && { watchlist_id: Number(watchlist_id) }),
    years: years === "all" ? years : Number(years),
    provider: provider === "" ? null : provider,
    enabled: enabled === "on",
  };
}

/** The errors of a refused schedule, by field. */
export const scheduleErrors = (refusal: Refusal): ScheduleFormView["errors"] =>
  errorSentences(refusal, SCHEDULE_FIELDS);

/** The id in an address. @throws Refusal if there is no such schedule */
export async function scheduleId({ db }: Pick<Services, "db">, text: string): Promise<number> {
  if (!/^\d{1,15}$/.test(text)) throw new Refusal("not_found", "There is no such schedule");
  const { id } = await requireSchedule(db, Number(text));
  return id;
}

/** The names of the watchlists by id. */
export async function watchlistNames({ db }: Pick<Services, "db">): Promise<ReadonlyMap<number, string>> {
  return new Map((await readWatchlists(db)).map(({ id, name }) => [id, name]));
}
