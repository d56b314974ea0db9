/** Features 12–34: direction, strength and levels of the trend. */

import { ema, sma } from "./averages.ts";
import { type Bars, each, type Family, highest, lag, last, lowest, map, rolling, type Series } from "./bars.ts";
import { directional } from "./directional.ts";
import { leastSquares, max, mean, min, ratio, steps, sum } from "./notation.ts";
import { psar, supertrend } from "./stops.ts";

/** Both averages start at bar 25, the fast one seeded with the mean of bars 14..25; all published from 33. */
function macd({ n, c }: Bars) {
  const fast = ema(
    c.map((price, t) => (t < 14 ? Number.NaN : price)),
    12,
  );
  const line = map((f, s) => f - s, fast, ema(c, 26));
  const signal = ema(line, 9);
  return {
    macd_12_26_9_line: each(n, 33, (t) => line[t]!),
    macd_12_26_9_signal: signal,
    macd_12_26_9_hist: map((a, b) => a - b, line, signal),
  };
}

/** How many bars ago the extreme of the window was; the newest wins ties. */
const barsSince = (window: number[], extreme: number): number => window.length - 1 - window.lastIndexOf(extreme);

const midprice = ({ h, l }: Bars, n: number): Series => map((a, b) => (a + b) / 2, highest(h, n), lowest(l, n));

/** t statistic of the slope of y on 1..n; NaN for a perfect line. */
function trendT(y: number[]): number {
  const { slope, sse, sst, sxx } = leastSquares(steps(y.length), y);
  return sse <= 1e-12 * sst ? Number.NaN : slope / Math.sqrt(sse / (y.length - 2) / sxx);
}

/** The run of closes above (positive) or below (negative) the close of 4 bars before. */
function tdSetup({ n, c }: Bars): Series {
  let run = 0;
  return each(n, 4, (t) => {
    const side = Math.sign(c[t]! - c[t - 4]!);
    run = side !== 0 && Math.sign(run) === side ? run + side : side;
    return run;
  });
}

export const trend: Family = (bars) => {
  const { n, h, l, c, tr, rng } = bars;
  const tenkan = midprice(bars, 9);
  const kijun = midprice(bars, 26);
  const travelled = rolling(tr, 14, sum);
  const up = rolling(
    each(n, 1, (t) => Math.abs(h[t]! - l[t - 1]!)),
    14,
    sum,
  );
  const down = rolling(
    each(n, 1, (t) => Math.abs(l[t]! - h[t - 1]!)),
    14,
    sum,
  );
  const width = ema(rng, 9);
  const st = supertrend(bars);
  return {
    ...macd(bars),
    ...directional(bars),
    aroon_25_up: rolling(h, 26, (w) => (100 * (25 - barsSince(w, max(w)))) / 25),
    aroon_25_down: rolling(l, 26, (w) => (100 * (25 - barsSince(w, min(w)))) / 25),
    psar_002_020: psar(bars),
    supertrend_10_3: st.line,
    supertrend_10_3_dir: st.side,
    ichimoku_tenkan_9: tenkan,
    ichimoku_kijun_26: kijun,
    ichimoku_senkou_a: lag(
      map((a, b) => (a + b) / 2, tenkan, kijun),
      26,
    ),
    ichimoku_senkou_b: lag(midprice(bars, 52), 26),
    vortex_14_plus: map(ratio, up, travelled),
    vortex_14_minus: map(ratio, down, travelled),
    dpo_20: each(n, 19, (t) => c[t - 11]! - mean(last(c, t, 20))),
    sma_50_200_ratio: map((a, b) => a / b - 1, sma(c, 50), sma(c, 200)),
    high_proximity_250: map(ratio, c, highest(h, 250)),
    linreg_tstat_60: rolling(bars.lnC, 60, trendT),
    mass_index_9_25: rolling(map(ratio, width, ema(width, 9)), 25, sum),
    td_setup: tdSetup(bars),
  };
};
