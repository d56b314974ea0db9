/** The two trailing stops: Parabolic SAR (note L1) and SuperTrend (note L2). */

import { wilder } from "./averages.ts";
import { type Bars, each, type Series } from "./bars.ts";
import { minusDm } from "./directional.ts";

/** Note L1. Short is the mirror image of long: computed as long on prices of the opposite sign. */
export function psar(bars: Bars): Series {
  const { n, h, l } = bars;
  if (n < 2) return each(n, n, () => 0);
  let long = !(minusDm(bars)[1]! > 0);
  /** The bar as the present side sees it: a short position looks at the negated prices, high and low exchanged. */
  const high = (t: number) => (long ? h[t]! : -l[t]!);
  const low = (t: number) => (long ? l[t]! : -h[t]!);
  let sar = low(0);
  let extreme = high(1);
  let factor = 0.02;
  return each(n, 1, (t) => {
    const before = Math.max(t - 1, 1);
    if (low(t) <= sar) {
      const stop = Math.max(extreme, high(before), high(t));
      // From here on the other side's signs: what was s becomes −s.
      long = !long;
      factor = 0.02;
      extreme = high(t);
      const published = -stop;
      sar = Math.min(published + factor * (extreme - published), low(before), low(t));
      return long ? published : -published;
    }
    const published = sar;
    if (high(t) > extreme) {
      extreme = high(t);
      factor = Math.min(factor + 0.02, 0.2);
    }
    sar = Math.min(sar + factor * (extreme - sar), low(before), low(t));
    return long ? published : -published;
  });
}

/**
 * Note L2: the active band, and +1 while it is the lower one. TradingView and Skender's Stock.Indicators test the close
 * against the band of the present side alone.
 */
export function supertrend({ n, mid, tr, c }: Bars): { line: Series; side: Series } {
  const a = wilder(tr, 10);
  const side: Series = [];
  let [upper, lower, up] = [Number.NaN, Number.NaN, true];
  const line = each(n, 10, (t) => {
    const [u, d] = [mid[t]! + 3 * a[t]!, mid[t]! - 3 * a[t]!];
    if (t === 10) [upper, lower] = [u, d];
    else {
      if (u < upper || c[t - 1]! > upper) upper = u;
      if (d > lower || c[t - 1]! < lower) lower = d;
      up = up ? !(c[t]! < lower) : c[t]! > upper;
    }
    side[t] = up ? 1 : -1;
    return up ? lower : upper;
  });
  return { line, side: each(n, 10, (t) => side[t]!) };
}
