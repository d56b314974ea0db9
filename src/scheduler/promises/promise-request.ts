/** Checks the input of a promise, from forms and from the API. */

import { z } from "zod";
import { invalidFields, quote } from "../../domain/errors.ts";
import {
  MAX_GAP_DAYS,
  MAX_GAPS,
  MAX_WARN_HOURS,
  PROMISE_DAYS,
  PROMISE_DEFAULTS,
  PROMISE_SCOPES,
  PROMISE_VENUES,
  type PromiseInput,
  type PromiseScope,
} from "../../domain/promises/promise.ts";
import { isTimeZone } from "../../domain/time.ts";
import {
  anySymbols,
  choice,
  fieldErrors,
  ignored,
  nameText,
  readable,
  scopeOf,
  strictObject,
  watchlistId,
  wholeNumber,
} from "../../schemas.ts";
import { RunRequestBody } from "../runs/run-request.ts";

const CLOCK_TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;

const run = RunRequestBody.shape;
const fields = {
  name: nameText(80),
  scope: choice(PROMISE_SCOPES).optional().describe("follows from symbols and watchlist_id if not given"),
  symbols: anySymbols.optional().describe("for the scope symbols"),
  watchlist_id: watchlistId.nullish().describe("for the scope watchlist"),
  interval: run.interval.unwrap(),
  provider: run.provider.nullish().describe("whichever series stands for the symbol if not given"),
  by_time: readable(
    (value) => (CLOCK_TIME.test(value) ? value : null),
    (value) => `${quote(value)} is not a time like 07:00`,
    z.string({ error: "wants a time like 07:00" }),
  ).describe("HH:MM on a clock of 24 hours in time_zone"),
  time_zone: readable(
    (name) => (isTimeZone(name) ? name : null),
    (name) => `${quote(name)} is not a time zone: wants a name such as America/New_York or UTC`,
    z.string({ error: "wants a time zone" }),
  ).describe("IANA name, such as America/New_York"),
  days: choice(PROMISE_DAYS).describe("the days with a deadline"),
  venue: choice(PROMISE_VENUES).describe("whose trading days, for days trading_days"),
  max_gaps: wholeNumber(0, MAX_GAPS).describe("most gaps that all its series together may have within gap_days"),
  gap_days: wholeNumber(1, MAX_GAP_DAYS).describe("days before the deadline that are searched for gaps"),
  warn_hours: wholeNumber(1, MAX_WARN_HOURS).describe("hours before a deadline from which on a risk is reported"),
  enabled: z.boolean({ error: "wants true or false" }),
  ...ignored("id", "status", "last_result"),
};

/** The body of `POST /api/promises`. */
export const PromiseBody = strictObject({
  ...fields,
  interval: fields.interval.default(PROMISE_DEFAULTS.interval),
  time_zone: fields.time_zone.default(PROMISE_DEFAULTS.timeZone),
  days: fields.days.default(PROMISE_DEFAULTS.days),
  venue: fields.venue.default(PROMISE_DEFAULTS.venue),
  max_gaps: fields.max_gaps.default(PROMISE_DEFAULTS.maxGaps),
  gap_days: fields.gap_days.default(PROMISE_DEFAULTS.gapDays),
  warn_hours: fields.warn_hours.default(PROMISE_DEFAULTS.warnHours),
  enabled: fields.enabled.default(true),
});

/** The body of `PATCH /api/promises/:id`: what is to be different. */
export const PromisePatchBody = strictObject(fields).partial();
export type PromisePatch = z.output<typeof PromisePatchBody>;

/** A promise's fields as the API writes them. */
export function promiseToWire(input: PromiseInput) {
  return {
    name: input.name,
    scope: input.scope,
    symbols: [...input.symbols],
    watchlist_id: input.watchlistId,
    interval: input.interval,
    provider: input.provider,
    by_time: input.byTime,
    time_zone: input.timeZone,
    days: input.days,
    venue: input.venue,
    max_gaps: input.maxGaps,
    gap_days: input.gapDays,
    warn_hours: input.warnHours,
    enabled: input.enabled,
  };
}

/** @throws Refusal with one error per wrong field */
export function parsePromise(input: unknown): PromiseInput {
  const parsed = PromiseBody.safeParse(input);
  if (!parsed.success) throw invalidFields(fieldErrors(parsed.error));
  const { data } = parsed;
  const { scope, faults } = scopeOf<PromiseScope>(data);
  if (faults.length > 0) throw invalidFields(faults);
  return {
    name: data.name,
    scope,
    symbols: scope === "symbols" ? [...new Set(data.symbols)] : [],
    watchlistId: scope === "watchlist" ? (data.watchlist_id ?? null) : null,
    interval: data.interval,
    provider: data.provider ?? null,
    byTime: data.by_time,
    timeZone: data.time_zone,
    days: data.days,
    venue: data.venue,
    maxGaps: data.max_gaps,
    gapDays: data.gap_days,
    warnHours: data.warn_hours,
    enabled: data.enabled,
  };
}
