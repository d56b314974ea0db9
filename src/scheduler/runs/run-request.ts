/** Run requests: the one check for forms, the API, the command line and schedules. */

import { z } from "zod";
import {
  isSynthetic,
  MAX_AT_WORK,
  MAX_BATCH_DAYS,
  MAX_RUN_NAME,
  MAX_YEARS,
  RUN_DEFAULTS,
} from "../../domain/defaults.ts";
import { invalid, invalidFields } from "../../domain/errors.ts";
import { DAY, INTERVALS, type Interval } from "../../domain/market/interval.ts";
import { MODES, type Mode } from "../../domain/runs/states.ts";
import type { Provider } from "../../providers/provider.ts";
import { whyNotUsable } from "../../providers/registry.ts";
import {
  choice,
  fieldErrors,
  nameText,
  providerName,
  strictObject,
  symbols,
  wantsWholeNumber,
  wholeNumber,
} from "../../schemas.ts";
import type { RunRow } from "../../storage/runs/runs.ts";

export interface RunRequest {
  /** What the run is called; without it, it is called by what it requests. */
  readonly name?: string | undefined;
  readonly symbols: readonly string[];
  readonly mode: Mode;
  readonly interval: Interval;
  readonly years: number | "all";
  /** The days of a full run instead of `years`: midnights UTC in epoch seconds, half open. */
  readonly dates?: { readonly from: number; readonly to: number | null } | undefined;
  readonly provider?: string | undefined;
  readonly batchDays: number;
  readonly maxWorkers?: number | undefined;
  /** A full run that fetches the history again into staging and replaces the stored one when it is complete. */
  readonly rebuild?: boolean | undefined;
  /** The provider from which a repair may fetch what the run's own does not have. */
  readonly repairProvider?: string | undefined;
}

const date = z.iso.date({ error: "wants a date, like 2024-01-31" });

const OR_ALL = ', or "all"';

/** The body of `POST /api/runs` (docs/contract.md §4). */
export const RunRequestBody = strictObject({
  name: nameText(MAX_RUN_NAME).optional().describe("what the run is called on the pages and in mails"),
  symbols,
  mode: choice(MODES).default(RUN_DEFAULTS.mode),
  interval: choice(INTERVALS).default(RUN_DEFAULTS.interval),
  years: z
    // A number out of bounds is refused by its own check, which has to say the same.
    .union([z.literal("all"), wholeNumber(1, MAX_YEARS, OR_ALL)], { error: wantsWholeNumber(1, MAX_YEARS) + OR_ALL })
    .optional()
    .describe(`years of history up to now; ${RUN_DEFAULTS.years} if neither years nor from is given`),
  from: date.optional().describe("the first day of a full run, instead of years"),
  to: date.optional().describe("the day before which a full run ends; now if not given"),
  provider: providerName.optional(),
  batch_days: wholeNumber(1, MAX_BATCH_DAYS).default(RUN_DEFAULTS.batchDays),
  max_workers: wholeNumber(1, MAX_AT_WORK)
    .optional()
    .describe(`most symbols of the run at work at once; ${MAX_AT_WORK} if not given, which is also the server's most`),
  rebuild: z.boolean({ error: "wants true or false" }).optional(),
  repair_provider: providerName.optional(),
});

/** @throws Refusal with one error per wrong field */
export function parseRunRequest(input: unknown): RunRequest {
  const parsed = RunRequestBody.safeParse(input);
  if (!parsed.success) throw invalidFields(fieldErrors(parsed.error));
  const { symbols: named, batch_days, max_workers, repair_provider, years, from, to, ...rest } = parsed.data;
  const own = { batchDays: batch_days, maxWorkers: max_workers, repairProvider: repair_provider };
  const dates = datesOf({ years, from, to, mode: rest.mode });
  return { ...rest, ...own, years: years ?? RUN_DEFAULTS.years, dates, symbols: [...new Set(named)] };
}

/** @throws Refusal naming the field that contradicts another */
function datesOf(request: { years?: unknown; from?: string | undefined; to?: string | undefined; mode: Mode }) {
  const { years, from, to, mode } = request;
  if (from === undefined) {
    if (to !== undefined) throw invalid("from", "is missing: with to, it has to be given too");
    return undefined;
  }
  if (mode !== "full") throw invalid("from", "only a full run has days of its own");
  if (years !== undefined) throw invalid("years", "either years or from, not both");
  const days = { from: secondsOf(from), to: to === undefined ? null : secondsOf(to) };
  if (days.from >= Date.now() / 1_000) throw invalid("from", "is in the future");
  if (days.to !== null && days.to <= days.from) throw invalid("to", "is not after from");
  return days;
}

const secondsOf = (date: string) => Date.parse(date) / 1_000;

/**
 * The provider of a run, which has what the request wants of it.
 * @param fallback the provider of a request that names none
 * @throws Refusal naming the field
 */
export function providerFor(
  request: RunRequest,
  fallback: string,
  find: (name: string) => Provider | undefined,
): Provider {
  const name = request.provider ?? fallback;
  const provider = find(name);
  if (provider === undefined) throw invalid("provider", whyNotUsable(name));
  const { title, intervals } = provider;
  if (!intervals.includes(request.interval))
    throw invalid("interval", `${title} has no ${request.interval} bars, only ${intervals.join(", ")}`);
  refuseContradictions(request, provider, find);
  return provider;
}

/**
 * Refuses fields that the mode does not use, instead of ignoring them.
 * @throws Refusal naming the field
 */
export function refuseContradictions(
  { mode, interval, rebuild, repairProvider }: RunRequest,
  provider: Provider,
  find: (name: string) => Provider | undefined,
): void {
  if (rebuild && mode !== "full") throw invalid("rebuild", "only a full run can fetch the history anew");
  if (repairProvider === undefined) return;
  const path = "repair_provider";
  if (mode !== "repair") throw invalid(path, "only a repair asks a second provider");
  const second = find(repairProvider);
  if (second === undefined) throw invalid(path, whyNotUsable(repairProvider));
  if (second.name === provider.name) throw invalid(path, `${second.title} is the provider of the run itself`);
  if (isSynthetic(second.name)) throw invalid(path, "its bars are made up: they cannot fill the gaps of real ones");
  if (!second.intervals.includes(interval)) throw invalid(path, `${second.title} has no ${interval} bars`);
}

/** The whole days (UTC) of a full run requested at `now`, the present one included; all are epoch seconds. */
export function rangeOf(
  { years, interval, dates }: RunRequest,
  provider: Provider,
  now: number,
): { from: number; to: number } {
  const to = (Math.floor(now / DAY) + 1) * DAY;
  if (dates !== undefined) return { from: dates.from, to: Math.min(to, dates.to ?? to) };
  const first = years === "all" ? provider.historyStart(interval) : to - 365 * years * DAY;
  return { from: Math.floor(first / DAY) * DAY, to };
}

/** The row of a run requested at `now` (epoch milliseconds). */
export function runRow(request: RunRequest, provider: Provider, maxWorkers: number, now: number): RunRow {
  const { mode, interval, years, batchDays } = request;
  const asOf = Math.floor(now / 1000);
  const { from, to } = rangeOf(request, provider, asOf);
  return {
    id: Bun.randomUUIDv7(),
    name: request.name ?? null,
    mode,
    interval,
    provider: provider.name,
    years: request.dates === undefined ? String(years) : String(Math.max(1, Math.ceil((to - from) / (365 * DAY)))),
    batchDays,
    rebuild: request.rebuild ?? false,
    repairProvider: request.repairProvider ?? null,
    maxWorkers: request.maxWorkers ?? maxWorkers,
    rangeFrom: from,
    rangeTo: to,
    dated: request.dates !== undefined,
    asOf,
    state: "running",
    createdAt: now,
    finishedAt: null,
    acknowledgedAt: null,
  };
}
