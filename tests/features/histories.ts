/** Histories for the feature tests: random walks with all the irregularities of real bars. */

import fc from "fast-check";
import { type BarColumns, emptyBars } from "../../src/domain/market/bars.ts";
import { barStarts, createCalendar } from "../../src/domain/market/calendar.ts";
import { DAY, type Interval } from "../../src/domain/market/interval.ts";
import type { FeatureSetup } from "../../src/features/define.ts";
import { type Engineered, engineer, type Resume } from "../../src/features/engine.ts";

/** The parameters of a history; everything else follows from the seed. */
export interface HistoryShape {
  readonly seed: number;
  readonly length: number;
  /** Share of bars that are left out. */
  readonly gaps: number;
  /** Share of bars that repeat the last close on all four prices. */
  readonly flat: number;
  /** Share of bars without volume. */
  readonly quiet: number;
  /** Price steps are multiples of this part of the price (0: any price), so that equal closes happen. */
  readonly tick: number;
  readonly price: number;
}

const calendar = createCalendar();
const START = Date.UTC(2023, 9, 2) / 1000;

/** The same numbers on any machine (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Bar starts in real sessions, `gaps` of them left out. */
function stamps({ interval, market }: FeatureSetup, length: number, gaps: number, random: () => number): Float64Array {
  const found = new Float64Array(length);
  let count = 0;
  for (let day = START; count < length; day += 30 * DAY) {
    for (const session of calendar.sessionsBetween(market, day, day + 30 * DAY)) {
      for (const ts of barStarts(session, interval)) {
        if (count < length && random() >= gaps) found[count++] = ts;
      }
    }
  }
  return found;
}

/** Bars of that shape. */
export function makeHistory(shape: HistoryShape, setup: FeatureSetup): BarColumns {
  const random = randomFrom(shape.seed);
  const bars = { ...emptyBars(shape.length), ts: stamps(setup, shape.length, shape.gaps, random) };
  const onTick = (price: number) => {
    const tick = shape.tick * shape.price;
    return tick > 0 ? Math.max(1, Math.round(price / tick)) * tick : price;
  };
  let close = shape.price;
  let calm = 0;
  for (let i = 0; i < shape.length; i++) {
    if (calm === 0 && random() < shape.flat / 20) calm = 1 + Math.floor(random() * 40);
    const still = calm > 0;
    if (still) calm--;
    const wide = 0.01 * (1 + 4 * Math.abs(Math.sin(i / 37)));
    const open = still ? close : onTick(close * (1 + (random() - 0.5) * wide * 0.3));
    const next = still ? close : onTick(open * (1 + (random() - 0.5) * wide));
    bars.open[i] = open;
    bars.close[i] = next;
    bars.high[i] = still ? close : onTick(Math.max(open, next) * (1 + random() * wide * 0.4));
    bars.low[i] = still ? close : Math.min(open, next, onTick(Math.min(open, next) * (1 - random() * wide * 0.4)));
    bars.high[i] = Math.max(bars.high[i]!, open, next);
    bars.volume[i] = random() < shape.quiet ? 0 : Math.floor(random() ** 3 * 1e6);
    close = next;
  }
  return bars;
}

/** A plain history: no gaps, nothing flat. */
export function plainHistory(length: number, setup: FeatureSetup, seed = 7): BarColumns {
  return makeHistory({ seed, length, gaps: 0, flat: 0, quiet: 0, tick: 0, price: 100 }, setup);
}

/** Random shapes up to `maxLength` bars. */
export function historyShapes(minLength: number, maxLength: number): fc.Arbitrary<HistoryShape> {
  return fc.record({
    seed: fc.integer(),
    length: fc.integer({ min: minLength, max: maxLength }),
    gaps: fc.constantFrom(0, 0.02, 0.3),
    flat: fc.constantFrom(0, 0.1, 0.6),
    quiet: fc.constantFrom(0, 0.05, 0.7),
    tick: fc.constantFrom(0, 0.0005, 0.01),
    price: fc.constantFrom(1e-9, 0.37, 100, 41_000, 1e9),
  });
}

export const setups: readonly FeatureSetup[] = (["1m", "5m", "15m", "1h", "1d"] as const).flatMap(
  (interval: Interval) => [
    { interval, market: "us_equity" as const },
    { interval, market: "crypto" as const },
  ],
);

/** Runs a profile computation to its end. */
export function runEngineer(bars: BarColumns, setup: FeatureSetup, resume?: Resume, tail?: number): Engineered {
  const steps = engineer(bars, setup, resume, tail);
  let step = steps.next();
  while (!step.done) step = steps.next();
  return step.value;
}

/** The first position at which two columns differ (a NaN equals a NaN), or −1. */
export function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (!Object.is(a[i], b[i])) return i;
  return -1;
}
