/** Symbols: parsing what a user types, and the market of a symbol. */

/** Where a symbol trades decides its sessions: New York regular hours, or around the clock. */
export type Market = "us_equity" | "crypto";

/** Longest symbol accepted, suffix included. */
export const MAX_SYMBOL_LENGTH = 24;
/** Most symbols accepted in one run. */
export const MAX_SYMBOLS = 5_000;

const SYMBOL = /^[A-Z0-9]+(?:[.-][A-Z0-9]+)*(?:@[A-Z]{1,10})?$/;
const CRYPTO = /^[A-Z0-9]{2,10}-(?:USD|USDT|USDC|EUR|GBP|BTC|ETH)$/;

/**
 * The canonical (upper-case, trimmed) form of a symbol, or `null` if it is not valid.
 * Accepted: letters and digits, single `.` or `-` between them, an optional `@EXCHANGE` suffix.
 */
export function parseSymbol(input: string): string | null {
  const symbol = input.trim().toUpperCase();
  return symbol.length <= MAX_SYMBOL_LENGTH && SYMBOL.test(symbol) ? symbol : null;
}

/** Splits free text (`AAPL, msft GOOGL;TSLA`) at commas, semicolons and white space; keeps the order, without duplicates. */
export function splitSymbols(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter((word) => word !== ""))];
}

/** The first `shown` symbols and how many more there are: `AAPL, MSFT and 3 more`. */
export function listSymbols(symbols: readonly string[], shown: number): string {
  const first = symbols.slice(0, shown).join(", ");
  return symbols.length > shown ? `${first} and ${symbols.length - shown} more` : first;
}

/** `BTC-USD`, `ETH-USDT` and the like trade around the clock; everything else keeps New York sessions. */
export function marketOf(symbol: string): Market {
  return CRYPTO.test(symbol) ? "crypto" : "us_equity";
}
