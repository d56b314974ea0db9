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
 * The sum of x since the first bar, compensated (Neumaier 1974) so that it does not drift over millions of bars.
 * State: the sum, the digits it lost.
 */
function runningSum(x: Series): Series {
  return recursive("running_sum", [x], {
    state: 2,
    compute(out, { from, to, state }, x) {
      let sum = state[0]!;
      let lost = state[1]!;
      for (let t = from; t < to; t++) {
        const value = x[t]!;
        const next = sum + value;
        lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
        sum = next;
        out[t] = sum + lost;
      }
      state[0] = sum;
      state[1] = lost;
    },
  });
}

/** sign(Δc)·v, and the whole volume of the first bar. */
const signedVolume = windowed("obv_term", [close, volume], {
  reach: 1,
  compute(out, { from, to, first }, c, v) {
    for (let t = from; t < to; t++) {
      if (t === first || c[t]! > c[t - 1]!) out[t] = v[t]!;
      else out[t] = c[t]! < c[t - 1]! ? -v[t]! : 0;
    }
  },
});

/** R·v, 0 on the first bar. */
const returnVolume = windowed("pvt_term", [close, volume], {
  reach: 1,
  compute(out, { from, to, first }, c, v) {
    for (let t = from; t < to; t++) out[t] = t === first ? 0 : (c[t]! / c[t - 1]! - 1) * v[t]!;
  },
});

/** On-balance volume: starts as the first bar's volume (TA-Lib OBV). */
export const onBalanceVolume = runningSum(signedVolume);
/** Chaikin's accumulation/distribution line (TA-Lib AD). */
export const accumulation = runningSum(moneyFlow);
/** Price-volume trend: 0 at the first bar. */
export const priceVolumeTrend = runningSum(returnVolume);

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
      for (let t = from; t < to; t++) {
        if (t === first) index = 1000;
        else if (direction * (v[t]! - v[t - 1]!) > 0) index *= c[t]! / c[t - 1]!;
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
        out[t] = direction * (now - before) > 1e-14 * (now + before) ? now * v[t]! : 0;
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
