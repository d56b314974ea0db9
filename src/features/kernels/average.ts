/** Recursive averages: exponential, Wilder's and Kaufman's, in TA-Lib's conventions. */

import { recursive, type Series, windowed } from "../define.ts";
import { absChange, close } from "./bar.ts";
import { sum } from "./sum.ts";

/**
 * y = y[1] + α·(x − y[1]), seeded with the mean of the first n values of x, placed on the n-th. The seed is summed as
 * distances from the first value, so that a flat series gives exactly its own level. State: the running seed sum, then
 * y; the first value.
 */
function smoothed(name: string, x: Series, n: number, alpha: number): Series {
  return recursive(name, [x], {
    delay: n - 1,
    state: 2,
    compute(out, { from, to, origin, first, state }, x) {
      let y = state[0]!;
      let t = Math.max(from, origin);
      if (t <= first) {
        if (t === origin && t < to) state[1] = x[t]!;
        const anchor = state[1]!;
        for (; t < to && t <= first; t++) y += x[t]! - anchor;
        if (t > first) {
          y = anchor + y / n;
          out[first] = y;
        }
      }
      for (; t < to; t++) {
        y += alpha * (x[t]! - y);
        out[t] = y;
      }
      state[0] = y;
    },
  });
}

/** EMA_n(x): α = 2/(n + 1). */
export function ema(x: Series, n: number): Series {
  return smoothed(`ema${n}`, x, n, 2 / (n + 1));
}

/** The exponential average of the given α, seeded with the mean of the first n values. */
export function exponential(x: Series, n: number, alpha: number): Series {
  return smoothed(`exponential${n}_${alpha}`, x, n, alpha);
}

/** Wilder's running sum: the sum of the first n − 1 values, then S = S[1] − S[1]/n + x (TA-Lib DI). State: S. */
export function wilderSum(x: Series, n: number): Series {
  return recursive(`wilder_sum${n}`, [x], {
    delay: n - 1,
    state: 1,
    compute(out, { from, to, origin, first, state }, x) {
      const keep = 1 - 1 / n;
      let sum = state[0]!;
      let t = Math.max(from, origin);
      for (; t < to && t < first; t++) sum += x[t]!;
      for (; t < to; t++) {
        sum = sum * keep + x[t]!;
        out[t] = sum;
      }
      state[0] = sum;
    },
  });
}

/** WS_n(x), Wilder's smoothing: α = 1/n. */
export function wilder(x: Series, n: number): Series {
  return smoothed(`wilder${n}`, x, n, 1 / n);
}

/**
 * 100·G/(G + L), G and L Wilder's averages over n of the rises and falls of x (Wilder 1978; TA-Lib RSI).
 * State: G, L (their sums while seeding).
 */
export function rsi(x: Series, n: number): Series {
  const alpha = 1 / n;
  const keep = 1 - alpha;
  const half = alpha / 2;
  return recursive(`rsi${n}`, [x], {
    delay: n,
    reach: 1,
    state: 2,
    compute(out, { from, to, origin, first, state }, x) {
      let gain = state[0]!;
      let loss = state[1]!;
      let t = from > origin ? from : origin + 1;
      for (; t < to && t <= first; t++) {
        const move = x[t]! - x[t - 1]!;
        if (move > 0) gain += move;
        else loss -= move;
        if (t === first) {
          gain *= alpha;
          loss *= alpha;
          out[t] = 100 * (gain / (gain + loss));
        }
      }
      for (; t < to; t++) {
        // size ± move is twice the gain or the loss, exactly: no branch on a sign that nobody can predict.
        const move = x[t]! - x[t - 1]!;
        const size = Math.abs(move);
        gain = gain * keep + (size + move) * half;
        loss = loss * keep + (size - move) * half;
        out[t] = 100 * (gain / (gain + loss));
      }
      state[0] = gain;
      state[1] = loss;
    },
  });
}

/** ER = |c − c[n]|/sum_n(|Δc|): 1 on a straight path, near 0 on a noisy one, NaN on a flat one (Kaufman 1995). */
export function efficiencyRatio(n: number): Series {
  return windowed(`er${n}`, [close, sum(absChange, n)], {
    delay: 0,
    reach: [n, 0],
    compute(out, { from, to }, c, path) {
      for (let t = from; t < to; t++) out[t] = Math.abs(c[t]! - c[t - n]!) / path[t]!;
    },
  });
}

/**
 * Kaufman's adaptive average: k = k[1] + s²·(c − k[1]), s between the α of EMA_30 and EMA_2 by the efficiency ratio,
 * which counts as 1 on a flat path. Starts as the close before the first ratio (TA-Lib KAMA). State: k.
 */
export function kama(n: number): Series {
  const slow = 2 / 31;
  const span = 2 / 3 - slow;
  return recursive(`kama${n}`, [close, sum(absChange, n)], {
    reach: n,
    state: 1,
    compute(out, { from, to, first, state }, c, path) {
      let k = state[0]!;
      let t = from;
      if (t <= first) {
        if (to <= first) return;
        t = first;
        k = c[t - 1]!;
      }
      for (; t < to; t++) {
        const walked = path[t]!;
        const ratio = walked === 0 ? 1 : Math.abs(c[t]! - c[t - n]!) / walked;
        const s = ratio * span + slow;
        k += s * s * (c[t]! - k);
        out[t] = k;
      }
      state[0] = k;
    },
  });
}
