/** Computes the profile of an interval that is not stored: all features at the last bar built from shorter ones. */

import { BAR_FIELDS, type BarColumns, emptyBars, sliceBars } from "../../domain/market/bars.ts";
import type { ReadInterval } from "../../domain/market/interval.ts";
import { derivedEdges, type PartialBars } from "../../domain/market/partial-bars.ts";
import { engineer, TAIL } from "../../features/engine.ts";
import { featureSetup } from "../../features/setup.ts";
import { barEdges } from "../../storage/market/series.ts";
import type { ExportContext, SeriesSource } from "../exports/series/read-bars.ts";
import { readAll } from "./read-all.ts";

/** What to derive. Plain data: it is sent to a thread. */
export interface DerivedTask {
  readonly kind: "profile";
  readonly symbol: string;
  readonly interval: ReadInterval;
  readonly series: SeriesSource;
  /** Whether the last values of every feature are wanted too. */
  readonly tails: boolean;
}

export interface DerivedProfile {
  /** Start of the first and the last bar, epoch seconds. */
  readonly firstBar: number;
  readonly lastBar: number;
  readonly bars: number;
  /** The last two bars, or the only one, adjusted for splits. */
  readonly last: BarColumns;
  /** Whether the first and the last bar hold less than their whole time. */
  readonly partial: PartialBars;
  /** The value of every feature at the last bar, in catalogue order; NaN where undefined. */
  readonly values: Float64Array;
  /** The last values of every feature, oldest first; empty unless requested. */
  readonly tails: readonly Float64Array[];
}

/** The profile from all stored bars, as the feature matrix of the same interval ends; `null` without bars. */
export async function deriveProfile(context: ExportContext, task: DerivedTask): Promise<DerivedProfile | null> {
  const { symbol, interval, series, tails } = task;
  const bars = await readAll(context, series, interval);
  const length = bars.ts.length;
  if (length === 0) return null;
  const pass = engineer(bars, featureSetup(symbol, interval, series.venue), undefined, tails ? TAIL : 0);
  let step = pass.next();
  while (!step.done) {
    context.throwIfStopped();
    step = pass.next();
  }
  const lastBar = bars.ts[length - 1]!;
  const whole = [{ id: series.seriesId, from: Number.MIN_SAFE_INTEGER }];
  const history = (await barEdges(context.db, whole, Number.MAX_SAFE_INTEGER)).get(series.seriesId);
  const { calendar } = context;
  const edges = history && derivedEdges({ ...series, calendar, interval }, history);
  const { values, tails: recent } = step.value;
  return {
    firstBar: bars.ts[0]!,
    lastBar,
    bars: length,
    last: copyOf(sliceBars(bars, Math.max(0, length - 2), length)),
    partial: edges?.partial ?? { first: false, last: false },
    values,
    tails: tails ? recent.map((tail) => tail.slice()) : [],
  };
}

/** A view would take the whole history along to the other thread. */
function copyOf(bars: BarColumns): BarColumns {
  const copy = emptyBars(bars.ts.length);
  for (const field of BAR_FIELDS) copy[field].set(bars[field]);
  return copy;
}
