/** What is read off an ordered window: quantiles, ranks, tails, histograms. */

import { type Series, windowed } from "../define.ts";
import { simpleReturn } from "./bar.ts";
import { fillWindow, lowerIndex, quantileOf, replaceInWindow, upperIndex } from "./ordered.ts";

/** Of the last n values, one a bar for each p: the quantile q_n(x, p). */
export function quantiles(x: Series, n: number, ps: readonly number[]): Series {
  const window = new Float64Array(n);
  const width = ps.length;
  return windowed(`quantiles${n}_${ps.join("_")}`, [x], {
    delay: n - 1,
    reach: n,
    width,
    compute(out, { from, to }, x) {
      fillWindow(window, x, from + 1);
      for (let t = from; t < to; t++) {
        if (t > from) replaceInWindow(window, x[t - n]!, x[t]!);
        for (let k = 0; k < width; k++) out[width * t + k] = quantileOf(window, ps[k]!);
      }
    },
  });
}

/**
 * rank_n(x): rank of the current value in the window, ties averaged, divided by n. Values x ≥ 0 within `rounding` of the
 * current one, relative to it, are tied with it.
 */
export function rank(x: Series, n: number, rounding = 0): Series {
  const window = new Float64Array(n);
  return windowed(`rank${n}_within${rounding}`, [x], {
    delay: n - 1,
    reach: n,
    compute(out, { from, to }, x) {
      fillWindow(window, x, from + 1);
      for (let t = from; t < to; t++) {
        const value = x[t]!;
        if (t > from) replaceInWindow(window, x[t - n]!, value);
        const below = lowerIndex(window, value - rounding * value);
        const notAbove = upperIndex(window, value + rounding * value);
        out[t] = (below + notAbove + 1) / 2 / n;
      }
    },
  });
}

/** How many of the last n values are below `low` or above `high`, as a share of n. */
export function shareOutside(x: Series, low: Series, high: Series, n: number): Series {
  const window = new Float64Array(n);
  return windowed(`share_outside${n}`, [x, low, high], {
    reach: n,
    compute(out, { from, to }, x, low, high) {
      fillWindow(window, x, from + 1);
      for (let t = from; t < to; t++) {
        if (t > from) replaceInWindow(window, x[t - n]!, x[t]!);
        out[t] = (lowerIndex(window, low[t]!) + n - upperIndex(window, high[t]!)) / n;
      }
    },
  });
}

/** Positions of what `tails` gives for a bar. */
export const TAIL_Q05 = 0;
export const TAIL_Q95 = 1;
export const TAIL_WORST_MEAN = 2;
export const TAIL_HILL = 3;
export const TAILS = 4;

/**
 * Of the last n returns, four a bar: the 0.05 and 0.95 quantiles; the mean of the `worst` smallest; Hill's estimator of
 * the loss tail, the mean of ln(X/X(k + 1)) over the k largest losses X, NaN if X(k + 1) is no loss.
 */
function tails(R: Series, n: number, worst: number, k: number): Series {
  const window = new Float64Array(n);
  return windowed(`tails${n}_${worst}_${k}`, [R], {
    delay: n - 1,
    reach: n,
    width: TAILS,
    compute(out, { from, to }, R) {
      fillWindow(window, R, from + 1);
      for (let t = from; t < to; t++) {
        if (t > from) replaceInWindow(window, R[t - n]!, R[t]!);
        let sum = 0;
        for (let i = 0; i < worst; i++) sum += window[i]!;
        // One logarithm of the product: its factors lie between 1 and 1e17, as a return is above −1.
        let product = 1;
        for (let i = 0; i < k; i++) product *= window[i]! / window[k]!;
        out[TAILS * t + TAIL_Q05] = quantileOf(window, 0.05);
        out[TAILS * t + TAIL_Q95] = quantileOf(window, 0.95);
        out[TAILS * t + TAIL_WORST_MEAN] = sum / worst;
        out[TAILS * t + TAIL_HILL] = window[k]! < 0 ? Math.log(product) / k : Number.NaN;
      }
    },
  });
}

export const yearTails = tails(simpleReturn, 250, 13, 12);

/** p·ln p of each count out of n. */
function entropyTerms(n: number): Float64Array {
  return Float64Array.from({ length: n + 1 }, (_, count) => (count > 0 ? (count / n) * Math.log(count / n) : 0));
}

/**
 * Shannon's entropy of the last n values over `bins` equal-width bins between their least and greatest, the last bin
 * closed, divided by that of equal shares; NaN when all are equal (numpy histogram).
 */
export function histogramEntropy(x: Series, n: number, bins: number): Series {
  const window = new Float64Array(n);
  const terms = entropyTerms(n);
  const scale = -1 / Math.log(bins);
  return windowed(`entropy${n}_${bins}`, [x], {
    delay: n - 1,
    reach: n,
    compute(out, { from, to }, x) {
      fillWindow(window, x, from + 1);
      for (let t = from; t < to; t++) {
        if (t > from) replaceInWindow(window, x[t - n]!, x[t]!);
        const least = window[0]!;
        const step = (window[n - 1]! - least) / bins;
        let below = 0;
        let sum = 0;
        for (let k = 1; k < bins; k++) {
          const next = lowerIndex(window, least + k * step);
          sum += terms[next - below]!;
          below = next;
        }
        sum += terms[n - below]!;
        out[t] = step > 0 ? sum * scale : Number.NaN;
      }
    },
  });
}

/**
 * Bandt & Pompe's permutation entropy of order 3: over the order patterns of the n − 2 triples of consecutive values in
 * the window, the earlier of equal values ranking lower, divided by ln 6.
 */
export function permutationEntropy(x: Series, n: number): Series {
  const triples = n - 2;
  const terms = entropyTerms(triples);
  const scale = -1 / Math.log(6);
  const pattern = windowed("order_pattern", [x], {
    delay: 2,
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) {
        const a = x[t - 2]!;
        const b = x[t - 1]!;
        const c = x[t]!;
        // Three comparisons name the six orders; the codes 1 and 6 cannot occur.
        out[t] = (a > b ? 4 : 0) + (b > c ? 2 : 0) + (a > c ? 1 : 0);
      }
    },
  });
  const counts = new Int32Array(8);
  return windowed(`permutation_entropy${n}`, [pattern], {
    delay: triples - 1,
    reach: triples,
    compute(out, { from, to }, pattern) {
      counts.fill(0);
      for (let i = from - triples + 1; i <= from; i++) counts[pattern[i]!]!++;
      for (let t = from; t < to; t++) {
        if (t > from) {
          counts[pattern[t - triples]!]!--;
          counts[pattern[t]!]!++;
        }
        let sum = 0;
        for (let code = 0; code < 8; code++) sum += terms[counts[code]!]!;
        out[t] = sum * scale;
      }
    },
  });
}
