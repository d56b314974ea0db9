/**
 * Spot pairs of an exchange through the optional package ccxt. The package is loaded by the thread that first needs it;
 * each HTTP request it sends takes a permit of the limiter.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import { z } from "zod";
import type { Company } from "../../domain/companies.ts";
import { cutText, messageOf, ProviderError } from "../../domain/errors.ts";
import { emptyBars } from "../../domain/market/bars.ts";
import { DAY, INTERVAL_SECONDS, INTERVALS, type Interval } from "../../domain/market/interval.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import { once } from "../../installation.ts";
import { retryAfterOf } from "../http/classify.ts";
import type { RetryTiming } from "../http/client.ts";
import { Rows, UnreadableRows, wire, wireTime } from "../http/rows.ts";
import { parseTicker } from "../http/ticker.ts";
import type { BarWindow, FetchContext, FetchedBars, Provider } from "../provider.ts";
import { pause, timeRequest } from "../sleep.ts";
import { type CcxtExchange, type CcxtModule, createExchange, kindOf, loadCcxt } from "./ccxt-module.ts";

export interface CcxtOptions {
  /** The id of the exchange in the package, e.g. `kraken`. */
  readonly exchange: string;
  readonly name: string;
  readonly title: string;
  /** Where requests are sent instead of to the exchange's own host, path and query kept. */
  readonly baseUrl?: string | undefined;
  readonly timing?: Partial<Pick<RetryTiming, "timeoutMs" | "backoffMs" | "busyMs" | "random">>;
  /** Loads the package. */
  readonly load?: () => Promise<CcxtModule>;
}

const candle = z.tuple([wireTime, wire, wire, wire, wire], wire);
/** Candles of a page where the package names no limit. */
const USUAL_PAGE = 300;
/** Intervals that show whether there were trades where shorter candles are missing. */
const LONGER = [
  { frame: "1d", seconds: DAY },
  { frame: "1w", seconds: 7 * DAY },
] as const;
/** Pages of one window: more means that the exchange does not go forward. */
const MAX_PAGES = 5_000;
/** Seconds after its end until a candle no longer changes. */
const DELAY = 5;
const ATTEMPTS = { transient: 5, rate_limited: 5, invalid_response: 3 } as const;
const MAX_WAIT_MS = 60_000;

/** What a loaded package and its exchange need. */
interface Loaded {
  readonly ccxt: CcxtModule;
  readonly exchange: CcxtExchange;
}

export function createCcxtProvider(options: CcxtOptions): Provider {
  const { name, title, load = loadCcxt } = options;
  const { timeoutMs = 60_000, backoffMs = 1_000, busyMs = 5_000, random = Math.random } = options.timing ?? {};
  /** The job for which the package sends a request. */
  const requester = new AsyncLocalStorage<{ context: FetchContext; attempt: number }>();

  const loaded = once(async (): Promise<Loaded> => {
    const ccxt = await load();
    const exchange = createExchange(ccxt, options.exchange, timeoutMs);
    const send = exchange.fetch.bind(exchange);
    exchange.fetch = (url, ...rest) => metered({ ccxt, exchange }, () => send(withBase(url, options.baseUrl), ...rest));
    return { ccxt, exchange };
  });

  /** Sends a request of the package when the limiter permits it, and reports what came of it. */
  async function metered<Answer>({ ccxt, exchange }: Loaded, send: () => Promise<Answer>): Promise<Answer> {
    const { context, attempt } = requester.getStore()!;
    const permit = await context.acquire(1);
    const ended = timeRequest(attempt);
    try {
      const answer = await send();
      permit.settle({ accepted: true, ended: ended("ok") });
      return answer;
    } catch (error) {
      const failed = ended(codeOf(error));
      if (kindOf(ccxt, error) !== "rate_limited") permit.settle({ ended: failed });
      else {
        const stated = retryAfterOf(new Headers({ ...exchange.last_response_headers }));
        const holdSeconds = stated ?? waitMs(busyMs, attempt) / 1_000;
        permit.settle({ holdSeconds, reason: `${title} is busy`, ended: failed });
      }
      throw error;
    }
  }

  const waitMs = (first: number, attempt: number) =>
    (0.5 + random() / 2) * Math.min(MAX_WAIT_MS, first * 2 ** (attempt - 1));

  /** Calls the package, again after failures that may pass. */
  async function call<Answer>(
    work: (exchange: CcxtExchange) => Promise<Answer>,
    context: FetchContext,
  ): Promise<Answer> {
    const { ccxt, exchange } = await loaded();
    for (let attempt = 1; ; attempt++) {
      try {
        return await unlessStopped(
          requester.run({ context, attempt }, () => work(exchange)),
          context.signal,
        );
      } catch (error) {
        context.signal.throwIfAborted();
        // What the limiter refuses stays refused.
        if (error instanceof ProviderError && error.kind !== "invalid_response") throw error;
        const kind = error instanceof ProviderError ? error.kind : kindOf(ccxt, error);
        const says = error instanceof ProviderError ? "unexpected answer" : wordsOf(error, options.exchange);
        const tries = ATTEMPTS[kind as keyof typeof ATTEMPTS] ?? 1;
        if (attempt >= tries)
          throw error instanceof ProviderError ? error : new ProviderError(kind, `${title}: ${says}`);
        // A rate limit is waited for in the limiter, which holds all requests to the exchange.
        if (kind === "rate_limited") continue;
        const wait = waitMs(backoffMs, attempt);
        const until = Math.ceil(Date.now() + wait);
        context.waiting({ cause: "retry", until, attempt: attempt + 1, of: tries, reason: says.slice(0, 60) });
        context.log("warn", `${title}: ${says}; try ${attempt + 1} of ${tries} in ${(wait / 1000).toFixed(1)}s`);
        await pause(wait, context.signal);
      }
    }
  }

  /** The markets, loaded once. Another job that loads them may be stopped: then this one tries again. */
  const marketsOf = (context: FetchContext) =>
    call(async (exchange) => {
      if (exchange.markets === undefined) await exchange.loadMarkets();
      return exchange.markets ?? {};
    }, context);

  async function fetchBars(window: BarWindow, context: FetchContext): Promise<FetchedBars> {
    context.signal.throwIfAborted();
    const { symbol, interval, asOf } = window;
    const { base, quote, market } = parseTicker(symbol, true);
    if (market !== "crypto") {
      throw new ProviderError("unknown_symbol", `${title} has no ${symbol}: it trades pairs such as BTC-USD`);
    }
    const usual = `${base}/${quote}`;
    const markets = await marketsOf(context);
    // Some assets are spelled with small letters.
    const listed = [...(markets[usual] ? [markets[usual]] : []), ...Object.values(markets)].find(
      (each) => each.spot !== false && parseSymbol(`${each.base}-${each.quote}`) === symbol,
    );
    if (listed === undefined) {
      throw new ProviderError("unknown_symbol", `${symbol} is not known: ${title} has no spot pair ${usual}`);
    }
    const pair = `${listed.base}/${listed.quote}`;
    const { exchange } = await loaded();
    const frames = Object.keys(exchange.timeframes ?? {});
    if (!frames.includes(interval)) {
      throw new ProviderError("bad_request", `${title} has no ${interval} candles, only ${frames.join(", ")}`);
    }
    const step = INTERVAL_SECONDS[interval];
    // A candle that has not ended is left out.
    const to = Math.min(window.to, Math.floor((asOf - DELAY) / step) * step);
    if (window.from >= to) return { bars: emptyBars(0), rejected: [] };
    return walk({ ...window, to }, pair, pageOf(exchange, pair), context);
  }

  /** Calls `take` with the start (epoch seconds) and fields of each candle that can be read. */
  function each(
    rows: Rows,
    candles: readonly unknown[],
    where: string,
    take: (ts: number, fields: z.infer<typeof candle>) => void,
  ): void {
    try {
      rows.each(candle, candles, where, (fields) => take(Number(fields[0]) / 1_000, fields));
    } catch (error) {
      if (!(error instanceof UnreadableRows)) throw error;
      throw new ProviderError("invalid_response", `${title}: unexpected candles: ${error.message}`);
    }
  }

  /** All candles of a window, page by page. */
  async function walk(
    { interval, from, to, asOf }: BarWindow,
    pair: string,
    page: number,
    context: FetchContext,
  ): Promise<FetchedBars> {
    const step = INTERVAL_SECONDS[interval];
    const rows = new Rows();
    let cursor = Math.ceil(from / step) * step;
    for (let pages = 0; cursor < to; pages++) {
      if (pages === MAX_PAGES) throw new ProviderError("invalid_response", `${title}: more than ${MAX_PAGES} pages`);
      const since = cursor;
      const read = async (exchange: CcxtExchange) => {
        const candles = await exchange.fetchOHLCV(pair, interval, since * 1_000, page);
        const own = new Rows(rows.received);
        let first = Number.POSITIVE_INFINITY;
        let last = Number.NEGATIVE_INFINITY;
        each(own, candles, `${pair} from ${since}`, (ts, [, open, high, low, close, volume]) => {
          // A row of the future must not move the next page past what is left.
          if (ts < since || ts > asOf) return;
          first = Math.min(first, ts);
          last = Math.max(last, ts);
          if (ts < to) own.add(ts, open, high, low, close, volume);
        });
        return { candles, own, first, last };
      };
      const { candles, own, first, last } = await call(read, context);
      rows.append(own);
      // A page up to the present that begins later than requested: the first candles of the pair, or the newest ones only.
      const isLate = candles.length > 0 && last >= asOf - 2 * step && first > since;
      if (
        isLate &&
        (candles.length >= page - 1 || (await hasTraded(pair, interval, { from: since, to: first }, context)))
      ) {
        const words = `${title} gives only its newest ${candles.length} candles of ${interval}`;
        const end = Math.min(first, to);
        return { bars: rows.columns(), rejected: rows.rejected, notInPlan: [{ from: since, to: end, words }] };
      }
      // An empty page is one without trades, or before the first: what comes after it is requested too.
      cursor = last >= since ? last + step : since + page * step;
    }
    return { bars: rows.columns(), rejected: rows.rejected };
  }

  /**
   * Whether candles of a longer interval show trades within a range (epoch seconds): then the exchange has candles there
   * that it did not give. `false` too if it has no longer interval.
   */
  async function hasTraded(
    pair: string,
    interval: Interval,
    { from, to }: { readonly from: number; readonly to: number },
    context: FetchContext,
  ): Promise<boolean> {
    const { exchange } = await loaded();
    const longer = LONGER.find(
      ({ frame, seconds }) => seconds > INTERVAL_SECONDS[interval] && exchange.timeframes?.[frame],
    );
    if (longer === undefined || from + longer.seconds > to) return false;
    return call(async (source) => {
      const candles = await source.fetchOHLCV(pair, longer.frame, from * 1_000, USUAL_PAGE);
      let traded = false;
      each(new Rows(), candles, `${pair} from ${from}`, (ts, [, , , , , volume]) => {
        traded ||= ts >= from && ts + longer.seconds <= to && Number(volume ?? 1) > 0;
      });
      return traded;
    }, context);
  }

  return {
    name,
    title,
    intervals: INTERVALS,
    maxWindowDays: (interval) => (USUAL_PAGE * INTERVAL_SECONDS[interval]) / DAY,
    pagesIn: (interval, _symbol, days) => Math.ceil((days * DAY) / (USUAL_PAGE * INTERVAL_SECONDS[interval])),
    historyStart: () => Date.UTC(2011, 0, 1) / 1_000,
    traits: () => ({ feed: "spot", adjustment: "none", sessions: "continuous" }),
    availableAt: (_symbol, interval, ts) => ts + INTERVAL_SECONDS[interval] + DELAY,
    fetchBars,
    exchanges: [{ code: "SPOT", title: "Spot pairs" }],
    listCompanies: async (exchange, context) => {
      if (exchange !== "SPOT") throw new ProviderError("bad_request", `${title} has no list of "${exchange}"`);
      return Object.values(await marketsOf(context)).flatMap(({ base, quote, spot, active }): Company[] => {
        const symbol = spot === false || active === false ? null : parseSymbol(`${base}-${quote}`);
        return symbol === null ? [] : [{ symbol, name: `${base} / ${quote}`, exchange: title }];
      });
    },
  };
}

/** Candles of one page, as far as the package states it. */
function pageOf(exchange: CcxtExchange, pair: string): number {
  const limit = Number(exchange.featureValue?.(pair, "fetchOHLCV", "limit") ?? Number.NaN);
  return Number.isInteger(limit) && limit > 1 ? limit : USUAL_PAGE;
}

/** The URL with the scheme, host and leading path of `base`. */
function withBase(url: string, base: string | undefined): string {
  if (!base) return url;
  const { pathname, search } = new URL(url);
  return `${base.replace(/\/$/, "")}${pathname}${search}`;
}

/** The result of `work`, or the signal's reason as soon as it is aborted; what `work` gives then is ignored. */
function unlessStopped<Answer>(work: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** How a request ended, by the status in the message or the class of the error. */
function codeOf(error: unknown): string {
  const status = /\s([1-5]\d\d)\s/.exec(messageOf(error))?.[1];
  if (status !== undefined) return status;
  return error instanceof Error && error.constructor.name === "RequestTimeout" ? "timeout" : "no_connection";
}

/** An error of the package in one line; its messages begin with the id and may quote a whole page. */
function wordsOf(error: unknown, id: string): string {
  const text = messageOf(error)
    .replace(new RegExp(`^${id}\\s+(?:[A-Z]+ https?://\\S+\\s+)?`), "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return text.length > 200 ? `${cutText(text, 200)}…` : text;
}
