/** The features that TA-Lib has, as it computes them. */

import type { BarColumns } from "../../../src/domain/market/bars.ts";
import { talib } from "./talib.ts";

type Values = readonly number[];

/** Elementwise f of series of the same length. */
const map = (f: (...values: number[]) => number, ...series: ArrayLike<number>[]): number[] =>
  Array.from(series[0]!, (_, t) => f(...series.map((x) => x[t]!)));

/** The value of k bars ago. */
const shift = (x: Values, k: number): number[] => x.map((_, t) => (t < k ? Number.NaN : x[t - k]!));

const [SMA, EMA] = [0, 1];

/** Every feature with a TA-Lib function of its own, or composed of such functions: a value per bar, NaN before the first. */
export function talibFeatures(bars: BarColumns): Record<string, Values> {
  const { open: o, high: h, low: l, close: c, volume: v } = bars;
  const one = (name: string, inputs: ArrayLike<number>[], ...options: number[]) => talib(name, inputs, options)[0]!;
  const sma = (n: number) => one("SMA", [c], n);
  const [line, signal, hist] = talib("MACD", [c], [12, 26, 9], 3);
  const [aroonDown, aroonUp] = talib("AROON", [h, l], [25], 2);
  const [slowK, slowD] = talib("STOCH", [h, l, c], [14, 3, SMA, 3, SMA], 2);
  const [, fastD] = talib("STOCHRSI", [c], [14, 14, 3, SMA], 2);
  const [upper, middle, lower] = talib("BBANDS", [c], [20, 2, 2, SMA], 3) as [number[], number[], number[]];
  const midprice = (n: number) => one("MIDPRICE", [h, l], n);
  const lnVolume = map(Math.log1p, v);
  const wma = (x: ArrayLike<number>, n: number) => one("WMA", [x], n);
  // TA-Lib cannot take leading NaN: the short average starts where its input does.
  const hull = map((a, b) => 2 * a - b, wma(c, 10), wma(c, 20));
  const hma = [...hull.slice(0, 19), ...wma(hull.slice(19), 4)];
  const width = one("EMA", [map((a, b) => a - b, h, l)], 10);
  return {
    sma_5: sma(5),
    sma_20: sma(20),
    sma_50: sma(50),
    sma_200: sma(200),
    ema_12: one("EMA", [c], 12),
    ema_26: one("EMA", [c], 26),
    dema_20: one("DEMA", [c], 20),
    tema_20: one("TEMA", [c], 20),
    kama_10: one("KAMA", [c], 10),
    hma_20: hma,
    macd_12_26_9_line: line!,
    macd_12_26_9_signal: signal!,
    macd_12_26_9_hist: hist!,
    adx_14: one("ADX", [h, l, c], 14),
    plus_di_14: one("PLUS_DI", [h, l, c], 14),
    minus_di_14: one("MINUS_DI", [h, l, c], 14),
    aroon_25_up: aroonUp!,
    aroon_25_down: aroonDown!,
    psar_002_020: one("SAR", [h, l], 0.02, 0.2),
    ichimoku_tenkan_9: midprice(9),
    ichimoku_kijun_26: midprice(26),
    ichimoku_senkou_a: shift(
      map((a, b) => (a + b) / 2, midprice(9), midprice(26)),
      26,
    ),
    ichimoku_senkou_b: shift(midprice(52), 26),
    sma_50_200_ratio: map((a, b) => a / b - 1, sma(50), sma(200)),
    high_proximity_250: map((price, high) => price / high, c, one("MAX", [h], 250)),
    rsi_2: one("RSI", [c], 2),
    rsi_14: one("RSI", [c], 14),
    stoch_14_3_3_k: slowK!,
    stoch_14_3_3_d: slowD!,
    stochrsi_14_14_3_d: fastD!,
    willr_14: one("WILLR", [h, l, c], 14),
    cci_14: one("CCI", [h, l, c], 14),
    ultosc_7_14_28: one("ULTOSC", [h, l, c], 7, 14, 28),
    imi_14: one("IMI", [o, c], 14),
    atr_14: one("ATR", [h, l, c], 14),
    natr_14: one("NATR", [h, l, c], 14),
    bb_20_2_upper: upper,
    bb_20_2_lower: lower,
    bb_20_2_bandwidth: map((u, d, m) => (u - d) / m, upper, lower, middle),
    bb_20_2_pctb: map((price, u, d) => (price - d) / (u - d), c, upper, lower),
    chaikin_vol_10_10: map((now, before) => 100 * (now / before - 1), width, shift(width, 10)),
    obv: one("OBV", [c, v]),
    ad_line: one("AD", [h, l, c, v]),
    adosc_3_10: one("ADOSC", [h, l, c, v], 3, 10),
    mfi_14: one("MFI", [h, l, c, v], 14),
    volume_sma_20: one("SMA", [v], 20),
    pvo_12_26: one("PPO", [v], 12, 26, EMA),
    volume_slope_20: one("LINEARREG_SLOPE", [lnVolume], 20),
    kbar_kmid2: one("BOP", [o, h, l, c]),
    rolling_beta_20: map((slope, price) => slope / price, one("LINEARREG_SLOPE", [c], 20), c),
    rolling_resi_20: map((price, fit) => (price - fit) / price, c, one("LINEARREG", [c], 20)),
    rolling_max_20: map((high, price) => high / price, one("MAX", [h], 20), c),
    rolling_min_20: map((low, price) => low / price, one("MIN", [l], 20), c),
    rolling_corr_20: one("CORREL", [c, lnVolume], 20),
    rolling_corr_60: one("CORREL", [c, lnVolume], 60),
    dollar_volume_20: one("SMA", [map((price, volume) => price * volume, c, v)], 20),
    choppiness_14: choppiness(bars),
    ttm_squeeze_ratio_20: map((s, range) => s / (1.5 * range), one("STDDEV", [c], 20, 2), one("ATR", [h, l, c], 20)),
  };
}

/** TA-Lib's TRANGE has no value at bar 0, so the sum starts at bar 1. */
function choppiness({ high, low, close }: BarColumns): number[] {
  const range = talib("TRANGE", [high, low, close])[0]!;
  const path = [Number.NaN, ...talib("SUM", [range.slice(1)], [14])[0]!];
  const [highest, lowest] = [talib("MAX", [high], [14])[0]!, talib("MIN", [low], [14])[0]!];
  return map((sum, a, b) => (100 * Math.log10(sum / (a - b))) / Math.log10(14), path, highest, lowest);
}
