/** Finds bars whose prices are impossible among their neighbours: single ones and short runs. Pure. */

import type { BarColumns } from "../bars.ts";
import { median } from "./median.ts";

/** The longest run of bars on another level that is impossible; a longer one is a change of scale (scale-changes.ts). */
export const LONGEST_RUN = 10;
/** Bars on each side whose median is the level there. */
const LEVEL_BARS = 21;
/** Bars on each side of a bar on which its verdict depends. */
export const NEIGHBOURS = LONGEST_RUN + LEVEL_BARS;
/** An open or close this many times the level of both sides is impossible (a split stays; a crash is not tenfold). */
const JUMP_FACTOR = 10;
/** The highest ratio between the levels of both sides; if it is higher, the level has changed and no bar is rejected. */
const MAX_SIDE_RATIO = 3;
/** Bars on each side for the level beside a split, where the median of more bars spans both levels. */
const NEAR_BARS = 3;
/** A run begins with a move of at least this factor: a cheap test that excludes nearly every bar. */
const RUN_START = 5;

/**
 * The positions of impossible bars, ascending: runs of at most `LONGEST_RUN` bars after which prices are back where they
 * were; a lone high or low is accepted. Whether a bar is one depends on the `NEIGHBOURS` bars on each side alone, impossible
 * ones included, so it is the same whatever was fetched together; without a bar on one side it is not known.
 */
export function findLoneJumps(bars: BarColumns): number[] {
  const { open, close } = bars;
  const found = new Set<number>();
  for (let at = 1; at < close.length; at++) {
    const previous = close[at - 1]!;
    const high = Math.max(open[at]!, close[at]!);
    const low = Math.min(open[at]!, close[at]!);
    if (high < previous * RUN_START && low * RUN_START > previous) continue;
    const end = runFrom(bars, at, LEVEL_BARS) ?? runFrom(bars, at, NEAR_BARS) ?? at;
    for (let place = at; place < end; place++) found.add(place);
  }
  return [...found].sort((a, b) => a - b);
}

/** The end of an impossible run that begins at `start`, if there is one. */
function runFrom({ open, close }: BarColumns, start: number, count: number): number | null {
  const before = median(close.subarray(Math.max(0, start - count), start));
  const isOff = (at: number, level: number, up: boolean) =>
    up
      ? Math.max(open[at]!, close[at]!) >= level * JUMP_FACTOR
      : Math.min(open[at]!, close[at]!) * JUMP_FACTOR <= level;
  const up = isOff(start, before, true);
  // A run that has begun earlier is found from its start.
  if ((!up && !isOff(start, before, false)) || isOff(start - 1, before, up)) return null;
  let end = start + 1;
  while (end < close.length && end - start <= LONGEST_RUN && isOff(end, before, up)) end++;
  if (end === close.length || end - start > LONGEST_RUN) return null;
  const after = median(close.subarray(end, end + count));
  if (before > after * MAX_SIDE_RATIO || after > before * MAX_SIDE_RATIO) return null;
  for (let at = start; at < end; at++) if (!isOff(at, after, up)) return null;
  return end;
}
