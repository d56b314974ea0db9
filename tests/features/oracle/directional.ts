/** Wilder's directional movement: features 15–17. */

import { type Bars, each, type Series } from "./bars.ts";
import { mean, ratio, sum } from "./notation.ts";

/** Directional movement up, defined from bar 1. */
const plusDm = ({ n, h, l }: Bars): Series =>
  each(n, 1, (t) => {
    const [up, down] = [h[t]! - h[t - 1]!, l[t - 1]! - l[t]!];
    return up > 0 && up > down ? up : 0;
  });

/** Directional movement down, defined from bar 1. */
export const minusDm = ({ n, h, l }: Bars): Series =>
  each(n, 1, (t) => {
    const [up, down] = [h[t]! - h[t - 1]!, l[t - 1]! - l[t]!];
    return down > 0 && down > up ? down : 0;
  });

/** Wilder's sum over 14 bars: the sum of bars 1..13, then S = S[1] − S[1]/14 + x. */
function wilderSum(x: Series): Series {
  let s = sum(x.slice(1, 14));
  return each(x.length, 14, (t) => {
    s = s - s / 14 + x[t]!;
    return s;
  });
}

/** `adx_14`, `plus_di_14` and `minus_di_14`. */
export function directional(bars: Bars): Record<string, Series> {
  const { n, tr } = bars;
  const range = wilderSum(tr);
  const plus = wilderSum(plusDm(bars)).map((s, t) => 100 * ratio(s, range[t]!));
  const minus = wilderSum(minusDm(bars)).map((s, t) => 100 * ratio(s, range[t]!));
  const dx = plus.map((p, t) => 100 * ratio(Math.abs(p - minus[t]!), p + minus[t]!));
  let adx = 0;
  const smooth = each(n, 27, (t) => {
    if (t === 27) adx = mean(dx.slice(14, 28).map((x) => (Number.isNaN(x) ? 0 : x)));
    else if (!Number.isNaN(dx[t]!)) adx = (13 * adx + dx[t]!) / 14;
    return adx;
  });
  return { adx_14: smooth, plus_di_14: plus, minus_di_14: minus };
}
