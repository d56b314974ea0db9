/** The data of the fake vendors: bars on real sessions, which a test may change. */

import { CALENDAR } from "../../../src/domain/market/calendar.ts";
import type { CorporateAction } from "../../../src/domain/market/corporate-actions.ts";
import { DAY, INTERVAL_SECONDS, type Interval } from "../../../src/domain/market/interval.ts";
import { marketOf } from "../../../src/domain/market/symbol.ts";
import { createDemoProvider } from "../../../src/providers/demo/demo-provider.ts";
import { recordingContext } from "../../providers/fetch-context.ts";

export interface FakeBar {
  ts: number;
  open: number | null;
  high: number | null;
  low: number | null;
  close: number | null;
  volume: number | null;
}

const KNOWN = ["AAPL", "MSFT", "SPY", "BRK.B", "BTC-USD", "BTC-USDT", "ETH-USDT"];

export class FakeMarket {
  readonly known = new Set(KNOWN);
  /** The time after which the vendor has no bars, epoch seconds. */
  now = Number.POSITIVE_INFINITY;
  /** The first moment of symbols that are younger than the test's range, epoch seconds. */
  readonly listed = new Map<string, number>();
  /** Splits and dividends by symbol. */
  readonly actions = new Map<string, CorporateAction[]>();
  /** Whether US minutes before the open and after the close are sent as well. */
  extended = true;
  /** Changes a bar, or hides it with `null`: late corrections, splits, gaps, invalid values. */
  edit: (symbol: string, interval: Interval, bar: FakeBar) => FakeBar | null = (_symbol, _interval, bar) => bar;
  /** The symbol whose prices a symbol has: several with the same ones can be compared. */
  pricesOf: (symbol: string) => string = (symbol) => symbol;
  readonly #demo = createDemoProvider();

  /** The bars with `from` <= ts <= `to` (epoch seconds), or `null` for a symbol that does not exist. */
  async bars(symbol: string, interval: Interval, from: number, to: number): Promise<FakeBar[] | null> {
    if (!this.known.has(symbol)) return null;
    const first = this.listed.get(symbol) ?? Number.NEGATIVE_INFINITY;
    if (to < first) return [];
    const window = {
      symbol: this.pricesOf(symbol),
      interval,
      from: Math.max(from, first),
      to: to + 1,
      asOf: Math.min(this.now, Date.UTC(2100, 0) / 1000),
    };
    const { bars } = await this.#demo.fetchBars(window, recordingContext());
    const rows: FakeBar[] = [...bars.ts].map((ts, at) => ({
      ts,
      open: bars.open[at]!,
      high: bars.high[at]!,
      low: bars.low[at]!,
      close: bars.close[at]!,
      volume: bars.volume[at]!,
    }));
    if (this.extended && interval !== "1d" && marketOf(symbol) === "us_equity") {
      rows.push(...this.#extendedBars(interval, from, to));
      rows.sort((a, b) => a.ts - b.ts);
    }
    return rows.flatMap((bar) => this.edit(symbol, interval, bar) ?? []);
  }

  /** The first day with a bar of a symbol that has a listing, epoch seconds. */
  async firstDay(symbol: string): Promise<number | null> {
    const listed = this.listed.get(symbol);
    if (listed === undefined) return null;
    const bars = (await this.bars(symbol, "1d", Math.floor(listed / DAY) * DAY, listed + 14 * DAY)) ?? [];
    return bars[0]?.ts ?? null;
  }

  /** Two bars before each open and two after each close, far off the regular prices. */
  #extendedBars(interval: Interval, from: number, to: number): FakeBar[] {
    const step = INTERVAL_SECONDS[interval];
    return CALENDAR.sessionsBetween("us_equity", Math.floor(from / DAY) * DAY, to + 1)
      .flatMap(({ open, close }) => [open - 2 * step, open - step, close, close + step])
      .filter((ts) => ts >= from && ts <= to)
      .map((ts) => ({ ts, open: 9_999, high: 9_999, low: 1, close: 9_999, volume: 1 }));
  }
}

/** The daily bars of all US symbols of a day. */
export async function wholeDay<Row>(market: FakeMarket, date: number, row: (symbol: string, bar: FakeBar) => Row) {
  const symbols = [...market.known].filter((symbol) => marketOf(symbol) === "us_equity");
  const bars = await Promise.all(
    symbols.map(async (symbol) => ((await market.bars(symbol, "1d", date, date)) ?? []).map((bar) => row(symbol, bar))),
  );
  return bars.flat();
}
