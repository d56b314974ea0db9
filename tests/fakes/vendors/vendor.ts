/** A fake vendor: a real HTTP server on loopback that speaks one protocol and can be made to misbehave. */

import { tradingDate } from "../../../src/domain/market/calendar.ts";
import { DAY, type Interval } from "../../../src/domain/market/interval.ts";
import { type Market, marketOf } from "../../../src/domain/market/symbol.ts";
import { FakeMarket } from "./market.ts";

/** The regular answers of a vendor, and its wording of the common refusals. */
export interface FakeProtocol {
  /** Whether the request carries the key. */
  isAuthorized(request: Request, url: URL, key: string): boolean;
  refuseKey(): Response;
  /** The answer to too many requests a minute. */
  refuseRate(): Response;
  answer(url: URL, market: FakeMarket, request: Request): Response | null | Promise<Response | null>;
}

/** Stands in for the protocol's answer to one request; `null` lets it answer. */
export type Behaviour = (request: Request, url: URL) => Response | null | Promise<Response | null>;

/** What a customer may have; everything where a field is missing. Each fake refuses in its vendor's own words. */
interface FakePlan {
  /** The first moment that may be asked for, epoch seconds. */
  readonly from?: number;
  /** Whether an answer is cut at `from` without a refusal, as some vendors do. */
  readonly cuts?: boolean;
  /** Seconds before now (the vendor's clock) after which nothing may be asked for. */
  readonly delay?: number;
  /** Whether today (New York, or UTC for crypto) is refused until it is over. */
  readonly noToday?: boolean;
  readonly markets?: readonly Market[];
  readonly intervals?: readonly Interval[];
  readonly withoutSymbols?: readonly string[];
}

export type PlanRefusal = "market" | "symbol" | "interval" | "history" | "recent";

/** Which part of a request the plan refuses; `null` if it may be answered. Ends are epoch seconds, inclusive. */
export function refusalOf(
  { plan, clock }: Pick<FakeVendor, "plan" | "clock">,
  asked: { symbol: string; interval: Interval; from: number; to: number },
): PlanRefusal | null {
  const { symbol, interval, from, to } = asked;
  const market = marketOf(symbol);
  if (plan.markets && !plan.markets.includes(market)) return "market";
  if (plan.withoutSymbols?.includes(symbol)) return "symbol";
  if (plan.intervals && !plan.intervals.includes(interval)) return "interval";
  const now = clock() / 1000;
  if (plan.delay !== undefined && to > now - plan.delay) return "recent";
  const today = tradingDate(market, now);
  const dayOf = (ts: number) => (interval === "1d" ? Math.floor(ts / DAY) * DAY : tradingDate(market, ts));
  if (plan.noToday && dayOf(to) >= today) return "recent";
  if (plan.from !== undefined && from < plan.from) return plan.cuts && to >= plan.from ? null : "history";
  return null;
}

export interface FakeVendor {
  readonly url: string;
  readonly market: FakeMarket;
  /** The key that is accepted. */
  readonly key: string;
  /** Behaviours for the next requests, one each. */
  readonly script: Behaviour[];
  /** A behaviour for every request that the script leaves alone. */
  always: Behaviour | null;
  /** Requests a minute that are answered; the others are refused and counted. */
  perMinute: number;
  /** The plan of the key. */
  plan: FakePlan;
  /** The vendor's clock, epoch milliseconds. */
  clock: () => number;
  /** All requests so far. */
  readonly urls: URL[];
  /** When they arrived, by the vendor's clock. */
  readonly arrivals: number[];
  refusedForRate: number;
  /** Requests in the minute that ends now. */
  lastMinute(): number;
  /** The most requests in any sliding minute. */
  busiestMinute(): number;
  close(): Promise<void>;
}

export const FAKE_KEY = "k3y-of-a-paying-customer/9+8=";

export function startFake(protocol: FakeProtocol): FakeVendor {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const url = new URL(request.url);
      vendor.urls.push(url);
      vendor.arrivals.push(vendor.clock());
      const behaviour = vendor.script.shift() ?? vendor.always;
      const scripted = await behaviour?.(request, url);
      if (scripted) return scripted;
      if (vendor.lastMinute() > vendor.perMinute) {
        vendor.refusedForRate++;
        return protocol.refuseRate();
      }
      if (!protocol.isAuthorized(request, url, vendor.key)) return protocol.refuseKey();
      return (await protocol.answer(url, vendor.market, request)) ?? new Response("no such path", { status: 404 });
    },
  });

  const vendor: FakeVendor = {
    url: `http://127.0.0.1:${server.port}`,
    market: new FakeMarket(),
    key: FAKE_KEY,
    script: [],
    always: null,
    perMinute: Number.POSITIVE_INFINITY,
    plan: {},
    clock: Date.now,
    urls: [],
    arrivals: [],
    refusedForRate: 0,
    lastMinute: () => {
      const now = vendor.clock();
      let count = 0;
      for (let at = vendor.arrivals.length - 1; at >= 0 && now - vendor.arrivals[at]! < 60_000; at--) count++;
      return count;
    },
    busiestMinute: () => busiestMinute(vendor.arrivals),
    close: () => server.stop(true),
  };
  return vendor;
}

/** The most arrivals (epoch ms) in any 60 seconds. */
export function busiestMinute(arrivals: readonly number[]): number {
  const sorted = [...arrivals].sort((a, b) => a - b);
  let most = 0;
  for (let end = 0, start = 0; end < sorted.length; end++) {
    while (sorted[end]! - sorted[start]! >= 60_000) start++;
    most = Math.max(most, end - start + 1);
  }
  return most;
}
