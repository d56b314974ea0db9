/** The prices of a database that are adjusted: as they are stored now, or as they were at an earlier moment. */

import type { BarColumns } from "../domain/market/bars.ts";
import type { Adjustment } from "../domain/market/corporate-actions.ts";
import type { Database } from "../storage/db.ts";
import { readLastBars } from "../storage/market/bars.ts";
import { listActions, listActionsAt } from "../storage/market/corporate-actions.ts";
import { KnownBars } from "../storage/market/known-bars.ts";
import { readSeries } from "../storage/market/series.ts";
import { adjusterFrom, lastStart, type StoredPrices } from "./price-adjustment.ts";

/** @param knownAt the moment, epoch milliseconds; now if it is not given */
const pricesOf = (db: Database, knownAt: number | undefined): StoredPrices => ({
  readSeries: (id) => readSeries(db, id),
  listActions: (provider, symbol, kinds) =>
    knownAt === undefined
      ? listActions(db, provider, symbol, kinds)
      : listActionsAt(db, provider, symbol, kinds, knownAt),
  lastBar: async (series, to) =>
    knownAt === undefined ? readLastBars(db, series, to, 1) : (await KnownBars.open(db, series, knownAt)).last(to, 1),
});

/** When the last bar of a series starts, epoch seconds; 0 without bars. */
export const lastBarOf = (db: Database, series: number, knownAt?: number): Promise<number> =>
  lastStart(pricesOf(db, knownAt), series);

/** Adjusts stored bars (`adjusterFrom`); with `knownAt` (epoch milliseconds), by what was stored then. */
export function adjusterOf(
  db: Database,
  series: number,
  wanted: Adjustment,
  { level, knownAt }: { readonly level?: number | undefined; readonly knownAt?: number | undefined } = {},
): Promise<(bars: BarColumns) => BarColumns> {
  return adjusterFrom(pricesOf(db, knownAt), series, wanted, level);
}
