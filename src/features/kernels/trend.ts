/** Wilder's directional movement and the systems that follow a trend bar by bar. */

import { recursive, type Series, windowed } from "../define.ts";
import { wilder, wilderSum } from "./average.ts";
import { close, high, low, trueRange } from "./bar.ts";

/**
 * Wilder's sum of n values (average.ts) of the directional movement: the rise of the high (`direction` 1) or the fall
 * of the low (−1) where it is positive and the larger of the two, else 0. State: the sum.
 */
function movementSum(n: number, direction: 1 | -1): Series {
  const keep = 1 - 1 / n;
  const rises = direction > 0;
  return recursive(`movement${direction * n}`, [high, low], {
    delay: n,
    reach: 1,
    state: 1,
    compute(out, { from, to, origin, first, state }, h, l) {
      let sum = state[0]!;
      for (let t = Math.max(from, origin + 1); t < to; t++) {
        const up = h[t]! - h[t - 1]!;
        const down = l[t - 1]! - l[t]!;
        const own = rises ? up : down;
        const other = rises ? down : up;
        const movement = own * (+(own > 0) & +(own > other));
        sum = t < first ? sum + movement : sum * keep + movement;
        out[t] = sum;
      }
      state[0] = sum;
    },
  });
}

const directionalIndicator = (n: number, direction: 1 | -1): Series =>
  windowed("directional", [movementSum(n, direction), wilderSum(trueRange, n)], {
    compute(out, { from, to }, movement, range) {
      for (let t = from; t < to; t++) out[t] = 100 * (movement[t]! / range[t]!);
    },
  });

export const plusDirection = (n: number) => directionalIndicator(n, 1);
export const minusDirection = (n: number) => directionalIndicator(n, -1);

/**
 * ADX_n: the mean of the first n DX = 100·|P − M|/(P + M), an undefined one counting 0; then Wilder's smoothing, held
 * where DX is undefined. P and M may be the sums of movement: the true range, by which the indicators divide them,
 * cancels, and is 0 only where both are. State: the running sum, then ADX.
 */
export function averageDirection(n: number): Series {
  const alpha = 1 / n;
  return recursive(`adx${n}`, [movementSum(n, 1), movementSum(n, -1)], {
    delay: n - 1,
    state: 1,
    compute(out, { from, to, origin, first, state }, plus, minus) {
      let adx = state[0]!;
      for (let t = Math.max(from, origin); t < to; t++) {
        const both = plus[t]! + minus[t]!;
        if (both > 0) {
          const dx = 100 * (Math.abs(plus[t]! - minus[t]!) / both);
          adx += t <= first ? dx : alpha * (dx - adx);
        }
        if (t === first) adx /= n;
        out[t] = adx;
      }
      state[0] = adx;
    },
  });
}

const STEP = 0.02;
/** The factors from 0.02 to their cap of 0.20, each the one before and a step more. */
const FACTORS = new Float64Array(11).fill(STEP);
const LAST = FACTORS.length - 1;
for (let step = 1; step <= LAST; step++) FACTORS[step] = Math.min(FACTORS[step - 1]! + STEP, 0.2);

/**
 * Parabolic SAR, step 0.02, cap 0.20 (Wilder 1978; TA-Lib SAR). A new SAR may not enter the last two bars. State: side
 * (1 long, −1 short), SAR, EP, step of AF.
 */
export const parabolicSar = recursive("psar", [high, low], {
  delay: 1,
  reach: 1,
  state: 4,
  compute(out, { from, to, first, state }, h, l) {
    const start = Math.max(from, first);
    if (start >= to) return;
    if (start === first) startSar(h, l, first, state);
    // The first bar has none before it: its own high and low stand for them.
    followSar(out, start, to, start === first ? start : start - 1, state, h, l);
  },
});

/**
 * The SAR of the bars from `from` to `to`; `before` is the bar before the first. A loop for each side, and branches that
 * are rarely taken instead of Math.min, as those that are mispredicted are what it costs.
 */
function followSar(
  out: Float64Array,
  from: number,
  to: number,
  before: number,
  state: Float64Array,
  h: Float64Array,
  l: Float64Array,
): void {
  let long = state[0]! > 0;
  let sar = state[1]!;
  let extreme = state[2]!;
  let step = state[3]! | 0;
  let factor = FACTORS[step]!;
  let topBefore = h[before]!;
  let bottomBefore = l[before]!;
  let t = from;
  while (t < to) {
    let top = topBefore;
    let bottom = bottomBefore;
    if (long) {
      for (; t < to; t++) {
        top = h[t]!;
        bottom = l[t]!;
        if (bottom <= sar) break;
        out[t] = sar;
        if (top > extreme) {
          extreme = top;
          step += +(step < LAST);
          factor = FACTORS[step]!;
        }
        sar += factor * (extreme - sar);
        if (sar > bottomBefore) sar = bottomBefore;
        if (sar > bottom) sar = bottom;
        topBefore = top;
        bottomBefore = bottom;
      }
      if (t === to) break;
      sar = Math.max(extreme, topBefore, top);
      out[t] = sar;
      extreme = bottom;
      step = 0;
      factor = STEP;
      sar += STEP * (extreme - sar);
      if (sar < topBefore) sar = topBefore;
      if (sar < top) sar = top;
    } else {
      for (; t < to; t++) {
        top = h[t]!;
        bottom = l[t]!;
        if (top >= sar) break;
        out[t] = sar;
        if (bottom < extreme) {
          extreme = bottom;
          step += +(step < LAST);
          factor = FACTORS[step]!;
        }
        sar += factor * (extreme - sar);
        if (sar < topBefore) sar = topBefore;
        if (sar < top) sar = top;
        topBefore = top;
        bottomBefore = bottom;
      }
      if (t === to) break;
      sar = Math.min(extreme, bottomBefore, bottom);
      out[t] = sar;
      extreme = top;
      step = 0;
      factor = STEP;
      sar += STEP * (extreme - sar);
      if (sar > bottomBefore) sar = bottomBefore;
      if (sar > bottom) sar = bottom;
    }
    long = !long;
    topBefore = top;
    bottomBefore = bottom;
    t++;
  }
  state[0] = long ? 1 : -1;
  state[1] = sar;
  state[2] = extreme;
  state[3] = step;
}

/** Short if the low has moved more than the high on the first bar, else long. */
function startSar(h: Float64Array, l: Float64Array, first: number, state: Float64Array): void {
  const fall = l[first - 1]! - l[first]!;
  const short = fall > 0 && fall > h[first]! - h[first - 1]!;
  state[0] = short ? -1 : 1;
  state[1] = short ? h[first - 1]! : l[first - 1]!;
  state[2] = short ? l[first]! : h[first]!;
  state[3] = 0;
}

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
        // Only the band of the present side can be crossed: bands may cross each other after a bad print.
        if (t === first) side = 1;
        else if (side > 0 && c[t]! < lower[t]!) side = -1;
        else if (side < 0 && c[t]! > upper[t]!) side = 1;
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
