/** indicatorts: functions over plain arrays. Its Ichimoku cloud is left out: 38 s for 100,000 bars. */

import * as ta from "indicatorts";
import type { Contender } from "./columns.ts";

export const indicatorTs: Contender = ({ open: o, high: h, low: l, close: c, volume: v }) => ({
  "SMA 20": () => ta.sma(c, { period: 20 }),
  "SMA 200": () => ta.sma(c, { period: 200 }),
  "EMA 12": () => ta.ema(c, { period: 12 }),
  "DEMA 20": () => ta.dema(c, { period: 20 }),
  "TEMA 20": () => ta.tema(c, { period: 20 }),
  "VWMA 20": () => ta.vwma(c, v, { period: 20 }),
  "MACD 12 26 9": () => ta.macd(c, { fast: 12, slow: 26, signal: 9 }),
  "Aroon 25": () => ta.aroon(h, l, { period: 25 }),
  "Parabolic SAR": () => ta.psar(h, l, c, { step: 0.02, max: 0.2 }),
  "Vortex 14": () => ta.vortex(h, l, c, { period: 14 }),
  "Mass index 25": () => ta.mi(h, l, { emaPeriod: 9, miPeriod: 25 }),
  "RSI 14": () => ta.rsi(c, { period: 14 }),
  "Stochastic 14 3 3": () => ta.stoch(h, l, c, { kPeriod: 14, dPeriod: 3 }),
  "Williams %R 14": () => ta.willr(h, l, c, { period: 14 }),
  "CCI 14": () => ta.cci(h, l, c, { period: 14 }),
  "ATR 14": () => ta.atr(h, l, c, { period: 14 }),
  "Bollinger 20": () => ta.bb(c, { period: 20 }),
  "Std deviation 60": () => ta.mstd(c, { period: 60 }),
  "Ulcer index 14": () => ta.ui(c, { period: 14 }),
  OBV: () => ta.obv(c, v),
  "A/D line": () => ta.ad(h, l, c, v),
  "A/D oscillator": () => ta.cmo(h, l, c, v, { fast: 3, slow: 10 }),
  "CMF 20": () => ta.cmf(h, l, c, v, { period: 20 }),
  "MFI 14": () => ta.mfi(h, l, c, v, { period: 14 }),
  PVT: () => ta.vpt(c, v),
  NVI: () => ta.nvi(c, v, { start: 1000 }),
  "Force index 13": () => ta.fi(c, v, { period: 13 }),
  "Ease of movement 14": () => ta.emv(h, l, v, { period: 14 }),
  "PVO 12 26": () => ta.pvo(v, { fast: 12, slow: 26, signal: 9 }),
  "Balance of power": () => ta.bop(o, h, l, c),
  "Max 20": () => ta.mmax(h, { period: 20 }),
  "Min 20": () => ta.mmin(l, { period: 20 }),
});
