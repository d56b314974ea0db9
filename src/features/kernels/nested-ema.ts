/**
 * Exponential averages of exponential averages, in one loop: each depends on the one before it, but the processor
 * overlaps the computations of neighbouring bars, so three averages take hardly longer than one.
 */

import { recursive, type Series } from "../define.ts";

/** One average of a chain while it gathers its seed. State: the sum of the seed's distances from `anchor`, then y. */
interface Link {
  readonly n: number;
  readonly alpha: number;
  /** Bars between the chain's first input and this link's first input. */
  readonly start: number;
}

const LINK_STATE = 2;

/** Averages over `periods`, each of the one before it, seeded like EMA (average.ts). */
function linksOf(periods: readonly number[]): Link[] {
  let start = 0;
  return periods.map((n) => {
    const link = { n, alpha: 2 / (n + 1), start };
    start += n - 1;
    return link;
  });
}

/** Feeds the value at `age` (bars since the chain's first input) through links that are still being seeded. */
function seed(links: readonly Link[], state: Float64Array, offset: number, age: number, value: number): void {
  for (const [index, { n, alpha, start }] of links.entries()) {
    const y = offset + LINK_STATE * index;
    const seen = age - start;
    if (seen === 0) state[y + 1] = value;
    if (seen < n) state[y]! += value - state[y + 1]!;
    else state[y]! += alpha * (value - state[y]!);
    if (seen < n - 1) return;
    if (seen === n - 1) state[y] = state[y + 1]! + state[y]! / n;
    value = state[y]!;
  }
}

/** 2·E1 − E2, E2 = EMA_n(E1), E1 = EMA_n(x) (Mulloy 1994; TA-Lib DEMA). */
export function dema(x: Series, n: number): Series {
  const links = linksOf([n, n]);
  const alpha = 2 / (n + 1);
  return recursive(`dema${n}`, [x], {
    delay: 2 * (n - 1),
    state: 2 * LINK_STATE,
    compute(out, { from, to, origin, first, state }, x) {
      let t = Math.max(from, origin);
      for (; t < to && t <= first; t++) {
        seed(links, state, 0, t - origin, x[t]!);
        out[t] = 2 * state[0]! - state[2]!;
      }
      let y1 = state[0]!;
      let y2 = state[2]!;
      for (; t < to; t++) {
        y1 += alpha * (x[t]! - y1);
        y2 += alpha * (y1 - y2);
        out[t] = 2 * y1 - y2;
      }
      state[0] = y1;
      state[2] = y2;
    },
  });
}

/** 3·E1 − 3·E2 + E3, each the EMA_n of the one before, E1 that of x (Mulloy 1994; TA-Lib TEMA). */
export function tema(x: Series, n: number): Series {
  const links = linksOf([n, n, n]);
  const alpha = 2 / (n + 1);
  return recursive(`tema${n}`, [x], {
    delay: 3 * (n - 1),
    state: 3 * LINK_STATE,
    compute(out, { from, to, origin, first, state }, x) {
      let t = Math.max(from, origin);
      for (; t < to && t <= first; t++) {
        seed(links, state, 0, t - origin, x[t]!);
        out[t] = 3 * state[0]! - 3 * state[2]! + state[4]!;
      }
      let y1 = state[0]!;
      let y2 = state[2]!;
      let y3 = state[4]!;
      for (; t < to; t++) {
        y1 += alpha * (x[t]! - y1);
        y2 += alpha * (y1 - y2);
        y3 += alpha * (y2 - y3);
        out[t] = 3 * y1 - 3 * y2 + y3;
      }
      state[0] = y1;
      state[2] = y2;
      state[4] = y3;
    },
  });
}

/** No average of changes is larger than that of their sizes, but by rounding. */
const strength = (net: number, gross: number) => Math.max(-100, Math.min(100, (100 * net) / gross));

/** 100·EMA_fast(EMA_slow(Δx))/EMA_fast(EMA_slow(|Δx|)) (Blau 1991, true strength index). */
export function trueStrength(x: Series, slow: number, fast: number): Series {
  const links = linksOf([slow, fast]);
  const [first, second] = links.map(({ alpha }) => alpha) as [number, number];
  const sizes = links.length * LINK_STATE;
  return recursive(`tsi${slow}_${fast}`, [x], {
    delay: slow + fast - 1,
    reach: 1,
    state: 2 * sizes,
    compute(out, { from, to, origin, first: defined, state }, x) {
      let t = Math.max(from, origin + 1);
      for (; t < to && t <= defined; t++) {
        const move = x[t]! - x[t - 1]!;
        seed(links, state, 0, t - origin - 1, move);
        seed(links, state, sizes, t - origin - 1, Math.abs(move));
        out[t] = strength(state[2]!, state[6]!);
      }
      let net = state[0]!;
      let netTwice = state[2]!;
      let gross = state[4]!;
      let grossTwice = state[6]!;
      for (; t < to; t++) {
        const move = x[t]! - x[t - 1]!;
        net += first * (move - net);
        netTwice += second * (net - netTwice);
        gross += first * (Math.abs(move) - gross);
        grossTwice += second * (gross - grossTwice);
        out[t] = strength(netTwice, grossTwice);
      }
      state[0] = net;
      state[2] = netTwice;
      state[4] = gross;
      state[6] = grossTwice;
    },
  });
}

/** E/EMA_n(E), E = EMA_n(x) (Dorsey 1992, the term of the mass index). */
export function averageOverItsAverage(x: Series, n: number): Series {
  const links = linksOf([n, n]);
  const alpha = 2 / (n + 1);
  return recursive(`ema_over_ema${n}`, [x], {
    delay: 2 * (n - 1),
    state: 2 * LINK_STATE,
    compute(out, { from, to, origin, first, state }, x) {
      let t = Math.max(from, origin);
      for (; t < to && t <= first; t++) {
        seed(links, state, 0, t - origin, x[t]!);
        out[t] = state[0]! / state[2]!;
      }
      let y1 = state[0]!;
      let y2 = state[2]!;
      for (; t < to; t++) {
        y1 += alpha * (x[t]! - y1);
        y2 += alpha * (y1 - y2);
        out[t] = y1 / y2;
      }
      state[0] = y1;
      state[2] = y2;
    },
  });
}

/**
 * EMA_fast(x) − EMA_slow(x), the fast one seeded with the last `fast` of the first `slow` values, so that both start on
 * the same bar (TA-Lib MACD).
 */
export function convergence(x: Series, fast: number, slow: number): Series {
  const fastLinks = linksOf([fast]);
  const slowLinks = linksOf([slow]);
  const skip = slow - fast;
  const [a, b] = [2 / (fast + 1), 2 / (slow + 1)];
  return recursive(`macd${fast}_${slow}`, [x], {
    delay: slow - 1,
    state: 2 * LINK_STATE,
    compute(out, { from, to, origin, first, state }, x) {
      let t = Math.max(from, origin);
      for (; t < to && t <= first; t++) {
        if (t >= origin + skip) seed(fastLinks, state, 0, t - origin - skip, x[t]!);
        seed(slowLinks, state, LINK_STATE, t - origin, x[t]!);
        out[t] = state[0]! - state[2]!;
      }
      let y1 = state[0]!;
      let y2 = state[2]!;
      for (; t < to; t++) {
        y1 += a * (x[t]! - y1);
        y2 += b * (x[t]! - y2);
        out[t] = y1 - y2;
      }
      state[0] = y1;
      state[2] = y2;
    },
  });
}

/** 100·(EMA_fast(x) − EMA_slow(x))/EMA_slow(x), each with its own seed (TA-Lib PPO). */
export function percentageOscillator(x: Series, fast: number, slow: number): Series {
  const fastLinks = linksOf([fast]);
  const slowLinks = linksOf([slow]);
  const [a, b] = [2 / (fast + 1), 2 / (slow + 1)];
  return recursive(`ppo${fast}_${slow}`, [x], {
    delay: slow - 1,
    state: 2 * LINK_STATE,
    compute(out, { from, to, origin, first, state }, x) {
      let t = Math.max(from, origin);
      for (; t < to && t <= first; t++) {
        seed(fastLinks, state, 0, t - origin, x[t]!);
        seed(slowLinks, state, LINK_STATE, t - origin, x[t]!);
        out[t] = (100 * (state[0]! - state[2]!)) / state[2]!;
      }
      let y1 = state[0]!;
      let y2 = state[2]!;
      for (; t < to; t++) {
        y1 += a * (x[t]! - y1);
        y2 += b * (x[t]! - y2);
        out[t] = (100 * (y1 - y2)) / y2;
      }
      state[0] = y1;
      state[2] = y2;
    },
  });
}
