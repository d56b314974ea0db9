/** Profiles as a stream from the export thread: a long list neither blocks the server nor fills its memory. */

import type { Context, TypedResponse } from "hono";
import type { Calendar } from "../../domain/market/calendar.ts";
import { healthClock } from "../../domain/profiles/health.ts";
import { FEATURES } from "../../features/catalog.ts";
import type { ProfilesRequest } from "../../pipeline/exports/export-profiles.ts";
import type { ProfileEntry } from "../../storage/profiles/profile-rows.ts";
import type { ProfileQuery } from "../../storage/profiles/select-profiles.ts";
import { endOf, exported } from "../http/stream-body.ts";
import type { Services } from "../services.ts";
import { derivedMatches, derivedRows, isDerived } from "./derived-list.tsx";
import type { Column } from "./list-query.ts";

/** Most profiles in an answer: more symbols than one run may have, at every interval. */
export const MAX_PROFILES = 50_000;

export const PROFILE_FORMATS = ["json", "csv"] as const;
const TYPES = { json: "application/json", csv: "text/csv; charset=utf-8" } as const;

/** The types of a described route cover values only: a stream needs a cast to a response with JSON. */
type Streamed = Response & TypedResponse<never, 200, "json">;

interface Listed {
  readonly filter: ProfileQuery;
  /** The columns that a CSV has for `filter.columns`; all features if there are none. */
  readonly columns: readonly Column[];
  readonly calendar: Calendar;
  readonly format: (typeof PROFILE_FORMATS)[number];
  readonly offset: number;
  readonly limit: number;
}

/**
 * The profiles that match, stored or derived.
 * @throws Refusal if derived ones are not computed yet, or too many lists wait
 */
export async function streamProfiles(
  services: Pick<Services, "derived" | "exporter" | "profiles">,
  c: Context,
  { filter, columns, calendar, format, offset, limit }: Listed,
): Promise<Streamed> {
  const now = Date.now();
  const clock = healthClock(calendar, now);
  const part = <T>(all: readonly T[]) => all.slice(offset, offset + limit);
  const columnsOf = (values: readonly Float64Array[], entries: readonly Pick<ProfileEntry, "at">[]) =>
    format === "csv" ? csvColumns(columns, values, entries) : [];
  const send = async (matching: number, request: Omit<ProfilesRequest, "content" | "format" | "now">) => {
    const open = () => services.exporter.body({ content: "profiles", format, now, ...request }, endOf(c));
    return (await exported(c, open, {
      "Content-Type": TYPES[format],
      "x-barkeep-matching": String(matching),
      ...(request.derived && { "x-barkeep-source-interval": request.derived.sources.join(",") }),
    })) as Response as Streamed;
  };
  const { interval } = filter;
  if (interval !== undefined && (await isDerived(services, interval))) {
    const matches = await derivedMatches(services, { filter, interval, clock }, "whole");
    const entries = part(matches.rows).map(({ entry }) => entry);
    const { sources, derived } = derivedRows(interval, matches, entries);
    const columns = columnsOf(matches.found.columns, entries);
    return send(matches.rows.length, { keys: keysOf(sources), columns, derived });
  }
  const found = await services.profiles.select(filter, clock);
  const entries = part(found.entries);
  return send(found.entries.length, { keys: keysOf(entries), columns: columnsOf(found.columns, entries) });
}

const keysOf = (entries: readonly Pick<ProfileEntry, "symbol" | "interval">[]) =>
  entries.map(({ symbol, interval }) => `${symbol}/${interval}`).join("\n");

function csvColumns(
  screened: readonly Column[],
  columns: readonly Float64Array[],
  entries: readonly Pick<ProfileEntry, "at">[],
) {
  if (screened.length === 0) return FEATURES.map(({ name }) => ({ name, values: null }));
  return screened.map(({ name }, at) => ({
    name,
    values: Float64Array.from(entries, (entry) => columns[at]![entry.at]!),
  }));
}
