/** Symbols: parsing what a user types, and the market of a symbol. */

/** Where a symbol trades decides its sessions: New York regular hours, or around the clock. */
export type Market = "us_equity" | "crypto";

/** Longest symbol accepted, suffix included. */
export const MAX_SYMBOL_LENGTH = 24;
/** Most symbols accepted in one run. */
export const MAX_SYMBOLS = 5_000;

const SYMBOL = /^[A-Z0-9]+(?:[.-][A-Z0-9]+)*(?:@[A-Z]{1,10})?$/;
/** What pairs are quoted in, at any of the providers. */
const QUOTES =
  "USD|USDT|USDC|FDUSD|TUSD|BUSD|USDP|USDS|USD1|USDE|XUSD|BFUSD|RLUSD|PYUSD|DAI|EUR|EURI|EURC|AEUR|GBP|TRY|BRL|JPY|AUD|CAD|" +
  "CHF|ARS|PLN|RON|UAH|ZAR|MXN|COP|CZK|IDR|IDRT|BIDR|NGN|RUB|KRW|INR|SGD|HKD|BTC|ETH|BNB|XRP|TRX|DOGE|DOT|SOL|VAI";
const CRYPTO = new RegExp(`^[A-Z0-9]{1,20}-(?:${QUOTES})$`);
/** A preferred share as Massive spells it, where case counts: `BACpL`. */
const PREFERRED_BY_CASE = /^([A-Z]+)p([A-Z])(?=@|$)/;
/** A share class (`BRK-B`) or a preferred share (`BAC-PL`, `BAC.PRL`, `BAC-P-L`) as vendors and people spell them. */
const SHARE_CLASS = /^([A-Z0-9]+)-([A-Z])$/;
const PREFERRED = /^([A-Z0-9]+)[.-]PR?[.-]?([A-Z])$/;

/**
 * The canonical (upper-case, trimmed) form of a symbol, or `null` if it is not valid.
 * Accepted: letters and digits, single `.` or `-` between them, an optional `@EXCHANGE` suffix. Share classes and
 * preferred shares have one spelling: `BRK.B`, `BAC.PL`.
 */
export function parseSymbol(input: string): string | null {
  const text = input.trim();
  // Other letters may become these in upper case: ß becomes SS.
  if (!/^[\x21-\x7e]*$/.test(text)) return null;
  const symbol = text.replace(PREFERRED_BY_CASE, "$1.P$2").toUpperCase();
  if (symbol.length > MAX_SYMBOL_LENGTH || !SYMBOL.test(symbol)) return null;
  const [name = "", exchange] = symbol.split("@");
  const canonical = name.replace(PREFERRED, "$1.P$2").replace(SHARE_CLASS, "$1.$2");
  return exchange === undefined ? canonical : `${canonical}@${exchange}`;
}

/** The same symbol without a suffix for New York, which all providers take for none: with it, it would be a second series. */
export const withoutUs = (symbol: string): string => symbol.replace(/@US$/, "");

/** A symbol as it is requested from now on; stored ones keep the form of `parseSymbol`. `null` if it is not valid. */
export function parseRequestedSymbol(input: string): string | null {
  const symbol = parseSymbol(input);
  return symbol === null ? null : withoutUs(symbol);
}

/** How a text that is no symbol may have been meant: `BTC/USDT` is `BTC-USDT`; empty if there is no guess. */
export function symbolHint(text: string): string {
  const pair = /^([a-z0-9]+)[/_:]([a-z0-9]+)$/i.exec(text.trim());
  return pair ? `; a pair is written ${pair[1]!.toUpperCase()}-${pair[2]!.toUpperCase()}` : "";
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
