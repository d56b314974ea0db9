/** Profiles: the computed state of a symbol at an interval. */

import { isSynthetic } from "../defaults.ts";
import type { Interval, ReadInterval } from "../market/interval.ts";
import type { PartialBars } from "../market/partial-bars.ts";
import { isoMillisecond } from "../time.ts";

/** How the history behind a profile was filled (docs/contract.md §3). Wire names, because it is stored and served unchanged. */
export interface BackfillMetadata {
  /** Whether the provider answered every window of the stored range. */
  readonly history_complete: boolean;
  readonly history_rows: number;
  readonly api_calls_used: number;
  readonly fetch_duration_seconds: number;
  readonly feature_count: number;
  readonly batch_size_days: number;
  readonly [extra: string]: unknown;
}

export interface Profile {
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  /** Start of the first and the last bar, epoch seconds. */
  readonly firstBar: number;
  readonly lastBar: number;
  readonly lastClose: number;
  /** Epoch milliseconds. */
  readonly updatedAt: number;
  /** The features at the last bar by name; `null` where undefined. */
  readonly features: Readonly<Record<string, number | null>>;
  readonly backfill: BackfillMetadata;
}

/** A profile as the API writes it. */
export function profileToWire(profile: Profile) {
  return {
    symbol: profile.symbol,
    interval: profile.interval,
    provider: profile.provider,
    synthetic: isSynthetic(profile.provider),
    first_bar: isoMillisecond(profile.firstBar),
    last_bar: isoMillisecond(profile.lastBar),
    last_close: profile.lastClose,
    updated_at: new Date(profile.updatedAt).toISOString(),
    features: profile.features,
    backfill_metadata: profile.backfill,
  };
}

/** What differs in a profile that is derived from a stored one. */
export interface DerivedFacts extends Pick<Profile, "firstBar" | "lastBar" | "lastClose" | "features"> {
  readonly interval: ReadInterval;
  readonly partial: PartialBars;
}

/** A derived profile as the API writes it; provider, health and `backfill_metadata` are those of the stored bars. */
export function derivedToWire(stored: Profile, { interval, partial, ...facts }: DerivedFacts) {
  return {
    ...profileToWire({ ...stored, ...facts }),
    interval,
    derived_from: stored.interval,
    partial: (["first", "last"] as const).filter((bar) => partial[bar]),
  };
}
