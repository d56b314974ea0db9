/** Recursive averages: exponential, Wilder's and Kaufman's, in TA-Lib's conventions. */

import { recursive, type Series, windowed } from "../define.ts";
import { absChange, close } from "./bar.ts";
import { sum } from "./sum.ts";

/** Places in the state of `smoothed`. */
const [LEVEL, LEAD, PART] = [0, 1, 2] as const;

/**
 * y = y[1] + α·(x − y[1]) for whole groups of four bars. From a group's first value and the y before it,
 * its k-th y = y + ((1 − (1 − α)^k)·(lead − y) + part): one chain of four operations for four bars.
 */
function smooth(
  out: Float64Array,
  x: Float64Array,
  from: number,
  to: number,
  alpha: number,
  state: Float64Array,
): void {
  const keep = 1 - alpha;
  const keepTwo = keep * keep;
  const keepThree = keepTwo * keep;
  const second = 1 - keepTwo;
  const third = 1 - keepThree;
  const fourth = 1 - keepThree * keep;
  let y = state[LEVEL]!;
  let t = from;
  for (; t + 4 <= to; t += 4) {
    const lead = x[t]!;
    const gap = lead - y;
    const one = alpha * (x[t + 1]! - lead);
    const two = keep * one + alpha * (x[t + 2]! - lead);
    const three = keep * two + alpha * (x[t + 3]! - lead);
    out[t] = y + alpha * gap;
    out[t + 1] = y + (second * gap + one);
    out[t + 2] = y + (third * gap + two);
    y += fourth * gap + three;
    out[t + 3] = y;
  }
  state[LEVEL] = y;
}

/** The same for the bars of one group; groups count from `start`. */
function smoothPart(
  out: Float64Array,
  x: Float64Array,
  from: number,
  to: number,
  start: number,
  alpha: number,
  state: Float64Array,
): void {
  const keep = 1 - alpha;
  for (let t = from; t < to; t++) {
    const place = (t - start) % 4;
    if (place === 0) state[LEAD] = x[t]!;
    const y = state[LEVEL]!;
    const lead = state[LEAD]!;
    state[PART] = place === 0 ? 0 : keep * state[PART]! + alpha * (x[t]! - lead);
    let kept = keep;
    for (let k = 0; k < place; k++) kept *= keep;
    const weight = place === 0 ? alpha : 1 - kept;
    out[t] = y + (weight * (lead - y) + state[PART]!);
    if (place === 3) state[LEVEL] = out[t]!;
  }
}

/**
 * y = y[1] + α·(x − y[1]), seeded with the mean of the first n values of x, placed on the n-th, summed as distances from
 * the first: a flat series gives exactly its own level. State: while seeding the sum and the first value, then y before
 * the group of four bars, the group's first value and what its later values add.
 */
function smoothed(name: string, x: Series, n: number, alpha: number): Series {
  return recursive(name, [x], {
    delay: n - 1,
    state: 3,
    compute(out, { from, to, origin, first, state }, x) {
      let t = Math.max(from, origin);
      if (t <= first) {
        if (t === origin && t < to) state[LEAD] = x[t]!;
        const anchor = state[LEAD]!;
        let sum = state[LEVEL]!;
        for (; t < to && t <= first; t++) sum += x[t]! - anchor;
        state[LEVEL] = t > first ? anchor + sum / n : sum;
        if (t > first) out[first] = state[LEVEL]!;
      }
      if (t === to) return;
      const start = first + 1;
      const whole = Math.min(to, t + ((4 - ((t - start) % 4)) % 4));
      const rest = to - ((to - whole) % 4);
      smoothPart(out, x, t, whole, start, alpha, state);
      smooth(out, x, whole, rest, alpha, state);
      smoothPart(out, x, rest, to, start, alpha, state);
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
        // size ± move is exactly twice the gain or the loss: no branch that would be mispredicted on every other bar.
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

/** Bars over which Kaufman's average compares the way walked with the net move. */
const WALK = 10;
/** s lies between the α of EMA_30 and that of EMA_2. */
const SLOW = 2 / 31;
const SPAN = 2 / 3 - SLOW;

/** s² from the efficiency ratio: the net move by the way walked, 1 on a flat path. */
function adaptiveShare(net: number, walked: number): number {
  const s = (walked > 0 ? Math.abs(net) / walked : 1) * SPAN + SLOW;
  return s * s;
}

/** |Δc| at t and t − 1. */
const wayOfTwo = (c: Float64Array, t: number): number => Math.abs(c[t]! - c[t - 1]!) + Math.abs(c[t - 1]! - c[t - 2]!);

/** s² at t of the average's pair of bars that begins there. */
function shareAtPair(c: Float64Array, t: number): number {
  const common = wayOfTwo(c, t - 1) + wayOfTwo(c, t - 3) + (wayOfTwo(c, t - 5) + wayOfTwo(c, t - 7));
  const oldest = Math.abs(c[t - WALK + 1]! - c[t - WALK]!);
  return adaptiveShare(c[t]! - c[t - WALK]!, common + (Math.abs(c[t]! - c[t - 1]!) + oldest));
}

/**
 * Kaufman's adaptive average over 10 bars: k = k[1] + s²·(c − k[1]) with `adaptiveShare`. Starts as the close before the
 * first ratio (TA-Lib KAMA). Two bars at a time, counted from the second: with closes c and d and shares a and b of a
 * pair, k + b·(d − c) + (a + b·(1 − a))·(c − k) after it. State: k before the pair.
 */
export const kama10 = recursive("kama10", [close], {
  delay: WALK,
  reach: WALK + 1,
  state: 1,
  compute(out, { from, to, first, state }, c) {
    if (to <= first) return;
    let t = from;
    if (t <= first) {
      let walked = 0;
      for (t = first - WALK + 1; t <= first; t++) walked += Math.abs(c[t]! - c[t - 1]!);
      const k = c[first - 1]!;
      state[0] = k + adaptiveShare(c[first]! - c[first - WALK]!, walked) * (c[first]! - k);
      out[first] = state[0]!;
    } else if ((t - first) % 2 === 0) {
      // The second bar of a pair: the first is computed again.
      adapt(out, t - 1, t + 1, state, c);
      t++;
    }
    const rest = to - ((to - t) % 2);
    adapt(out, t, rest, state, c);
    if (rest < to) out[rest] = state[0]! + shareAtPair(c, rest) * (c[rest]! - state[0]!);
  },
});

/** Whole pairs of bars. The ways of two bars stay in variables: sums of 10 without subtracting what has left. */
function adapt(out: Float64Array, from: number, to: number, state: Float64Array, c: Float64Array): void {
  if (from >= to) return;
  let k = state[0]!;
  let before = c[from - 1]!;
  let a = wayOfTwo(c, from - 7);
  let b = wayOfTwo(c, from - 5);
  let d = wayOfTwo(c, from - 3);
  let e = wayOfTwo(c, from - 1);
  for (let t = from; t < to; t += 2) {
    const price = c[t]!;
    const after = c[t + 1]!;
    const oldest = c[t - WALK]!;
    const older = c[t - WALK + 1]!;
    const move = after - price;
    const way = Math.abs(price - before);
    const common = e + d + (b + a);
    const one = adaptiveShare(price - oldest, common + (way + Math.abs(older - oldest)));
    a = b;
    b = d;
    d = e;
    e = Math.abs(move) + way;
    const two = adaptiveShare(after - older, common + e);
    const gap = price - k;
    out[t] = k + one * gap;
    k = k + two * move + (one + two * (1 - one)) * gap;
    out[t + 1] = k;
    before = after;
  }
  state[0] = k;
}
