/** The query of the screener: `?where=rsi_14<30&health=gaps&q=AA&interval=1d&sort=-rvol_20`. */

import { type FieldError, invalid, quote, Refusal } from "../../domain/errors.ts";
import { isReadInterval } from "../../domain/market/interval.ts";
import { HEALTHS, type Health } from "../../domain/profiles/health.ts";
import { type ColumnOperand, type Condition, parseColumn, parseScreener } from "../../domain/profiles/screener.ts";
import { FEATURES, featureNamed } from "../../features/catalog.ts";
import { PROFILE_SORTS, type ProfileQuery, type ProfileSort } from "../../storage/profiles/select-profiles.ts";
import type { ScreenerView } from "../../views/profiles/screener.tsx";

export interface ScreenerQuery {
  readonly condition: Condition | undefined;
  /** The features and ranks it uses, including the one sorted by. */
  readonly columns: readonly Column[];
  readonly sort: ProfileSort | undefined;
  /** What cannot be parsed, and where. */
  readonly error: FieldError | null;
}

/** A feature or its ranks, as a list shows it. */
export interface Column {
  /** `rsi_14` or `rank(rsi_14)`. */
  readonly name: string;
  readonly operand: ColumnOperand;
}

const isFeature = (name: string) => featureNamed(name) !== undefined;
const NAMES = FEATURES.map(({ name }) => name);

export function screenerOf(where: string, sort: string): ScreenerQuery {
  const screener = where.trim() === "" ? { condition: undefined, columns: [] } : parseScreener(where, isFeature);
  const none = { condition: undefined, columns: [], sort: undefined };
  if ("error" in screener) {
    return { ...none, error: { path: "where", message: `${screener.error} (at character ${screener.at + 1})` } };
  }
  const { condition } = screener;
  const columns = screener.columns.flatMap((name) => parseColumn(name, isFeature) ?? []);
  const name = sort.replace(/^-/, "");
  const descending = sort.startsWith("-");
  if (name === "") return { condition, columns, sort: undefined, error: null };
  const field = PROFILE_SORTS.find((each) => each === name);
  if (field) return { condition, columns, sort: { column: field, descending }, error: null };
  const column = parseColumn(name, isFeature);
  if (column === null) {
    return { ...none, error: { path: "sort", message: `There is no feature ${quote(name)}` } };
  }
  const isShown = columns.some((each) => each.name === column.name);
  return {
    condition,
    columns: isShown ? columns : [...columns, column],
    sort: { operand: column.operand, descending },
    error: null,
  };
}

/** @throws Refusal with what cannot be read of a query */
export function requireReadable({ error }: ScreenerQuery): void {
  if (error) throw new Refusal("invalid", error.message, [error]);
}

/**
 * The healths in a text such as `gaps,stale`.
 * @throws Refusal if one of its words is none
 */
export function healthsOf(text: string): Health[] {
  const named = text.split(",").flatMap((word) => word.trim() || []);
  const unknown = named.find((word) => !HEALTHS.some((health) => health === word));
  if (unknown !== undefined) throw invalid("health", `${quote(unknown)} is not one of ${HEALTHS.join(", ")}`);
  return HEALTHS.filter((health) => named.includes(health));
}

/** The query of the list of profiles: as a filter for the storage, and as the page shows it. */
export function parseListQuery(parameter: (name: string) => string | undefined) {
  const text = (name: string, longest: number) => (parameter(name) ?? "").trim().slice(0, longest);
  const [where, sort, q, interval] = [text("where", 2_000), text("sort", 80), text("q", 24), text("interval", 8)];
  const healths = healthsOf(text("health", 80));
  const query = screenerOf(where, sort);
  const filter: ProfileQuery = {
    where: query.condition,
    sort: query.sort,
    columns: query.columns.map(({ operand }) => operand),
    search: q,
    healths,
    ...(isReadInterval(interval) && { interval }),
  };
  const screener: ScreenerView = {
    where,
    sort,
    q,
    interval: isReadInterval(interval) ? interval : "",
    health: healths.join(","),
    error: query.error?.message ?? null,
    columns: query.columns.map(({ name }) => name),
    names: NAMES,
  };
  return { query, filter, screener };
}
