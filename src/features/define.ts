/**
 * The functions that declare features. A feature is a `Series`: a node of a graph whose leaves are the bar
 * columns. Equal nodes are one node (they are interned by key), so an intermediate that many features need, such as
 * the log return, is computed once per pass.
 */

import { BAR_FIELDS } from "../domain/market/bars.ts";
import type { TradingYear } from "../domain/market/exchanges/exchanges.ts";
import type { ReadInterval } from "../domain/market/interval.ts";
import type { Market } from "../domain/market/symbol.ts";

/** What features depend on besides the bars. */
export interface FeatureSetup {
  readonly interval: ReadInterval;
  /** Decides the sessions: days of an exchange, or around the clock in UTC. */
  readonly market: Market;
  /** Days and hours of the venue, by which the bars of a year are counted; those of the market if not given. */
  readonly year?: TradingYear;
  /** The IANA name of the exchange's clock, by which its days begin; New York's if it is not given. */
  readonly zone?: string;
}

/** Where and with what a node computes. Positions index the columns of the pass. */
interface Span {
  /** First position to compute (inclusive). */
  readonly from: number;
  /** End of the positions to compute (exclusive). */
  readonly to: number;
  /** Position of the first defined value of the inputs; negative if it lies before the columns. */
  readonly origin: number;
  /** Position of the first defined value of this node. */
  readonly first: number;
  /** The node's own state, zero before the first bar; empty for a node without state. */
  readonly state: Float64Array;
  readonly setup: FeatureSetup;
}

/**
 * The columns that a pass begins with: those of the bars, with 0 for an unknown volume so that it does not spread
 * through sums, and the volume with NaN where it is unknown.
 */
export const LEAVES = [...BAR_FIELDS, "volume_or_nan"] as const;
type Leaf = (typeof LEAVES)[number];

type Columns<Inputs extends readonly Series[]> = { [Index in keyof Inputs]: Float64Array };
type Compute<Inputs extends readonly Series[]> = (out: Float64Array, span: Span, ...inputs: Columns<Inputs>) => void;

/** A series with one value per bar, NaN where undefined. */
export interface Series {
  readonly key: string;
  /** The bar column this leaf stands for; a computed node has none. */
  readonly field?: Leaf;
  readonly inputs: readonly Series[];
  /** 0-based bar index of the first value. */
  readonly warmup: number;
  /** Values of each input that are read before the first computed position. */
  readonly reach: readonly number[];
  /** Numbers of state carried from bar to bar. */
  readonly stateSize: (setup: FeatureSetup) => number;
  readonly stateful: boolean;
  /** Whether its state holds a NaN from the first unknown volume on, so that a pass need not search the volumes. */
  readonly showsUnknown: boolean;
  /** Values per bar: bar t has positions t·width to t·width + width − 1. More than 1 only for intermediates. */
  readonly width: number;
  readonly compute: Compute<readonly Series[]>;
}

interface Shape<Inputs extends readonly Series[]> {
  /** Bars from the first bar with all inputs defined to the first value (default 0). */
  readonly delay?: number;
  /** Values before `from` that are read of all inputs, or of each (default `delay`). */
  readonly reach?: number | readonly number[];
  /** Values per bar (default 1). */
  readonly width?: number;
  /** Fills `out` from `from` to `to`. */
  readonly compute: Compute<Inputs>;
}

const interned = new Map<string, Series>();

function intern(series: Series): Series {
  const known = interned.get(series.key);
  if (known) return known;
  interned.set(series.key, series);
  return series;
}

const warmupOf = (inputs: readonly Series[]) => Math.max(0, ...inputs.map((input) => input.warmup));

const reachOf = (inputs: readonly Series[], reach: number | readonly number[]): readonly number[] =>
  typeof reach === "number" ? inputs.map(() => reach) : reach;

/** A bar column as a series. */
export function bar(field: Leaf): Series {
  return intern({
    key: field,
    field,
    inputs: [],
    warmup: 0,
    reach: [],
    stateSize: () => 0,
    stateful: false,
    showsUnknown: false,
    width: 1,
    compute: () => {},
  });
}

/**
 * A series that depends only on the current and the last `reach` values of its inputs. `compute` is called with `from`
 * at or after the first bar on which it is defined. Its value for a bar must not depend on `from` (windows are cut into
 * blocks at fixed bar indices for this), so that an update equals a full pass bit by bit.
 */
export function windowed<const Inputs extends readonly Series[]>(
  name: string,
  inputs: Inputs,
  shape: Shape<Inputs>,
): Series {
  const delay = shape.delay ?? 0;
  return intern({
    key: `${name}(${inputs.map((input) => input.key).join(",")})`,
    inputs,
    warmup: warmupOf(inputs) + delay,
    reach: reachOf(inputs, shape.reach ?? delay),
    stateSize: () => 0,
    stateful: false,
    showsUnknown: false,
    width: shape.width ?? 1,
    compute: shape.compute as unknown as Series["compute"],
  });
}

interface RecursiveShape<Inputs extends readonly Series[]> extends Omit<Shape<Inputs>, "width"> {
  readonly state: number | ((setup: FeatureSetup) => number);
  /** Of bar columns alone: see `Series` (default false). */
  readonly showsUnknown?: boolean;
}

/**
 * A series that carries state from bar to bar. `compute` gets every bar exactly once, from the first bar of the series
 * on, in consecutive spans, or again with the state of before if a volume turned out to be unknown. The engine replaces
 * values before `first` by NaN.
 */
export function recursive<const Inputs extends readonly Series[]>(
  name: string,
  inputs: Inputs,
  shape: RecursiveShape<Inputs>,
): Series {
  const { state, showsUnknown = false } = shape;
  const delay = shape.delay ?? 0;
  return intern({
    key: `${name}(${inputs.map((input) => input.key).join(",")})`,
    inputs,
    warmup: warmupOf(inputs) + delay,
    reach: reachOf(inputs, shape.reach ?? 0),
    stateSize: typeof state === "number" ? () => state : state,
    stateful: true,
    showsUnknown,
    width: 1,
    compute: shape.compute as unknown as Series["compute"],
  });
}

/** The families, in the catalogue's order. */
export const FAMILIES = [
  "moving_average",
  "trend",
  "momentum",
  "volatility",
  "volume",
  "kbar",
  "rolling",
  "return",
  "distribution",
  "risk",
  "microstructure",
  "regime",
  "time",
] as const;
export type Family = (typeof FAMILIES)[number];

/** Which bars a value depends on. */
export type Memory =
  /** Only on the last `bars` bars. */
  | { readonly kind: "window"; readonly bars: number }
  /** On a carried state: a computation from a later start differs until the seed has decayed. */
  | { readonly kind: "recursive" }
  /** On all bars since the start of the series. */
  | { readonly kind: "cumulative" }
  /** On the bars of the session: the state starts again with each. */
  | { readonly kind: "session" };

export const windowOf = (bars: number): Memory => ({ kind: "window", bars });
export const RECURSIVE: Memory = { kind: "recursive" };
export const CUMULATIVE: Memory = { kind: "cumulative" };

/** 0-based bar index of the first value; at intraday intervals two features count sessions, not bars. */
export type Warmup = number | "second session" | "20 sessions";

/** One feature as its family declares it. */
export interface FeatureEntry {
  readonly name: string;
  readonly formula: string;
  /** The source of the formula, or the library whose values it reproduces. */
  readonly source: string;
  readonly warmup: Warmup;
  readonly memory: Memory;
  /** Unit or range, for people. */
  readonly unit: string;
  readonly series: Series;
}

/** A measure first defined on the last of `bars` bars; it depends only on them unless `memory` says otherwise. */
export function measure(
  name: string,
  formula: string,
  source: string,
  bars: number,
  unit: string,
  series: Series,
  memory: Memory = windowOf(bars),
): FeatureEntry {
  return { name, formula, source, warmup: bars - 1, memory, unit, series };
}
