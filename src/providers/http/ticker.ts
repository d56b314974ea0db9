/** The parts of a symbol, from which each vendor builds its own spelling. */

import { type Market, marketOf } from "../../domain/market/symbol.ts";

export interface Ticker {
  /** As the user types it, e.g. `BRK.B`, `BTC-USD`, `VOD@LSE`. */
  readonly symbol: string;
  readonly market: Market;
  /** Without the exchange suffix. */
  readonly name: string;
  /** The exchange suffix; `US` where there is none. */
  readonly exchange: string;
  /** The two halves of a crypto pair, otherwise empty. */
  readonly base: string;
  readonly quote: string;
}

export function parseTicker(symbol: string): Ticker {
  const [name = symbol, exchange = "US"] = symbol.split("@");
  const market = marketOf(name);
  const [base = "", quote = ""] = market === "crypto" ? name.split("-") : [];
  return { symbol, market, name, exchange, base, quote };
}
