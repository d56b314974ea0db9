/** The bars of one symbol at the requested interval, page by page: stored ones, or built from shorter ones. */

import { type BarColumns, lowerBound, sliceBars } from "../../../domain/market/bars.ts";
import type { Calendar } from "../../../domain/market/calendar.ts";
import type { Adjustment } from "../../../domain/market/corporate-actions.ts";
import type { Venue } from "../../../domain/market/exchanges/exchanges.ts";
import { DAY, type Interval, READ_SECONDS, type ReadInterval } from "../../../domain/market/interval.ts";
import { BarDeriver } from "../../../domain/market/resample.ts";
import type { Database } from "../../../storage/db.ts";
import { barPages } from "../../../storage/market/bars.ts";
import { KnownBars } from "../../../storage/market/known-bars.ts";
import { adjusterOf } from "../../stored-prices.ts";

/** A stored series and what is read from it. Plain data: it is sent to a thread. */
export interface SeriesSource {
  readonly seriesId: number;
  /** The interval at which its bars are stored. */
  readonly source: Interval;
  readonly venue: Venue;
}

export interface BarQuery {
  readonly interval: ReadInterval;
  /** Half-open range, epoch seconds. */
  readonly from: number;
  readonly to: number;
  /** Bars at and after `to` that are read as well. */
  readonly after: number;
  /** Which corporate actions are applied to the raw bars, and the moment whose price level they are brought to. */
  readonly adjust: Adjustment;
  readonly level?: number;
  /** Bars and actions as they were stored then, epoch milliseconds. */
  readonly knownAt?: number | undefined;
  /** Receives, by the start of each derived bar, the start of its last stored one. */
  readonly lastSources?: Map<number, number>;
}

/** What every part of an export needs. */
export interface ExportContext {
  readonly db: Database;
  readonly calendar: Calendar;
  /** Called several times within a piece, so that an export without a reader ends at once. */
  readonly throwIfStopped: () => void;
  /** Whether each block of rows is done with when the next one is asked for, so that its columns are used again. */
  readonly reusesColumns?: boolean;
}

/** Bars ascending, in pages. */
export async function* readBarPages(
  context: ExportContext,
  source: SeriesSource,
  query: BarQuery,
): AsyncGenerator<BarColumns> {
  const { from, to, after } = query;
  let beyond = 0;
  for await (const page of derivedPages(context, source, query)) {
    const last = lowerBound(page.ts, to);
    const end = Math.min(page.ts.length, last + after - beyond);
    beyond += end - last;
    const wanted = sliceBars(page, lowerBound(page.ts, from), end);
    if (wanted.ts.length > 0) yield wanted;
    if (last < page.ts.length && beyond >= after) return;
  }
}

async function* derivedPages(
  { db, calendar, throwIfStopped }: ExportContext,
  { seriesId, source, venue }: SeriesSource,
  { interval, from, to, after, adjust, level, knownAt, lastSources }: BarQuery,
): AsyncGenerator<BarColumns> {
  const adjusted = await adjusterOf(db, seriesId, adjust, { level, knownAt });
  const deriver = source === interval ? null : new BarDeriver({ calendar, venue, source, interval }, lastSources);
  // The first and the last longer bar need all of their shorter ones; a date may begin up to a day before its midnight.
  const margin = deriver === null ? 0 : READ_SECONDS[interval] + 2 * DAY;
  const begin = Math.max(Number.MIN_SAFE_INTEGER, from - margin);
  const end = after > 0 ? Number.MAX_SAFE_INTEGER : Math.min(Number.MAX_SAFE_INTEGER, to + margin);
  const pages =
    knownAt === undefined
      ? barPages(db, seriesId, begin, end)
      : (await KnownBars.open(db, seriesId, knownAt)).pages(begin, end);
  for await (const page of pages) {
    throwIfStopped();
    const bars = adjusted(page);
    if (deriver === null) yield bars;
    else {
      const whole = deriver.take(bars);
      if (whole.ts.length > 0) yield whole;
    }
  }
  if (deriver !== null) yield deriver.end();
}
