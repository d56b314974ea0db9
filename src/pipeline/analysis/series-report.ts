/** What the analysis of a profile says of its bars: statistics, seasonality and volume by price. */

import { tradingDate } from "../../domain/market/calendar.ts";
import { zoneOf } from "../../domain/market/exchanges/exchanges.ts";
import { isDated, type ReadInterval } from "../../domain/market/interval.ts";
import { type CloseUnit, missingCloses } from "../../domain/profiles/missing-closes.ts";
import { HourlySeasonality, MonthlySeasonality, type Seasonality } from "../../domain/profiles/seasonality.ts";
import { type SeriesStatistics, statisticsOf } from "../../domain/profiles/statistics.ts";
import { type VolumeProfile, volumeProfileOf } from "../../domain/profiles/volume-profile.ts";
import { offsetAt } from "../../domain/zone.ts";
import { barsPerYear } from "../../features/kernels/volatility.ts";
import { featureSetup } from "../../features/setup.ts";
import { yieldToEvents } from "../../storage/db.ts";
import type { ExportContext, SeriesSource } from "../exports/series/read-bars.ts";
import { readAll } from "./read-all.ts";

/** What to report on: the bars with `from` <= ts < `to`, epoch seconds. Plain data: it is sent to a thread. */
export interface SeriesReportTask {
  readonly kind: "series";
  readonly symbol: string;
  readonly interval: ReadInterval;
  readonly series: SeriesSource;
  readonly from: number;
  readonly to: number;
}

const PRICE_BINS = 48;
/** Bars between two looks at whether somebody still waits. */
const YIELD = 50_000;

export interface SeriesReport {
  /** Starts of the first and the last bar, epoch seconds. */
  readonly from: number;
  readonly to: number;
  readonly bars: number;
  /** Of which closes: one a bar; of bars of less than a day the last one of each trading date. */
  readonly unit: CloseUnit;
  /** Closes of a year. */
  readonly perYear: number;
  readonly statistics: SeriesStatistics;
  /** The clock of the exchange, an IANA name. */
  readonly timeZone: string;
  /** By hour and weekday, of bars of at most an hour; otherwise `null`. */
  readonly hourly: Seasonality | null;
  /** By month and year; `null` of weeks, which lie in two months. */
  readonly monthly: Seasonality | null;
  /** Months without a return because their last closes are missing. */
  readonly cutMonths: number;
  /** `null` where no volume is known. */
  readonly volume: VolumeProfile | null;
}

/** The report; `null` without bars. */
export async function reportSeries(context: ExportContext, task: SeriesReportTask): Promise<SeriesReport | null> {
  const { symbol, interval, series, from, to } = task;
  const zone = zoneOf(series.venue);
  const dated = isDated(interval);
  const hourly = dated || interval === "4h" ? null : new HourlySeasonality();
  const [dates, closes]: [number[], number[]] = [[], []];
  const bars = await readAll(context, series, interval, { from, to });
  const { ts, open, close } = bars;
  if (ts.length === 0) return null;
  for (let at = 0; at < ts.length; at++) {
    const date = dated ? ts[at]! : tradingDate(series.venue, ts[at]!);
    if (date === dates.at(-1)) closes[closes.length - 1] = close[at]!;
    else {
      dates.push(date);
      closes.push(close[at]!);
    }
    hourly?.add(ts[at]! + offsetAt(zone, ts[at]!), open[at]!, close[at]!);
    if (at % YIELD === 0) {
      context.throwIfStopped();
      await yieldToEvents();
    }
  }
  const unit = interval === "1w" ? "week" : interval === "1mo" ? "month" : "day";
  const perYear = barsPerYear(featureSetup(symbol, dated ? interval : "1d", series.venue));
  const missing = missingCloses(context.calendar, series.venue, unit, perYear);
  const monthly = unit === "week" ? null : new MonthlySeasonality(unit === "day" ? missing : undefined);
  for (const [at, date] of dates.entries()) monthly?.add(date, closes[at]!);
  return {
    from: ts[0]!,
    to: ts.at(-1)!,
    bars: ts.length,
    unit,
    perYear,
    statistics: statisticsOf({ ts: dates, close: closes }, perYear, missing),
    timeZone: zone,
    hourly: hourly?.result() ?? null,
    monthly: monthly?.result() ?? null,
    cutMonths: monthly?.cut ?? 0,
    volume: volumeProfileOf(bars, PRICE_BINS),
  };
}
