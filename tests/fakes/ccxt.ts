/** A stand-in for the package ccxt: its classes by the same names, an exchange whose answers a test decides. */

import type { CcxtModule } from "../../src/providers/ccxt/ccxt-module.ts";

class BaseError extends Error {}
class ExchangeError extends BaseError {}
class AuthenticationError extends ExchangeError {}
class PermissionDenied extends AuthenticationError {}
class BadRequest extends ExchangeError {}
class BadSymbol extends BadRequest {}
class NotSupported extends ExchangeError {}
class RestrictedLocation extends ExchangeError {}
class OperationFailed extends BaseError {}
class NetworkError extends OperationFailed {}
class DDoSProtection extends NetworkError {}
class RateLimitExceeded extends NetworkError {}
class ExchangeNotAvailable extends NetworkError {}
class RequestTimeout extends NetworkError {}
class BadResponse extends OperationFailed {}

export const ERRORS = {
  BaseError,
  ExchangeError,
  AuthenticationError,
  PermissionDenied,
  BadRequest,
  BadSymbol,
  NotSupported,
  RestrictedLocation,
  OperationFailed,
  NetworkError,
  DDoSProtection,
  RateLimitExceeded,
  ExchangeNotAvailable,
  RequestTimeout,
  BadResponse,
};

type Row = readonly [number, ...(number | boolean | null)[]];

export interface FakeCcxt {
  readonly module: CcxtModule;
  /** URLs of the requests sent. */
  readonly urls: string[];
  /** Options of the exchanges created. */
  readonly created: unknown[];
  /** Thrown by the next requests, one each. */
  readonly failures: (Error | undefined)[];
  headers: Record<string, string>;
  /** The candles of the exchange, ascending; epoch seconds. */
  rows: Row[];
  /** The candles of intervals that differ from `rows`. */
  readonly frames: Record<string, Row[]>;
  page: number;
  /** The most candles of an answer, where that is less than the page that it states. */
  most: number;
  /** Whether it gives its newest candles, whatever the start. */
  newestOnly: boolean;
  /** Awaited by every request. */
  gate: Promise<void>;
}

export function fakeCcxt(): FakeCcxt {
  const fake: FakeCcxt = {
    urls: [],
    created: [],
    failures: [],
    headers: {},
    rows: [],
    frames: {},
    page: 100,
    most: Number.POSITIVE_INFINITY,
    newestOnly: false,
    gate: Promise.resolve(),
    module: {
      version: "0.0.0",
      exchanges: ["kraken", "candleless"],
      ...ERRORS,
      kraken: exchange(),
      candleless: exchange(false),
    },
  };

  function exchange(fetchOHLCV = true) {
    return class {
      readonly name = "Kraken";
      readonly has = { fetchOHLCV };
      readonly timeframes = { "1m": 1, "15m": 15, "1h": 60, "1d": 1440, "1w": 10_080 };
      markets: Record<string, object> | undefined;
      last_response_headers: Record<string, string> = {};

      constructor(options: unknown) {
        fake.created.push(options);
      }

      async fetch(url: string): Promise<unknown> {
        fake.urls.push(url);
        this.last_response_headers = fake.headers;
        await fake.gate;
        const failure = fake.failures.shift();
        if (failure) throw failure;
        return {};
      }

      async loadMarkets() {
        await this.fetch("https://api.kraken.com/markets");
        const market = (base: string, quote: string, more = {}) => ({ base, quote, spot: true, active: true, ...more });
        this.markets = {
          "BTC/USD": market("BTC", "USD"),
          "ETH/EUR": market("ETH", "EUR", { active: undefined }),
          "stETH/BTC": market("stETH", "BTC"),
          "OLD/USD": market("OLD", "USD", { active: false }),
          "BTC/USD:USD": market("BTC", "USD", { spot: false }),
          "SWAP/USD": market("SWAP", "USD", { spot: false }),
        };
        return this.markets;
      }

      featureValue(symbol: string, method: string, parameter: string) {
        return symbol in this.markets! && method === "fetchOHLCV" && parameter === "limit" ? fake.page : undefined;
      }

      async fetchOHLCV(symbol: string, timeframe: string, since: number, limit: number) {
        await this.fetch(`https://api.kraken.com/candles?pair=${symbol}&interval=${timeframe}&since=${since}`);
        const from = fake.newestOnly ? Number.NEGATIVE_INFINITY : since / 1_000;
        const found = (fake.frames[timeframe] ?? fake.rows).filter(([ts]) => ts >= from);
        const most = Math.min(limit, fake.most);
        const page = fake.newestOnly ? found.slice(-most) : found.slice(0, most);
        return page.map(([ts, ...values]) => [ts * 1_000, ...values]);
      }
    };
  }
  return fake;
}
