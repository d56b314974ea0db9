/** Oscillators that compare the close with its recent range, path or rank. */

import { recursive, type Series, windowed } from "../define.ts";
import { close, high, low, typicalPrice } from "./bar.ts";
import { max, min } from "./extreme.ts";

/** Raw %K: 100·(c − lowest)/(highest − lowest), the close in the range of the last n bars (Lane). */
export function stochastic(n: number): Series {
  return windowed(`stochastic${n}`, [close, min(low, n), max(high, n)], {
    compute(out, { from, to }, c, lowest, highest) {
      for (let t = from; t < to; t++) out[t] = 100 * ((c[t]! - lowest[t]!) / (highest[t]! - lowest[t]!));
    },
  });
}

/**
 * Where an oscillator x ≥ 0 stands in its own range of the last n bars, 0..100. A range of at most 1e-12 of its top is
 * rounding and counts as empty (NaN).
 */
export function stochasticOf(x: Series, n: number): Series {
  return windowed(`stochastic_of${n}`, [x, min(x, n), max(x, n)], {
    compute(out, { from, to }, x, lowest, highest) {
      for (let t = from; t < to; t++) {
        const range = highest[t]! - lowest[t]!;
        out[t] = range > 1e-12 * highest[t]! ? 100 * ((x[t]! - lowest[t]!) / range) : Number.NaN;
      }
    },
  });
}

/** mean_3 of a percentage, kept in 0..100 where rounding would leave it; three equal values give exactly that value. */
export function percentMean3(x: Series): Series {
  return windowed("percent_mean3", [x], {
    delay: 2,
    compute(out, { from, to }, x) {
      const third = 1 / 3;
      let oldest = x[from - 2]!;
      let older = x[from - 1]!;
      for (let t = from; t < to; t++) {
        const value = x[t]!;
        let mean = oldest === older && older === value ? value : (oldest + older + value) * third;
        // Never taken but for rounding: faster than Math.min and Math.max.
        if (mean < 0) mean = 0;
        if (mean > 100) mean = 100;
        out[t] = mean;
        oldest = older;
        older = value;
      }
    },
  });
}

/** Williams %R over n bars: −100 at the low of the range, 0 at its high. */
export function williamsR(n: number): Series {
  return windowed(`willr${n}`, [close, min(low, n), max(high, n)], {
    compute(out, { from, to }, c, lowest, highest) {
      for (let t = from; t < to; t++) out[t] = -100 * ((highest[t]! - c[t]!) / (highest[t]! - lowest[t]!));
    },
  });
}

/**
 * Lambert's commodity channel index: (tp − m)/(0.015·D), m = mean_n(tp), D the mean absolute deviation from it; n even.
 * A D of at most 1e-12·m is rounding, as equal prices need not have equal thirds of their sum, and counts as 0 (NaN).
 */
export function cci(n: number): Series {
  return windowed(`cci${n}`, [typicalPrice], {
    delay: n - 1,
    compute(out, { from, to }, tp) {
      for (let t = from; t < to; t++) {
        // Distances from the newest price: exactly zero on a flat window.
        const price = tp[t]!;
        let even = 0;
        let odd = 0;
        for (let i = t - n + 2; i <= t; i += 2) {
          even += tp[i]! - price;
          odd += tp[i - 1]! - price;
        }
        const mean = (even + odd) / n;
        even = 0;
        odd = 0;
        for (let i = t - n + 2; i <= t; i += 2) {
          even += Math.abs(tp[i]! - price - mean);
          odd += Math.abs(tp[i - 1]! - price - mean);
        }
        const deviation = (even + odd) / n;
        out[t] = deviation > 1e-12 * (price + mean) ? -mean / (0.015 * deviation) : Number.NaN;
      }
    },
  });
}

/** Buying pressure, c − min(l, c[1]) (Williams, ultimate oscillator). */
export const buyingPressure = windowed("bp", [close, low], {
  delay: 1,
  compute(out, { from, to }, c, l) {
    for (let t = from; t < to; t++) out[t] = c[t]! - Math.min(l[t]!, c[t - 1]!);
  },
});

/** Signed run of closes: up on a rise, down on a fall, 0 on an equal close (Connors 2012). State: the run. */
export const streak = recursive("streak", [close], {
  delay: 1,
  reach: 1,
  state: 1,
  compute(out, { from, to, first, state }, c) {
    let run = state[0]!;
    for (let t = Math.max(from, first); t < to; t++) {
      const now = c[t]!;
      const before = c[t - 1]!;
      if (now > before) run = run > 0 ? run + 1 : 1;
      else if (now < before) run = run < 0 ? run - 1 : -1;
      else run = 0;
      out[t] = run;
    }
    state[0] = run;
  },
});

/** Ehlers' symmetric weighting of four values: (x + 2·x[1] + 2·x[2] + x[3])/6. */
export function symmetricAverage(x: Series): Series {
  return windowed("swma", [x], {
    delay: 3,
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) out[t] = (x[t]! + 2 * x[t - 1]! + 2 * x[t - 2]! + x[t - 3]!) / 6;
    },
  });
}
