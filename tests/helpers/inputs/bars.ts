/** Bars that all differ. */

import { type BarColumns, emptyBars } from "../../../src/domain/market/bars.ts";

/** Epoch seconds of a date or a moment. */
export const at = (text: string): number => Date.parse(text.length === 10 ? `${text}T00:00:00Z` : text) / 1000;

/** `count` bars a minute apart from `from` on (epoch seconds); every field is a function of the bar's time. */
export function rampBars(count: number, from = 0, shift = 0): BarColumns {
  const bars = emptyBars(count);
  for (let i = 0; i < count; i++) {
    const ts = from + 60 * i;
    const close = 100 + (ts % 977) / 7 + shift;
    bars.ts[i] = ts;
    bars.open[i] = close - 0.25;
    bars.high[i] = close + 0.5;
    bars.low[i] = close - 0.5;
    bars.close[i] = close;
    bars.volume[i] = ts % 10_007;
  }
  return bars;
}
