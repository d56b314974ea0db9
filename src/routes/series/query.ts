/** How the storage page and its API name series: by a filter in the address, by ids, and by a date or an age. */

import { invalid, quote, Refusal } from "../../domain/errors.ts";
import { isInterval } from "../../domain/market/interval.ts";
import { parsePruneDate } from "../../domain/series/prune-date.ts";
import { PROFILE_FILTERS, SERIES_SORTS, type SeriesFilter, type SeriesSort } from "../../domain/series/selection.ts";
import { busyText } from "../../scheduler/series/pruning.ts";
import type { StorageFields } from "../../views/series/series-table.tsx";

/** The parameters of the page's address. @throws Refusal if one cannot be read */
export function parseFields(get: (name: string) => string | undefined): {
  readonly fields: StorageFields;
  readonly filter: SeriesFilter;
  readonly sort: SeriesSort;
  readonly descending: boolean;
} {
  const text = (name: string, longest: number) => (get(name) ?? "").trim().slice(0, longest);
  const fields = {
    q: text("q", 24),
    interval: text("interval", 8),
    provider: text("provider", 40),
    profile: text("profile", 8),
    sort: text("sort", 12),
  };
  const { q, interval, provider, profile } = fields;
  if (interval !== "" && !isInterval(interval)) throw invalid("interval", `${quote(interval)} is not an interval`);
  const withProfile = PROFILE_FILTERS.find((each) => each === profile);
  if (profile !== "" && withProfile === undefined)
    throw invalid("profile", `${quote(profile)} is not one of ${PROFILE_FILTERS.join(", ")}`);
  const filter = {
    q,
    interval: interval === "" ? undefined : (interval as SeriesFilter["interval"]),
    provider: provider === "" ? undefined : provider,
    profile: withProfile,
  };
  return { fields, filter, ...parseSort(fields.sort) };
}

/** @throws Refusal for what the list cannot be sorted by */
export function parseSort(text: string): { readonly sort: SeriesSort; readonly descending: boolean } {
  const name = text.replace(/^-/, "");
  const sort = text === "" ? "symbol" : SERIES_SORTS.find((each) => each === name);
  if (sort === undefined) {
    const wants = `wants one of ${SERIES_SORTS.join(", ")}, with - before it for descending`;
    throw invalid("sort", `${quote(text)} is not a sort: ${wants}`);
  }
  return { sort, descending: text.startsWith("-") };
}

/** Midnight UTC of the day before which bars are deleted, epoch seconds. @throws Refusal */
export function parseBefore(text: string): number {
  const before = parsePruneDate(text, Date.now() / 1_000);
  if (before === null) {
    throw invalid(
      "before",
      `${quote(text.slice(0, 40))} is not a day in the past: wants 2020-01-31, or an age as 5y or 18mo`,
    );
  }
  return before;
}

/** Refuses a deletion while jobs of its series are active. @throws Refusal */
export function requireIdle({ busy, busySymbols }: { busy: number; busySymbols: readonly string[] }): void {
  if (busy > 0) throw new Refusal("conflict", busyText(busy, busySymbols));
}
