/** What every family starts from: the columns as plain arrays, the derived series, and ways to walk along them. */

import type { BarColumns } from "../../../src/domain/market/bars.ts";
import { INTERVAL_SECONDS, type Interval } from "../../../src/domain/market/interval.ts";
import type { Market } from "../../../src/domain/market/symbol.ts";
import { ln, max, min } from "./notation.ts";

export interface Setup {
  readonly interval: Interval;
  readonly market: Market;
}

/** One value per bar; NaN where undefined. */
export type Series = number[];
export type Family = (bars: Bars) => Record<string, Series>;

/** Bars per year (the catalogue's A). */
const BARS_PER_YEAR: Record<Market, Record<Interval, number>> = {
  us_equity: { "1d": 252, "1h": 1638, "15m": 6552, "5m": 19656, "1m": 98280 },
  crypto: { "1d": 365, "1h": 8760, "15m": 35040, "5m": 105120, "1m": 525600 },
};

/** A value for each of n bars; before the bar `from` it is NaN. */
export function each(n: number, from: number, value: (t: number) => number): Series {
  const out: Series = new Array(n);
  for (let t = 0; t < n; t++) out[t] = t < from ? Number.NaN : value(t);
  return out;
}

/** The last n values at bar t. */
export const last = (x: Series, t: number, n: number): number[] => x.slice(t - n + 1, t + 1);

/** f of the last n values at every bar; NaN where the window is incomplete or holds a NaN. */
export function rolling(x: Series, n: number, f: (window: number[]) => number): Series {
  return each(x.length, n - 1, (t) => {
    const window = last(x, t, n);
    return window.includes(Number.NaN) ? Number.NaN : f(window);
  });
}

/** f of the last n pairs at every bar; NaN where either window is incomplete or holds a NaN. */
export function rolling2(x: Series, y: Series, n: number, f: (x: number[], y: number[]) => number): Series {
  return each(x.length, n - 1, (t) => {
    const [a, b] = [last(x, t, n), last(y, t, n)];
    return a.includes(Number.NaN) || b.includes(Number.NaN) ? Number.NaN : f(a, b);
  });
}

/** Elementwise f of series of the same length. */
export function map(f: (...values: number[]) => number, ...series: Series[]): Series {
  const [x, y] = series as [Series, Series?];
  // Without an array for the values of each bar, where most formulas have one or two.
  if (series.length === 1) return each(x.length, 0, (t) => f(x[t]!));
  if (series.length === 2) return each(x.length, 0, (t) => f(x[t]!, y![t]!));
  return each(x.length, 0, (t) => f(...series.map((one) => one[t]!)));
}

/** The value of k bars ago. */
export const lag = (x: Series, k: number): Series => each(x.length, k, (t) => x[t - k]!);

/** x − x[1]. */
export const delta = (x: Series): Series => each(x.length, 1, (t) => x[t]! - x[t - 1]!);

/** Bars and the series the catalogue's notation names. */
export interface Bars {
  readonly n: number;
  readonly ts: Series;
  readonly o: Series;
  readonly h: Series;
  readonly l: Series;
  readonly c: Series;
  readonly v: Series;
  readonly dc: Series;
  /** Log return r, simple return R, opening gap g. */
  readonly r: Series;
  readonly R: Series;
  readonly g: Series;
  readonly tp: Series;
  readonly mid: Series;
  readonly rng: Series;
  readonly tr: Series;
  readonly lnC: Series;
  /** ln(1 + v). */
  readonly lnV: Series;
  /** Bars per year. */
  readonly A: number;
  readonly seconds: number;
  readonly setup: Setup;
}

export function barsOf(columns: BarColumns, setup: Setup): Bars {
  const [ts, o, h, l, c, v] = [columns.ts, columns.open, columns.high, columns.low, columns.close, columns.volume].map(
    (column) => [...column],
  ) as [Series, Series, Series, Series, Series, Series];
  const n = c.length;
  return {
    ...{ n, ts, o, h, l, c, v, setup },
    dc: delta(c),
    // The difference of two near prices is exact; their quotient is not, and its logarithm shows that.
    r: each(n, 1, (t) => Math.log1p((c[t]! - c[t - 1]!) / c[t - 1]!)),
    R: each(n, 1, (t) => (c[t]! - c[t - 1]!) / c[t - 1]!),
    g: each(n, 1, (t) => ln(o[t]! / c[t - 1]!)),
    tp: map((a, b, d) => (a + b + d) / 3, h, l, c),
    mid: map((a, b) => (a + b) / 2, h, l),
    rng: map((a, b) => a - b, h, l),
    tr: each(n, 1, (t) => max([h[t]! - l[t]!, Math.abs(h[t]! - c[t - 1]!), Math.abs(l[t]! - c[t - 1]!)])),
    lnC: c.map(ln),
    lnV: v.map((x) => Math.log1p(x)),
    A: BARS_PER_YEAR[setup.market][setup.interval],
    seconds: INTERVAL_SECONDS[setup.interval],
  };
}

/** max_n(h) and min_n(l). */
export const highest = (x: Series, n: number): Series => rolling(x, n, max);
export const lowest = (x: Series, n: number): Series => rolling(x, n, min);
