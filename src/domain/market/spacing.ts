/** Holds the times of bars against their interval: rows of an hour are no daily bars, whatever they are called. */

import { DAY, INTERVAL_SECONDS, type Interval } from "./interval.ts";

/** Rows that show what they are: fewer may lie a multiple of the interval apart by chance. */
const ENOUGH = 20;

/** `5 minutes`, `an hour`, `2 days`. */
export function spanInWords(seconds: number): string {
  const [size, one, many] =
    seconds % DAY === 0
      ? [DAY, "a day", "days"]
      : seconds % 3_600 === 0
        ? [3_600, "an hour", "hours"]
        : seconds % 60 === 0
          ? [60, "a minute", "minutes"]
          : [1, "a second", "seconds"];
  return seconds === size ? one : `${seconds / size} ${many}`;
}

/** How many bars that start at `ts` (ascending, epoch seconds) come less than an interval after the one before. O(n). */
function countFaster(ts: Float64Array, interval: Interval): number {
  const step = INTERVAL_SECONDS[interval];
  let faster = 0;
  for (let at = 1; at < ts.length; at++) {
    const apart = ts[at]! - ts[at - 1]!;
    if (apart > 0 && apart < step) faster++;
  }
  return faster;
}

const isMost = (count: number, ts: Float64Array) => 2 * count > ts.length - 1;

/** Whether most bars that start at `ts` (ascending, epoch seconds) come faster than one an interval. O(n). */
export function isFiner(ts: Float64Array, interval: Interval): boolean {
  const faster = countFaster(ts, interval);
  return faster > 2 && isMost(faster, ts);
}

/** The share of the gaps between rows that are one length where the rows are of a longer interval. */
const SAME_GAPS = 0.8;
/** The same as `ENOUGH` for an interval at least ten times as long. */
const ENOUGH_OF_MUCH_LONGER = 6;

/**
 * Whether bars that start at `ts` (ascending, epoch seconds) are of a longer interval: no two are neighbours, and most lie
 * equally far apart. Shares that trade at some auctions a day do not, and those of one auction lie days apart. O(n).
 */
export function isCoarser(ts: Float64Array, interval: Interval): boolean {
  const step = INTERVAL_SECONDS[interval];
  if (interval === "1d" || ts.length < ENOUGH_OF_MUCH_LONGER) return false;
  const counts = new Map<number, number>();
  let gaps = 0;
  for (let at = 1; at < ts.length; at++) {
    const apart = ts[at]! - ts[at - 1]!;
    if (!(apart > 0)) continue;
    if (apart <= step) return false;
    gaps += 1;
    counts.set(apart, (counts.get(apart) ?? 0) + 1);
  }
  const isMidnight = ts[0]! % DAY === 0;
  return [...counts].some(([apart, count]) => {
    const enough = apart >= 10 * step ? ENOUGH_OF_MUCH_LONGER : ENOUGH;
    return gaps + 1 >= enough && count >= SAME_GAPS * gaps && (apart < DAY || isMidnight);
  });
}

/**
 * Why bars that start at `ts` (ascending, epoch seconds) are not bars of `interval`: most come faster than one an
 * interval, or, with enough of them, all lie on a coarser grid. `null` if nothing speaks against it. O(n).
 */
export function spacingFault(ts: Float64Array, interval: Interval): string | null {
  const step = INTERVAL_SECONDS[interval];
  const faster = countFaster(ts, interval);
  let common = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 1; at < ts.length; at++) {
    const apart = ts[at]! - ts[at - 1]!;
    if (apart > 0 && apart < least) least = apart;
    if (common !== step) common = commonDivisor(apart, common);
  }
  if (faster > 0 && isMost(faster, ts)) return `rows ${spanInWords(least)} apart are no ${interval} bars`;
  // Midnights are dates, however few they are.
  const needed = common % DAY === 0 && ts[0]! % DAY === 0 ? 2 : ENOUGH;
  const isCoarser = interval !== "1d" && common > step && common % step === 0 && ts.length >= needed;
  return isCoarser ? `rows that are all a multiple of ${spanInWords(common)} apart are no ${interval} bars` : null;
}

function commonDivisor(a: number, b: number): number {
  let [large, small] = [Math.max(a, b), Math.min(a, b)];
  while (small > 0) [large, small] = [small, large % small];
  return large;
}
