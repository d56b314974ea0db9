/** The bars of the comparison, in every format that a package takes. */

import { type BarColumns, emptyBars } from "../../src/domain/market/bars.ts";
import { DAY } from "../../src/domain/market/interval.ts";

export interface Candle {
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

export interface Columns {
  readonly bars: BarColumns;
  readonly open: number[];
  readonly high: number[];
  readonly low: number[];
  readonly close: number[];
  readonly volume: number[];
  readonly candles: readonly Candle[];
}

/** What a package computes, by the labels of the comparison (ours.ts); one call computes all bars. */
export type Contender = (columns: Columns) => Readonly<Record<string, () => unknown>>;

/** A random walk of daily bars, the same on every run. */
export function randomWalk(length: number): Columns {
  const bars = emptyBars(length);
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
  let price = 100;
  for (let i = 0; i < length; i++) {
    const open = price * (1 + 0.004 * (random() - 0.5));
    price = open * (1 + 0.03 * (random() - 0.5));
    bars.ts[i] = i * DAY;
    bars.open[i] = open;
    bars.close[i] = price;
    bars.high[i] = Math.max(open, price) * (1 + 0.01 * random());
    bars.low[i] = Math.min(open, price) * (1 - 0.01 * random());
    bars.volume[i] = Math.floor(1e6 * (0.5 + random()));
  }
  const [open, high, low, close, volume] = [bars.open, bars.high, bars.low, bars.close, bars.volume].map((column) => [
    ...column,
  ]) as [number[], number[], number[], number[], number[]];
  const candles = close.map((_, i) => ({
    open: open[i]!,
    high: high[i]!,
    low: low[i]!,
    close: close[i]!,
    volume: volume[i]!,
  }));
  return { bars, open, high, low, close, volume, candles };
}
