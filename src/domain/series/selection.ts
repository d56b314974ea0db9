/** What is asked of the list of stored series. */

import type { Interval } from "../market/interval.ts";

/** What the list can be sorted by; bytes follow from bars. */
export const SERIES_SORTS = ["symbol", "interval", "provider", "bars", "first_bar", "last_bar", "updated"] as const;
export type SeriesSort = (typeof SERIES_SORTS)[number];

/** Whether a profile shows the series. */
export const PROFILE_FILTERS = ["with", "without"] as const;

export interface SeriesFilter {
  /** Part of the symbol. */
  readonly q?: string;
  readonly interval?: Interval | undefined;
  readonly provider?: string | undefined;
  readonly profile?: (typeof PROFILE_FILTERS)[number] | undefined;
}

/** Series by their ids, or all that match a filter. */
export type SeriesSelection = { readonly ids: readonly number[] } | { readonly filter: SeriesFilter };
