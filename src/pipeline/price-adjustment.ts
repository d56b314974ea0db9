/** Stored bars stay raw; they are adjusted for splits and dividends when they are read. */

import type { BarColumns } from "../domain/market/bars.ts";
import {
  type ActionKind,
  type Adjustment,
  adjustBars,
  adjustmentSteps,
  type CorporateAction,
  kindsToApply,
} from "../domain/market/corporate-actions.ts";
import type { SeriesRow } from "../storage/market/series.ts";

/** The adjustment of features, charts and exports unless another is requested. */
export const USUAL_ADJUSTMENT: Adjustment = "splits";

/** What is stored of a series, now or as it was at an earlier moment. */
export interface StoredPrices {
  readSeries(id: number): Promise<SeriesRow>;
  listActions(provider: string, symbol: string, kinds: readonly ActionKind[]): Promise<readonly CorporateAction[]>;
  /** The last bar before a moment (epoch seconds), if there is one. */
  lastBar(series: number, to: number): Promise<BarColumns>;
}

/** When the last bar of a series starts, epoch seconds; 0 without bars. */
export const lastStart = async (stored: Pick<StoredPrices, "lastBar">, series: number): Promise<number> =>
  (await stored.lastBar(series, Number.MAX_SAFE_INTEGER)).ts[0] ?? 0;

/**
 * Returns a function that adjusts stored bars of a series to the price level of its last bar, or of `level` (epoch
 * seconds), for series that are compared with another.
 */
export async function adjusterFrom(
  stored: StoredPrices,
  series: number,
  wanted: Adjustment,
  level?: number,
): Promise<(bars: BarColumns) => BarColumns> {
  const { provider, symbol, adjustment } = await stored.readSeries(series);
  const kinds = kindsToApply(wanted, adjustment);
  const actions = kinds.length === 0 ? [] : await stored.listActions(provider, symbol, kinds);
  if (actions.length === 0) return (bars) => bars;
  const lastBar = level ?? (await lastStart(stored, series));
  const closes = new Map<number, number | undefined>();
  for (const { kind, date } of actions) {
    if (kind === "dividend") closes.set(date, (await stored.lastBar(series, date)).close[0]);
  }
  const steps = adjustmentSteps(actions, lastBar, (date) => closes.get(date));
  return (bars) => adjustBars(bars, steps);
}
