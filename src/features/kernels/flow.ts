/** Where the money goes: running and windowed sums of volume signed by the bar. */

import { recursive, type Series, windowed } from "../define.ts";
import { change, close, high, low, typicalPrice, volume } from "./bar.ts";

/** CLV: where the close stands in the bar, −1 at the low, 1 at the high, 0 if it is flat. */
function placeOf(h: number, l: number, c: number): number {
  const range = h - l;
  return range > 0 ? (c - l - (h - c)) / range : 0;
}

/** CLV·v of a bar; NaN if the volume is unknown, of a flat bar too. */
const flowOf = (h: number, l: number, c: number, v: number): number => placeOf(h, l, c) * v;

/** CLV·v (Chaikin's money flow volume). */
export const moneyFlow = windowed("clv_v", [high, low, close, volume], {
  compute(out, { from, to }, h, l, c, v) {
    for (let t = from; t < to; t++) out[t] = flowOf(h[t]!, l[t]!, c[t]!, v[t]!);
  },
});

/**
 * On-balance volume: the first bar's volume, then sign(Δc)·v added (TA-Lib OBV). Volumes are summed exactly, with the
 * digits that an addition loses (Knuth's two-sum), so that nothing drifts. State: the sum, the digits it lost.
 */
export const onBalanceVolume = recursive("obv", [close, volume], {
  reach: 1,
  state: 2,
  showsUnknown: true,
  compute(out, { from, to, first, state }, c, v) {
    let sum = state[0]!;
    let lost = state[1]!;
    let t = from;
    if (t <= first && first < to) {
      sum = v[first]!;
      out[first] = sum;
      t = first + 1;
    }
    for (; t < to; t++) {
      const term = (+(c[t]! > c[t - 1]!) - +(c[t]! < c[t - 1]!)) * v[t]!;
      const next = sum + term;
      const added = next - sum;
      lost += sum - (next - added) + (term - added);
      sum = next;
      out[t] = sum + lost;
    }
    state[0] = sum;
    state[1] = lost;
  },
});

/** Bars whose flows are added to each other before their sum is added to the accumulation line. */
const GROUP = 64;

/**
 * Chaikin's accumulation/distribution line: the sum of CLV·v (TA-Lib AD). The terms of a group of bars, counted from the
 * first, are added to each other and then to the line, exactly as for OBV. State: as there, and the group's terms so far.
 */
export const accumulation = recursive("ad", [high, low, close, volume], {
  state: 3,
  showsUnknown: true,
  compute: (out, { from, to, origin, state }, h, l, c, v) => accumulate(out, from, to, origin, state, h, l, c, v),
});

function accumulate(
  out: Float64Array,
  from: number,
  to: number,
  origin: number,
  state: Float64Array,
  h: Float64Array,
  l: Float64Array,
  c: Float64Array,
  v: Float64Array,
): void {
  let sum = state[0]!;
  let lost = state[1]!;
  let term = state[2]!;
  for (let t = from; t < to; ) {
    const line = sum + lost;
    const groupEnd = t + GROUP - ((t - origin) % GROUP);
    const end = Math.min(groupEnd, to);
    // Four bars a turn: the end of so short a loop is foreseen, that of 64 turns is not.
    for (; t + 4 <= end; t += 4) {
      term += flowOf(h[t]!, l[t]!, c[t]!, v[t]!);
      out[t] = line + term;
      term += flowOf(h[t + 1]!, l[t + 1]!, c[t + 1]!, v[t + 1]!);
      out[t + 1] = line + term;
      term += flowOf(h[t + 2]!, l[t + 2]!, c[t + 2]!, v[t + 2]!);
      out[t + 2] = line + term;
      term += flowOf(h[t + 3]!, l[t + 3]!, c[t + 3]!, v[t + 3]!);
      out[t + 3] = line + term;
    }
    for (; t < end; t++) {
      term += flowOf(h[t]!, l[t]!, c[t]!, v[t]!);
      out[t] = line + term;
    }
    if (t < groupEnd) break;
    const next = sum + term;
    const added = next - sum;
    lost += sum - (next - added) + (term - added);
    sum = next;
    term = 0;
  }
  state[0] = sum;
  state[1] = lost;
  state[2] = term;
}

/** Price-volume trend: 0 at the first bar, then R·v added, exact like OBV. State: as there. */
export const priceVolumeTrend = recursive("pvt", [close, volume], {
  reach: 1,
  state: 2,
  compute(out, { from, to, first, state }, c, v) {
    let sum = state[0]!;
    let lost = state[1]!;
    let t = from;
    if (t <= first && first < to) {
      out[first] = 0;
      t = first + 1;
    }
    for (; t < to; t++) {
      const term = (c[t]! / c[t - 1]! - 1) * v[t]!;
      const next = sum + term;
      const added = next - sum;
      lost += sum - (next - added) + (term - added);
      sum = next;
      out[t] = sum + lost;
    }
    state[0] = sum;
    state[1] = lost;
  },
});

/**
 * The fast less the slow average of the accumulation line, both starting as its first value (TA-Lib ADOSC). Computed as
 * their distances from the line, of which a bar's flow is taken before they shrink by 1 − α: the line itself, however
 * large, cancels. Two bars at a time, counted from the second. State: both distances before the pair, its first flow.
 */
export function chaikinOscillator(fast: number, slow: number): Series {
  const a = 1 - 2 / (fast + 1);
  const b = 1 - 2 / (slow + 1);
  const aTwice = a * a;
  const bTwice = b * b;
  return recursive(`adosc${fast}_${slow}`, [high, low, close, volume], {
    delay: slow - 1,
    state: 3,
    showsUnknown: true,
    compute(out, { from, to, origin, state }, h, l, c, v) {
      if (from === to) return;
      let t = from;
      // 0 unless the volume is unknown.
      if (t === origin) out[t] = state[0] = state[1] = 0 * v[t++]!;
      if (t < to && (t - origin) % 2 === 0) {
        const flow = flowOf(h[t]!, l[t]!, c[t]!, v[t]!);
        state[0] = state[0]! * aTwice - (state[2]! * aTwice + flow * a);
        state[1] = state[1]! * bTwice - (state[2]! * bTwice + flow * b);
        out[t++] = state[0]! - state[1]!;
      }
      const rest = to - ((to - t) % 2);
      distances(out, t, rest, a, b, state, h, l, c, v);
      if (rest === to) return;
      const flow = flowOf(h[rest]!, l[rest]!, c[rest]!, v[rest]!);
      out[rest] = (state[0]! - flow) * a - (state[1]! - flow) * b;
      state[2] = flow;
    },
  });
}

/** The oscillator of whole pairs of bars. */
function distances(
  out: Float64Array,
  from: number,
  to: number,
  a: number,
  b: number,
  state: Float64Array,
  h: Float64Array,
  l: Float64Array,
  c: Float64Array,
  v: Float64Array,
): void {
  const aTwice = a * a;
  const bTwice = b * b;
  let fast = state[0]!;
  let slow = state[1]!;
  for (let t = from; t < to; t += 2) {
    const one = flowOf(h[t]!, l[t]!, c[t]!, v[t]!);
    const two = flowOf(h[t + 1]!, l[t + 1]!, c[t + 1]!, v[t + 1]!);
    out[t] = (fast - one) * a - (slow - one) * b;
    fast = fast * aTwice - (one * aTwice + two * a);
    slow = slow * bTwice - (one * bTwice + two * b);
    out[t + 1] = fast - slow;
  }
  state[0] = fast;
  state[1] = slow;
}

/**
 * Fosback's volume index: 1000 at the first bar, then multiplied by c/c[1] on bars whose volume is above (`direction`
 * 1) or below (−1) that of the bar before. State: the index.
 */
export function volumeIndex(direction: 1 | -1): Series {
  return recursive(`volume_index${direction}`, [close, volume], {
    reach: 1,
    state: 1,
    compute(out, { from, to, first, state }, c, v) {
      let index = state[0]!;
      let t = from;
      if (t <= first && first < to) {
        index = 1000;
        out[first] = index;
        t = first + 1;
      }
      for (; t < to; t++) {
        const moves = +(direction * (v[t]! - v[t - 1]!) > 0);
        index *= moves * (c[t]! / c[t - 1]!) + (1 - moves);
        out[t] = index;
      }
      state[0] = index;
    },
  });
}

/** Δc·v (Elder 1993). */
export const force = windowed("force", [change, volume], {
  compute(out, { from, to }, change, v) {
    for (let t = from; t < to; t++) out[t] = change[t]! * v[t]!;
  },
});

/**
 * tp·v on bars whose typical price rose (`direction` 1) or fell (−1), else 0. A change of at most 1e-14 of the prices
 * is rounding and counts as none (TA-Lib MFI).
 */
export function directedMoney(direction: 1 | -1): Series {
  return windowed(`money${direction}`, [typicalPrice, volume], {
    delay: 1,
    compute(out, { from, to }, tp, v) {
      for (let t = from; t < to; t++) {
        const now = tp[t]!;
        const before = tp[t - 1]!;
        out[t] = now * v[t]! * +(direction * (now - before) > 1e-14 * (now + before));
      }
    },
  });
}

/** Δ((h + l)/2)·(h − l)/v, undefined (NaN) on a bar without volume (Arms). */
export const easeOfMovement = windowed("ease", [high, low, volume], {
  delay: 1,
  compute(out, { from, to }, h, l, v) {
    for (let t = from; t < to; t++) {
      const move = (h[t]! + l[t]!) / 2 - (h[t - 1]! + l[t - 1]!) / 2;
      out[t] = v[t]! > 0 ? (move * (h[t]! - l[t]!)) / v[t]! : Number.NaN;
    }
  },
});
