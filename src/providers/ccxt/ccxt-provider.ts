/** Spot pairs of an exchange through the optional package ccxt. */

import type { Company } from "../../domain/companies.ts";
import { ProviderError } from "../../domain/errors.ts";
import { emptyBars } from "../../domain/market/bars.ts";
import { DAY, INTERVAL_SECONDS, INTERVALS } from "../../domain/market/interval.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import { parseTicker } from "../http/ticker.ts";
import type { BarWindow, FetchContext, FetchedBars, Provider } from "../provider.ts";
import { CcxtClient, type CcxtOptions } from "./ccxt-client.ts";
import { PairCandles, USUAL_PAGE } from "./pair-candles.ts";

/** Seconds after its end until a candle no longer changes. */
const DELAY = 5;

export function createCcxtProvider(options: CcxtOptions): Provider {
  const { name, title } = options;
  const client = new CcxtClient(options);
  return {
    name,
    title,
    intervals: INTERVALS,
    maxWindowDays: (interval) => (USUAL_PAGE * INTERVAL_SECONDS[interval]) / DAY,
    pagesIn: (interval, _symbol, days) => Math.ceil((days * DAY) / (USUAL_PAGE * INTERVAL_SECONDS[interval])),
    historyStart: () => Date.UTC(2011, 0, 1) / 1_000,
    traits: () => ({ feed: "spot", adjustment: "none", sessions: "continuous" }),
    availableAt: (_symbol, interval, ts) => ts + INTERVAL_SECONDS[interval] + DELAY,
    fetchBars: (window, context) => fetchBars(client, window, context),
    exchanges: [{ code: "SPOT", title: "Spot pairs" }],
    listCompanies: async (exchange, context) => {
      if (exchange !== "SPOT") throw new ProviderError("bad_request", `${title} has no list of "${exchange}"`);
      return Object.values(await client.markets(context)).flatMap(({ base, quote, spot, active }): Company[] => {
        const symbol = spot === false || active === false ? null : parseSymbol(`${base}-${quote}`);
        return symbol === null ? [] : [{ symbol, name: `${base} / ${quote}`, exchange: title }];
      });
    },
  };
}

async function fetchBars(client: CcxtClient, window: BarWindow, context: FetchContext): Promise<FetchedBars> {
  context.signal.throwIfAborted();
  const { title } = client;
  const { symbol, interval, from, asOf } = window;
  const pair = await findPair(client, symbol, context);
  const exchange = await client.exchange();
  const frames = Object.keys(exchange.timeframes ?? {});
  if (!frames.includes(interval)) {
    throw new ProviderError("bad_request", `${title} has no ${interval} candles, only ${frames.join(", ")}`);
  }
  const step = INTERVAL_SECONDS[interval];
  // A candle that has not ended is left out.
  const to = Math.min(window.to, Math.floor((asOf - DELAY) / step) * step);
  if (from >= to) return { bars: emptyBars(0), rejected: [] };
  return new PairCandles(client, { exchange, pair, interval }, context).fetch({ from, to, asOf });
}

/** The package's name of a symbol, e.g. `BTC/USD`. */
async function findPair(client: CcxtClient, symbol: string, context: FetchContext): Promise<string> {
  const { title } = client;
  const { base, quote, market } = parseTicker(symbol, true);
  if (market !== "crypto") {
    throw new ProviderError("unknown_symbol", `${title} has no ${symbol}: it trades pairs such as BTC-USD`);
  }
  const usual = `${base}/${quote}`;
  const markets = await client.markets(context);
  // Some assets are spelled with small letters.
  const listed = [...(markets[usual] ? [markets[usual]] : []), ...Object.values(markets)].find(
    (each) => each.spot !== false && parseSymbol(`${each.base}-${each.quote}`) === symbol,
  );
  if (listed === undefined) {
    throw new ProviderError("unknown_symbol", `${symbol} is not known: ${title} has no spot pair ${usual}`);
  }
  return `${listed.base}/${listed.quote}`;
}
