/** Averages that several families share: simple, exponential, linearly weighted, Wilder's, and what is built on them. */

import { each, last, rolling, type Series } from "./bars.ts";
import { mean, ratio, steps, sum } from "./notation.ts";

export const sma = (x: Series, n: number): Series => rolling(x, n, mean);

/** A recursion y = step(y[1], x) whose seed is the mean of the first n defined inputs, placed at the n-th of them. */
function seeded(x: Series, n: number, step: (previous: number, value: number) => number): Series {
  const first = x.findIndex((value) => !Number.isNaN(value));
  const start = first < 0 ? x.length : first + n - 1;
  const out: Series = [];
  for (let t = 0; t < x.length; t++) {
    if (t < start) out.push(Number.NaN);
    else if (t === start) out.push(mean(last(x, t, n)));
    else out.push(step(out[t - 1]!, x[t]!));
  }
  return out;
}

/** EMA_n: α = 2/(n + 1). */
export const ema = (x: Series, n: number): Series => seeded(x, n, (y, value) => y + (2 / (n + 1)) * (value - y));

/** WS_n: Wilder's smoothing. */
export const wilder = (x: Series, n: number): Series => seeded(x, n, (y, value) => (y * (n - 1) + value) / n);

/** WMA_n: weights 1..n, the newest heaviest. */
export const wma = (x: Series, n: number): Series =>
  rolling(x, n, (window) => sum(window.map((value, i) => value * (i + 1))) / sum(steps(n)));

/** Wilder's relative strength index of x over n bars; NaN where nothing has moved. */
export function rsi(x: Series, n: number): Series {
  const from = x.findIndex((value) => !Number.isNaN(value));
  const change = each(x.length, from + 1, (t) => x[t]! - x[t - 1]!);
  const gain = wilder(
    change.map((d) => (Number.isNaN(d) ? d : Math.max(d, 0))),
    n,
  );
  const loss = wilder(
    change.map((d) => (Number.isNaN(d) ? d : Math.max(-d, 0))),
    n,
  );
  return gain.map((g, t) => 100 * ratio(g, g + loss[t]!));
}
