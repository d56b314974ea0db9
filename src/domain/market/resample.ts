/** Longer bars from shorter ones, anchored at the session: 1h bars start at 09:30, 10:30 … and the last one is short. */

import { BAR_FIELDS, type BarColumns, emptyBars, sliceBars } from "./bars.ts";
import { type Calendar, newYorkTime, tradingDate } from "./calendar.ts";
import { INTERVAL_SECONDS, type Interval } from "./interval.ts";
import type { Market } from "./symbol.ts";

/** Extended trading begins at 04:00 New York. */
const EXTENDED_OPEN = 4 * 3600;

/**
 * The start of the `interval` bar that holds the moment `ts` (epoch seconds). New York bars are counted from the open of
 * the part of the day they lie in (04:00, the open, the close), so that no bar mixes two; crypto bars from midnight UTC.
 */
export function barStartAt(calendar: Calendar, market: Market, interval: Interval, ts: number): number {
  const length = INTERVAL_SECONDS[interval];
  if (market === "crypto") return Math.floor(ts / length) * length;
  const date = tradingDate(market, ts);
  if (interval === "1d") return date;
  const session = calendar.sessionOn(market, date);
  const before = newYorkTime(date, EXTENDED_OPEN);
  const anchor = !session || ts < session.open ? before : ts < session.close ? session.open : session.close;
  return anchor + Math.floor((ts - anchor) / length) * length;
}

/**
 * Bars of `interval` built from shorter `bars` (ascending, of one market): first open, highest high, lowest low, last
 * close, summed volume. An interval without trades gives no bar. O(n).
 */
export function deriveBars(calendar: Calendar, market: Market, interval: Interval, bars: BarColumns): BarColumns {
  const result = emptyBars(bars.ts.length);
  let length = 0;
  let start = Number.NaN;
  for (let at = 0; at < bars.ts.length; at++) {
    const ts = barStartAt(calendar, market, interval, bars.ts[at]!);
    if (ts !== start) {
      start = ts;
      for (const field of BAR_FIELDS) result[field][length] = bars[field][at]!;
      result.ts[length++] = ts;
      continue;
    }
    const last = length - 1;
    if (bars.high[at]! > result.high[last]!) result.high[last] = bars.high[at]!;
    if (bars.low[at]! < result.low[last]!) result.low[last] = bars.low[at]!;
    result.close[last] = bars.close[at]!;
    result.volume[last]! += bars.volume[at]!;
  }
  return sliceBars(result, 0, length);
}
