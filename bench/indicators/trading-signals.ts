/** trading-signals: objects fed one bar at a time, their results collected. */

import * as ta from "trading-signals";
import type { Candle, Contender } from "./columns.ts";

interface Streaming<Input> {
  add(input: Input): unknown;
}

/** Feeds all inputs to a new indicator. */
const feed =
  <Input>(make: () => Streaming<Input>, inputs: readonly Input[]) =>
  (): unknown[] => {
    const indicator = make();
    return inputs.map((input) => indicator.add(input));
  };

export const tradingSignals: Contender = ({ close, volume, candles }) => {
  const prices = (make: () => Streaming<number>) => feed(make, close);
  const bars = (make: () => Streaming<Candle>) => feed(make, candles);
  return {
    "SMA 20": prices(() => new ta.SMA(20)),
    "SMA 200": prices(() => new ta.SMA(200)),
    "EMA 12": prices(() => new ta.EMA(12)),
    "DEMA 20": prices(() => new ta.DEMA(20)),
    "TEMA 20": prices(() => new ta.TEMA(20)),
    "KAMA 10": prices(() => new ta.KAMA(10)),
    "HMA 20": prices(() => new ta.HMA(20)),
    "MACD 12 26 9": prices(() => new ta.MACD(new ta.EMA(12), new ta.EMA(26), new ta.EMA(9))),
    "ADX 14": bars(() => new ta.ADX(14)),
    "Aroon 25": bars(() => new ta.Aroon(25)),
    "Parabolic SAR": bars(() => new ta.PSAR({ accelerationMax: 0.2, accelerationStep: 0.02 })),
    "SuperTrend 10 3": bars(() => new ta.SuperTrend({ interval: 10, multiplier: 3 })),
    Ichimoku: bars(() => new ta.IchimokuCloud()),
    "Vortex 14": bars(() => new ta.VortexIndicator(14)),
    "DPO 20": prices(() => new ta.DPO(20)),
    "RSI 14": prices(() => new ta.RSI(14)),
    "Stochastic 14 3 3": bars(() => new ta.StochasticOscillator({ dPeriod: 3, kPeriod: 14, kSlowingPeriod: 3 })),
    "StochRSI 14": prices(() => new ta.StochasticRSI(14)),
    "Williams %R 14": bars(() => new ta.WilliamsR(14)),
    "CCI 14": bars(() => new ta.CCI(14)),
    "Ultimate oscillator": bars(() => new ta.UltimateOscillator()),
    "TSI 25 13": prices(() => new ta.TSI()),
    "Connors RSI": prices(() => new ta.ConnorsRSI()),
    "RVGI 10": bars(() => new ta.RelativeVigorIndex(10)),
    "IMI 14": bars(() => new ta.IMI(14)),
    "ATR 14": bars(() => new ta.ATR(14)),
    "NATR 14": bars(() => new ta.NATR(14)),
    "Bollinger 20": prices(() => new ta.BollingerBands(20, 2)),
    OBV: bars(() => new ta.OBV(2)),
    "A/D line": bars(() => new ta.AD()),
    "MFI 14": bars(() => new ta.MFI(14)),
    "PVO 12 26": feed(() => new ta.PPO(), volume),
    "Regression slope 20": prices(() => new ta.LinearRegression(20)),
  };
};
