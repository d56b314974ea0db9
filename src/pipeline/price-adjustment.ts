/** Stored bars stay raw; they are adjusted for splits and dividends when they are read. */

import type { BarColumns } from "../domain/market/bars.ts";
import { type Adjustment, adjustBars, adjustmentSteps, kindsToApply } from "../domain/market/corporate-actions.ts";
import type { Database } from "../storage/db.ts";
import { readLastBars } from "../storage/market/bars.ts";
import { listActions } from "../storage/market/corporate-actions.ts";
import { readSeries } from "../storage/market/series.ts";

/** The adjustment of features, charts and exports unless another is requested. */
export const USUAL_ADJUSTMENT: Adjustment = "splits";

/** When the last bar of a series starts, epoch seconds; 0 without bars. */
export const lastBarOf = async (db: Database, seriesId: number): Promise<number> =>
  (await readLastBars(db, seriesId, Number.MAX_SAFE_INTEGER, 1)).ts[0] ?? 0;

/**
 * Returns a function that adjusts stored bars of a series to the price level of its last bar, or of `level` (epoch
 * seconds), for series that are compared with another.
 */
export async function adjusterOf(
  db: Database,
  seriesId: number,
  wanted: Adjustment,
  level?: number,
): Promise<(bars: BarColumns) => BarColumns> {
  const { provider, symbol, adjustment } = await readSeries(db, seriesId);
  const kinds = kindsToApply(wanted, adjustment);
  const actions = kinds.length === 0 ? [] : await listActions(db, provider, symbol, kinds);
  if (actions.length === 0) return (bars) => bars;
  const lastBar = level ?? (await lastBarOf(db, seriesId));
  const closes = new Map<number, number | undefined>();
  for (const { kind, date } of actions) {
    if (kind === "dividend") closes.set(date, (await readLastBars(db, seriesId, date, 1)).close[0]);
  }
  const steps = adjustmentSteps(actions, lastBar, (date) => closes.get(date));
  return (bars) => adjustBars(bars, steps);
}
