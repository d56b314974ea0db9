/** Where the money goes: running and windowed sums of volume signed by the bar. */

import { recursive, type Series, windowed } from "../define.ts";
import { change, close, high, low, typicalPrice, volume } from "./bar.ts";

/** CLV·v: volume weighted by where the close stands in the bar, −1 at the low, 1 at the high, 0 on a flat bar. */
export const moneyFlow = windowed("clv_v", [high, low, close, volume], {
  compute(out, { from, to }, h, l, c, v) {
    for (let t = from; t < to; t++) {
      const range = h[t]! - l[t]!;
      out[t] = range > 0 ? ((c[t]! - l[t]! - (h[t]! - c[t]!)) / range) * v[t]! : 0;
    }
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

/** Chaikin's accumulation/distribution line: the sum of CLV·v (TA-Lib AD), exact like OBV. State: as there. */
export const accumulation = recursive("ad", [high, low, close, volume], {
  state: 2,
  compute(out, { from, to, state }, h, l, c, v) {
    let sum = state[0]!;
    let lost = state[1]!;
    for (let t = from; t < to; t++) {
      const range = h[t]! - l[t]!;
      const term = range > 0 ? ((c[t]! - l[t]! - (h[t]! - c[t]!)) / range) * v[t]! : 0;
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
 * The fast less the slow average of the accumulation line, both starting as its first value (TA-Lib ADOSC).
 * State: both averages.
 */
export function chaikinOscillator(fast: number, slow: number): Series {
  const [a, b] = [2 / (fast + 1), 2 / (slow + 1)];
  return recursive(`adosc${fast}_${slow}`, [accumulation], {
    delay: slow - 1,
    state: 2,
    compute(out, { from, to, origin, state }, line) {
      let quick = state[0]!;
      let calm = state[1]!;
      let t = from;
      if (t <= origin && origin < to) {
        quick = line[origin]!;
        calm = quick;
        t = origin;
      }
      for (; t < to; t++) {
        quick += a * (line[t]! - quick);
        calm += b * (line[t]! - calm);
        out[t] = quick - calm;
      }
      state[0] = quick;
      state[1] = calm;
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
