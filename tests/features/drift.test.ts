/** Values that have left a window do not affect it, and running sums stay exact. */

import { expect, setDefaultTimeout, test } from "bun:test";
import { type BarColumns, sliceBars } from "../../src/domain/market/bars.ts";
import { FEATURES, featureNamed } from "../../src/features/catalog.ts";
import type { FeatureSetup } from "../../src/features/define.ts";
import { featureBlocks } from "../../src/features/engine.ts";
import { plainHistory, runEngineer } from "./histories.ts";

// Longer than the default, for a busy machine.
setDefaultTimeout(60_000);

const MINUTES: FeatureSetup = { interval: "1m", market: "us_equity" };

/** A history whose first part has a million times the prices and volumes of the rest. */
function calmAfterExtremes(length: number): BarColumns {
  const bars = plainHistory(length, MINUTES, 5);
  const scaled = (column: Float64Array, by: number) =>
    column.map((value, index) => (index < length / 2 ? value * by : value));
  return {
    ts: bars.ts,
    open: scaled(bars.open, 1e6),
    high: scaled(bars.high, 1e6),
    low: scaled(bars.low, 1e6),
    close: scaled(bars.close, 1e6),
    volume: scaled(bars.volume, 1e6),
  };
}

test("a window forgets values that left it, however large they were", () => {
  const length = 30_000;
  const bars = calmAfterExtremes(length);
  const features = FEATURES.filter((feature) => feature.memory.kind === "window");
  const whole = [...featureBlocks([bars], MINUTES, features, { since: bars.ts[length - 1]! })].at(-1)!;
  const every = [...featureBlocks([bars], MINUTES, features)].at(-1)!;
  features.forEach((feature, index) => {
    const last = whole.columns[index]!.at(-1)!;
    expect([feature.name, every.columns[index]!.at(-1)]).toEqual([feature.name, last]);
    if (feature.memory.kind !== "window") return;
    const alone = sliceBars(bars, length - feature.memory.bars, length);
    const [block] = [...featureBlocks([alone], MINUTES, [feature])];
    const expected = block!.columns[0]!.at(-1)!;
    if (Number.isNaN(expected)) expect([feature.name, last]).toEqual([feature.name, Number.NaN]);
    else expect(Math.abs(last - expected)).toBeLessThanOrEqual(1e-9 * Math.abs(expected) + 1e-12);
  });
});

/** The sum without any rounding but the last: partial sums that do not overlap (Shewchuk 1997). */
function exactSum(values: Iterable<number>): number {
  const partials: number[] = [];
  for (let x of values) {
    let used = 0;
    for (let y of partials) {
      if (Math.abs(x) < Math.abs(y)) [x, y] = [y, x];
      const high = x + y;
      const low = y - (high - x);
      if (low !== 0) partials[used++] = low;
      x = high;
    }
    partials.length = used;
    partials.push(x);
  }
  return partials.reduceRight((sum, partial) => sum + partial, 0);
}

test("the cumulative lines are the exact sums of their terms after 300,000 bars", () => {
  const length = 300_000;
  const bars = plainHistory(length, MINUTES, 9);
  const { open, high, low, close } = bars;
  const volume = bars.volume.map((value) => value / 7);
  const terms = {
    obv: (t: number) => (t === 0 ? 1 : Math.sign(close[t]! - close[t - 1]!)) * volume[t]!,
    ad_line: (t: number) =>
      high[t]! > low[t]! ? ((close[t]! - low[t]! - (high[t]! - close[t]!)) / (high[t]! - low[t]!)) * volume[t]! : 0,
    pvt: (t: number) => (t === 0 ? 0 : (close[t]! / close[t - 1]! - 1) * volume[t]!),
  };
  const { values } = runEngineer({ ts: bars.ts, open, high, low, close, volume }, MINUTES);
  for (const [name, term] of Object.entries(terms)) {
    const exact = exactSum(Array.from({ length }, (_, t) => term(t)));
    const value = values[featureNamed(name)!.number - 1]!;
    expect(Math.abs(value - exact)).toBeLessThanOrEqual(1e-13 * Math.abs(exact));
  }
});
