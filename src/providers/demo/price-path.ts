/**
 * The demo's daily bars: a random walk from the first day of a symbol's history, with clustered volatility, a common
 * market move, overnight gaps and mean reversion to a growing level. Prices are whole ticks.
 */

import type { Calendar, Session } from "../../domain/market/calendar.ts";
import { DAY } from "../../domain/market/interval.ts";
import type { Market } from "../../domain/market/symbol.ts";
import { normal, seedOf, square, uniform } from "./seeded-random.ts";

/** The first day of the demo's history, by market (epoch seconds). */
export const DEMO_START: Readonly<Record<Market, number>> = {
  us_equity: Date.UTC(1990, 0, 1) / 1000,
  crypto: Date.UTC(2011, 0, 1) / 1000,
};

/** Symbols that have bars from the first day of the demo's history. */
const FULL_HISTORY = new Set([
  "AAPL",
  "MSFT",
  "GOOGL",
  "AMZN",
  "NVDA",
  "TSLA",
  "META",
  "SPY",
  "QQQ",
  "BTC-USD",
  "ETH-USD",
]);

/** One day in ticks and volume units. */
export interface DemoDay {
  readonly session: Session;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** The constants of a symbol. */
export interface DemoTraits {
  readonly seed: number;
  readonly market: Market;
  /** Price near which the walk begins. */
  readonly level: number;
  /** Ticks per unit of currency. */
  readonly scale: number;
  /** Volume units per share or coin. */
  readonly volumeScale: number;
  /** First day with bars, epoch seconds. */
  readonly listed: number;
  /** Probability that a minute in the middle of five has no trade. */
  readonly noTradeProbability: number;
}

const MARKET_SEED = seedOf("the market");
/** GARCH(1,1): how much of today's variance comes from yesterday's move and from yesterday's variance. */
const FROM_MOVE = 0.08;
const FROM_VARIANCE = 0.9;
const MAX_MOVE = 0.25;

function demoTraits(symbol: string, market: Market): DemoTraits {
  const seed = seedOf(symbol);
  const crypto = market === "crypto";
  const startsLate = !FULL_HISTORY.has(symbol) && uniform(seed, 1, 0) < 1 / 16;
  const listed = startsLate
    ? Date.UTC(2004 + Math.floor(20 * uniform(seed, 2, 0)), Math.floor(12 * uniform(seed, 3, 0)), 8) / 1000
    : 0;
  const draw = uniform(seed, 4, 0);
  const level = crypto ? 2 + 6000 * draw * square(draw) : 18 + 70 * draw;
  return {
    seed,
    market,
    level,
    scale: crypto && level < 1000 ? 10_000 : 100,
    volumeScale: crypto ? 10_000 : 1,
    listed: Math.max(listed, DEMO_START[market]),
    noTradeProbability: 0.002 + 0.06 * uniform(seed, 5, 0) * uniform(seed, 6, 0),
  };
}

/**
 * The daily bars of one symbol from `keptFrom` on, extended when later days are requested; earlier days do not depend on
 * its length. The walk begins with the symbol's first day, but only those days are kept.
 */
export class DemoPath {
  readonly traits: DemoTraits;
  readonly #days: DemoDay[] = [];
  readonly #volatility: number;
  readonly #beta: number;
  readonly #usualVolume: number;
  readonly #growth: number;
  #until: number;
  #level: number;
  #close: number;
  #variance: number;

  constructor(
    symbol: string,
    market: Market,
    readonly calendar: Calendar,
    /** Epoch seconds. */
    readonly keptFrom: number,
  ) {
    this.traits = demoTraits(symbol, market);
    const { seed, scale, level } = this.traits;
    const crypto = market === "crypto";
    const draw = (index: number) => uniform(seed, 10, index);
    this.#volatility = crypto ? 0.018 + 0.014 * draw(1) : 0.008 + 0.014 * draw(1);
    this.#beta = crypto ? 0.5 : 0.4 + 1.1 * draw(2);
    this.#usualVolume =
      (crypto ? 900 + 20_000 * square(draw(3)) : 600_000 + 40_000_000 * draw(3) * square(draw(3))) *
      this.traits.volumeScale;
    this.#growth = 1 + (crypto ? 0.16 / 365 : 0.055 / 252);
    this.#level = level * scale;
    this.#close = Math.round(this.#level * (0.8 + 0.4 * draw(5)));
    this.#variance = square(this.#volatility);
    this.#until = this.traits.listed;
  }

  /** The days with `from` <= date < `to` (epoch seconds), ascending; `from` must not be before `keptFrom`. */
  days(from: number, to: number): DemoDay[] {
    if (to > this.#until) this.#extend(to);
    let low = 0;
    let high = this.#days.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#days[middle]!.session.date < from) low = middle + 1;
      else high = middle;
    }
    let end = low;
    while (end < this.#days.length && this.#days[end]!.session.date < to) end++;
    return this.#days.slice(low, end);
  }

  #extend(to: number): void {
    const until = Math.ceil(to / DAY) * DAY;
    for (const session of this.calendar.sessionsBetween(this.traits.market, this.#until, until)) {
      const day = this.#step(session);
      if (session.date >= this.keptFrom) this.#days.push(day);
    }
    this.#until = until;
  }

  #step(session: Session): DemoDay {
    const { seed } = this.traits;
    const day = session.date / DAY;
    const deviation = Math.sqrt(this.#variance);
    // One day in fifty moves two and a half times as far, as after news.
    const newsFactor = uniform(seed, day, 20) < 0.02 ? 2.5 : 1;
    const own = deviation * normal(seed, day, 21) * newsFactor;
    const market = 0.007 * normal(MARKET_SEED, day, 0);
    // Mean reversion of at most 0.4 % a day keeps prices plausible over decades.
    const pull = 0.004 * ((this.#level - this.#close) / (this.#level + this.#close));
    const move = clamp(own + this.#beta * market + pull, -MAX_MOVE, MAX_MOVE);
    const overnight = 0.4 * move + 0.2 * deviation * normal(seed, day, 22);
    const open = Math.max(100, Math.round(this.#close * (1 + overnight)));
    const close = Math.max(100, Math.round(this.#close * (1 + move)));
    const reach = deviation * (0.15 + 0.85 * uniform(seed, day, 23));
    const high = Math.round(Math.max(open, close) * (1 + reach * uniform(seed, day, 24)));
    const low = Math.max(1, Math.round(Math.min(open, close) * (1 - reach * uniform(seed, day, 25))));
    const activity = Math.min(6, 0.45 + Math.abs(move) / this.#volatility / 2 + 0.5 * uniform(seed, day, 26));
    const volume = Math.round(this.#usualVolume * activity * (session.early ? 0.5 : 1));

    this.#variance =
      (1 - FROM_MOVE - FROM_VARIANCE) * square(this.#volatility) +
      FROM_MOVE * own * own +
      FROM_VARIANCE * this.#variance;
    this.#level *= this.#growth;
    this.#close = close;
    return { session, open, high, low, close, volume };
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
