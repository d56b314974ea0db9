/** Reads the candles of a pair page by page. */

import { z } from "zod";
import { ProviderError } from "../../domain/errors.ts";
import { DAY, INTERVAL_SECONDS, type Interval } from "../../domain/market/interval.ts";
import { Rows, UnreadableRows, wire, wireTime } from "../http/rows.ts";
import type { BarWindow, FetchContext, FetchedBars } from "../provider.ts";
import type { CcxtClient } from "./ccxt-client.ts";
import type { CcxtExchange } from "./ccxt-module.ts";

const candle = z.tuple([wireTime, wire, wire, wire, wire], wire);
/** Candles of a page where the package names no limit. */
export const USUAL_PAGE = 300;
/** Intervals that show whether there were trades where shorter candles are missing. */
const LONGER = [
  { frame: "1d", seconds: DAY },
  { frame: "1w", seconds: 7 * DAY },
] as const;
/** Pages of one window: more means that the exchange does not go forward. */
const MAX_PAGES = 5_000;

/** The candles of one page that can be read, and the first and last moment among them (epoch seconds). */
interface CandlePage {
  readonly length: number;
  readonly rows: Rows;
  readonly first: number;
  readonly last: number;
}

/** A pair at one interval. */
interface PairSeries {
  readonly exchange: CcxtExchange;
  /** As the package names it, e.g. `BTC/USD`. */
  readonly pair: string;
  readonly interval: Interval;
}

/** Requests the candles of one series for one job. */
export class PairCandles {
  readonly #page: number;

  constructor(
    private readonly client: CcxtClient,
    private readonly series: PairSeries,
    private readonly context: FetchContext,
  ) {
    this.#page = pageOf(series);
  }

  /** All candles of a window. */
  async fetch({ from, to, asOf }: Pick<BarWindow, "from" | "to" | "asOf">): Promise<FetchedBars> {
    const { title } = this.client;
    const step = INTERVAL_SECONDS[this.series.interval];
    const rows = new Rows();
    let cursor = Math.ceil(from / step) * step;
    for (let pages = 0; cursor < to; pages++) {
      if (pages === MAX_PAGES) throw new ProviderError("invalid_response", `${title}: more than ${MAX_PAGES} pages`);
      const since = cursor;
      const page = await this.#readPage({ from: since, to, asOf }, rows.received);
      const { length, first, last } = page;
      rows.append(page.rows);
      // A page up to the present that begins later than requested: the first candles of the pair, or the newest ones only.
      const isLate = length > 0 && last >= asOf - 2 * step && first > since;
      if (isLate && (length >= this.#page - 1 || (await this.#hasTraded({ from: since, to: first })))) {
        const words = `${title} gives only its newest ${length} candles of ${this.series.interval}`;
        const end = Math.min(first, to);
        return { bars: rows.columns(), rejected: rows.rejected, notInPlan: [{ from: since, to: end, words }] };
      }
      // An empty page is one without trades, or before the first: what comes after it is requested too.
      cursor = last >= since ? last + step : since + this.#page * step;
    }
    return { bars: rows.columns(), rejected: rows.rejected };
  }

  /** The page that begins at `from`; its rows end before `to`. */
  #readPage({ from, to, asOf }: Pick<BarWindow, "from" | "to" | "asOf">, received: number): Promise<CandlePage> {
    return this.client.call(async (exchange) => {
      const candles = await exchange.fetchOHLCV(this.series.pair, this.series.interval, from * 1_000, this.#page);
      const rows = new Rows(received);
      let first = Number.POSITIVE_INFINITY;
      let last = Number.NEGATIVE_INFINITY;
      this.#each(rows, candles, from, (ts, [, open, high, low, close, volume]) => {
        // A row of the future must not move the next page past what is left.
        if (ts < from || ts > asOf) return;
        first = Math.min(first, ts);
        last = Math.max(last, ts);
        if (ts < to) rows.add(ts, open, high, low, close, volume);
      });
      return { length: candles.length, rows, first, last };
    }, this.context);
  }

  /**
   * Whether candles of a longer interval show trades within a range (epoch seconds): then the exchange has candles there
   * that it did not give. `false` too if it has no longer interval.
   */
  async #hasTraded({ from, to }: { readonly from: number; readonly to: number }): Promise<boolean> {
    const own = INTERVAL_SECONDS[this.series.interval];
    const longer = LONGER.find(({ frame, seconds }) => seconds > own && this.series.exchange.timeframes?.[frame]);
    if (longer === undefined || from + longer.seconds > to) return false;
    return this.client.call(async (exchange) => {
      const candles = await exchange.fetchOHLCV(this.series.pair, longer.frame, from * 1_000, USUAL_PAGE);
      let traded = false;
      this.#each(new Rows(), candles, from, (ts, [, , , , , volume]) => {
        traded ||= ts >= from && ts + longer.seconds <= to && Number(volume ?? 1) > 0;
      });
      return traded;
    }, this.context);
  }

  /** Calls `take` with the start (epoch seconds) and fields of each candle that can be read. */
  #each(
    rows: Rows,
    candles: readonly unknown[],
    from: number,
    take: (ts: number, fields: z.infer<typeof candle>) => void,
  ): void {
    try {
      rows.each(candle, candles, `${this.series.pair} from ${from}`, (fields) =>
        take(Number(fields[0]) / 1_000, fields),
      );
    } catch (error) {
      if (!(error instanceof UnreadableRows)) throw error;
      throw new ProviderError("invalid_response", `${this.client.title}: unexpected candles: ${error.message}`);
    }
  }
}

/** Candles of one page, as far as the package states it. */
function pageOf({ exchange, pair }: PairSeries): number {
  const limit = Number(exchange.featureValue?.(pair, "fetchOHLCV", "limit") ?? Number.NaN);
  return Number.isInteger(limit) && limit > 1 ? limit : USUAL_PAGE;
}
