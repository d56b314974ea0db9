/** Exports profiles as JSON or CSV, some at a time. */

import type { Calendar } from "../../domain/market/calendar.ts";
import type { Interval, ReadInterval } from "../../domain/market/interval.ts";
import type { PartialBars } from "../../domain/market/partial-bars.ts";
import { type HealthClock, healthClock, healthOf } from "../../domain/profiles/health.ts";
import { derivedToWire, profileToWire } from "../../domain/profiles/profile.ts";
import { FEATURES } from "../../features/catalog.ts";
import type { Database } from "../../storage/db.ts";
import { readSeriesFacts } from "../../storage/profiles/health.ts";
import { type ProfileKey, readProfiles } from "../../storage/profiles/profiles.ts";

/** Profiles encoded at a time. */
const PAGE = 100;

/** Which profiles to export, and how. Plain data: it is sent to a thread. */
export interface ProfilesRequest {
  readonly content: "profiles";
  readonly format: "json" | "csv";
  /** `AAPL/1d`, one a line in the order of the rows: a text is sent much faster than a long list. */
  readonly keys: string;
  /** The columns of a CSV after those of every profile: features, or values that come along, one per key. */
  readonly columns: readonly { readonly name: string; readonly values: Float64Array | null }[];
  /** The moment whose healths are meant, epoch milliseconds. */
  readonly now: number;
  /** Profiles derived from those of `keys`, in the same order. */
  readonly derived?: DerivedRows;
}

export interface DerivedRows {
  readonly interval: ReadInterval;
  /** The stored intervals that they are built from. */
  readonly sources: readonly Interval[];
  readonly rows: readonly {
    /** Epoch seconds. */
    readonly firstBar: number;
    readonly lastBar: number;
    readonly lastClose: number;
    readonly partial: PartialBars;
  }[];
  /** The features of the first row in catalogue order, then those of the second …; NaN where undefined. */
  readonly values: Float64Array;
  /** Symbols whose profiles could not be computed. */
  readonly failed: readonly string[];
}

/**
 * The encoded profiles, piece by piece; those that were deleted meanwhile are left out.
 * @param throwIfStopped called before each page
 * @param calendar that of the server
 */
export async function* exportProfiles(
  db: Database,
  request: ProfilesRequest,
  throwIfStopped: () => void,
  calendar: Calendar,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const { format } = request;
  const clock = healthClock(calendar, request.now);
  const keys = request.keys === "" ? [] : request.keys.split("\n");
  yield encoder.encode(format === "json" ? '{"profiles":[' : `${csvHead(request)}\r\n`);
  let written = 0;
  for (let start = 0; start < keys.length; start += PAGE) {
    throwIfStopped();
    const found = await readPage(db, clock, keys.slice(start, start + PAGE), start);
    const rows = found.map((each) => {
      const wire = wireOf(request, each);
      return format === "json" ? JSON.stringify(wire) : csvOf(request, each.at, wire);
    });
    if (rows.length === 0) continue;
    const before = format === "json" && written > 0 ? "," : "";
    written += rows.length;
    yield encoder.encode(format === "json" ? `${before}${rows.join(",")}` : `${rows.join("\r\n")}\r\n`);
  }
  const failed = request.derived?.failed ?? [];
  if (format === "json") yield encoder.encode(failed.length === 0 ? "]}" : `],"failed":${JSON.stringify(failed)}}`);
}

type Exported = Awaited<ReturnType<typeof readPage>>[number];

/** @param start the place of the page's first key among all */
async function readPage(db: Database, clock: HealthClock, page: readonly string[], start: number) {
  const places = new Map(page.map((key, at) => [key, start + at]));
  const found = await readProfiles(db, page.map(parseKey));
  const facts = await readSeriesFacts(
    db,
    found.map(({ seriesId }) => seriesId),
  );
  return found.map((profile) => {
    const series = facts.get(profile.seriesId);
    const { symbol, interval, lastBar, backfill } = profile;
    const incomplete = backfill.history_complete === false;
    const health = series === undefined ? "ok" : healthOf({ ...series, lastBar, incomplete }, series, clock);
    return { profile, health, at: places.get(`${symbol}/${interval}`)! };
  });
}

function parseKey(key: string): ProfileKey {
  const end = key.lastIndexOf("/");
  return { symbol: key.slice(0, end), interval: key.slice(end + 1) as Interval };
}

const NAMES = FEATURES.map(({ name }) => name);

function wireOf({ derived }: ProfilesRequest, { profile, health, at }: Exported) {
  if (derived === undefined) return { ...profileToWire(profile), health };
  const values = derived.values.subarray(at * NAMES.length, (at + 1) * NAMES.length);
  const features = Object.fromEntries(NAMES.map((name, k) => [name, Number.isNaN(values[k]) ? null : values[k]!]));
  return { ...derivedToWire(profile, { ...derived.rows[at]!, interval: derived.interval, features }), health };
}

const csvHead = ({ columns, derived }: ProfilesRequest) =>
  [
    ...["symbol", "interval", "provider", "health", "first_bar", "last_bar"],
    ...(derived === undefined ? [] : ["derived_from", "partial"]),
    ...columns.map(({ name }) => name),
  ].join(",");

/** No cell needs quotes: symbols and names have neither commas nor quotes. */
function csvOf({ columns }: ProfilesRequest, at: number, wire: ReturnType<typeof wireOf>): string {
  const { symbol, interval, provider, health, first_bar, last_bar, features } = wire;
  const values = columns.map(({ name, values: given }) => {
    const value = given === null ? features[name] : given[at];
    return value === undefined || value === null || Number.isNaN(value) ? "" : value;
  });
  const origin = "derived_from" in wire ? [wire.derived_from, wire.partial.join(" ")] : [];
  return [symbol, interval, provider, health, first_bar, last_bar, ...origin, ...values].join(",");
}
