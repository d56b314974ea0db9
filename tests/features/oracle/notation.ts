/**
 * The catalogue's notation, on one window at a time: each function takes a plain array, oldest value first,
 * and computes the textbook formula from scratch. Slow on purpose; two passes wherever a mean is subtracted.
 */

/** A zero denominator gives NaN. */
export const ratio = (a: number, b: number): number => (b === 0 ? Number.NaN : a / b);

/** The natural logarithm; of 0 it is NaN. */
export const ln = (x: number): number => (x === 0 ? Number.NaN : Math.log(x));

/** The sum of x, or of the products of x and y, with the rounding error of each addition carried along (Neumaier 1974). */
export function sum(x: readonly number[], y: readonly number[] | null = null): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < x.length; i++) {
    const value = y === null ? x[i]! : x[i]! * y[i]!;
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  return total + lost;
}

/** The greatest value; NaN if any is. */
export const max = (x: readonly number[]): number => Math.max(...x);
/** The least value; NaN if any is. */
export const min = (x: readonly number[]): number => Math.min(...x);

/** Whether all values are the same: the exact test behind a zero variance. */
export function allEqual(x: readonly number[]): boolean {
  for (let i = 1; i < x.length; i++) if (x[i] !== x[0]) return false;
  return true;
}

/** The mean; of equal values it is that value, without rounding. */
export const mean = (x: readonly number[]): number => (allEqual(x) ? x[0]! : sum(x) / x.length);

/** Remembers the last two windows: a formula uses the same of its one or two windows in several places. */
function remembered<T>(compute: (x: readonly number[]) => T): (x: readonly number[]) => T {
  let newest: { readonly x: readonly number[]; readonly value: T } | undefined;
  let older = newest;
  return (x) => {
    if (newest?.x === x) return newest.value;
    if (older?.x === x) return older.value;
    older = newest;
    newest = { x, value: compute(x) };
    return newest.value;
  };
}

/** The values less their mean; the mean of these is subtracted once more, which takes out its rounding. */
const centred = remembered((x): readonly number[] => {
  const less = (values: readonly number[], m: number) => {
    const out: number[] = new Array(values.length);
    for (let i = 0; i < values.length; i++) out[i] = values[i]! - m;
    return out;
  };
  const d = less(x, mean(x));
  return less(d, mean(d));
});

/** Σ (x − m)(y − m'), the sum of products about the means. */
export function products(x: readonly number[], y: readonly number[]): number {
  return sum(centred(x), centred(y));
}

/** Σ (x − m)²; at most 1e-24 of Σ x² is the rounding of equal values and counts as 0. */
export const squares = remembered((x): number => {
  const about = products(x, x);
  return about <= 1e-24 * sum(x, x) ? 0 : about;
});
export const variance = (x: readonly number[]): number => squares(x) / (x.length - 1);
export const std = (x: readonly number[]): number => Math.sqrt(variance(x));
export const pvariance = (x: readonly number[]): number => squares(x) / x.length;
export const pstd = (x: readonly number[]): number => Math.sqrt(pvariance(x));
export const cov = (x: readonly number[], y: readonly number[]): number => products(x, y) / (x.length - 1);

/** A value whose rounding must not leave its range. */
const inside = (low: number, value: number, high: number) => Math.min(high, Math.max(low, value));

/** Pearson correlation. */
export const corr = (x: readonly number[], y: readonly number[]): number =>
  inside(-1, ratio(products(x, y), Math.sqrt(squares(x)) * Math.sqrt(squares(y))), 1);

/** 1, 2, … n. */
export function steps(n: number): number[] {
  const out: number[] = new Array(n);
  for (let i = 0; i < n; i++) out[i] = i + 1;
  return out;
}

export interface Line {
  readonly slope: number;
  readonly intercept: number;
  /** Residual sum of squares. */
  readonly sse: number;
  /** Total sum of squares of y about its mean. */
  readonly sst: number;
  /** Sum of squares of x about its mean. */
  readonly sxx: number;
}

/** Ordinary least squares of y on x, with intercept. */
export function leastSquares(x: readonly number[], y: readonly number[]): Line {
  const sxx = squares(x);
  const slope = ratio(products(x, y), sxx);
  const dx = centred(x);
  const sse = sum(centred(y).map((value, i) => (value - slope * dx[i]!) ** 2));
  return { slope, intercept: mean(y) - slope * mean(x), sse, sst: squares(y), sxx };
}

/** Least-squares slope of y on 1..n. */
export const slope = (y: readonly number[]): number => leastSquares(steps(y.length), y).slope;

export const sorted = remembered((x): readonly number[] => {
  const order = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) order[i] = x[i]!;
  order.sort();
  const out: number[] = new Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = order[i]!;
  return out;
});

/** The quantile by linear interpolation at position p·(n − 1) of the sorted window. */
export function quantile(x: readonly number[], p: number): number {
  const order = sorted(x);
  const position = p * (x.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, x.length - 1);
  return order[below]! + (position - below) * (order[above]! - order[below]!);
}

/**
 * The rank of the newest value in the window, ties averaged, divided by n. Values within `rounding` of it, relative to
 * it, are tied with it.
 */
export function rank(x: readonly number[], rounding = 0): number {
  const current = x.at(-1)!;
  const near = rounding * Math.abs(current);
  let [tied, less] = [0, 0];
  for (const value of x) {
    if (Math.abs(value - current) <= near) tied += 1;
    if (value < current - near) less += 1;
  }
  return (less + (tied + 1) / 2) / x.length;
}

/** Autocorrelation at lag k, both factors about the mean of the whole window. */
export const acf = (x: readonly number[], k: number): number => autocorrelations(x, [k])[0]!;

/** Autocorrelations at several lags. */
export function autocorrelations(x: readonly number[], lags: readonly number[]): number[] {
  const d = centred(x);
  const total = squares(x);
  return lags.map((k) => ratio(sum(d.slice(k), d), total));
}

/** The k-th population central moments, for several k. */
export function moments(x: readonly number[], ks: readonly number[]): number[] {
  if (squares(x) === 0) return ks.map(() => 0);
  const d = centred(x);
  return ks.map((k) => sum(d.map((value) => value ** k)) / x.length);
}

/** The mean of the defined values; NaN when fewer than half are. */
export function vmean(x: readonly number[]): number {
  const defined = x.filter((value) => !Number.isNaN(value));
  return defined.length < x.length / 2 ? Number.NaN : mean(defined);
}

/** The share of true flags. */
export const share = (flags: readonly boolean[]): number => flags.filter(Boolean).length / flags.length;

/**
 * The error function, by the series erf x = 2/√π·e^(−x²)·Σ 2^k·x^(2k+1)/(1·3·…·(2k+1)) (Abramowitz & Stegun 7.1.6):
 * all terms of one sign, so nothing cancels.
 */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let k = 1; Math.abs(term) > 1e-18 * Math.abs(total); k++) {
    term *= (2 * x * x) / (2 * k + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}
