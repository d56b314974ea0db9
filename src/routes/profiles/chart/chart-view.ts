/** What the chart of a profile is drawn from: its series, the intervals it can show, and what its address chooses. */

import type { Context } from "hono";
import { ADJUSTMENTS, type Adjustment } from "../../../domain/market/corporate-actions.ts";
import type { SeriesVenue } from "../../../domain/market/exchanges/exchanges.ts";
import { isInterval, type ReadInterval } from "../../../domain/market/interval.ts";
import { FEATURES } from "../../../features/catalog.ts";
import { USUAL_ADJUSTMENT } from "../../../pipeline/price-adjustment.ts";
import type { Database } from "../../../storage/db.ts";
import { rangesOf } from "../../../storage/profiles/profiles.ts";
import type { ChartView } from "../../../views/profiles/chart/chart-view.ts";
import { chosenOverlays } from "../../../views/profiles/chart/overlays.tsx";
import { chosen } from "../../http/page-query.ts";
import { levelsOf, tradingTime } from "./levels.ts";

interface ChartSeries extends SeriesVenue {
  readonly interval: ReadInterval;
  /** Epoch seconds of the first and the last bar. */
  readonly firstBar: number;
  readonly lastBar: number;
}

const FEATURE_NAMES = [...Map.groupBy(FEATURES, ({ family }) => family)].map(([family, features]) => ({
  family,
  names: features.map(({ name }) => name),
}));

/** The corporate actions that an address wants applied to prices. */
export const adjustmentOf = (c: Context): Adjustment => chosen(c, "adjust", ADJUSTMENTS) ?? USUAL_ADJUSTMENT;

export async function chartView(db: Database, c: Context, { sessions, ...series }: ChartSeries): Promise<ChartView> {
  const stored = await rangesOf(db, series.symbol, series.provider);
  return {
    ...series,
    levels: levelsOf(series, stored),
    ...tradingTime({ ...series, sessions }),
    adjust: adjustmentOf(c),
    overlays: chosenOverlays(c.req.queries("overlay") ?? []),
    features: FEATURE_NAMES,
    isStored: isInterval(series.interval) && stored.some(({ interval }) => interval === series.interval),
    script: c.var.page.assets.chart,
  };
}
