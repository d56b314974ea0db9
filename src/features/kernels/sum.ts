/**
 * Sums and means over a sliding window, without drift and without subtraction.
 *
 * The series is cut into blocks of the window's length n. A window then spans the end of one block and the start of
 * the next, so its sum is a suffix sum of the one plus a prefix sum of the other (van Herk 1992; Gil & Werman 1993,
 * there for the maximum): two additions a bar, no value ever subtracted again. Nothing can drift over millions of
 * bars, and a NaN leaves with the window that holds it. Blocks are counted from the first value of the series, so a
 * bar's sum is the same number wherever the computation starts.
 */

import { type Series, windowed } from "../define.ts";

/** Windows up to this length are summed directly: cheaper than keeping blocks. */
const DIRECT = 6;

/** The suffix sums of one block; filled and used within one call of a kernel, so all kernels may share it. */
const suffix = new Float64Array(1024);

/**
 * out[t] = scale · Σ x over the last `n` values, for `from` ≤ t < `to`. Reads x from `from` − n + 1 on.
 * `origin` is the position of the series' first value and fixes the blocks.
 */
export function slideSum(
  out: Float64Array,
  x: Float64Array,
  from: number,
  to: number,
  origin: number,
  n: number,
  scale: number,
): void {
  if (n <= DIRECT) {
    for (let t = from; t < to; t++) {
      let sum = 0;
      for (let i = t - n + 1; i <= t; i++) sum += x[i]!;
      out[t] = sum * scale;
    }
    return;
  }
  let t = from;
  while (t < to) {
    const block = t - ((t - origin) % n);
    let sum = 0;
    suffix[n] = 0;
    for (let i = n - 1; i > t - block; i--) {
      sum += x[block - n + i]!;
      suffix[i] = sum;
    }
    sum = 0;
    for (let i = block; i < t; i++) sum += x[i]!;
    const end = Math.min(block + n, to);
    for (; t < end; t++) {
      sum += x[t]!;
      out[t] = (suffix[t - block + 1]! + sum) * scale;
    }
  }
}

/** sum_n(x). */
export function sum(x: Series, n: number): Series {
  return windowed(`sum${n}`, [x], {
    delay: n - 1,
    compute: (out, { from, to, origin }, x) => slideSum(out, x, from, to, origin, n, 1),
  });
}

/**
 * mean_n(x), the simple moving average. Where all n values are equal it is exactly that value, so that a comparison
 * with it does not hang on rounding.
 */
export function mean(x: Series, n: number): Series {
  return windowed(`mean${n}`, [x], {
    delay: n - 1,
    compute(out, { from, to, origin }, x) {
      slideSum(out, x, from, to, origin, n, 1 / n);
      let equal = 1;
      for (let i = from - 1; i > from - n && x[i] === x[from]; i--) equal++;
      if (equal >= n) out[from] = x[from]!;
      for (let t = from + 1; t < to; t++) {
        equal = x[t] === x[t - 1] ? equal + 1 : 1;
        if (equal >= n) out[t] = x[t]!;
      }
    },
  });
}

/**
 * vmean_n(x): the mean of the defined terms among the last n, times `scale`; NaN with fewer than n/2 of them. x counts
 * as given from its warm-up on, its NaN as terms that do not exist.
 */
export function definedMean(x: Series, n: number, scale: number): Series {
  const terms = windowed("defined_or_0", [x], {
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) out[t] = Number.isNaN(x[t]!) ? 0 : x[t]!;
    },
  });
  const defined = windowed("is_defined", [x], {
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) out[t] = Number.isNaN(x[t]!) ? 0 : 1;
    },
  });
  return windowed(`defined_mean${n}_${scale}`, [sum(terms, n), sum(defined, n)], {
    compute(out, { from, to }, total, count) {
      for (let t = from; t < to; t++) out[t] = 2 * count[t]! >= n ? (scale * total[t]!) / count[t]! : Number.NaN;
    },
  });
}

/** WMA_n(x): weights 1..n, the newest heaviest, divided by n·(n + 1)/2. */
export function wma(x: Series, n: number): Series {
  const scale = 2 / (n * (n + 1));
  return windowed(`wma${n}`, [x], {
    delay: n - 1,
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) {
        let sum = 0;
        for (let i = 1; i <= n; i++) sum += i * x[t - n + i]!;
        out[t] = sum * scale;
      }
    },
  });
}
