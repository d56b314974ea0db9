/**
 * What the page of a profile says of each feature besides its value: its distribution over the last year, the percentile of
 * today's value, drift, and its course. One pass over all bars for all features.
 */

import type { ReadInterval } from "../../domain/market/interval.ts";
import { type Drift, driftOf, type Histogram, histogramOf, percentileOf } from "../../domain/profiles/distribution.ts";
import { FEATURES } from "../../features/catalog.ts";
import { featureMatrix } from "../../features/engine.ts";
import { barsPerYear } from "../../features/kernels/volatility.ts";
import { featureSetup } from "../../features/setup.ts";
import { yieldToEvents } from "../../storage/db.ts";
import type { ExportContext, SeriesSource } from "../exports/series/read-bars.ts";
import { readAll } from "./read-all.ts";

/** What to report on. Plain data: it is sent to a thread. */
export interface FeatureReportTask {
  readonly kind: "features";
  readonly symbol: string;
  readonly interval: ReadInterval;
  readonly series: SeriesSource;
}

/** The newest bars that are held against the year before them. */
export const RECENT_BARS = 60;
/**
 * The most values of a feature that stand for its year: of more bars, every second, third, … stretch of `RECENT_BARS` is
 * taken, so that stretches of the year can be compared with the newest bars.
 */
const MOST_VALUES = 10_000;
/** Of a whole year, stretches overlap by three quarters, or less where there would be more than so many of them. */
const OVERLAP = 4;
const MOST_STRETCHES = 100;
const BINS = 30;
/** Points of a course: the least and the greatest value of so many parts of the year. */
const POINTS = 480;

/** One feature. */
interface FeatureDetails {
  /** Values of the year that are not undefined. */
  readonly count: number;
  readonly histogram: Histogram | null;
  /** At the last bar; `null` where it is undefined. */
  readonly value: number | null;
  /** Of the value at the last bar among those of the year, in percent. */
  readonly percentile: number | null;
  /** `null` of too few values. */
  readonly drift: Drift | null;
  /** The least and the greatest value of each part of the year and the newest bars, NaN where none is defined. */
  readonly lows: Float64Array;
  readonly highs: Float64Array;
}

export interface FeatureReport {
  /** Starts of the first bar of the year, of the first of the newest bars, and of the last one; epoch seconds. */
  readonly from: number;
  readonly recentFrom: number;
  readonly to: number;
  /** Bars of the year; and every how many stretches of `RECENT_BARS` of them is counted. */
  readonly bars: number;
  readonly every: number;
  readonly recentBars: number;
  /** Whether there are bars of a whole year before the newest ones. */
  readonly isWholeYear: boolean;
  /** In catalogue order. */
  readonly features: readonly FeatureDetails[];
}

/** The report from all stored bars; `null` without bars. */
export async function reportFeatures(context: ExportContext, task: FeatureReportTask): Promise<FeatureReport | null> {
  const { symbol, interval, series } = task;
  const setup = featureSetup(symbol, interval, series.venue);
  const all = await readAll(context, series, interval);
  const { length } = all.ts;
  if (length === 0) return null;
  const year = Math.max(1, Math.round(barsPerYear(setup)));
  const recent = Math.min(RECENT_BARS, length);
  const bars = Math.min(year, length - recent);
  const start = length - recent - bars;
  const since = all.ts[start]!;
  const columns = new Columns(bars, recent);
  const take = featureMatrix(setup, FEATURES, { since, reuse: true, onStep: context.throwIfStopped });
  for (const block of take(all)) {
    columns.add(block.columns);
    await yieldToEvents();
  }
  return {
    from: since,
    recentFrom: all.ts[start + bars]!,
    to: all.ts[length - 1]!,
    bars,
    every: columns.every,
    recentBars: recent,
    isWholeYear: bars === year,
    features: columns.details(),
  };
}

/** Collects the rows of a matrix: samples of the year, all of the newest, and the extremes of each part. */
class Columns {
  readonly every: number;
  readonly #rows: number;
  readonly #parts: number;
  /** Feature by feature. */
  readonly #samples: Float64Array[];
  readonly #recent: Float64Array[];
  readonly #lows: Float64Array[];
  readonly #highs: Float64Array[];
  #at = 0;

  constructor(
    private readonly bars: number,
    recent: number,
  ) {
    this.every = Math.max(1, Math.ceil(bars / MOST_VALUES));
    this.#rows = bars + recent;
    this.#parts = Math.min(POINTS, this.#rows);
    const all = (size: number, value: number) => FEATURES.map(() => new Float64Array(size).fill(value));
    const stretches = Math.ceil(bars / RECENT_BARS);
    this.#samples = all(this.every === 1 ? bars : Math.ceil(stretches / this.every) * RECENT_BARS, Number.NaN);
    this.#recent = all(recent, Number.NaN);
    this.#lows = all(this.#parts, Number.NaN);
    this.#highs = all(this.#parts, Number.NaN);
  }

  add(block: readonly Float64Array[]): void {
    const rows = block[0]?.length ?? 0;
    block.forEach((column, feature) => {
      const [lows, highs] = [this.#lows[feature]!, this.#highs[feature]!];
      for (let row = 0; row < rows; row++) {
        const value = column[row]!;
        const at = this.#at + row;
        if (at >= this.bars) this.#recent[feature]![at - this.bars] = value;
        else {
          const stretch = Math.floor(at / RECENT_BARS);
          if (stretch % this.every === 0)
            this.#samples[feature]![(stretch / this.every) * RECENT_BARS + (at % RECENT_BARS)] = value;
        }
        const part = Math.floor((at * this.#parts) / this.#rows);
        if (!(value >= lows[part]!)) lows[part] = Number.isNaN(value) ? lows[part]! : value;
        if (!(value <= highs[part]!)) highs[part] = Number.isNaN(value) ? highs[part]! : value;
      }
    });
    this.#at += rows;
  }

  details(): FeatureDetails[] {
    return FEATURES.map((_, feature) => {
      const year = this.#samples[feature]!;
      const recent = this.#recent[feature]!;
      const value = recent.at(-1) ?? Number.NaN;
      const ascending = year.filter((value) => !Number.isNaN(value)).sort();
      const step =
        this.every === 1
          ? Math.max(RECENT_BARS / OVERLAP, Math.ceil((this.bars - RECENT_BARS) / MOST_STRETCHES))
          : RECENT_BARS;
      return {
        count: ascending.length,
        histogram: histogramOf(ascending, BINS),
        value: Number.isNaN(value) ? null : value,
        percentile: percentileOf(ascending, value),
        drift: driftOf({ year, ascending, recent, step }),
        lows: this.#lows[feature]!,
        highs: this.#highs[feature]!,
      };
    });
  }
}
