/** The query of the screener: `?where=rsi_14<30&health=gaps&q=AA&interval=1d&sort=-rvol_20`. */

import { type FieldError, quote, Refusal } from "../../domain/errors.ts";
import { isInterval } from "../../domain/market/interval.ts";
import { HEALTHS, type Health } from "../../domain/profiles/health.ts";
import { type Condition, parseScreener } from "../../domain/profiles/screener.ts";
import { FEATURES, featureNamed } from "../../features/catalog.ts";
import { PROFILE_SORTS, type ProfileQuery, type ProfileSort } from "../../storage/profiles/profiles.ts";
import type { ScreenerView } from "../../views/profiles/screener.tsx";

export interface ScreenerQuery {
  readonly condition: Condition | undefined;
  /** The features it uses, including the one sorted by. */
  readonly features: readonly string[];
  readonly sort: ProfileSort | undefined;
  /** What cannot be parsed, and where. */
  readonly error: FieldError | null;
}

const isFeature = (name: string) => featureNamed(name) !== undefined;
const NAMES = FEATURES.map(({ name }) => name);

export function screenerOf(where: string, sort: string): ScreenerQuery {
  const screener = where.trim() === "" ? { condition: undefined, features: [] } : parseScreener(where, isFeature);
  const none = { condition: undefined, features: [], sort: undefined };
  if ("error" in screener) {
    return { ...none, error: { path: "where", message: `${screener.error} (at character ${screener.at + 1})` } };
  }
  const name = sort.replace(/^-/, "");
  const descending = sort.startsWith("-");
  if (name === "") return { ...screener, sort: undefined, error: null };
  const column = PROFILE_SORTS.find((each) => each === name);
  if (column) return { ...screener, sort: { column, descending }, error: null };
  if (!isFeature(name)) {
    return { ...none, error: { path: "sort", message: `There is no feature ${quote(name)}` } };
  }
  const features = [...new Set([...screener.features, name])];
  return { ...screener, features, sort: { feature: name, descending }, error: null };
}

/** @throws Refusal with what cannot be read of a query */
export function requireReadable({ error }: ScreenerQuery): void {
  if (error) throw new Refusal("invalid", error.message, [error]);
}

/** The healths in a text such as `gaps,stale`; other words are ignored. */
export function healthsOf(text: string): Health[] {
  const named = new Set(text.split(",").map((word) => word.trim()));
  return HEALTHS.filter((health) => named.has(health));
}

/** The query of the list of profiles: as a filter for the storage, and as the page shows it. */
export function profilesAsked(asked: (name: string) => string | undefined) {
  const text = (name: string, longest: number) => (asked(name) ?? "").trim().slice(0, longest);
  const [where, sort, q, interval] = [text("where", 2_000), text("sort", 80), text("q", 24), text("interval", 8)];
  const healths = healthsOf(text("health", 80));
  const query = screenerOf(where, sort);
  const filter: Omit<ProfileQuery, "limit"> = {
    where: query.condition,
    sort: query.sort,
    search: q,
    healths,
    ...(isInterval(interval) && { interval }),
  };
  const screener: ScreenerView = {
    where,
    sort,
    q,
    interval: isInterval(interval) ? interval : "",
    health: healths.join(","),
    error: query.error?.message ?? null,
    columns: query.features,
    names: NAMES,
  };
  return { query, filter, screener: screener };
}
