/** Features 72–90: volume level, flow and shape. */

import { ema, sma } from "./averages.ts";
import { type Bars, delta, each, type Family, lag, map, rolling, rolling2, type Series } from "./bars.ts";
import { corr, mean, ratio, slope, sorted, std, sum, vmean } from "./notation.ts";

/** A running total of the first bar's value and each later step, one bar at a time. */
function accumulate(n: number, start: number, step: (previous: number, t: number) => number): Series {
  const out: Series = [];
  for (let t = 0; t < n; t++) out.push(t === 0 ? start : step(out[t - 1]!, t));
  return out;
}

/** Money flow index: tp·v of the bars whose typical price rose, in percent of those where it moved. */
function mfi({ n, tp, v }: Bars): Series {
  const side = each(n, 1, (t) => {
    const change = tp[t]! - tp[t - 1]!;
    return Math.abs(change) <= 1e-14 * (tp[t]! + tp[t - 1]!) ? 0 : Math.sign(change);
  });
  const flow = (sign: number) =>
    rolling(
      map((s, price, volume) => (Number.isNaN(s) ? s : s === sign ? price * volume : 0), side, tp, v),
      14,
      sum,
    );
  return map((up, down) => 100 * ratio(up, up + down), flow(1), flow(-1));
}

/** An average as used by the Chaikin oscillator: it starts as its first input. */
const runningEma = (x: Series, n: number): Series =>
  accumulate(x.length, x[0]!, (y, t) => y + (2 / (n + 1)) * (x[t]! - y));

function gini(w: number[]): number {
  const weighted = sum(sorted(w).map((x, i) => (i + 1) * x));
  return ratio(2 * weighted, w.length * sum(w)) - (w.length + 1) / w.length;
}

const closeLocation = ({ h, l, c }: Bars): Series =>
  map((high, low, close) => (high === low ? 0 : (close - low - (high - close)) / (high - low)), h, l, c);

export const volume: Family = (bars) => {
  const { n, c, v, r, R, dc, mid, rng, lnV } = bars;
  const clvVolume = map((x, y) => x * y, closeLocation(bars), v);
  const ad = accumulate(n, clvVolume[0]!, (total, t) => total + clvVolume[t]!);
  const [e3, e10] = [runningEma(ad, 3), runningEma(ad, 10)];
  const volumeIndex = (moves: (now: number, before: number) => boolean) =>
    accumulate(n, 1000, (y, t) => (moves(v[t]!, v[t - 1]!) ? y * (c[t]! / c[t - 1]!) : y));
  const ease = map((d, width, x) => (x === 0 ? Number.NaN : (d * width) / x), delta(mid), rng, v);
  const [fast, slow] = [ema(v, 12), ema(v, 26)];
  return {
    obv: accumulate(n, v[0]!, (y, t) => y + Math.sign(dc[t]!) * v[t]!),
    ad_line: ad,
    adosc_3_10: each(n, 9, (t) => e3[t]! - e10[t]!),
    cmf_20: map(ratio, rolling(clvVolume, 20, sum), rolling(v, 20, sum)),
    mfi_14: mfi(bars),
    pvt: accumulate(n, 0, (y, t) => y + R[t]! * v[t]!),
    nvi: volumeIndex((now, before) => now < before),
    pvi: volumeIndex((now, before) => now > before),
    force_index_13: ema(
      map((d, x) => d * x, dc, v),
      13,
    ),
    // vmean needs its windows to begin at bar 1: the first Δmid is undefined, not a bar without volume.
    eom_14: each(n, 14, (t) => 1e8 * vmean(ease.slice(t - 13, t + 1))),
    volume_sma_20: sma(v, 20),
    rvol_20: map(ratio, v, lag(sma(v, 20), 1)),
    volume_zscore_60: rolling(lnV, 60, (w) => ratio(w.at(-1)! - mean(w), std(w))),
    volume_cv_20: rolling(v, 20, (w) => ratio(std(w), mean(w))),
    pvo_12_26: map((f, s) => 100 * ratio(f - s, s), fast, slow),
    volume_slope_20: rolling(lnV, 20, slope),
    volume_gini_60: rolling(v, 60, gini),
    volume_autocorr_1_60: rolling2(lnV, lag(lnV, 1), 60, corr),
    volume_absret_corr_60: rolling2(r.map(Math.abs), lnV, 60, corr),
  };
};
