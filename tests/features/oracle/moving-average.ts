/** Features 1–11: price averages. */

import { ema, sma, wma } from "./averages.ts";
import { delta, each, type Family, last, map, rolling2 } from "./bars.ts";
import { ratio, sum } from "./notation.ts";

export const movingAverage: Family = ({ n, c, v }) => {
  const e1 = ema(c, 20);
  const e2 = ema(e1, 20);
  const e3 = ema(e2, 20);
  const path = delta(c).map(Math.abs);
  const kama: number[] = [];
  for (let t = 0; t < n; t++) {
    if (t < 9) kama.push(Number.NaN);
    else if (t === 9) kama.push(c[9]!);
    else {
      const walked = last(path, t, 10);
      const still = walked.every((step) => step === 0);
      const er = still ? 1 : Math.abs(c[t]! - c[t - 10]!) / sum(walked);
      const s = er * (2 / 3 - 2 / 31) + 2 / 31;
      kama.push(kama[t - 1]! + s ** 2 * (c[t]! - kama[t - 1]!));
    }
  }
  return {
    sma_5: sma(c, 5),
    sma_20: sma(c, 20),
    sma_50: sma(c, 50),
    sma_200: sma(c, 200),
    ema_12: ema(c, 12),
    ema_26: ema(c, 26),
    dema_20: map((a, b) => 2 * a - b, e1, e2),
    tema_20: map((a, b, d) => 3 * a - 3 * b + d, e1, e2, e3),
    kama_10: each(n, 10, (t) => kama[t]!),
    hma_20: wma(
      map((a, b) => 2 * a - b, wma(c, 10), wma(c, 20)),
      4,
    ),
    vwma_20: rolling2(c, v, 20, (x, w) => ratio(sum(x.map((value, i) => value * w[i]!)), sum(w))),
  };
};
