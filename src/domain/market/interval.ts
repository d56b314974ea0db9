/** The five bar intervals. */

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
