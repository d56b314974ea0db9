/** Bars of made-up prices. */

import { type BarColumns, emptyBars } from "../../src/domain/market/bars.ts";

/** Bars at `starts` (epoch seconds, ascending) whose prices and volumes vary enough not to compress to nothing. */
export function barsAt(starts: readonly number[]): BarColumns {
  const bars = emptyBars(starts.length);
  for (const [at, ts] of starts.entries()) {
    bars.ts[at] = ts;
    for (const field of ["open", "high", "low", "close"] as const) bars[field][at] = 100 + ((at * 7_919) % 1_000) / 100;
    bars.volume[at] = 1_000 + ((at * 31) % 5_000);
  }
  return bars;
}
