/** The parts of a symbol, from which each vendor builds its own spelling. */

import { type Venue, venueOf } from "../../domain/market/exchanges/exchanges.ts";
import { type Market, marketOf } from "../../domain/market/symbol.ts";
import type { SeriesTraits } from "../provider.ts";

export interface Ticker {
  /** As the user types it, e.g. `BRK.B`, `BTC-USD`, `VOD@LSE`. */
  readonly symbol: string;
  readonly market: Market;
  /** Where it trades: decides its sessions. */
  readonly venue: Venue;
  /** Without the exchange suffix. */
  readonly name: string;
  /** The exchange suffix; `US` where there is none. */
  readonly exchange: string;
  /** The two halves of a crypto pair, otherwise empty. */
  readonly base: string;
  readonly quote: string;
}

/**
 * The parts of a symbol.
 * @param pairs whether the vendor trades pairs alone: then every `A-B` is one, whatever it is quoted in
 */
export function parseTicker(symbol: string, pairs = false): Ticker {
  const [name = symbol, exchange = "US"] = symbol.split("@");
  // A quote of one letter is spelled like the class of a share: BTC.U.
  const market = pairs && /^[A-Z0-9]+[-.][A-Z0-9]+$/.test(name) ? "crypto" : marketOf(name);
  const [base = "", quote = ""] = market === "crypto" ? name.split(/[-.]/) : [];
  const venue = market === "crypto" ? market : venueOf(symbol);
  return { symbol, market, venue, name, exchange, base, quote };
}

/** Which sessions the stored bars cover: regular hours in New York; elsewhere whatever the vendor sends. */
export function sessionsOf({ market, exchange }: Ticker): SeriesTraits["sessions"] {
  if (market === "crypto") return "continuous";
  return exchange === "US" ? "regular" : "extended";
}

/** The name of a share in a vendor's spelling: what stands before its class (`BRK.B`) and before its series (`BAC.PL`). */
export function shareName(name: string, spelling: { readonly class: string; readonly preferred: string }): string {
  const [, root, series] = /^(.+)\.P([A-Z])$/.exec(name) ?? [];
  return root === undefined ? name.replaceAll(".", spelling.class) : `${root}${spelling.preferred}${series}`;
}
