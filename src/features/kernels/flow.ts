/** Where the money goes: running and windowed sums of volume signed by the bar. */

import { recursive, type Series, windowed } from "../define.ts";
import { change, close, high, low, typicalPrice, volume } from "./bar.ts";

/** CLV·v of a bar: volume weighted by where the close stands in the bar, −1 at the low, 1 at the high, 0 if it is flat. */
function flowOf(h: number, l: number, c: number, v: number): number {
  const range = h - l;
  return range > 0 ? ((c - l - (h - c)) / range) * v : 0;
}

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

/**
 * Chaikin's accumulation/distribution line: the sum of CLV·v (TA-Lib AD). The terms of four bars, counted from the first,
 * are added to each other and then to the line, exactly as for OBV. State: as there, and the terms of the group so far.
 */
export const accumulation = recursive("ad", [high, low, close, volume], {
  state: 3,
  compute(out, { from, to, origin, state }, h, l, c, v) {
    const whole = Math.min(to, from + ((4 - ((from - origin) % 4)) % 4));
    const rest = to - ((to - whole) % 4);
    for (let t = from; t < whole; t++) accumulate(out, t, (t - origin) % 4, flowOf(h[t]!, l[t]!, c[t]!, v[t]!), state);
    let sum = state[0]!;
    let lost = state[1]!;
    for (let t = whole; t < rest; t += 4) {
      const line = sum + lost;
      const one = flowOf(h[t]!, l[t]!, c[t]!, v[t]!);
      const two = one + flowOf(h[t + 1]!, l[t + 1]!, c[t + 1]!, v[t + 1]!);
      const three = two + flowOf(h[t + 2]!, l[t + 2]!, c[t + 2]!, v[t + 2]!);
      const term = three + flowOf(h[t + 3]!, l[t + 3]!, c[t + 3]!, v[t + 3]!);
      out[t] = line + one;
      out[t + 1] = line + two;
      out[t + 2] = line + three;
      out[t + 3] = line + term;
      const next = sum + term;
      const added = next - sum;
      lost += sum - (next - added) + (term - added);
      sum = next;
    }
    state[0] = sum;
    state[1] = lost;
    for (let t = rest; t < to; t++) accumulate(out, t, (t - origin) % 4, flowOf(h[t]!, l[t]!, c[t]!, v[t]!), state);
  },
});

/** One bar of the accumulation line, at its place in the group of four. */
function accumulate(out: Float64Array, t: number, place: number, flow: number, state: Float64Array): void {
  const sum = state[0]!;
  const term = place === 0 ? flow : state[2]! + flow;
  out[t] = sum + state[1]! + term;
  state[2] = term;
  if (place < 3) return;
  const next = sum + term;
  const added = next - sum;
  state[0] = next;
  state[1]! += sum - (next - added) + (term - added);
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
 * large, cancels. Two bars at a time, counted from the second. State: both distances before the pair.
 */
export function chaikinOscillator(fast: number, slow: number): Series {
  const a = 1 - 2 / (fast + 1);
  const b = 1 - 2 / (slow + 1);
  const aTwice = a * a;
  const bTwice = b * b;
  return recursive(`adosc${fast}_${slow}`, [high, low, close, volume], {
    delay: slow - 1,
    reach: 1,
    state: 2,
    compute(out, { from, to, origin, state }, h, l, c, v) {
      const start = origin + 1;
      let fastDistance = state[0]!;
      let slowDistance = state[1]!;
      let t = Math.max(from, start);
      if (from < start && from < to) out[origin] = 0;
      if ((t - start) % 2 === 1) t--;
      for (; t < to; t += 2) {
        const one = flowOf(h[t]!, l[t]!, c[t]!, v[t]!);
        if (t >= from) out[t] = (fastDistance - one) * a - (slowDistance - one) * b;
        if (t + 1 === to) break;
        const two = flowOf(h[t + 1]!, l[t + 1]!, c[t + 1]!, v[t + 1]!);
        fastDistance = fastDistance * aTwice - (one * aTwice + two * a);
        slowDistance = slowDistance * bTwice - (one * bTwice + two * b);
        out[t + 1] = fastDistance - slowDistance;
      }
      state[0] = fastDistance;
      state[1] = slowDistance;
    },
  });
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
