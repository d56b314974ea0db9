/**
 * Runs a plan over a block of bars. A pass needs only the bars of its span, a margin of bars before them and the
 * carried state of the recursions; a long series, an update and a matrix are sequences of such passes.
 */

import type { BarColumns } from "../domain/market/bars.ts";
import { type FeatureSetup, LEAVES, type Series } from "./define.ts";
import type { ComputePlan } from "./plan.ts";

/** What one recursion carries between passes. */
interface Recursion {
  readonly state: Float64Array;
  /** Its last values, for the windows that read them. */
  readonly kept: Float64Array;
}

/** What all recursions of a plan carry after `count` bars. */
export interface Carry {
  count: number;
  /** 0-based index of the last of these bars whose volume is unknown; −1 if none is or the plan reads no volume. */
  lastUnknownVolume: number;
  readonly recursions: ReadonlyMap<Series, Recursion>;
  /** The numbers of all recursions in the plan's order: of each its state, then its kept values. */
  readonly numbers: Float64Array;
}

/** How many numbers the recursions of a plan carry. */
export function carriedNumbers(plan: ComputePlan, setup: FeatureSetup): number {
  let count = 0;
  for (const [series, back] of plan.stateful) count += series.stateSize(setup) + back;
  return count;
}

/** The carry after `count` bars whose recursions have these `numbers`, of which they are parts from now on. */
export function carryOf(
  plan: ComputePlan,
  setup: FeatureSetup,
  numbers: Float64Array,
  count: number,
  lastUnknownVolume: number,
): Carry {
  const recursions = new Map<Series, Recursion>();
  let at = 0;
  for (const [series, back] of plan.stateful) {
    const end = at + series.stateSize(setup);
    recursions.set(series, { state: numbers.subarray(at, end), kept: numbers.subarray(end, end + back) });
    at = end + back;
  }
  return { count, lastUnknownVolume, recursions, numbers };
}

/** The carry before the first bar. */
export function emptyCarry(plan: ComputePlan, setup: FeatureSetup): Carry {
  const carry = carryOf(plan, setup, new Float64Array(carriedNumbers(plan, setup)), 0, -1);
  for (const { kept } of carry.recursions.values()) kept.fill(Number.NaN);
  return carry;
}

/** The bars of a pass: `bars` starts at the absolute index `base`, the span at position `from`. */
interface Span {
  readonly bars: BarColumns;
  readonly base: number;
  readonly from: number;
}

/** Receives a target's finished column; only positions from `from` to the end of the block are valid. */
type Emit = (target: number, column: Float64Array) => void;

const NONE = new Float64Array(0);
const VOLUME = LEAVES.indexOf("volume");

/** Scratch columns, grown to the longest block and reused from pass to pass. */
export class Scratch {
  readonly #columns: Float64Array[] = [];
  readonly #shared: Float64Array[] = [];
  #least = 0;

  /** Gives new columns at least this many bars, for a longer pass that comes later. */
  reserve(bars: number): void {
    this.#least = bars;
  }

  /** The columns of one pass over the bars: their own, those of the targets, and scratch for the others. */
  columns(
    bars: BarColumns,
    unknownVolume: boolean,
    { widths, ownColumns }: ComputePlan,
    own: readonly (Float64Array | undefined)[],
  ): Float64Array[] {
    const length = bars.ts.length;
    const columns = this.#columns;
    LEAVES.forEach((field, index) => {
      if (field === "volume_or_nan") columns[index] = bars.volume;
      else columns[index] = field === "volume" && unknownVolume ? withoutUnknown(bars.volume) : bars[field];
    });
    for (let index = LEAVES.length; index < widths.length; index++) {
      columns[index] =
        own[ownColumns.indexOf(index)] ?? this.#sized(index, widths[index]! * length, widths[index]! * this.#least);
    }
    return columns;
  }

  #sized(index: number, size: number, least: number): Float64Array {
    const known = this.#shared[index];
    if (known && known.length >= size) return known;
    const column = new Float64Array(Math.max(size, least));
    this.#shared[index] = column;
    return column;
  }

  /** Lets go of the bars of the last pass. */
  release(): void {
    for (let index = 0; index < LEAVES.length; index++) this.#columns[index] = NONE;
  }
}

const NOTHING_OWN: readonly Float64Array[] = [];

/**
 * Computes the plan over one block, yields after every target and advances `carry` to the end of the block; its last
 * unknown volume already before the first target. `bars` must hold `plan.margin` bars before `from`, or all there are. `own` gives a column, at least as long as the bars, to each target of
 * `plan.ownColumns`: its values are written there, those before `from` again with the same bits.
 */
export function* runPlan(
  plan: ComputePlan,
  span: Span,
  carry: Carry,
  setup: FeatureSetup,
  scratch: Scratch,
  emit: Emit,
  own: readonly (Float64Array | undefined)[] = NOTHING_OWN,
): Generator<number, void> {
  const { bars } = span;
  const base = asInt(span.base);
  const from = asInt(span.from);
  const to = bars.ts.length;
  // Those before the span have been in a pass.
  const inMargin = carry.lastUnknownVolume >= base;
  // A state that takes what is unknown as 0 tells nothing of it.
  const witness = inMargin ? null : witnessOf(plan);
  const inSpan = plan.readsVolume && witness === null && hasUnknown(bars.volume, from);
  if (inSpan) carry.lastUnknownVolume = base + lastUnknown(bars.volume);
  const columns = scratch.columns(bars, inSpan || inMargin, plan, own);
  for (const step of plan.steps) {
    const out = columns[step.column]!;
    if ("emit" in step) {
      emit(step.emit, out);
      yield step.emit;
      continue;
    }
    const { series, back, inputs } = step;
    const first = asInt(series.warmup - base);
    const origin = asInt(step.origin - base);
    if (series.stateful) {
      const { state, kept } = carry.recursions.get(series)!;
      restore(kept, out, from);
      const before = series === witness ? state.slice() : null;
      call(series, out, { from, to, origin, first, state, setup }, columns, inputs);
      if (before !== null && state.includes(Number.NaN) && hasUnknown(bars.volume, from)) {
        carry.lastUnknownVolume = base + lastUnknown(bars.volume);
        columns[VOLUME] = withoutUnknown(bars.volume);
        state.set(before);
        call(series, out, { from, to, origin, first, state, setup }, columns, inputs);
      }
      if (first > from) out.fill(Number.NaN, from, Math.min(first, to));
      save(kept, out, to);
    } else {
      const start = asInt(Math.max(0, from - back));
      const defined = asInt(clamp(first, start, to));
      if (defined > start) out.fill(Number.NaN, start * series.width, defined * series.width);
      if (defined < to) {
        call(series, out, { from: defined, to, origin, first, state: NONE, setup }, columns, inputs);
      }
    }
  }
  carry.count = base + to;
}

/**
 * The same number as a 32-bit integer. One that was divided, or read from a stored state, stays a double in JavaScriptCore
 * though it is whole, and a kernel compiled for such positions counts in doubles, which is slower (docs/performance.md).
 */
export const asInt = (value: number): number => value | 0;

/** The node whose state tells whether a volume is unknown; it comes first. */
function witnessOf({ steps: [first] }: ComputePlan): Series | null {
  return first !== undefined && "series" in first && first.series.showsUnknown ? first.series : null;
}

/** Computes a node. Spreading a list of arguments costs as much as a short computation. */
function call(
  { compute }: Series,
  out: Float64Array,
  span: Parameters<Series["compute"]>[1],
  columns: readonly Float64Array[],
  inputs: readonly number[],
): void {
  switch (inputs.length) {
    case 1:
      compute(out, span, columns[inputs[0]!]!);
      break;
    case 2:
      compute(out, span, columns[inputs[0]!]!, columns[inputs[1]!]!);
      break;
    case 3:
      compute(out, span, columns[inputs[0]!]!, columns[inputs[1]!]!, columns[inputs[2]!]!);
      break;
    case 4:
      compute(out, span, columns[inputs[0]!]!, columns[inputs[1]!]!, columns[inputs[2]!]!, columns[inputs[3]!]!);
      break;
    default:
      compute(out, span, ...inputs.map((input) => columns[input]!));
  }
}

/**
 * Whether a volume from position `from` on is NaN. A sum is, if one of its terms is: eight sums side by side take less
 * than a search.
 */
function hasUnknown(volume: Float64Array, from: number): boolean {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let e = 0;
  let f = 0;
  let g = 0;
  let h = 0;
  const whole = volume.length - ((volume.length - from) % 8);
  for (let t = from; t < whole; t += 8) {
    a += volume[t]!;
    b += volume[t + 1]!;
    c += volume[t + 2]!;
    d += volume[t + 3]!;
    e += volume[t + 4]!;
    f += volume[t + 5]!;
    g += volume[t + 6]!;
    h += volume[t + 7]!;
  }
  for (let t = whole; t < volume.length; t++) a += volume[t]!;
  return Number.isNaN(a + b + c + d + (e + f + g + h)) && volume.includes(Number.NaN, from);
}

const lastUnknown = (volume: Float64Array): number => volume.findLastIndex(Number.isNaN);

/** Unknown volumes as 0, so that they do not spread through sums; what depends on them is not published. */
const withoutUnknown = (volume: Float64Array): Float64Array => volume.map((value) => (Number.isNaN(value) ? 0 : value));

const clamp = (value: number, least: number, most: number) => (value < least ? least : Math.min(value, most));

/** Writes the kept values before position `from`, without those before the first bar. Views cost more than few values. */
function restore(kept: Float64Array, out: Float64Array, from: number): void {
  const count = Math.min(kept.length, from);
  const first = kept.length - count;
  for (let i = 0; i < count; i++) out[from - count + i] = kept[first + i]!;
}

/** Saves the last values before position `to`. */
function save(kept: Float64Array, out: Float64Array, to: number): void {
  const count = Math.min(kept.length, to);
  const first = kept.length - count;
  for (let i = 0; i < count; i++) kept[first + i] = out[to - count + i]!;
}
