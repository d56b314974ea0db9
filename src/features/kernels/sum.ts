/**
 * Sums and means over a sliding window: a window of n is the end of one block of n and the start of the next, so its sum
 * is a suffix sum plus a prefix sum (van Herk 1992; Gil & Werman 1993). Nothing is subtracted, so nothing drifts.
 * Blocks count from the first value of the series: a bar's sum is the same wherever the computation starts.
 */

import { type Series, windowed } from "../define.ts";

/** Windows up to this length are summed directly: cheaper than keeping blocks. */
const DIRECT = 6;

/** Suffix sums of two series; filled and used within one call of a kernel, so all kernels may share them. */
const suffixes = [new Float64Array(1024), new Float64Array(1024)] as const;

/**
 * suffix[i] = the sum of the last n − i of the n values from `block` on, for i from n down to `least`. Values are added
 * in groups of four, counted from the block's end (prefixes: from its start), so that the chains of additions are short.
 */
function sumSuffixes(suffix: Float64Array, x: Float64Array, block: number, n: number, least: number): void {
  let sum = 0;
  let part = 0;
  suffix[n] = 0;
  for (let i = n - 1; i >= least; i--) {
    part += x[block + i]!;
    suffix[i] = sum + part;
    if ((n - i) % 4 === 0) {
      sum += part;
      part = 0;
    }
  }
}

/** out = scale · (suffix + prefix) at the places `begin` ≤ i < `end` of one block. */
function addPrefixes(
  out: Float64Array,
  suffix: Float64Array,
  x: Float64Array,
  block: number,
  begin: number,
  end: number,
  scale: number,
): void {
  let sum = 0;
  let part = 0;
  for (let i = 0; i < end; i++) {
    part += x[block + i]!;
    if (i >= begin) out[block + i] = (suffix[i + 1]! + (sum + part)) * scale;
    if (i % 4 === 3) {
      sum += part;
      part = 0;
    }
  }
}

/** Both for whole blocks up to `to`, the groups of four written out: one bounds check each, no branch. */
function slideBlocks(
  out: Float64Array,
  suffix: Float64Array,
  x: Float64Array,
  start: number,
  to: number,
  n: number,
  scale: number,
): void {
  for (let block = start; block + n <= to; block += n) {
    let sum = 0;
    let i = n - 4;
    for (; i >= 0; i -= 4) {
      const t = block - n + i;
      const one = x[t + 3]!;
      const two = one + x[t + 2]!;
      const three = two + x[t + 1]!;
      suffix[i + 3] = sum + one;
      suffix[i + 2] = sum + two;
      suffix[i + 1] = sum + three;
      sum += three + x[t]!;
      suffix[i] = sum;
    }
    let part = 0;
    for (i += 3; i >= 0; i--) {
      part += x[block - n + i]!;
      suffix[i] = sum + part;
    }
    sum = 0;
    for (i = 0; i + 4 <= n; i += 4) {
      const t = block + i;
      const one = x[t]!;
      const two = one + x[t + 1]!;
      const three = two + x[t + 2]!;
      out[t] = (suffix[i + 1]! + (sum + one)) * scale;
      out[t + 1] = (suffix[i + 2]! + (sum + two)) * scale;
      out[t + 2] = (suffix[i + 3]! + (sum + three)) * scale;
      sum += three + x[t + 3]!;
      out[t + 3] = (suffix[i + 4]! + sum) * scale;
    }
    part = 0;
    for (; i < n; i++) {
      part += x[block + i]!;
      out[block + i] = (suffix[i + 1]! + (sum + part)) * scale;
    }
  }
}

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
    directSum(out, x, from, to, n, scale);
    return;
  }
  const [suffix] = suffixes;
  suffix[n] = 0;
  const past = (from - origin) % n;
  let block = from - past;
  if (past > 0) {
    sumSuffixes(suffix, x, block - n, n, past + 1);
    addPrefixes(out, suffix, x, block, past, Math.min(n, to - block), scale);
    block += n;
  }
  if (block >= to) return;
  slideBlocks(out, suffix, x, block, to, n, scale);
  const rest = (to - block) % n;
  if (rest > 0) {
    sumSuffixes(suffix, x, to - rest - n, n, 1);
    addPrefixes(out, suffix, x, to - rest, 0, rest, scale);
  }
}

function directSum(out: Float64Array, x: Float64Array, from: number, to: number, n: number, scale: number): void {
  if (n === 3) {
    for (let t = from; t < to; t++) out[t] = (x[t - 2]! + x[t - 1]! + x[t]!) * scale;
    return;
  }
  for (let t = from; t < to; t++) {
    let sum = 0;
    for (let i = t - n + 1; i <= t; i++) sum += x[i]!;
    out[t] = sum * scale;
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
 * out[t] = x[t] wherever the last n values of x are all equal. Such a window holds equal neighbours at one of any n − 1
 * positions in a row, so only every (n − 1)-th is tested.
 */
function levelWindows(out: Float64Array, x: Float64Array, from: number, to: number, n: number): void {
  for (let i = from; i < to; i += n - 1) {
    const level = x[i]!;
    if (x[i - 1] !== level) continue;
    let start = i - 1;
    while (start > from - n + 1 && x[start - 1] === level) start--;
    let end = i + 1;
    while (end < to && x[end] === level) end++;
    for (let t = Math.max(from, start + n - 1); t < end; t++) out[t] = level;
    while (i + n - 1 < end) i += n - 1;
  }
}

/**
 * mean_n(x), the simple moving average. Where all n values are equal it is exactly that value, so that rounding
 * does not decide a comparison with it.
 */
export function mean(x: Series, n: number): Series {
  return windowed(`mean${n}`, [x], {
    delay: n - 1,
    compute(out, { from, to, origin }, x) {
      slideSum(out, x, from, to, origin, n, 1 / n);
      levelWindows(out, x, from, to, n);
    },
  });
}

/**
 * sum_n(x·y)/sum_n(y): the mean of x weighted by y; NaN where the weights are all zero. Both sums in one pass over the
 * blocks.
 */
export function weightedMean(x: Series, y: Series, n: number): Series {
  return windowed(`weighted_mean${n}`, [x, y], {
    delay: n - 1,
    compute: (out, { from, to, origin }, x, y) => slideWeightedMean(out, from, to, origin, n, x, y),
  });
}

/** The same for `from` ≤ t < `to`. */
function slideWeightedMean(
  out: Float64Array,
  from: number,
  to: number,
  origin: number,
  n: number,
  x: Float64Array,
  y: Float64Array,
): void {
  const [products, weights] = suffixes;
  for (let t = from; t < to; ) {
    const block = t - ((t - origin) % n);
    let product = 0;
    let weight = 0;
    products[n] = 0;
    weights[n] = 0;
    for (let i = n - 1; i > t - block; i--) {
      const w = y[block - n + i]!;
      product += x[block - n + i]! * w;
      weight += w;
      products[i] = product;
      weights[i] = weight;
    }
    product = 0;
    weight = 0;
    for (let i = block; i < t; i++) {
      product += x[i]! * y[i]!;
      weight += y[i]!;
    }
    for (const end = Math.min(block + n, to); t < end; t++) {
      product += x[t]! * y[t]!;
      weight += y[t]!;
      out[t] = (products[t - block + 1]! + product) / (weights[t - block + 1]! + weight);
    }
  }
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

/**
 * WMA_n(x): weights 1..n, the newest heaviest, divided by n·(n + 1)/2. With i the place of a value in its block and p
 * that of bar t, values of the same block weigh n − p + i and those before it i − p: sums of x and of i·x are enough.
 */
export function wma(x: Series, n: number): Series {
  return windowed(`wma${n}`, [x], {
    delay: n - 1,
    compute: (out, { from, to, origin }, x) => slideWeighted(out, from, to, origin, n, x),
  });
}

/** The same for `from` ≤ t < `to`. */
function slideWeighted(out: Float64Array, from: number, to: number, origin: number, n: number, x: Float64Array): void {
  const scale = 2 / (n * (n + 1));
  const [sums, products] = suffixes;
  let t = from;
  while (t < to) {
    const block = t - ((t - origin) % n);
    let sum = 0;
    let product = 0;
    sums[n] = 0;
    products[n] = 0;
    for (let i = n - 1; i > t - block; i--) {
      const value = x[block - n + i]!;
      sum += value;
      product += i * value;
      sums[i] = sum;
      products[i] = product;
    }
    sum = 0;
    product = 0;
    for (let i = 0; i < t - block; i++) {
      sum += x[block + i]!;
      product += i * x[block + i]!;
    }
    for (const end = Math.min(block + n, to); t < end; t++) {
      const p = t - block;
      const value = x[t]!;
      sum += value;
      product += p * value;
      out[t] = ((n - p) * sum + product + (products[p + 1]! - p * sums[p + 1]!)) * scale;
    }
  }
}
