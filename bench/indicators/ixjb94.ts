/** @ixjb94/indicators: loops over plain arrays. */

import { IndicatorsSync } from "@ixjb94/indicators";
import type { Contender } from "./columns.ts";

export const ixjb94: Contender = ({ open: o, high: h, low: l, close: c, volume: v }) => {
  const ta = new IndicatorsSync();
  return {
    "SMA 20": () => ta.sma(c, 20),
    "SMA 200": () => ta.sma(c, 200),
    "EMA 12": () => ta.ema(c, 12),
    "DEMA 20": () => ta.dema(c, 20),
    "TEMA 20": () => ta.tema(c, 20),
    "KAMA 10": () => ta.kama(c, 10),
    "HMA 20": () => ta.hma(c, 20),
    "VWMA 20": () => ta.vwma(c, v, 20),
    "MACD 12 26 9": () => ta.macd(c, 12, 26, 9),
    "ADX 14": () => ta.adx(h, l, 14),
    "Directional index 14": () => ta.di(h, l, c, 14),
    "Aroon 25": () => ta.aroon(h, l, 25),
    "Parabolic SAR": () => ta.psar(h, l, 0.02, 0.2),
    "DPO 20": () => ta.dpo(c, 20),
    "Mass index 25": () => ta.mass(h, l, 25),
    "RSI 14": () => ta.rsi(c, 14),
    "Stochastic 14 3 3": () => ta.stoch(h, l, c, 14, 3, 3),
    "StochRSI 14": () => ta.stochrsi(c, 14),
    "Williams %R 14": () => ta.willr(h, l, c, 14),
    "CCI 14": () => ta.cci(h, l, c, 14),
    "Ultimate oscillator": () => ta.ultosc(h, l, c, 7, 14, 28),
    "TSI 25 13": () => ta.tsi(c, 25, 13),
    "ATR 14": () => ta.atr(h, l, c, 14),
    "NATR 14": () => ta.natr(h, l, c, 14),
    "Bollinger 20": () => ta.bbands(c, 20, 2),
    "Std deviation 60": () => ta.stddev(c, 60),
    "Chaikin volatility": () => ta.cvi(h, l, 10),
    OBV: () => ta.obv(c, v),
    "A/D line": () => ta.ad(h, l, c, v),
    "A/D oscillator": () => ta.adosc(h, l, c, v, 3, 10),
    "CMF 20": () => ta.cmf(h, l, c, v, 20),
    "MFI 14": () => ta.mfi(h, l, c, v, 14),
    NVI: () => ta.nvi(c, v),
    PVI: () => ta.pvi(c, v),
    "Force index 13": () => ta.fi(c, v, 13),
    "PVO 12 26": () => ta.ppo(v, 12, 26),
    "Balance of power": () => ta.bop(o, h, l, c),
    "Regression slope 20": () => ta.linregslope(c, 20),
    "Max 20": () => ta.max(h, 20),
    "Min 20": () => ta.min(l, 20),
  };
};
