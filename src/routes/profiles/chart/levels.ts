/** The intervals that the chart of a profile can show, and how densely a day can be filled with bars. */

import { entryOf, isExchange, type SeriesVenue, venueOfSeries } from "../../../domain/market/exchanges/exchanges.ts";
import { parseTime } from "../../../domain/market/exchanges/sessions.ts";
import {
  DAY,
  derivedIntervals,
  type Interval,
  READ_INTERVALS,
  READ_SECONDS,
  type ReadInterval,
} from "../../../domain/market/interval.ts";
import type { ChartView } from "../../../views/profiles/chart/chart.tsx";

/** The interval and the longer ones that are stored or derived. */
export const levelsOf = (interval: ReadInterval, stored: readonly Interval[]): ReadInterval[] => {
  const derived = derivedIntervals(stored).map((each) => each.interval);
  return READ_INTERVALS.filter(
    (each) =>
      each === interval ||
      (READ_SECONDS[each] > READ_SECONDS[interval] && [...stored, ...derived].some((known) => known === each)),
  );
};

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
