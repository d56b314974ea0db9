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
      out[t] = up * (+(up > 0) & +(up > down));
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
      out[t] = down * (+(down > 0) & +(down > up));
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
      const alpha = 1 / n;
      for (let t = Math.max(from, origin); t < to; t++) {
        const dx = 100 * (Math.abs(plus[t]! - minus[t]!) / (plus[t]! + minus[t]!));
        const defined = !Number.isNaN(dx);
        if (t <= first) {
          if (defined) adx += dx;
          if (t === first) adx /= n;
        } else if (defined) {
          adx += alpha * (dx - adx);
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
    let t = Math.max(from, first);
    if (t === first && first < to) {
      const fall = l[t - 1]! - l[t]!;
      side = fall > 0 && fall > h[t]! - h[t - 1]! ? -1 : 1;
      sar = side > 0 ? l[t - 1]! : h[t - 1]!;
      extreme = side > 0 ? h[t]! : l[t]!;
      factor = STEP;
    }
    // The first bar has none before it: its own high and low stand for them.
    let topBefore = h[t === first ? t : t - 1]!;
    let bottomBefore = l[t === first ? t : t - 1]!;
    for (; t < to; t++) {
      const top = h[t]!;
      const bottom = l[t]!;
      if (side > 0) {
        const lowest = Math.min(bottomBefore, bottom);
        const highest = Math.max(topBefore, top);
        if (bottom <= sar) {
          side = -1;
          sar = Math.max(extreme, highest);
          extreme = bottom;
          factor = STEP;
          out[t] = sar;
          sar += factor * (extreme - sar);
          if (sar < highest) sar = highest;
        } else {
          if (top > extreme) {
            extreme = top;
            factor = Math.min(factor + STEP, MOST);
          }
          out[t] = sar;
          sar += factor * (extreme - sar);
          if (sar > lowest) sar = lowest;
        }
      } else {
        const lowest = Math.min(bottomBefore, bottom);
        const highest = Math.max(topBefore, top);
        if (top >= sar) {
          side = 1;
          sar = Math.min(extreme, lowest);
          extreme = top;
          factor = STEP;
          out[t] = sar;
          sar += factor * (extreme - sar);
          if (sar > lowest) sar = lowest;
        } else {
          if (bottom < extreme) {
            extreme = bottom;
            factor = Math.min(factor + STEP, MOST);
          }
          out[t] = sar;
          sar += factor * (extreme - sar);
          if (sar < highest) sar = highest;
        }
      }
      topBefore = top;
      bottomBefore = bottom;
    }
    state.set([side, sar, extreme, factor]);
  },
});

/**
 * A band of SuperTrend: `width` average ranges above (`direction` 1) or below (−1) the middle of the bar, which only
 * tightens while the close stays inside. State: the band.
 */
function superTrendBand(n: number, width: number, direction: 1 | -1): Series {
  return recursive(`supertrend_band${direction * n}_${width}`, [high, low, close, wilder(trueRange, n)], {
    reach: 1,
    state: 1,
    compute(out, { from, to, first, state }, h, l, c, range) {
      let band = state[0]!;
      for (let t = Math.max(from, first); t < to; t++) {
        const fresh = (h[t]! + l[t]!) / 2 + direction * width * range[t]!;
        if (t === first) band = fresh;
        else {
          const moves = +(direction * (band - fresh) > 0) | +(direction * (c[t - 1]! - band) > 0);
          band = moves * fresh + (1 - moves) * band;
        }
        out[t] = band;
      }
      state[0] = band;
    },
  });
}

/** 1 since the close last rose above the upper band, −1 since it last fell below the lower. State: the side. */
export function superTrendSide(n: number, width: number): Series {
  const bands = [close, superTrendBand(n, width, -1), superTrendBand(n, width, 1)] as const;
  return recursive(`supertrend_side${n}_${width}`, bands, {
    state: 1,
    compute(out, { from, to, first, state }, c, lower, upper) {
      let side = state[0]!;
      for (let t = Math.max(from, first); t < to; t++) {
        if (t === first) side = 1;
        else if (c[t]! < lower[t]!) side = -1;
        else if (c[t]! > upper[t]!) side = 1;
        out[t] = side;
      }
      state[0] = side;
    },
  });
}

/** SuperTrend: the lower band while the side is up, the upper one while it is down. */
export function superTrendLine(n: number, width: number): Series {
  const inputs = [superTrendSide(n, width), superTrendBand(n, width, -1), superTrendBand(n, width, 1)] as const;
  return windowed(`supertrend_line${n}_${width}`, inputs, {
    compute(out, { from, to }, side, lower, upper) {
      for (let t = from; t < to; t++) out[t] = side[t]! > 0 ? lower[t]! : upper[t]!;
    },
  });
}

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
