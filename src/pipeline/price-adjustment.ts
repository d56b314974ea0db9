/** Stored bars stay raw; they are adjusted for splits and dividends when they are read. */

import type { BarColumns } from "../domain/market/bars.ts";
import { type Adjustment, adjustBars, adjustmentSteps, kindsToApply } from "../domain/market/corporate-actions.ts";
import type { Database } from "../storage/db.ts";
import { readLastBars } from "../storage/market/bars.ts";
import { listActions, listActionsAt } from "../storage/market/corporate-actions.ts";
import { KnownBars } from "../storage/market/known-bars.ts";
import { readSeries } from "../storage/market/series.ts";

/** The adjustment of features, charts and exports unless another is requested. */
export const USUAL_ADJUSTMENT: Adjustment = "splits";

/** The last bars of a series before a moment; as they were stored at `knownAt` (epoch milliseconds), if it is given. */
async function lastBars(db: Database, seriesId: number, to: number, knownAt: number | undefined): Promise<BarColumns> {
  if (knownAt === undefined) return readLastBars(db, seriesId, to, 1);
  return (await KnownBars.open(db, seriesId, knownAt)).last(to, 1);
}

/** When the last bar of a series starts, epoch seconds; 0 without bars. */
export const lastBarOf = async (db: Database, seriesId: number, knownAt?: number): Promise<number> =>
  (await lastBars(db, seriesId, Number.MAX_SAFE_INTEGER, knownAt)).ts[0] ?? 0;

/**
 * Returns a function that adjusts stored bars of a series to the price level of its last bar, or of `level` (epoch
 * seconds), for series that are compared with another. With `knownAt` (epoch milliseconds), by what was stored then.
 */
export async function adjusterOf(
  db: Database,
  seriesId: number,
  wanted: Adjustment,
  { level, knownAt }: { readonly level?: number | undefined; readonly knownAt?: number | undefined } = {},
): Promise<(bars: BarColumns) => BarColumns> {
  const { provider, symbol, adjustment } = await readSeries(db, seriesId);
  const kinds = kindsToApply(wanted, adjustment);
  const actions =
    kinds.length === 0
      ? []
      : knownAt === undefined
        ? await listActions(db, provider, symbol, kinds)
        : await listActionsAt(db, provider, symbol, kinds, knownAt);
  if (actions.length === 0) return (bars) => bars;
  const lastBar = level ?? (await lastBarOf(db, seriesId, knownAt));
  const closes = new Map<number, number | undefined>();
  for (const { kind, date } of actions) {
    if (kind === "dividend") closes.set(date, (await lastBars(db, seriesId, date, knownAt)).close[0]);
  }
  const steps = adjustmentSteps(actions, lastBar, (date) => closes.get(date));
  return (bars) => adjustBars(bars, steps);
}
