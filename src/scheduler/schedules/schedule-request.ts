/** Checks the input of a schedule, from forms and from the API. */

import { z } from "zod";
import { RUN_DEFAULTS, SCHEDULE_DEFAULTS } from "../../domain/defaults.ts";
import { invalidFields, Refusal } from "../../domain/errors.ts";
import { MISSED_POLICIES, SCHEDULE_SCOPES, type ScheduleInput, type ScheduleScope } from "../../domain/schedules.ts";
import {
  anySymbols,
  choice,
  fieldErrors,
  ignored,
  nameText,
  scopeOf,
  strictObject,
  text,
  watchlistId,
} from "../../schemas.ts";
import { RunRequestBody } from "../runs/run-request.ts";
import { checkCron } from "./cron.ts";

const run = RunRequestBody.shape;
const fields = {
  name: nameText(80),
  cron: text(100).describe("minute, hour, day of month, month, day of week; seconds may stand in front"),
  time_zone: text(60).describe("IANA name, such as America/New_York"),
  scope: choice(SCHEDULE_SCOPES).optional().describe("follows from symbols and watchlist_id if not given"),
  symbols: anySymbols.optional().describe("for the scope symbols"),
  watchlist_id: watchlistId.nullish().describe("for the scope watchlist"),
  interval: run.interval.unwrap(),
  provider: run.provider.nullish().describe("the server's default if not given"),
  mode: run.mode.unwrap(),
  years: run.years.unwrap().describe("how far back a full run goes, and the first of a symbol without history"),
  enabled: z.boolean({ error: "wants true or false" }),
  on_missed: choice(MISSED_POLICIES).describe("what to do about turns missed while the server was down"),
  ...ignored("id", "words", "next_runs", "last_turn"),
};

/** The body of `POST /api/schedules`. */
export const ScheduleBody = strictObject({
  ...fields,
  time_zone: fields.time_zone.default(SCHEDULE_DEFAULTS.timeZone),
  interval: fields.interval.default(RUN_DEFAULTS.interval),
  mode: fields.mode.default(SCHEDULE_DEFAULTS.mode),
  years: fields.years.default(RUN_DEFAULTS.years),
  enabled: fields.enabled.default(true),
  on_missed: fields.on_missed.default(SCHEDULE_DEFAULTS.onMissed),
});

/** The body of `PATCH /api/schedules/:id`: what is to be different. */
export const SchedulePatchBody = strictObject(fields).partial();
export type SchedulePatch = z.output<typeof SchedulePatchBody>;

/** A schedule's fields as the API writes them. */
export function inputToWire(input: ScheduleInput) {
  return {
    name: input.name,
    cron: input.cron,
    time_zone: input.timeZone,
    scope: input.scope,
    symbols: [...input.symbols],
    watchlist_id: input.watchlistId,
    interval: input.interval,
    provider: input.provider,
    mode: input.mode,
    years: input.years,
    enabled: input.enabled,
    on_missed: input.onMissed,
  };
}

/** @throws Refusal with one error per wrong field, the cron expression and the time zone included */
export function parseScheduleInput(input: unknown): ScheduleInput {
  const parsed = ScheduleBody.safeParse(input);
  const errors = parsed.success ? [] : fieldErrors(parsed.error);
  const sent = (input ?? {}) as { cron?: unknown; time_zone?: unknown };
  const { cron, time_zone = SCHEDULE_DEFAULTS.timeZone } = sent;
  // Reported together with the other faults, so that all can be corrected at once.
  if (typeof cron === "string" && typeof time_zone === "string" && cron.trim() !== "" && time_zone.trim() !== "") {
    errors.push(...faultsOf(() => checkCron(cron.trim(), time_zone.trim())));
  }
  if (parsed.success) {
    const { data } = parsed;
    const { scope, faults } = scopeOf<ScheduleScope>(data);
    errors.push(...faults);
    if (errors.length === 0) {
      return {
        name: data.name,
        cron: data.cron,
        timeZone: data.time_zone,
        scope,
        symbols: scope === "symbols" ? [...new Set(data.symbols)] : [],
        watchlistId: scope === "watchlist" ? (data.watchlist_id ?? null) : null,
        interval: data.interval,
        provider: data.provider ?? null,
        mode: data.mode,
        years: data.years,
        enabled: data.enabled,
        onMissed: data.on_missed,
      };
    }
  }
  throw invalidFields(errors);
}

function faultsOf(check: () => unknown) {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof Refusal) return [...error.errors];
    throw error;
  }
}
