/** Which profiles in memory match a query, and in which order: conditions, columns and sorts over `ProfileRows`. */

import type { ReadInterval } from "../../domain/market/interval.ts";
import { evaluate, orderOf, TRUE } from "../../domain/profiles/evaluate.ts";
import type { Health } from "../../domain/profiles/health.ts";
import type { ColumnOperand, Condition, ScreenFact } from "../../domain/profiles/screener.ts";
import { yieldToEvents } from "../db.ts";
import type { FactColumns } from "./fact-columns.ts";
import type { ProfileEntry, ProfileRows } from "./profile-rows.ts";

/** What a list of profiles can be sorted by, besides features. */
export const PROFILE_SORTS = ["symbol", "health", "bars", "last_bar", "updated"] as const;

export type ProfileSort = { readonly descending: boolean } & (
  | { readonly operand: ColumnOperand }
  | { readonly column: (typeof PROFILE_SORTS)[number] }
);

export interface ProfileQuery {
  readonly interval?: ReadInterval | undefined;
  /** Part of the symbol. */
  readonly search?: string;
  /** Only profiles whose features satisfy this. */
  readonly where?: Condition | undefined;
  /** Only these profiles: `AAPL/1d`. */
  readonly keys?: readonly string[] | undefined;
  /** Only profiles of these healths; empty for all. */
  readonly healths?: readonly Health[];
  /** How to sort; profiles without a value come last. By symbol if not given. */
  readonly sort?: ProfileSort | undefined;
  /** Columns whose values are shown. */
  readonly columns?: readonly ColumnOperand[];
}

/** The parts of a condition that are not made of others. */
export function* simpleConditions(condition: Condition): Generator<Condition> {
  if (condition.kind === "not") yield* simpleConditions(condition.inner);
  else if (condition.kind === "and" || condition.kind === "or") {
    yield* simpleConditions(condition.left);
    yield* simpleConditions(condition.right);
  } else yield condition;
}

/** The features and ranks that a simple condition names. */
export function operandsOf(condition: Condition): ColumnOperand[] {
  if (condition.kind === "top") return [{ feature: condition.feature }];
  if (condition.kind !== "compare") return [];
  return [condition.left, condition.right].filter((operand): operand is ColumnOperand => !("number" in operand));
}

export const factsOf = (condition: Condition): ScreenFact[] => (condition.kind === "fact" ? [condition.fact] : []);

/**
 * Computes the rankings that a query is about to use, each as a piece of work of its own. One that changes meanwhile is
 * computed again when it is used.
 */
export async function rankApart(
  rows: ProfileRows<ReadInterval>,
  operands: readonly ColumnOperand[],
  conditions: readonly Condition[],
): Promise<void> {
  for (const operand of operands) {
    if (!("rankOf" in operand)) continue;
    rows.column(operand);
    await yieldToEvents();
  }
  for (const condition of conditions) {
    if (condition.kind !== "top") continue;
    rows.larger(condition.feature);
    await yieldToEvents();
  }
}

/** The entries that match a query but for their health, by symbol and interval. */
export function matching<Of extends ReadInterval>(
  rows: ProfileRows<Of>,
  { interval, search = "", where, keys }: ProfileQuery,
  facts: FactColumns,
): readonly ProfileEntry<Of>[] {
  if (interval === undefined && search === "" && where === undefined && keys === undefined) return rows.inOrder();
  const screened = {
    factOf: (fact: ScreenFact) => facts.column(fact, rows.entries),
    largerOf: (feature: string) => rows.larger(feature),
  };
  const truth = where && evaluate(where, (operand) => rows.column(operand), rows.entries.length, screened);
  const requested = keys && new Set(keys);
  const part = search.toUpperCase();
  return rows
    .inOrder()
    .filter(
      (entry) =>
        (truth === undefined || truth[entry.at] === TRUE) &&
        (interval === undefined || entry.interval === interval) &&
        entry.symbol.includes(part) &&
        (requested === undefined || requested.has(`${entry.symbol}/${entry.interval}`)),
    );
}

/** Entries that are in the order of symbol and interval, sorted by anything but health. */
export function sortedBy<Of extends ReadInterval>(
  entries: readonly ProfileEntry<Of>[],
  sort: ProfileSort | undefined,
  rows: ProfileRows<Of>,
) {
  if (sort === undefined) return entries;
  const { descending } = sort;
  if ("operand" in sort) {
    const values = rows.column(sort.operand);
    return sorted(entries, ({ at }) => values[at]!, descending);
  }
  const key = { bars: "bars", last_bar: "lastBar", updated: "updatedAt" } as const;
  if (sort.column === "symbol")
    return descending ? entries.toSorted((a, b) => Number(a.symbol < b.symbol) - Number(a.symbol > b.symbol)) : entries;
  if (sort.column === "health") throw new Error("the health of a profile is not in its row");
  const field = key[sort.column];
  return sorted(entries, (entry) => entry[field], descending);
}

/** Sorts by one value each; equal ones stay in their order, those without a value (NaN) come last. */
export function sorted<Of extends ReadInterval>(
  entries: readonly ProfileEntry<Of>[],
  numberOf: (entry: ProfileEntry<Of>, place: number) => number,
  descending: boolean,
): ProfileEntry<Of>[] {
  const values = new Float64Array(entries.length);
  for (let place = 0; place < entries.length; place++) values[place] = numberOf(entries[place]!, place);
  const order = orderOf(values, descending);
  const found = new Array<ProfileEntry<Of>>(entries.length);
  for (let at = 0; at < order.length; at++) found[at] = entries[order[at]!]!;
  return found;
}
