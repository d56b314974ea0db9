/** What a computation from stored bars depends on: the same text means the same result. */

import { venueOfSeries } from "../../domain/market/exchanges/exchanges.ts";
import type { ReadInterval } from "../../domain/market/interval.ts";
import type { Database } from "../../storage/db.ts";
import { readSeries } from "../../storage/market/series.ts";
import type { ProfileEntry } from "../../storage/profiles/profile-rows.ts";
import type { SeriesSource } from "../exports/series/read-bars.ts";
import { lastBarOf } from "../stored-prices.ts";

/** The stored profile whose bars are read. */
export type ComputedSource = Pick<ProfileEntry, "symbol" | "interval" | "seriesId" | "updatedAt">;

/** The state of the bars behind a profile, read at an interval. */
export async function sourceState(db: Database, source: ComputedSource, interval: ReadInterval): Promise<string> {
  const series = await readSeries(db, source.seriesId);
  const last = await lastBarOf(db, source.seriesId);
  return [source.seriesId, series.barsId, source.updatedAt, last, series.changedFrom, interval].join(" ");
}

/** The bars behind a profile, as a task names them. */
export async function seriesSource(db: Database, { seriesId, interval }: ComputedSource): Promise<SeriesSource> {
  return { seriesId, source: interval, venue: venueOfSeries(await readSeries(db, seriesId)) };
}
