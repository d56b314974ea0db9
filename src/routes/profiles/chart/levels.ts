/** The intervals that the chart of a profile can show, and how densely a day can be filled with bars. */

import { entryOf, isExchange, type SeriesVenue, venueOfSeries } from "../../../domain/market/exchanges/exchanges.ts";
import { parseTime } from "../../../domain/market/exchanges/sessions.ts";
import {
  DAY,
  type Interval,
  READ_INTERVALS,
  READ_SECONDS,
  type ReadInterval,
  sourceInterval,
} from "../../../domain/market/interval.ts";
import type { ChartView } from "../../../views/profiles/chart/chart-view.ts";

/** A stored series, or one derived from it: its interval and its first and last bar, epoch seconds. */
interface BarRange<I extends ReadInterval = ReadInterval> {
  readonly interval: I;
  readonly firstBar: number;
  readonly lastBar: number;
}

/**
 * The interval of a page and the longer ones that can be shown over the same time: those read from a series, the finest
 * that divides them, that begins and ends about where the page's bars do. `stored` has the series of its provider.
 */
export function levelsOf(page: BarRange, stored: readonly BarRange<Interval>[]): ReadInterval[] {
  const intervals = stored.map(({ interval }) => interval);
  return READ_INTERVALS.filter((each) => {
    if (READ_SECONDS[each] <= READ_SECONDS[page.interval]) return each === page.interval;
    const source = stored.find(({ interval }) => interval === sourceInterval(each, intervals));
    const slack = Math.max(DAY, READ_SECONDS[each]);
    return source !== undefined && source.firstBar < page.firstBar + slack && source.lastBar > page.lastBar - slack;
  });
}

/** New York's session, from 09:30 to 16:00. */
const NEW_YORK_SECONDS = 6.5 * 3_600;

/** The most seconds of a day and days of a week that have bars; around the clock where the sessions are not known. */
export function tradingTime(series: SeriesVenue): Pick<ChartView, "daySeconds" | "weekDays"> {
  const venue = venueOfSeries(series);
  if (series.sessions !== "regular" || (venue !== "us_equity" && !isExchange(venue))) {
    return { daySeconds: DAY, weekDays: 7 };
  }
  if (!isExchange(venue)) return { daySeconds: NEW_YORK_SECONDS, weekDays: 5 };
  const lengths = entryOf(venue).hours.map((each) => {
    const times = each.hours.split(/[-,]/).map(parseTime);
    return times.at(-1)! - times[0]!;
  });
  return { daySeconds: Math.max(...lengths), weekDays: 5 };
}
