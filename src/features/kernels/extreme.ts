/**
 * Maximum and minimum over a sliding window, and where they are. Long windows: suffix and prefix extremes of blocks (van
 * Herk 1992; Gil & Werman 1993). Short ones: the window is searched again only when the extreme has left it.
 */

import { type Series, windowed } from "../define.ts";
import { high, low } from "./bar.ts";

/** Windows up to this length are tracked. */
const TRACKED = 40;

const suffix = new Float64Array(1024);
const suffixAt = new Int32Array(1024);

/** max_n(x); NaN while a NaN is in the window. */
export function max(input: Series, n: number): Series {
  return windowed(`max${n}`, [input], {
    delay: n - 1,
    compute(out, { from, to, origin }, x) {
      if (n <= TRACKED) (input.field ? trackBarMax : trackMax)(out, x, from, to, n);
      else slideMax(out, x, from, to, origin, n);
    },
  });
}

/** min_n(x); NaN while a NaN is in the window. */
export function min(input: Series, n: number): Series {
  return windowed(`min${n}`, [input], {
    delay: n - 1,
    compute(out, { from, to, origin }, x) {
      if (n <= TRACKED) (input.field ? trackBarMin : trackMin)(out, x, from, to, n);
      else slideMin(out, x, from, to, origin, n);
    },
  });
}

/** The maximum of a bar column, which is defined throughout. */
function trackBarMax(out: Float64Array, x: Float64Array, from: number, to: number, n: number): void {
  let at = -1;
  let most = 0;
  for (let t = from; t < to; t++) {
    const value = x[t]!;
    const start = t - n + 1;
    if (at < start) {
      at = start;
      most = x[start]!;
      for (let i = start + 1; i <= t; i++) {
        const other = x[i]!;
        if (other >= most) {
          most = other;
          at = i;
        }
      }
    } else if (value >= most) {
      most = value;
      at = t;
    }
    out[t] = most;
  }
}

/** The minimum of a bar column, which is defined throughout. */
function trackBarMin(out: Float64Array, x: Float64Array, from: number, to: number, n: number): void {
  let at = -1;
  let least = 0;
  for (let t = from; t < to; t++) {
    const value = x[t]!;
    const start = t - n + 1;
    if (at < start) {
      at = start;
      least = x[start]!;
      for (let i = start + 1; i <= t; i++) {
        const other = x[i]!;
        if (other <= least) {
          least = other;
          at = i;
        }
      }
    } else if (value <= least) {
      least = value;
      at = t;
    }
    out[t] = least;
  }
}

/** A NaN is never the extreme, but while one is in the window the result is NaN. */
function trackMax(out: Float64Array, x: Float64Array, from: number, to: number, n: number): void {
  let at = -1;
  let most = Number.NEGATIVE_INFINITY;
  let undefinedAt = lastNaN(x, from - n + 1, from);
  for (let t = from; t < to; t++) {
    const value = x[t]!;
    if (Number.isNaN(value)) undefinedAt = t;
    const start = t - n + 1;
    if (at < start) {
      most = Number.NEGATIVE_INFINITY;
      for (let i = start; i <= t; i++) {
        if (x[i]! >= most) {
          most = x[i]!;
          at = i;
        }
      }
    } else if (value >= most) {
      most = value;
      at = t;
    }
    out[t] = undefinedAt < start ? most : Number.NaN;
  }
}

function trackMin(out: Float64Array, x: Float64Array, from: number, to: number, n: number): void {
  let at = -1;
  let least = Number.POSITIVE_INFINITY;
  let undefinedAt = lastNaN(x, from - n + 1, from);
  for (let t = from; t < to; t++) {
    const value = x[t]!;
    if (Number.isNaN(value)) undefinedAt = t;
    const start = t - n + 1;
    if (at < start) {
      least = Number.POSITIVE_INFINITY;
      for (let i = start; i <= t; i++) {
        if (x[i]! <= least) {
          least = x[i]!;
          at = i;
        }
      }
    } else if (value <= least) {
      least = value;
      at = t;
    }
    out[t] = undefinedAt < start ? least : Number.NaN;
  }
}

/** The last position in [from, to) that holds NaN, or −1. */
function lastNaN(x: Float64Array, from: number, to: number): number {
  for (let i = to - 1; i >= from; i--) if (Number.isNaN(x[i]!)) return i;
  return -1;
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

/** 100·(n − bars since the highest high of the last n + 1 bars)/n, the newest of equal ones (Chande; TA-Lib AROON). */
export function aroonUp(n: number): Series {
  return windowed(`aroon_up${n}`, [high], {
    delay: n,
    compute(out, { from, to }, h) {
      const scale = 100 / n;
      let at = -1;
      let most = 0;
      for (let t = from; t < to; t++) {
        const start = t - n;
        if (at < start) {
          most = h[start]!;
          at = start;
          for (let i = start + 1; i <= t; i++) {
            if (h[i]! >= most) {
              most = h[i]!;
              at = i;
            }
          }
        } else if (h[t]! >= most) {
          most = h[t]!;
          at = t;
        }
        out[t] = (at - start) * scale;
      }
    },
  });
}

/** 100·(n − bars since the lowest low of the last n + 1 bars)/n, the newest of equal ones. */
export function aroonDown(n: number): Series {
  return windowed(`aroon_down${n}`, [low], {
    delay: n,
    compute(out, { from, to }, l) {
      const scale = 100 / n;
      let at = -1;
      let least = 0;
      for (let t = from; t < to; t++) {
        const start = t - n;
        if (at < start) {
          least = l[start]!;
          at = start;
          for (let i = start + 1; i <= t; i++) {
            if (l[i]! <= least) {
              least = l[i]!;
              at = i;
            }
          }
        } else if (l[t]! <= least) {
          least = l[t]!;
          at = t;
        }
        out[t] = (at - start) * scale;
      }
    },
  });
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
