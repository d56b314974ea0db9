/**
 * Maximum and minimum over a sliding window, and where they are: blocks of the window's length, a suffix extreme of
 * one block and a prefix extreme of the next (van Herk 1992; Gil & Werman 1993). Three comparisons a bar, whatever
 * the window's length.
 */

import { type Series, windowed } from "../define.ts";

const suffix = new Float64Array(1024);
const suffixAt = new Int32Array(1024);

/** max_n(x); NaN while a NaN is in the window. */
export function max(x: Series, n: number): Series {
  return windowed(`max${n}`, [x], {
    delay: n - 1,
    compute: (out, { from, to, origin }, x) => slideMax(out, x, from, to, origin, n),
  });
}

/** min_n(x); NaN while a NaN is in the window. */
export function min(x: Series, n: number): Series {
  return windowed(`min${n}`, [x], {
    delay: n - 1,
    compute: (out, { from, to, origin }, x) => slideMin(out, x, from, to, origin, n),
  });
}

function slideMax(out: Float64Array, x: Float64Array, from: number, to: number, origin: number, n: number): void {
  let t = from;
  while (t < to) {
    const block = t - ((t - origin) % n);
    let most = Number.NEGATIVE_INFINITY;
    suffix[n] = most;
    for (let i = n - 1; i > t - block; i--) {
      // A NaN fails both comparisons with ≤ and so takes the place of the maximum, and keeps it.
      const value = x[block - n + i]!;
      if (!Number.isNaN(most) && !(value <= most)) most = value;
      suffix[i] = most;
    }
    most = Number.NEGATIVE_INFINITY;
    for (let i = block; i < t; i++) if (!Number.isNaN(most) && !(x[i]! <= most)) most = x[i]!;
    const end = Math.min(block + n, to);
    for (; t < end; t++) {
      const value = x[t]!;
      if (!Number.isNaN(most) && !(value <= most)) most = value;
      const older = suffix[t - block + 1]!;
      out[t] = older <= most || Number.isNaN(most) ? most : older;
    }
  }
}

function slideMin(out: Float64Array, x: Float64Array, from: number, to: number, origin: number, n: number): void {
  let t = from;
  while (t < to) {
    const block = t - ((t - origin) % n);
    let least = Number.POSITIVE_INFINITY;
    suffix[n] = least;
    for (let i = n - 1; i > t - block; i--) {
      const value = x[block - n + i]!;
      if (!Number.isNaN(least) && !(value >= least)) least = value;
      suffix[i] = least;
    }
    least = Number.POSITIVE_INFINITY;
    for (let i = block; i < t; i++) if (!Number.isNaN(least) && !(x[i]! >= least)) least = x[i]!;
    const end = Math.min(block + n, to);
    for (; t < end; t++) {
      const value = x[t]!;
      if (!Number.isNaN(least) && !(value >= least)) least = value;
      const older = suffix[t - block + 1]!;
      out[t] = older >= least || Number.isNaN(least) ? least : older;
    }
  }
}

/** Which of several equal extremes counts. */
type Tie = "newest" | "oldest";

/** Bars since the highest of the last n values of x (0 = the current one); x is defined throughout. */
export function barsSinceMax(x: Series, n: number, tie: Tie): Series {
  return windowed(`since_max${n}_${tie}`, [x], {
    delay: n - 1,
    compute: (out, { from, to, origin }, x) => slideMaxAt(out, x, from, to, origin, n, 1, tie),
  });
}

/** Bars since the lowest of the last n values of x (0 = the current one); x is defined throughout. */
export function barsSinceMin(x: Series, n: number, tie: Tie): Series {
  return windowed(`since_min${n}_${tie}`, [x], {
    delay: n - 1,
    compute: (out, { from, to, origin }, x) => slideMaxAt(out, x, from, to, origin, n, -1, tie),
  });
}

/** Bars since the maximum of direction·x. */
function slideMaxAt(
  out: Float64Array,
  x: Float64Array,
  from: number,
  to: number,
  origin: number,
  n: number,
  direction: 1 | -1,
  tie: Tie,
): void {
  const newest = tie === "newest";
  let t = from;
  while (t < to) {
    const block = t - ((t - origin) % n);
    let most = Number.NEGATIVE_INFINITY;
    let at = block;
    suffix[n] = most;
    for (let i = n - 1; i > t - block; i--) {
      const value = direction * x[block - n + i]!;
      if (newest ? value > most : value >= most) {
        most = value;
        at = block - n + i;
      }
      suffix[i] = most;
      suffixAt[i] = at;
    }
    most = Number.NEGATIVE_INFINITY;
    const end = Math.min(block + n, to);
    for (let i = block; i < end; i++) {
      const value = direction * x[i]!;
      if (newest ? value >= most : value > most) {
        most = value;
        at = i;
      }
      if (i < t) continue;
      const older = suffix[i - block + 1]!;
      out[i] = i - ((newest ? older > most : older >= most) ? suffixAt[i - block + 1]! : at);
    }
    t = end;
  }
}
