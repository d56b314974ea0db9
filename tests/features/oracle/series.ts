/** The series that features are tested on: ordinary ones at every interval, and irregular ones that break formulas. */

import { type BarColumns, emptyBars } from "../../../src/domain/market/bars.ts";
import type { Interval } from "../../../src/domain/market/interval.ts";
import type { Market } from "../../../src/domain/market/symbol.ts";
import type { Setup } from "./bars.ts";
import { barTimes } from "./sessions.ts";

/** Uniform numbers in [0, 1), the same for the same seed on any machine (Mulberry32). */
function randomFrom(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Bar {
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

interface Walk extends Setup {
  readonly seed: number;
  readonly bars: number;
  readonly price: number;
  /** Standard deviation of a bar's log return. */
  readonly sigma: number;
  /** Smallest price step; 0 for none. */
  readonly tick: number;
  readonly halfDays: boolean;
  /** Share of bars left out. */
  readonly missing: number;
  /** Changes bar i, given the close before it. */
  readonly change: Change;
}

type Change = (bar: Bar, i: number, previous: number, random: () => number) => void;

const DEFAULTS: Walk = {
  interval: "1d",
  market: "us_equity",
  seed: 1,
  bars: 460,
  price: 100,
  sigma: 0.015,
  tick: 0.01,
  halfDays: false,
  missing: 0,
  change: () => {},
};

/** A random walk with gaps, wicks, clustered volatility and log-normal volume. */
function walk(options: Partial<Walk>): BarColumns {
  const o = { ...DEFAULTS, ...options };
  const random = randomFrom(o.seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const toTick = (price: number) => (o.tick === 0 ? price : Math.max(1, Math.round(price / o.tick)) * o.tick);
  const times = barTimes(o, Math.ceil(o.bars / (1 - o.missing)) + 20, undefined, o.halfDays)
    .filter((_, i) => i === 0 || random() >= o.missing)
    .slice(0, o.bars);
  const columns = emptyBars(times.length);
  let previous = o.price;
  let sigma = o.sigma;
  times.forEach((ts, i) => {
    sigma = 0.9 * sigma + 0.1 * o.sigma * Math.exp(normal());
    const open = toTick(previous * Math.exp(0.3 * sigma * normal()));
    const close = toTick(open * Math.exp(sigma * normal()));
    const high = toTick(Math.max(open, close) * Math.exp(0.5 * sigma * Math.abs(normal())));
    const low = toTick(Math.min(open, close) * Math.exp(-0.5 * sigma * Math.abs(normal())));
    const bar = { open, close, high, low, volume: Math.round(1e5 * Math.exp(normal())) };
    o.change(bar, i, previous, random);
    columns.ts[i] = ts;
    columns.open[i] = bar.open;
    columns.high[i] = Math.max(bar.high, bar.open, bar.close);
    columns.low[i] = Math.min(bar.low, bar.open, bar.close);
    columns.close[i] = bar.close;
    columns.volume[i] = bar.volume;
    previous = bar.close;
  });
  return columns;
}

/** Takes all movement out of a bar. */
const flatten = (bar: Bar, price: number) => Object.assign(bar, { open: price, high: price, low: price, close: price });

export interface TestSeries extends Setup {
  readonly name: string;
  readonly bars: BarColumns;
}

function series(name: string, options: Partial<Walk>): TestSeries {
  const { interval, market } = { ...DEFAULTS, ...options };
  return { name, interval, market, bars: walk(options) };
}

const market = (name: string, interval: Interval, of: Market, bars: number, seed: number, more: Partial<Walk> = {}) =>
  series(name, { interval, market: of, bars, seed, sigma: interval === "1d" ? 0.015 : 0.003, ...more });

/** Sets the volume of every bar. */
const volume =
  (of: (i: number, random: () => number, volume: number) => number): Change =>
  (bar, i, _previous, random) => {
    bar.volume = of(i, random, bar.volume);
  };

/** Holds the price of the close before wherever a flag is set. */
const still =
  (where: (i: number) => boolean): Change =>
  (bar, i, previous) => {
    if (where(i)) flatten(bar, previous);
  };

/** A thousandfold price and back, and single bars of ten million times the volume. */
const jumps: Change = (bar, i) => {
  const factor = i % 97 === 50 ? 1000 : i % 97 === 70 ? 0.001 : 1;
  Object.assign(bar, { high: bar.high * factor, low: bar.low * factor, close: bar.close * factor });
  if (i % 101 === 60) bar.volume *= 1e7;
};

/** Every bar opens at the close before and goes the same way, by 1 to 4 percent. */
const oneWay =
  (direction: 1 | -1): Change =>
  (bar, i, previous, random) => {
    const [open, close] = [previous, previous * (1 + 0.01 * (1 + random() + (i % 3))) ** direction];
    Object.assign(bar, { open, close, high: Math.max(open, close), low: Math.min(open, close) });
  };

/** Whether bar i lies in the last `length` bars of its period. */
const inStretch = (i: number, period: number, length: number) => i % period >= period - length;

/** All series; the same on every call. */
export function testSeries(): TestSeries[] {
  return [
    series("daily equity", { bars: 900 }),
    market("hourly equity across a clock change, bars missing", "1h", "us_equity", 600, 2, { missing: 0.04 }),
    market("15-minute equity with half days", "15m", "us_equity", 720, 3, { halfDays: true }),
    market("5-minute equity", "5m", "us_equity", 600, 4),
    market("1-minute equity, bars missing", "1m", "us_equity", 600, 27, { sigma: 0.0008, missing: 0.1 }),
    market("daily crypto", "1d", "crypto", 500, 6, { tick: 0, sigma: 0.04 }),
    market("hourly crypto", "1h", "crypto", 600, 7, { tick: 0, change: volume((_i, _random, v) => v / 7) }),
    series("no bar", { bars: 0 }),
    series("one bar", { bars: 1 }),
    series("two bars", { bars: 2 }),
    series("thirty bars", { bars: 30, seed: 8 }),
    series("flat from first to last", { bars: 300, change: (bar) => Object.assign(flatten(bar, 50), { volume: 10 }) }),
    series("flat at a price binary fractions cannot hold", { bars: 300, change: (bar) => flatten(bar, 0.1 + 0.2) }),
    series("flat at the start", { seed: 9, change: still((i) => i < 90) }),
    series("flat stretches", { seed: 10, change: still((i) => inStretch(i, 150, 12)) }),
    series("long flat stretches", { bars: 700, seed: 11, change: still((i) => inStretch(i, 350, 280)) }),
    series("never a trade", { bars: 300, seed: 12, change: volume(() => 0) }),
    series("stretches without a trade", {
      seed: 13,
      change: volume((i, _random, v) => (inStretch(i, 120, 50) ? 0 : v)),
    }),
    series("single trades between empty bars", { seed: 14, change: volume((i, _random, v) => (i % 5 === 0 ? v : 0)) }),
    series("price 1e-9", { seed: 15, price: 1e-9, tick: 0 }),
    series("price 1e9", { seed: 16, price: 1e9, tick: 0 }),
    series("huge jumps up and down", { bars: 600, seed: 17, change: jumps }),
    series("one price a bar", { seed: 18, change: (bar) => flatten(bar, bar.close) }),
    series("coarse ticks: ties everywhere", { bars: 600, seed: 19, price: 30, tick: 1, sigma: 0.02 }),
    series("few volumes, often repeated", { seed: 20, change: volume((_i, random) => 100 * Math.floor(4 * random())) }),
    series("the same volume always", { seed: 21, change: volume(() => 12_345) }),
    series("only up", { seed: 22, tick: 0, change: oneWay(1) }),
    series("only down", { seed: 23, tick: 0, change: oneWay(-1) }),
  ];
}

/** Series long enough for 20 sessions at the short intervals: only the features of the family `time` need that many bars. */
export function longSeries(): TestSeries[] {
  return [
    market("5-minute equity, 24 sessions with half days", "5m", "us_equity", 1850, 24, { halfDays: true }),
    market("1-minute equity, 22 sessions across a clock change", "1m", "us_equity", 8500, 25),
    market("15-minute crypto, 22 days", "15m", "crypto", 2100, 26),
  ];
}
