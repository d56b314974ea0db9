/** Serial dependence: autocorrelation over a sliding window, from sums of lagged products. */

import { type Series, windowed } from "../define.ts";
import { deviations } from "./moment.ts";
import { sum } from "./sum.ts";

function laggedProduct(x: Series, k: number): Series {
  return windowed(`lagged_product${k}`, [x], {
    delay: k,
    compute(out, { from, to }, x) {
      for (let t = from; t < to; t++) out[t] = x[t]! * x[t - k]!;
    },
  });
}

/** Least share of n·mean² that Σ (x − mean)² may be before the window is computed directly. */
const CANCELLED = 1e-2;

/** acf_n(x, k) of the window up to position t, computed from it alone. */
function autocorrelationAt(x: Float64Array, t: number, n: number, k: number): number {
  const anchor = x[t]!;
  let mean = 0;
  for (let i = t - n + 1; i < t; i++) mean += x[i]! - anchor;
  mean /= n;
  let lagged = 0;
  let all = 0;
  for (let i = t - n + 1; i <= t; i++) {
    const d = x[i]! - anchor - mean;
    all += d * d;
    if (i - k > t - n) lagged += d * (x[i - k]! - anchor - mean);
  }
  return lagged / all;
}

/**
 * Σ (x_i − m)(x_{i−k} − m) over the n − k pairs inside the window, from the sum P of their products:
 * P − m·(2S − head − tail) + (n − k)·m², head and tail the sums of the first and the last k values.
 */
function covarianceAt(products: number, sum: number, head: number, tail: number, n: number, k: number): number {
  const mean = sum / n;
  return products - mean * (2 * sum - head - tail) + (n - k) * mean * mean;
}

/** acf_n(x, 1) (statsmodels acf, adjusted=False). */
export function autocorrelation(x: Series, n: number): Series {
  return windowed(`acf${n}`, [x, sum(x, n), deviations(x, n), sum(laggedProduct(x, 1), n - 1)], {
    reach: [n - 1, 0, 0, 0],
    compute(out, { from, to }, x, sum, deviations, products) {
      for (let t = from; t < to; t++) {
        const all = deviations[t]!;
        const total = sum[t]!;
        out[t] = !(all > 0)
          ? Number.NaN
          : all * n >= CANCELLED * total * total
            ? covarianceAt(products[t]!, total, x[t - n + 1]!, x[t]!, n, 1) / all
            : autocorrelationAt(x, t, n, 1);
      }
    },
  });
}

/** n·(n + 2)·Σ_{k=1..lags} acf_n(x, k)²/(n − k) (Ljung & Box 1978); of covariances, divided once. */
export function ljungBox(x: Series, n: number, lags: number): Series {
  const shares = Float64Array.from({ length: lags + 1 }, (_, k) => 1 / (n - k));
  const products = Array.from({ length: lags }, (_, index) => sum(laggedProduct(x, index + 1), n - index - 1));
  return windowed(`ljung_box${n}_${lags}`, [x, sum(x, n), deviations(x, n), ...products], {
    reach: [n - 1, 0, 0, ...products.map(() => 0)],
    compute(out, { from, to }, x, sum, deviations, ...products) {
      for (let t = from; t < to; t++) {
        const all = deviations[t]!;
        const total = sum[t]!;
        const exact = all * n >= CANCELLED * total * total;
        let head = 0;
        let tail = 0;
        let statistic = 0;
        for (let k = 1; k <= lags; k++) {
          head += x[t - n + k]!;
          tail += x[t - k + 1]!;
          const covariance = exact
            ? covarianceAt(products[k - 1]![t]!, total, head, tail, n, k)
            : autocorrelationAt(x, t, n, k) * all;
          statistic += covariance * covariance * shares[k]!;
        }
        out[t] = all > 0 ? (n * (n + 2) * statistic) / (all * all) : Number.NaN;
      }
    },
  });
}
