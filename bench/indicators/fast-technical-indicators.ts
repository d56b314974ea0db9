/** fast-technical-indicators: the interface of technicalindicators, rewritten for speed. */

import * as ta from "fast-technical-indicators";
import type { Contender } from "./columns.ts";

export const fastTechnicalIndicators: Contender = ({ high, low, close, volume }) => ({
  "SMA 20": () => ta.sma({ period: 20, values: close }),
  "SMA 200": () => ta.sma({ period: 200, values: close }),
  "EMA 12": () => ta.ema({ period: 12, values: close }),
  "MACD 12 26 9": () => ta.macd({ fastPeriod: 12, slowPeriod: 26, signalPeriod: 9, values: close }),
  "ADX 14": () => ta.adx({ period: 14, high, low, close }),
  "Aroon 25": () => ta.aroon({ period: 25, high, low }),
  "Parabolic SAR": () => ta.psar({ step: 0.02, max: 0.2, high, low }),
  "SuperTrend 10 3": () => ta.supertrend({ period: 10, multiplier: 3, high, low, close }),
  Ichimoku: () =>
    ta.ichimokukinkouhyou({ conversionPeriod: 9, basePeriod: 26, spanPeriod: 52, displacement: 26, high, low }),
  "DPO 20": () => ta.dpo({ period: 20, values: close }),
  "RSI 14": () => ta.rsi({ period: 14, values: close }),
  "Stochastic 14 3 3": () => ta.stochastic({ period: 14, signalPeriod: 3, high, low, close }),
  "StochRSI 14": () => ta.stochasticrsi({ rsiPeriod: 14, stochasticPeriod: 14, kPeriod: 3, dPeriod: 3, values: close }),
  "Williams %R 14": () => ta.williamsr({ period: 14, high, low, close }),
  "CCI 14": () => ta.cci({ period: 14, high, low, close }),
  "Ultimate oscillator": () => ta.ultimateoscillator({ high, low, close, period1: 7, period2: 14, period3: 28 }),
  "ATR 14": () => ta.atr({ period: 14, high, low, close }),
  "Bollinger 20": () => ta.bollingerbands({ period: 20, stdDev: 2, values: close }),
  OBV: () => ta.obv({ close, volume }),
  "A/D line": () => ta.adl({ high, low, close, volume }),
  "MFI 14": () => ta.mfi({ period: 14, high, low, close, volume }),
  "Force index 13": () => ta.forceindex({ period: 13, close, volume }),
  "PVO 12 26": () => ta.ppo({ fastPeriod: 12, slowPeriod: 26, signalPeriod: 9, values: volume }),
  "Regression slope 20": () => ta.linearregression({ period: 20, values: close }),
});
