/**
 * The demo's daily bars: a random walk from the first day of a symbol's history, with clustered volatility, a common
 * market move, overnight gaps and mean reversion to a growing level. Prices are whole ticks.
 */

import type { Calendar, Session } from "../../domain/market/calendar.ts";
import { DAY } from "../../domain/market/interval.ts";
import type { Market } from "../../domain/market/symbol.ts";
import { normal, normalAt, otherSeed, place, seedOf, square, uniform, uniformAt } from "./seeded-random.ts";

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

/** What all symbols of a market share: its sessions since the first day of the demo's history, and their common moves. */
class MarketDays {
  readonly sessions: Session[] = [];
  readonly moves: number[] = [];
  #until: number;

  constructor(
    readonly market: Market,
    readonly calendar: Calendar,
  ) {
    this.#until = DEMO_START[market];
  }

  /** Adds the days before `to` (epoch seconds, midnight UTC). */
  extend(to: number): void {
    if (to <= this.#until) return;
    for (const session of this.calendar.sessionsBetween(this.market, this.#until, to)) {
      this.sessions.push(session);
      this.moves.push(0.007 * normal(MARKET_SEED, session.date / DAY, 0));
    }
    this.#until = to;
  }

  /** The place of the first session on or after a date. */
  indexOf(date: number): number {
    let low = 0;
    let high = this.sessions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sessions[middle]!.date < date) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

const known = new WeakMap<Calendar, Map<Market, MarketDays>>();

/** The days of a market by a calendar. */
const marketDays = (market: Market, calendar: Calendar): MarketDays =>
  known
    .getOrInsertComputed(calendar, () => new Map<Market, MarketDays>())
    .getOrInsertComputed(market, () => new MarketDays(market, calendar));

/**
 * The daily bars of one symbol from `keptFrom` on, extended when later days are requested; earlier days do not depend on
 * its length. The walk begins with the symbol's first day, but only those days are kept.
 */
export class DemoPath {
  readonly traits: DemoTraits;
  readonly #market: MarketDays;
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
    calendar: Calendar,
    /** Epoch seconds. */
    readonly keptFrom: number,
  ) {
    this.#market = marketDays(market, calendar);
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
    this.#market.extend(until);
    const { sessions, moves } = this.#market;
    for (let at = this.#market.indexOf(this.#until); at < sessions.length && sessions[at]!.date < until; at++) {
      this.#step(sessions[at]!, moves[at]!);
    }
    this.#until = until;
  }

  /** Walks one day on. What the next days do not depend on is computed only for a day that is kept. */
  #step(session: Session, marketMove: number): void {
    const { seed } = this.traits;
    const day = session.date / DAY;
    const at = place(seed, day);
    const other = place(otherSeed(seed), day);
    const before = this.#close;
    const deviation = Math.sqrt(this.#variance);
    // One day in fifty moves two and a half times as far, as after news.
    const newsFactor = uniformAt(at, 20) < 0.02 ? 2.5 : 1;
    const own = deviation * normalAt(at, other, 21) * newsFactor;
    // Mean reversion of at most 0.4 % a day keeps prices plausible over decades.
    const pull = 0.004 * ((this.#level - before) / (this.#level + before));
    const move = clamp(own + this.#beta * marketMove + pull, -MAX_MOVE, MAX_MOVE);
    const close = Math.max(100, Math.round(before * (1 + move)));
    if (session.date >= this.keptFrom) {
      const overnight = 0.4 * move + 0.2 * deviation * normalAt(at, other, 22);
      const open = Math.max(100, Math.round(before * (1 + overnight)));
      const reach = deviation * (0.15 + 0.85 * uniformAt(at, 23));
      const high = Math.round(Math.max(open, close) * (1 + reach * uniformAt(at, 24)));
      const low = Math.max(1, Math.round(Math.min(open, close) * (1 - reach * uniformAt(at, 25))));
      const activity = Math.min(6, 0.45 + Math.abs(move) / this.#volatility / 2 + 0.5 * uniformAt(at, 26));
      const volume = Math.round(this.#usualVolume * activity * (session.early ? 0.5 : 1));
      this.#days.push({ session, open, high, low, close, volume });
    }
    this.#variance =
      (1 - FROM_MOVE - FROM_VARIANCE) * square(this.#volatility) +
      FROM_MOVE * own * own +
      FROM_VARIANCE * this.#variance;
    this.#level *= this.#growth;
    this.#close = close;
  }
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}
