/** Features 91–102: the shape of the bar. */

import { each, type Family, last, map, type Series } from "./bars.ts";
import { ratio } from "./notation.ts";

/** The share of the last 20 bars with a flag, given as 1 and 0. */
const shareOf20 = (flags: Series, from: number): Series =>
  each(flags.length, from, (t) => last(flags, t, 20).filter((flag) => flag === 1).length / 20);

export const kbar: Family = ({ n, o, h, l, c, rng }) => {
  const body = map((close, open) => close - open, c, o);
  const upper = map((high, open, close) => high - Math.max(open, close), h, o, c);
  const lower = map((low, open, close) => Math.min(open, close) - low, l, o, c);
  const shift = map((close, high, low) => 2 * close - high - low, c, h, l);
  const inside = each(n, 1, (t) => Number(h[t]! <= h[t - 1]! && l[t]! >= l[t - 1]!));
  const outside = each(n, 1, (t) => Number(h[t]! > h[t - 1]! && l[t]! < l[t - 1]!));
  const doji = map((close, open, high, low) => Number(Math.abs(close - open) <= 0.1 * (high - low)), c, o, h, l);
  return {
    kbar_kmid: map(ratio, body, o),
    kbar_klen: map(ratio, rng, o),
    kbar_kmid2: map(ratio, body, rng),
    kbar_kup: map(ratio, upper, o),
    kbar_kup2: map(ratio, upper, rng),
    kbar_klow: map(ratio, lower, o),
    kbar_klow2: map(ratio, lower, rng),
    kbar_ksft: map(ratio, shift, o),
    kbar_ksft2: map(ratio, shift, rng),
    kbar_inside_ratio_20: shareOf20(inside, 20),
    kbar_outside_ratio_20: shareOf20(outside, 20),
    kbar_doji_ratio_20: shareOf20(doji, 19),
  };
};
