/** Wilder's directional movement and the systems that follow a trend bar by bar. */

import { recursive, type Series, windowed } from "../define.ts";
import { wilder, wilderSum } from "./average.ts";
import { close, high, low, trueRange } from "./bar.ts";

/** +DM: the rise of the high where it is positive and more than the fall of the low, else 0. */
const plusMovement = windowed("plus_dm", [high, low], {
  delay: 1,
  compute(out, { from, to }, h, l) {
    for (let t = from; t < to; t++) {
      const up = h[t]! - h[t - 1]!;
      const down = l[t - 1]! - l[t]!;
      out[t] = up > 0 && up > down ? up : 0;
    }
  },
});

/** −DM: the fall of the low where it is positive and more than the rise of the high, else 0. */
const minusMovement = windowed("minus_dm", [high, low], {
  delay: 1,
  compute(out, { from, to }, h, l) {
    for (let t = from; t < to; t++) {
      const up = h[t]! - h[t - 1]!;
      const down = l[t - 1]! - l[t]!;
      out[t] = down > 0 && down > up ? down : 0;
    }
  },
});

function directionalIndicator(movement: Series, n: number): Series {
  return windowed("directional", [wilderSum(movement, n), wilderSum(trueRange, n)], {
    compute(out, { from, to }, movement, range) {
      for (let t = from; t < to; t++) out[t] = 100 * (movement[t]! / range[t]!);
    },
  });
}

export const plusDirection = (n: number) => directionalIndicator(plusMovement, n);
export const minusDirection = (n: number) => directionalIndicator(minusMovement, n);

/**
 * ADX_n: the mean of the first n DX = 100·|P − M|/(P + M), an undefined one counting 0; then Wilder's smoothing, held
 * where DX is undefined. State: the running sum, then ADX.
 */
export function averageDirection(n: number): Series {
  return recursive(`adx${n}`, [plusDirection(n), minusDirection(n)], {
    delay: n - 1,
    state: 1,
    compute(out, { from, to, origin, first, state }, plus, minus) {
      let adx = state[0]!;
      for (let t = Math.max(from, origin); t < to; t++) {
        const dx = 100 * (Math.abs(plus[t]! - minus[t]!) / (plus[t]! + minus[t]!));
        const defined = !Number.isNaN(dx);
        if (t <= first) {
          if (defined) adx += dx;
          if (t === first) adx /= n;
        } else if (defined) {
          adx = (adx * (n - 1) + dx) / n;
        }
        out[t] = adx;
      }
      state[0] = adx;
    },
  });
}

const STEP = 0.02;
const MOST = 0.2;

/** Parabolic SAR, step 0.02, cap 0.20 (Wilder 1978; TA-Lib SAR). State: side (1 long, −1 short), SAR, EP, AF. */
export const parabolicSar = recursive("psar", [high, low], {
  delay: 1,
  reach: 1,
  state: 4,
  compute(out, { from, to, first, state }, h, l) {
    let [side, sar, extreme, factor] = state as unknown as [number, number, number, number];
    for (let t = Math.max(from, first); t < to; t++) {
      const top = h[t]!;
      const bottom = l[t]!;
      let topBefore = h[t - 1]!;
      let bottomBefore = l[t - 1]!;
      if (t === first) {
        const fall = bottomBefore - bottom;
        side = fall > 0 && fall > top - topBefore ? -1 : 1;
        sar = side > 0 ? bottomBefore : topBefore;
        extreme = side > 0 ? top : bottom;
        factor = STEP;
        topBefore = top;
        bottomBefore = bottom;
      }
      const highest = Math.max(topBefore, top);
      const lowest = Math.min(bottomBefore, bottom);
      if (side > 0 ? bottom <= sar : top >= sar) {
        side = -side;
        sar = side > 0 ? Math.min(extreme, lowest) : Math.max(extreme, highest);
        extreme = side > 0 ? top : bottom;
        factor = STEP;
      } else if (side > 0 ? top > extreme : bottom < extreme) {
        extreme = side > 0 ? top : bottom;
        factor = Math.min(factor + STEP, MOST);
      }
      out[t] = sar;
      sar += factor * (extreme - sar);
      sar = side > 0 ? Math.min(sar, lowest) : Math.max(sar, highest);
    }
    state.set([side, sar, extreme, factor]);
  },
});

/**
 * SuperTrend: bands of `width` average ranges around (h + l)/2 that only tighten while the close stays inside, and
 * the side on which the close last left them. State: upper band, lower band, side (1 up, −1 down).
 */
function superTrend(n: number, width: number, published: "line" | "side"): Series {
  const asSide = published === "side";
  return recursive(`supertrend${n}_${width}_${published}`, [high, low, close, wilder(trueRange, n)], {
    reach: 1,
    state: 3,
    compute(out, { from, to, first, state }, h, l, c, range) {
      let [upper, lower, side] = state as unknown as [number, number, number];
      for (let t = Math.max(from, first); t < to; t++) {
        const middle = (h[t]! + l[t]!) / 2;
        const top = middle + width * range[t]!;
        const bottom = middle - width * range[t]!;
        if (t === first) {
          upper = top;
          lower = bottom;
          side = 1;
        } else {
          const before = c[t - 1]!;
          if (top < upper || before > upper) upper = top;
          if (bottom > lower || before < lower) lower = bottom;
          if (c[t]! < lower) side = -1;
          else if (c[t]! > upper) side = 1;
        }
        out[t] = asSide ? side : side > 0 ? lower : upper;
      }
      state.set([upper, lower, side]);
    },
  });
}

export const superTrendLine = (n: number, width: number) => superTrend(n, width, "line");
export const superTrendSide = (n: number, width: number) => superTrend(n, width, "side");

/** Signed count of consecutive closes above (+) or below (−) the one four bars before; 0 on an equal one. State: it. */
export const tdSetup = recursive("td_setup", [close], {
  delay: 4,
  reach: 4,
  state: 1,
  compute(out, { from, to, first, state }, c) {
    let count = state[0]!;
    for (let t = Math.max(from, first); t < to; t++) {
      const now = c[t]!;
      const before = c[t - 4]!;
      if (now > before) count = count > 0 ? count + 1 : 1;
      else if (now < before) count = count < 0 ? count - 1 : -1;
      else count = 0;
      out[t] = count;
    }
    state[0] = count;
  },
});
