/** The optional package ccxt: the parts of it that are used, and loading it on first use. */

import { messageOf, ProviderError, type ProviderErrorKind } from "../../domain/errors.ts";
import { findPackage, installAdvice } from "../../installation.ts";

/** A pair as an exchange lists it, under its unified name such as `BTC/USD`. */
interface CcxtMarket {
  readonly symbol: string;
  readonly base: string;
  readonly quote: string;
  readonly spot?: boolean;
  /** `false` for a pair that is not traded now. */
  readonly active?: boolean | undefined;
}

/** The start (epoch milliseconds), open, high, low, close and volume of a candle. */
type CcxtCandle = readonly (number | undefined | null)[];

export interface CcxtExchange {
  readonly name: string;
  /** The candles that the exchange has, by length; absent where it has none. */
  readonly timeframes?: Readonly<Record<string, unknown>> | undefined;
  readonly has?: Readonly<Record<string, unknown>>;
  /** Undefined until they were loaded. */
  readonly markets?: Readonly<Record<string, CcxtMarket>> | undefined;
  readonly last_response_headers?: Readonly<Record<string, string>> | undefined;
  /** Sends one request; every one passes through here. */
  fetch(url: string, method?: string, headers?: unknown, body?: unknown): Promise<unknown>;
  loadMarkets(): Promise<unknown>;
  fetchOHLCV(symbol: string, timeframe: string, since: number, limit?: number): Promise<readonly CcxtCandle[]>;
  /** Undefined where nothing is declared. */
  featureValue?(symbol: string, method: string, parameter: string): unknown;
}

/** The package: classes of exchanges and of errors by their names. */
export type CcxtModule = Readonly<Record<string, unknown>> & { readonly version?: unknown };

const PACKAGE = "ccxt";
export const INSTALL = installAdvice(PACKAGE);

/** Whether the package is installed. */
export const isInstalled = (): boolean => findPackage(PACKAGE) !== null;

/** @throws ProviderError if the package is not installed or cannot be loaded */
export async function loadCcxt(): Promise<CcxtModule> {
  const found = findPackage(PACKAGE);
  if (found === null) throw new ProviderError("auth", `The package ccxt is not installed: ${INSTALL}`);
  try {
    const loaded = (await import(found)) as { default?: CcxtModule } & CcxtModule;
    return loaded.default ?? loaded;
  } catch (error) {
    throw new ProviderError("auth", `The package ccxt cannot be loaded: ${messageOf(error)}`);
  }
}

/**
 * An exchange of the package that does not wait by itself: the limiter decides when a request is sent.
 * @throws ProviderError if the package has no such exchange, or that has no candles
 */
export function createExchange(ccxt: CcxtModule, id: string, timeoutMs: number): CcxtExchange {
  const { exchanges } = ccxt;
  const Exchange = Array.isArray(exchanges) && exchanges.includes(id) ? ccxt[id] : undefined;
  if (typeof Exchange !== "function") {
    throw new ProviderError("bad_request", `ccxt ${String(ccxt.version ?? "")} has no exchange "${id}"`);
  }
  const create = Exchange as new (options: object) => CcxtExchange;
  const exchange = new create({ enableRateLimit: false, timeout: timeoutMs });
  if (exchange.has?.fetchOHLCV !== true)
    throw new ProviderError("bad_request", `${exchange.name} has no candles in ccxt`);
  return exchange;
}

/** What the package's classes of errors mean, subclasses before their parents. */
const KINDS: readonly (readonly [string, ProviderErrorKind])[] = [
  ["BadSymbol", "unknown_symbol"],
  ["RateLimitExceeded", "rate_limited"],
  ["DDoSProtection", "rate_limited"],
  ["RestrictedLocation", "auth"],
  ["AuthenticationError", "auth"],
  ["NotSupported", "bad_request"],
  ["BadResponse", "invalid_response"],
  ["NetworkError", "transient"],
  ["OperationFailed", "transient"],
  ["BaseError", "bad_request"],
];

/** The kind of an error that an exchange threw; what the package does not know itself is an answer it could not read. */
export function kindOf(ccxt: CcxtModule, error: unknown): ProviderErrorKind {
  const found = KINDS.find(([name]) => {
    const type = ccxt[name];
    return typeof type === "function" && error instanceof type;
  });
  return found?.[1] ?? "invalid_response";
}
