/** `/api/profiles`: list, read, renew and delete profiles. */

import { createRoute, z } from "@hono/zod-openapi";
import { RUN_DEFAULTS } from "../../domain/defaults.ts";
import { Refusal } from "../../domain/errors.ts";
import { FINDING_KINDS, type Finding } from "../../domain/market/anomalies/scale-changes.ts";
import {
  derivedIntervals,
  INTERVALS,
  type Interval,
  isInterval,
  READ_INTERVALS,
  type ReadInterval,
} from "../../domain/market/interval.ts";
import { HEALTHS, healthClock } from "../../domain/profiles/health.ts";
import { derivedToWire, profileToWire } from "../../domain/profiles/profile.ts";
import { runToWire } from "../../domain/runs/run-summary.ts";
import { MODES } from "../../domain/runs/states.ts";
import { isoDate } from "../../domain/time.ts";
import { FEATURES } from "../../features/catalog.ts";
import { RENEWALS, renewalRequests, withoutActive } from "../../scheduler/runs/renew.ts";
import { choice, wholeNumberText } from "../../schemas.ts";
import { listFindings } from "../../storage/market/quality/findings.ts";
import { findHealth } from "../../storage/profiles/health.ts";
import { deleteProfile, findProfile, intervalsOf } from "../../storage/profiles/profiles.ts";
import { apiRouter, intervalParameter, json, jsonBody, refusals, symbolParameter } from "../api/parameters.ts";
import { RunBody } from "../runs/run-body.ts";
import type { Services } from "../services.ts";
import { MAX_PROFILES, PROFILE_FORMATS, streamProfiles } from "./download.ts";
import { healthsOf, requireReadable, screenerOf } from "./list-query.ts";

const BackfillBody = z
  .object({
    history_complete: z.boolean().openapi({
      description: "Whether the provider answered every window of the stored range",
    }),
    history_rows: z.int(),
    api_calls_used: z.int(),
    fetch_duration_seconds: z.number(),
    feature_count: z.int(),
    batch_size_days: z.int(),
    gaps: z.int().optional().openapi({ description: "Sessions that are missing from the stored range" }),
    provisional_from: z.string().nullish().openapi({ description: "From then on bars may still change; null: none" }),
    market: z.string().optional(),
    mode: z.enum(MODES).optional(),
    run_id: z.string().optional(),
  })
  .catchall(z.unknown())
  .openapi("BackfillMetadata");

const ProfileBody = z
  .object({
    symbol: z.string(),
    interval: z.enum(READ_INTERVALS),
    derived_from: z.enum(INTERVALS).optional().openapi({
      description:
        "The stored interval that a derived profile is built from; provider, health, findings and backfill_metadata are those of its bars",
    }),
    partial: z
      .array(z.enum(["first", "last"]))
      .optional()
      .openapi({ description: "Of a derived profile: bars that may hold a part of their time only" }),
    provider: z.string(),
    synthetic: z.boolean().openapi({ description: "Whether its bars are made up: those of the provider `demo`" }),
    first_bar: z.string(),
    last_bar: z.string(),
    last_close: z.number(),
    updated_at: z.string(),
    health: z.enum(HEALTHS),
    features: z.record(z.string(), z.number().nullable()).openapi({
      description: "The features at the last bar by name; null where undefined",
    }),
    backfill_metadata: BackfillBody,
  })
  .openapi("Profile");

const FindingBody = z
  .object({
    kind: z.enum(FINDING_KINDS),
    date: z.string(),
    ratio: z.number().nullable(),
    jump_date: z.string().nullable(),
  })
  .openapi("Finding");

const numberOrNull = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? null : value);

/** A finding as the API writes it, with days as dates. */
const findingToWire = ({ kind, date, ratio, jumpDate }: Finding) => ({
  kind,
  date: isoDate(date),
  ratio,
  jump_date: jumpDate === null ? null : isoDate(jumpDate),
});

/** An interval at which profiles are read. */
const readInterval = choice(READ_INTERVALS).openapi({
  description:
    "If no profile is stored at it, profiles are derived from the finest stored bars that divide it: `derived_from`",
});

const one = { params: z.object({ symbol: symbolParameter }), query: z.object({ interval: intervalParameter }) };

const list = createRoute({
  method: "get",
  path: "/profiles",
  operationId: "listProfiles",
  tags: ["Profiles"],
  summary: "List profiles by symbol",
  request: {
    query: z.object({
      interval: readInterval.optional(),
      q: z.string().max(24).optional().openapi({ description: "Part of the symbol" }),
      where: z.string().max(1_000).optional().openapi({
        description:
          "Only profiles whose features satisfy this: comparisons with and, or, not and parentheses. rank(rsi_14) is the share of the interval's profiles whose value is not greater, from just above 0 to 1; equal values share their mean. top(dollar_volume_20, 100) are the 100 largest of all the interval's profiles. Facts of companies: exchange, listing, type, currency, country, sector, industry, isin, figi with = and !=, listed_on and delisted_on with every comparison; several words in quotes. An unknown value satisfies no comparison",
        example: "rsi_14 < 30 and rank(rvol_20) > 0.9",
      }),
      health: z
        .string()
        .max(80)
        .optional()
        .openapi({
          description: `Only profiles with one of these states of health, separated by commas: ${HEALTHS.join(", ")}`,
          example: "gaps,stale",
        }),
      sort: z.string().max(60).optional().openapi({
        description:
          "Sort by a feature, rank(feature), symbol, health, bars, last_bar or updated; descending with - in front",
      }),
      format: choice(PROFILE_FORMATS).default("json").openapi({
        description:
          "`csv` has a column for each feature and rank that the request names; if it names none, for every feature",
      }),
      limit: wholeNumberText(1, MAX_PROFILES).default(100).openapi({
        description: "The header x-barkeep-matching has the number of all that match",
      }),
      offset: wholeNumberText(0, 1_000_000).default(0),
    }),
  },
  responses: {
    200: json(
      "Profiles",
      z.object({
        profiles: z.array(ProfileBody),
        failed: z
          .array(z.string())
          .optional()
          .openapi({ description: "Symbols whose derived profile could not be computed" }),
      }),
    ),
    ...refusals(422, 503),
  },
});
const read = createRoute({
  method: "get",
  path: "/profiles/{symbol}",
  operationId: "readProfile",
  tags: ["Profiles"],
  summary: "The profile of a symbol",
  request: { params: one.params, query: z.object({ interval: readInterval.default(RUN_DEFAULTS.interval) }) },
  responses: {
    200: json("The profile", ProfileBody.extend({ findings: z.array(FindingBody) })),
    ...refusals(404, 422, 503),
  },
});
const renew = createRoute({
  method: "post",
  path: "/profiles/renew",
  operationId: "renewProfiles",
  tags: ["Profiles"],
  summary:
    "Update, repair or rebuild many profiles, or recompute their features: those named, or all that a filter finds",
  request: jsonBody(
    z.strictObject({
      order: z.enum(RENEWALS),
      profiles: z
        .array(z.string().max(40))
        .max(50_000)
        .optional()
        .openapi({ example: ["AAPL/1d"] }),
      q: z.string().max(24).optional(),
      interval: z.enum(INTERVALS).optional(),
      where: z.string().max(1_000).optional().openapi({ example: "rsi_14 < 30" }),
      health: z.string().max(80).optional().openapi({ example: "gaps,stale" }),
      dry_run: z.boolean().optional().openapi({ description: "Only count them; change nothing" }),
    }),
  ),
  responses: {
    202: json(
      "How many profiles, how many of them another run is working on, and the runs that were started",
      z.object({ profiles: z.int(), busy: z.int(), runs: z.array(RunBody) }),
    ),
    ...refusals(400, 409, 415, 422),
  },
});
const remove = createRoute({
  method: "delete",
  path: "/profiles/{symbol}",
  operationId: "deleteProfile",
  tags: ["Profiles"],
  summary: "Delete a profile; its bars stay",
  request: one,
  responses: { 204: { description: "Deleted" }, ...refusals(404, 422) },
});

type ProfileServices = Pick<Services, "calendar" | "db" | "derived" | "exporter" | "profiles" | "runs">;

export function profileRoutes(services: ProfileServices) {
  const { db, calendar, runs, derived, profiles: columns } = services;
  const clock = () => healthClock(calendar, Date.now());
  const missing = (symbol: string, interval: ReadInterval) =>
    new Refusal("not_found", `There is no ${interval} profile of ${symbol}: start a run for it first`);
  const find = async (symbol: string, interval: Interval) => {
    const profile = await findProfile(db, symbol, interval);
    if (profile) return profile;
    throw missing(symbol, interval);
  };
  /** A profile as the API writes it, with the stored one behind it: itself if it is stored. */
  const findWire = async (symbol: string, interval: ReadInterval) => {
    const own = isInterval(interval) ? await findProfile(db, symbol, interval) : undefined;
    if (own) return { wire: profileToWire(own), stored: own };
    const built = derivedIntervals(await intervalsOf(db, symbol)).find((each) => each.interval === interval);
    const stored = built && (await findProfile(db, symbol, built.source));
    const found = stored && (await derived.find(stored, interval));
    if (!stored || !found) throw missing(symbol, interval);
    const features = Object.fromEntries(FEATURES.map(({ name }, at) => [name, numberOrNull(found.values[at])]));
    const wire = derivedToWire(stored, { ...found, interval, lastClose: found.last.close.at(-1)!, features });
    return { wire, stored };
  };
  return apiRouter()
    .openapi(list, async (c) => {
      const { q = "", where = "", sort = "", health = "", interval, format, limit, offset } = c.req.valid("query");
      const query = screenerOf(where, sort);
      requireReadable(query);
      const filter = {
        ...{ interval, search: q, where: query.condition, sort: query.sort, healths: healthsOf(health) },
        columns: query.columns.map(({ operand }) => operand),
      };
      return streamProfiles(services, c, { filter, columns: query.columns, calendar, format, offset, limit });
    })
    .openapi(read, async (c) => {
      const { symbol } = c.req.valid("param");
      const { wire, stored } = await findWire(symbol, c.req.valid("query").interval);
      const { health } = await findHealth(db, stored, clock());
      const findings = (await listFindings(db, stored.seriesId)).map(findingToWire);
      return c.json({ ...wire, health, findings }, 200);
    })
    .openapi(renew, async (c) => {
      const { order, profiles, where = "", health = "", q = "", interval, dry_run } = c.req.valid("json");
      const query = screenerOf(where, "");
      requireReadable(query);
      const filter = { search: q, where: query.condition, healths: healthsOf(health) };
      const criteria = { ...filter, ...(interval && { interval }), ...(profiles && { keys: profiles }) };
      const { entries: found } = await columns.select(criteria, clock());
      const free = await withoutActive(db, found);
      const started = [];
      for (const each of dry_run ? [] : renewalRequests(free, order, Date.now() / 1000))
        started.push(await runs.start(each));
      return c.json({ profiles: found.length, busy: found.length - free.length, runs: started.map(runToWire) }, 202);
    })
    .openapi(remove, async (c) => {
      const { symbol } = c.req.valid("param");
      const { interval } = c.req.valid("query");
      await find(symbol, interval);
      await deleteProfile(db, symbol, interval);
      return c.body(null, 204);
    });
}
