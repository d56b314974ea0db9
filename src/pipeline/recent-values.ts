/** The last values of a profile's features, for sparklines: computed from its state and last bars, stored nowhere. */

import { venueOfSeries } from "../domain/market/exchanges/exchanges.ts";
import type { Interval } from "../domain/market/interval.ts";
import { engineer, LOOKBACK_BARS, resumeFrom, TAIL } from "../features/engine.ts";
import { featureSetup } from "../features/setup.ts";
import { CATALOG_VERSION } from "../features/version.ts";
import type { Database } from "../storage/db.ts";
import { readLastBars } from "../storage/market/bars.ts";
import { readSeries } from "../storage/market/series.ts";
import { findFeatureState } from "../storage/profiles/profiles.ts";
import { USUAL_ADJUSTMENT } from "./price-adjustment.ts";
import { adjusterOf } from "./stored-prices.ts";

/** What of a profile is needed to compute its last values. */
export interface ComputedProfile {
  readonly symbol: string;
  readonly interval: Interval;
  readonly seriesId: number;
  /** Epoch seconds. */
  readonly lastBar: number;
  readonly catalogVersion: string;
}

/**
 * The last `TAIL` values of every feature in catalogue order, oldest first, NaN where undefined. Takes 1 to 2 ms of the
 * calling thread: the state was taken `TAIL` bars before the end.
 * @returns `null` if another version of the catalogue computed the profile, or its bars have changed since
 */
export async function recentValues(db: Database, profile: ComputedProfile): Promise<readonly Float64Array[] | null> {
  const { symbol, interval, seriesId, lastBar, catalogVersion } = profile;
  if (catalogVersion !== String(CATALOG_VERSION)) return null;
  const stored = await findFeatureState(db, symbol, interval);
  if (stored === undefined) return null;
  const adjust = await adjusterOf(db, seriesId, USUAL_ADJUSTMENT);
  const bars = adjust(await readLastBars(db, seriesId, lastBar + 1, LOOKBACK_BARS));
  const setup = featureSetup(symbol, interval, venueOfSeries(await readSeries(db, seriesId)));
  const resume = resumeFrom(stored.state, bars, setup);
  if ("refused" in resume) return null;
  const pass = engineer(bars, setup, resume);
  let step = pass.next();
  while (!step.done) step = pass.next();
  return step.value.tails.map((tail) => {
    const values = new Float64Array(TAIL).fill(Number.NaN);
    values.set(tail, TAIL - tail.length);
    return values;
  });
}
