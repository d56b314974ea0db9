/** What features of a series depend on besides its bars. */

import { tradingYear, type Venue, zoneOf } from "../domain/market/exchanges/exchanges.ts";
import type { ReadInterval } from "../domain/market/interval.ts";
import { marketOf } from "../domain/market/symbol.ts";
import type { FeatureSetup } from "./define.ts";

/** The setup of a symbol's bars at an interval; `venue` is that of its stored series. */
export function featureSetup(symbol: string, interval: ReadInterval, venue: Venue): FeatureSetup {
  return { interval, market: marketOf(symbol), zone: zoneOf(venue), year: tradingYear(venue) };
}
