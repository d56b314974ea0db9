/**
 * The demo's intraday bars: a day is split into bars of 60, 15, 5 and 1 minutes. Each split keeps the parent's open,
 * high, low, close and volume, so all intervals agree.
 */

import { type BarColumns, emptyBars, sliceBars } from "../../domain/market/bars.ts";
import { barStarts } from "../../domain/market/calendar.ts";
import { INTERVAL_SECONDS, type Interval } from "../../domain/market/interval.ts";
import type { DemoDay, DemoTraits } from "./price-path.ts";
import { bits, square, uniform } from "./seeded-random.ts";

/** The lengths into which a day is split, in minutes. */
const LENGTHS = [60, 15, 5, 1];
const MINUTE = LENGTHS.length - 1;
/** Most children of one split: the 24 hours of a day. */
const MOST = 24;

/** The bars of `days` at `interval`, prices in currency. */
export function demoBars(traits: DemoTraits, days: readonly DemoDay[], interval: Interval): BarColumns {
  const capacity = days.reduce((sum, day) => sum + barStarts(day.session, interval).length, 0);
  const writer = new BarWriter(traits, capacity);
  if (interval === "1d") {
    for (const day of days) writer.write(day.session.date, day.open, day.high, day.low, day.close, day.volume);
    return writer.finish();
  }
  const splitter = new Splitter(traits, LENGTHS.indexOf(INTERVAL_SECONDS[interval] / 60), writer);
  for (const day of days) splitter.splitDay(day);
  return writer.finish();
}

class BarWriter {
  readonly #bars: BarColumns;
  readonly #scale: number;
  readonly #volumeScale: number;
  #length = 0;

  constructor(traits: DemoTraits, capacity: number) {
    this.#bars = emptyBars(capacity);
    this.#scale = traits.scale;
    this.#volumeScale = traits.volumeScale;
  }

  write(ts: number, open: number, high: number, low: number, close: number, volume: number): void {
    const at = this.#length++;
    this.#bars.ts[at] = ts;
    this.#bars.open[at] = open / this.#scale;
    this.#bars.high[at] = high / this.#scale;
    this.#bars.low[at] = low / this.#scale;
    this.#bars.close[at] = close / this.#scale;
    this.#bars.volume[at] = volume / this.#volumeScale;
  }

  finish(): BarColumns {
    return sliceBars(this.#bars, 0, this.#length);
  }
}

/** Buffers of one level of splitting, reused so that no bar allocates. */
interface Level {
  /** Prices at the children's borders, in ticks. */
  readonly border: Float64Array;
  /** Share of the parent's volume up to each border, not yet divided by the total. */
  readonly weight: Float64Array;
}

class Splitter {
  readonly #levels: Level[] = LENGTHS.map(() => ({
    border: new Float64Array(MOST + 1),
    weight: new Float64Array(MOST + 1),
  }));
  #open = 0;
  #half = 0;
  #continuous: boolean;
  #day = 0;

  constructor(
    readonly traits: DemoTraits,
    /** The level whose bars are written. */
    readonly target: number,
    readonly writer: BarWriter,
  ) {
    this.#continuous = traits.market === "crypto";
  }

  splitDay(day: DemoDay): void {
    const minutes = (day.session.close - day.session.open) / 60;
    this.#open = day.session.open;
    this.#half = minutes / 2;
    this.#day = day.session.date / 86_400;
    this.#split(0, 0, minutes, day.open, day.high, day.low, day.close, day.volume);
  }

  /** Relative volume of a minute of the session: U-shaped from open to close, constant in continuous markets. */
  #activity(minute: number): number {
    if (this.#continuous) return 1;
    const fromNoon = (minute - this.#half) / this.#half;
    return 0.6 + 1.6 * fromNoon * fromNoon + (minute < 10 ? 1.2 : 0);
  }

  /** Splits the bar of `minutes` from minute `start` of the session into the bars of `level`. */
  #split(level: number, start: number, minutes: number, o: number, h: number, l: number, c: number, v: number): void {
    const { seed } = this.traits;
    const length = LENGTHS[level]!;
    const count = Math.ceil(minutes / length);
    const { border, weight } = this.#levels[level]!;
    const place = Math.imul(this.#day, 8192) + start * 4 + level;
    const random = bits(seed, place, 30);

    // Which child has the high and which the low; on most rising days the low comes first.
    let top = random % count;
    let bottom = (top + 1 + ((random >>> 8) % Math.max(1, count - 1))) % count;
    if (top !== bottom && bottom > top === c >= o && (random >>> 16) % 4 !== 0) [top, bottom] = [bottom, top];

    const emptyMinute = level === MINUTE && count === 5 ? this.#minuteWithoutTrade(place, top, bottom, v) : -1;

    // The path passes through both extremes, with some noise in between.
    const range = h - l;
    border[0] = o;
    weight[0] = 0;
    for (let index = 1; index <= count; index++) {
      const noise = range * 0.35 * (uniform(seed, place, 40 + index) - 0.5);
      const price = pathPrice(index, count, top + 0.5, bottom + 0.5, o, h, l, c) + noise;
      border[index] = index === count ? c : Math.round(reflect(price, l, h));
      const middle = start + (index - 0.5) * length;
      const share = this.#activity(middle) * (0.65 + 0.7 * uniform(seed, place, 70 + index));
      weight[index] =
        weight[index - 1]! + (index - 1 === emptyMinute ? 0 : share * Math.min(length, minutes - (index - 1) * length));
    }
    if (emptyMinute >= 0) border[emptyMinute + 1] = border[emptyMinute]!;

    // Whole units; the last border has the total.
    const total = weight[count]!;
    const volumeUpTo = (index: number) => (index === count ? v : Math.floor((v * weight[index]!) / total));
    for (let index = 0; index < count; index++) {
      if (index === emptyMinute) continue;
      const open = border[index]!;
      const close = border[index + 1]!;
      const upper = Math.max(open, close);
      const lower = Math.min(open, close);
      const high =
        index === top ? h : upper + Math.round(0.5 * (h - upper) * square(uniform(seed, place, 100 + index)));
      const low =
        index === bottom ? l : lower - Math.round(0.5 * (lower - l) * square(uniform(seed, place, 130 + index)));
      const volume = volumeUpTo(index + 1) - volumeUpTo(index);
      const from = start + index * length;
      if (level === this.target) this.writer.write(this.#open + from * 60, open, high, low, close, volume);
      else this.#split(level + 1, from, Math.min(length, minutes - index * length), open, high, low, close, volume);
    }
  }

  /** The minute of five without a trade, or -1: never one with the high, the low, or the parent's open or close. */
  #minuteWithoutTrade(place: number, top: number, bottom: number, volume: number): number {
    if (volume >= 5 && uniform(this.traits.seed, place, 31) >= this.traits.noTradeProbability * 5) return -1;
    const minute = 1 + (bits(this.traits.seed, place, 32) % 3);
    return minute === top || minute === bottom ? -1 : minute;
  }
}

/** `price` reflected into [`low`, `high`]. */
function reflect(price: number, low: number, high: number): number {
  const inside = price > high ? high - (price - high) : price < low ? low + (low - price) : price;
  return Math.min(high, Math.max(low, inside));
}

/** The price at border `at` on the straight lines from open through the first and the second extreme to the close. */
function pathPrice(
  at: number,
  end: number,
  top: number,
  bottom: number,
  o: number,
  h: number,
  l: number,
  c: number,
): number {
  const topFirst = top < bottom;
  const firstAt = topFirst ? top : bottom;
  const first = topFirst ? h : l;
  const secondAt = topFirst ? bottom : top;
  const second = topFirst ? l : h;
  if (at <= firstAt) return o + ((first - o) * at) / firstAt;
  if (at >= secondAt) return second + ((c - second) * (at - secondAt)) / (end - secondAt);
  return first + ((second - first) * (at - firstAt)) / (secondAt - firstAt);
}
