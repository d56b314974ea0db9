/** Series whose denominators are zero in exact arithmetic, and the stated ranges. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type BarColumns, emptyBars } from "../../src/domain/market/bars.ts";
import { DAY } from "../../src/domain/market/interval.ts";
import { FEATURES } from "../../src/features/catalog.ts";
import { featureBlocks } from "../../src/features/engine.ts";
import { historyShapes, makeHistory } from "./histories.ts";

const SETUP = { interval: "1d", market: "crypto" } as const;

type Prices = readonly [open: number, high: number, low: number, close: number, volume?: number];

function barsOf(length: number, at: (i: number) => Prices): BarColumns {
  const bars = emptyBars(length);
  for (let i = 0; i < length; i++) {
    const [open, high, low, close, volume = 1_000 + ((i * 7_919) % 313)] = at(i);
    bars.ts[i] = (18_000 + i) * DAY;
    bars.open[i] = open;
    bars.high[i] = high;
    bars.low[i] = low;
    bars.close[i] = close;
    bars.volume[i] = volume;
  }
  return bars;
}

function valuesOf(bars: BarColumns, name: string): number[] {
  const feature = FEATURES.filter((each) => each.name === name);
  return [...featureBlocks([bars], SETUP, feature)].flatMap(({ columns }) => [...columns[0]!]);
}
const lastOf = (bars: BarColumns, name: string) => valuesOf(bars, name).at(-1)!;

/** Closes that bounce between two prices; each bar opens where the last one closed. */
const bouncing = (a: number, b: number) =>
  barsOf(500, (i) => {
    const [open, close] = i % 2 === 0 ? [a, b] : [b, a];
    return [open, Math.max(a, b), Math.min(a, b), close];
  });

describe.each([
  [10, 10.01],
  [0.0523, 0.0524],
  [117.35, 117.4],
  [10, 11],
  [60_000, 60_000.01],
])("prices that bounce between %d and %d", (a, b) => {
  test.each(["acf_abs_1_250", "leverage_corr_60", "volume_absret_corr_60"])(
    `%s is undefined on prices that bounce between ${a} and ${b}, as |r| is constant`,
    (name) => {
      const values = valuesOf(bouncing(a, b), name);
      expect(values.every(Number.isNaN)).toBe(true);
    },
  );
});

test("prices that grow by one percent a bar have no deviation: ratios to it are undefined, it is 0 itself", () => {
  const bars = barsOf(400, (i) => {
    const close = 100 * 1.01 ** i;
    return [close, close, close, close];
  });
  const undefinedOnes = ["sharpe_60", "skew_60", "kurt_60", "acf_1_60", "return_zscore_60", "ljung_box_10_120"];
  for (const name of [...undefinedOnes, "shannon_entropy_60", "bowley_skew_60"])
    expect([name, lastOf(bars, name)]).toEqual([name, Number.NaN]);
  expect(lastOf(bars, "outlier_ratio_120")).toBe(0);
});

test("edge_spread_60 weighs both of its means alike where neither varies", () => {
  // 50 digits: x1 = x2 = constant, s² = (e1 + e2)/2.
  const bars = barsOf(500, (i) => (i % 2 === 0 ? [10, 11, 10, 11] : [11, 11, 10, 10]));
  const values = valuesOf(bars, "edge_spread_60").slice(60);
  const spread = values[0]!;
  expect(spread).toBeGreaterThan(0.05);
  for (const value of values) expect(value).toBeCloseTo(spread, 12);
});

test("a SuperTrend that is down turns up when the close is above its upper band, even while the bands are crossed", () => {
  const bars = barsOf(60, (i) => {
    // A bad print far above the market lifts the lower band above the upper one, in the bar that closes above both.
    const close = 100 - 0.1 * Math.min(i, 29) + (i < 30 ? 0 : 0.6);
    return [close, i === 30 ? 645.57 : close + 0.05, close - 0.05, close];
  });
  const [line, side] = [valuesOf(bars, "supertrend_10_3"), valuesOf(bars, "supertrend_10_3_dir")];
  expect(side).toEqual(skenderSides(bars));
  expect([side[29], side[30], side[59], line[30]! < bars.close[30]!]).toEqual([-1, 1, 1, false]);
});

/** The side as Skender's Stock.Indicators decides it: the close against the band of the present side. */
function skenderSides({ high, low, close }: BarColumns): number[] {
  let [atr, upper, lower, up] = [0, Number.NaN, Number.NaN, true];
  return Array.from(close, (c, t) => {
    if (t === 0) return Number.NaN;
    const before = close[t - 1]!;
    const range = Math.max(high[t]! - low[t]!, Math.abs(high[t]! - before), Math.abs(low[t]! - before));
    atr = t <= 10 ? atr + range / 10 : (atr * 9 + range) / 10;
    if (t < 10) return Number.NaN;
    const middle = (high[t]! + low[t]!) / 2;
    const [above, below] = [middle + 3 * atr, middle - 3 * atr];
    if (t === 10) [upper, lower] = [above, below];
    else {
      if (above < upper || before > upper) upper = above;
      if (below > lower || before < lower) lower = below;
      up = c > (up ? lower : upper) || (up && c === lower);
    }
    return up ? 1 : -1;
  });
}

/** The numbers in units like `−100..0` and `0..1, higher is …`. */
const RANGED = FEATURES.flatMap(({ name, unit }) => {
  const parts = /^(−?\d+)\.\.(\d+)/.exec(unit);
  return parts ? [{ name, low: Number(parts[1]!.replace("−", "-")), high: Number(parts[2]) }] : [];
});

test("property: no feature leaves the range that the catalogue states", () => {
  expect(RANGED.length).toBeGreaterThan(40);
  fc.assert(
    fc.property(historyShapes(300, 500), (shape) => {
      const bars = makeHistory(shape, SETUP);
      for (const { name, low, high } of RANGED) {
        const outside = valuesOf(bars, name).filter((value) => value < low || value > high);
        expect([name, outside]).toEqual([name, []]);
      }
    }),
    {
      numRuns: 8,
      // Left tsi_25_13 at -100.00000000000001.
      examples: [[{ seed: 4, length: 332, gaps: 0.3, flat: 0.6, quiet: 0, tick: 0, price: 1e-9 }]],
    },
  );
});
