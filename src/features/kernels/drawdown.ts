/** Losses from a high: since the first bar, and inside a sliding window. */

import { recursive, type Series, windowed } from "../define.ts";
import { close } from "./bar.ts";

/** c/M − 1, M the highest close so far: 0 at a high, else negative. State: M. */
export const drawdown = recursive("drawdown", [close], {
  state: 1,
  compute(out, { from, to, state }, c) {
    let top = state[0]!;
    for (let t = from; t < to; t++) {
      if (c[t]! > top) top = c[t]!;
      out[t] = c[t]! / top - 1;
    }
    state[0] = top;
  },
});

/** The lowest drawdown so far. State: it. */
export const deepestDrawdown = recursive("deepest_drawdown", [drawdown], {
  state: 1,
  compute(out, { from, to, state }, drawdown) {
    let least = state[0]!;
    for (let t = from; t < to; t++) {
      if (drawdown[t]! < least) least = drawdown[t]!;
      out[t] = least;
    }
    state[0] = least;
  },
});

/** Bars since the close was last at its high (0 at a high). State: them. */
export const drawdownDuration = recursive("drawdown_duration", [drawdown], {
  state: 1,
  compute(out, { from, to, state }, drawdown) {
    let bars = state[0]!;
    for (let t = from; t < to; t++) {
      bars = drawdown[t]! < 0 ? bars + 1 : 0;
      out[t] = bars;
    }
    state[0] = bars;
  },
});

const topFrom = new Float64Array(1024);
const worstFrom = new Float64Array(1024);

/**
 * The least c_j/c_i − 1 over i ≤ j of the last n values. By blocks, as for sums (sum.ts): the worst of a suffix of one
 * block, of a prefix of the next, and from the top of the one to the bottom of the other.
 */
export function worstDrawdown(x: Series, n: number): Series {
  return windowed(`worst_drawdown${n}`, [x], {
    delay: n - 1,
    compute: (out, { from, to, origin }, x) => slideDrawdown(out, from, to, origin, n, x),
  });
}

/** The same for `from` ≤ t < `to`. */
function slideDrawdown(out: Float64Array, from: number, to: number, origin: number, n: number, x: Float64Array): void {
  let t = from;
  while (t < to) {
    const block = t - ((t - origin) % n);
    // Suffix, growing to the left: its bottom, its top and the worst ratio of a later value to an earlier one.
    let bottom = Number.POSITIVE_INFINITY;
    let top = 0;
    let worst = 1;
    topFrom[n] = 0;
    worstFrom[n] = 1;
    for (let i = n - 1; i > t - block; i--) {
      const value = x[block - n + i]!;
      if (value < bottom) bottom = value;
      if (value > top) top = value;
      const ratio = bottom / value;
      if (ratio < worst) worst = ratio;
      topFrom[i] = top;
      worstFrom[i] = worst;
    }
    bottom = Number.POSITIVE_INFINITY;
    top = 0;
    worst = 1;
    const end = Math.min(block + n, to);
    for (let i = block; i < end; i++) {
      const value = x[i]!;
      if (value > top) top = value;
      if (value < bottom) bottom = value;
      const ratio = value / top;
      if (ratio < worst) worst = ratio;
      if (i < t) continue;
      const start = i - block + 1;
      let least = worst;
      if (worstFrom[start]! < least) least = worstFrom[start]!;
      const across = bottom / topFrom[start]!;
      if (across < least) least = across;
      out[i] = least - 1;
    }
    t = end;
  }
}
