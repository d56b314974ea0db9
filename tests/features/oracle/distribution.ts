/** Features 134–149: moments, tails, entropy and serial dependence. */

import { each, type Family, rolling, type Series } from "./bars.ts";
import {
  acf,
  autocorrelations,
  ln,
  max,
  mean,
  min,
  moments,
  quantile,
  ratio,
  share,
  sorted,
  std,
  steps,
  sum,
} from "./notation.ts";

function skewness(w: number[]): number {
  const n = w.length;
  const [m2, m3] = moments(w, [2, 3]) as [number, number];
  return (Math.sqrt(n * (n - 1)) / (n - 2)) * ratio(m3, m2 ** 1.5);
}

function excessKurtosis(w: number[]): number {
  const n = w.length;
  const [m2, m4] = moments(w, [2, 4]) as [number, number];
  const g = (n + 1) * ratio(m4, m2 ** 2) - 3 * (n - 1);
  return ((n - 1) / ((n - 2) * (n - 3))) * g;
}

/** Hill's tail index of the losses, from the 12 largest. */
function hill(w: number[]): number {
  const losses = sorted(w.map((x) => -x)).toReversed();
  const threshold = losses[12]!;
  return threshold <= 0 ? Number.NaN : mean(losses.slice(0, 12).map((x) => ln(x / threshold)));
}

const outliers = (w: number[]): number => {
  const [m, s] = [mean(w), std(w)];
  return s === 0 ? 0 : share(w.map((x) => Math.abs(x - m) > 2 * s));
};

const entropy = (counts: number[]): number => {
  const total = sum(counts);
  return -sum(counts.filter((k) => k > 0).map((k) => (k / total) * Math.log(k / total)));
};

/** Entropy over 10 bins of equal width between the least and the greatest value, relative to ln 10. */
function shannon(w: number[]): number {
  const [low, high] = [min(w), max(w)];
  if (high - low <= 1e-12 * Math.max(Math.abs(low), Math.abs(high))) return Number.NaN;
  const counts = new Array(10).fill(0);
  for (const x of w) counts[Math.min(9, Math.floor((10 * (x - low)) / (high - low)))]++;
  return entropy(counts) / Math.log(10);
}

/** The order of the newest three values, as a number for each of the six; of equal values the earlier is the lower. */
const orders = (x: Series): Series =>
  each(x.length, 2, (t) => {
    const [a, b, c] = [x[t - 2]!, x[t - 1]!, x[t]!];
    return 4 * Number(a > b) + 2 * Number(a > c) + Number(b > c);
  });

/** Entropy of the orders of consecutive triples, relative to ln 6. */
function permutation(w: number[]): number {
  const counts = new Array(8).fill(0);
  for (const order of w) counts[order]++;
  return entropy(counts) / Math.log(6);
}

const ljungBox = (w: number[]): number => {
  const n = w.length;
  const lags = steps(10);
  return n * (n + 2) * sum(autocorrelations(w, lags).map((rho, i) => rho ** 2 / (n - lags[i]!)));
};

/** Wald and Wolfowitz: too many or too few runs of one sign. */
function runsTest(w: number[]): number {
  const signs = w.map(Math.sign).filter((s) => s !== 0);
  const up = signs.filter((s) => s > 0).length;
  const down = signs.length - up;
  const runs = signs.filter((s, i) => i === 0 || s !== signs[i - 1]).length;
  if (up === 0 || down === 0) return Number.NaN;
  const expected = (2 * up * down) / (up + down) + 1;
  const sigma = Math.sqrt(((expected - 1) * (expected - 2)) / (up + down - 1));
  return ratio(runs - expected, sigma);
}

export const distribution: Family = ({ c, r, R, dc }) => ({
  skew_60: rolling(r, 60, skewness),
  kurt_60: rolling(r, 60, excessKurtosis),
  skew_250: rolling(r, 250, skewness),
  kurt_250: rolling(r, 250, excessKurtosis),
  iqr_std_ratio_60: rolling(r, 60, (w) => ratio(quantile(w, 0.75) - quantile(w, 0.25), 1.349 * std(w))),
  bowley_skew_60: rolling(r, 60, (w) => {
    const [q1, q2, q3] = [quantile(w, 0.25), quantile(w, 0.5), quantile(w, 0.75)];
    return q3 - q1 <= 1e-12 * Math.max(Math.abs(q1), Math.abs(q3)) ? Number.NaN : (q3 + q1 - 2 * q2) / (q3 - q1);
  }),
  tail_ratio_250: rolling(R, 250, (w) => ratio(Math.abs(quantile(w, 0.95)), Math.abs(quantile(w, 0.05)))),
  hill_tail_250: rolling(R, 250, hill),
  return_zscore_60: rolling(r, 60, (w) => ratio(w.at(-1)! - mean(w), std(w))),
  outlier_ratio_120: rolling(r, 120, outliers),
  shannon_entropy_60: rolling(r, 60, shannon),
  // 60 values have 58 triples.
  perm_entropy_3_60: rolling(orders(c), 58, permutation),
  acf_1_60: rolling(r, 60, (w) => acf(w, 1)),
  acf_abs_1_250: rolling(r.map(Math.abs), 250, (w) => acf(w, 1)),
  ljung_box_10_120: rolling(r, 120, ljungBox),
  runs_test_z_60: rolling(dc, 60, runsTest),
});
