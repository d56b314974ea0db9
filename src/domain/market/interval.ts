/** The intervals of bars: those that are stored, and those that are built from stored ones when they are read. */

export const INTERVALS = ["1m", "5m", "15m", "1h", "1d"] as const;
export type Interval = (typeof INTERVALS)[number];

/** Length of one bar in seconds; for `1d` the 86,400 seconds of the trading date. */
export const INTERVAL_SECONDS: Readonly<Record<Interval, number>> = {
  "1m": 60,
  "5m": 300,
  "15m": 900,
  "1h": 3600,
  "1d": 86_400,
};

export const DAY = 86_400;

export function isInterval(value: unknown): value is Interval {
  return INTERVALS.includes(value as Interval);
}

/** The intervals at which bars and features can be read. */
export const READ_INTERVALS = ["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1mo"] as const;
export type ReadInterval = (typeof READ_INTERVALS)[number];

/** Nominal length of one bar in seconds; a month counts 30 days. */
export const READ_SECONDS: Readonly<Record<ReadInterval, number>> = {
  ...INTERVAL_SECONDS,
  "30m": 1_800,
  "4h": 14_400,
  "1w": 7 * DAY,
  "1mo": 30 * DAY,
};

export function isReadInterval(value: unknown): value is ReadInterval {
  return READ_INTERVALS.includes(value as ReadInterval);
}

/** Whether the bars of an interval are named by dates, midnight UTC, and not by moments. */
export const isDated = (interval: ReadInterval): boolean => READ_SECONDS[interval] >= DAY;

/** The stored interval from which bars of `wanted` are read: itself, or else the finest that divides it; `null` if none. */
export function sourceInterval(wanted: ReadInterval, stored: readonly Interval[]): Interval | null {
  const own = stored.find((interval) => interval === wanted);
  return own ?? INTERVALS.find((each) => stored.includes(each) && divides(each, wanted)) ?? null;
}

/** Whether bars of `longer` can be built from bars of `shorter`. */
export const divides = (shorter: ReadInterval, longer: ReadInterval): boolean =>
  READ_SECONDS[shorter] < READ_SECONDS[longer] && READ_SECONDS[longer] % READ_SECONDS[shorter] === 0;

/** An interval that is not stored, and the stored one that its bars are built from. */
export interface DerivedInterval {
  readonly interval: ReadInterval;
  readonly source: Interval;
}

/** The intervals that are not stored and can be built from those that are. */
export function derivedIntervals(stored: readonly Interval[]): DerivedInterval[] {
  return READ_INTERVALS.flatMap((interval) => {
    const source = sourceInterval(interval, stored);
    return source === null || source === interval ? [] : [{ interval, source }];
  });
}
