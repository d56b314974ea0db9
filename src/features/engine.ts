/**
 * Computes features from bars: the profile of a symbol (its last values, with the state from which the next update
 * continues) and the matrix (every value, block by block). Both are passes of the same nodes over blocks of bars, so a
 * full pass, an update and the matrix agree bit by bit.
 */

import { type BarColumns, emptyBars, joinBars, lowerBound, sliceBars } from "../domain/market/bars.ts";
import { FEATURES, type Feature } from "./catalog.ts";
import type { Family, FeatureSetup, Series } from "./define.ts";
import { asInt, emptyCarry, runPlan, Scratch } from "./pass.ts";
import { blockLength, type ComputePlan, planOf } from "./plan.ts";
import { type ResumePoint, readState, releaseCarry, type StateRefusal, writeState } from "./state.ts";
import { CATALOG_VERSION } from "./version.ts";

/** Last values of each feature that a profile keeps (sparkline). */
export const TAIL = 100;
/** The plans of the profile: all features, and their state alone. */
const PROFILE = planOf(FEATURES.map((feature) => feature.series));
const ADVANCE = planOf(
  FEATURES.map((feature) => feature.series),
  { emit: false },
);
/** Bars of a long history between two reports of progress. */
const BLOCK = 4096;
/** Bars of the first block of a matrix whose columns are used again; each further one is twice as long. */
const FIRST_BLOCK = 1024;

/**
 * Stored bars that an update must pass before the new ones. The state is taken `TAIL` bars before the end, so a later
 * fetch may correct the last bars without a full pass.
 */
export const LOOKBACK_BARS = PROFILE.margin + TAIL;

/** The progress of computing a profile. */
export interface EngineerProgress {
  /**
   * Progress in features: for a long history the share that has been read, for a short one the features whose values
   * are known. Never falls; ends at the number of features.
   */
  readonly done: number;
  /** The family of the next feature, or null after the last. */
  readonly next: Family | null;
}

export interface Engineered {
  /** The value of every feature at the last bar, in catalogue order; NaN where undefined, never infinite. */
  readonly values: Float64Array;
  /** The last values of every feature that were asked for (or all there are), oldest first. */
  readonly tails: readonly Float64Array[];
  /** What the next update continues from (state.ts). */
  readonly state: Uint8Array;
  /** Bars since the start of the series. */
  readonly barCount: number;
}

/** A stored state that fits the bars of an update. */
export type Resume = ResumePoint;

/**
 * Reads a stored state for an update. `bars` are the last `LOOKBACK_BARS` stored bars (or all) and the new ones.
 * Returns what `engineer` needs, or why a full pass is required.
 */
export function resumeFrom(
  state: Uint8Array,
  bars: BarColumns,
  setup: FeatureSetup,
): Resume | { readonly refused: StateRefusal } {
  return readState(state, CATALOG_VERSION, PROFILE, setup, bars);
}

/** Columns of profiles that were computed, for the next ones: allocating them takes longer than a short update. */
const idle: Scratch[] = [];

/**
 * Computes the profile of all features at the last of `bars`. Without `resume`, `bars` is the whole series; with it,
 * the bars it was read with. Yields after every block of bars and after every feature, so that the caller can report
 * progress or stop.
 * @param tail how many of the last values of every feature are wanted beside the newest, at most `TAIL`; 0: no tails
 */
export function* engineer(
  bars: BarColumns,
  setup: FeatureSetup,
  resume?: Resume,
  tail = TAIL,
): Generator<EngineerProgress, Engineered> {
  const length = bars.ts.length;
  const carry = resume?.carry ?? emptyCarry(PROFILE, setup);
  const start = resume?.next ?? 0;
  const offset = carry.count - start;
  const cut = Math.max(start, length - TAIL);
  const scratch = idle.pop() ?? new Scratch();
  let read = 0;
  for (let from = start; from < cut; from += BLOCK) {
    const to = Math.min(cut, from + BLOCK);
    drain(runPlan(ADVANCE, spanOf(bars, PROFILE, offset, from, to), carry, setup, scratch, ignore));
    // All features advance together through a long history, so progress counts blocks; the last bars count features.
    if (length - start > BLOCK) read = Math.floor((FEATURES.length * (to - start)) / (length - start));
    yield { done: read, next: FEATURES[0]!.family };
  }
  const firstTs = resume?.firstTs ?? bars.ts[0] ?? Number.NaN;
  const state = writeState(CATALOG_VERSION, PROFILE, setup, carry, bars, cut, firstTs);

  // Most features are windows, which need not be computed for bars whose values nobody wants.
  const shown = Math.max(cut, length - Math.max(1, tail));
  const lastUnknown = carry.lastUnknownVolume;
  let gaps: Float64Array | null = null;
  if (shown > cut) drain(runPlan(ADVANCE, spanOf(bars, PROFILE, offset, cut, shown), carry, setup, scratch, ignore));
  const span = spanOf(bars, PROFILE, offset, shown, length);
  const values = new Float64Array(FEATURES.length).fill(Number.NaN);
  const tails: Float64Array[] = [];
  const publish = (index: number, column: Float64Array) => {
    if (carry.lastUnknownVolume >= 0) {
      gaps ??= volumeGaps(spanOf(bars, PROFILE, offset, cut, length), lastUnknown).subarray(shown - cut);
    }
    const feature = FEATURES[index]!;
    if (tail === 0 && length > shown) {
      values[index] = publishedLast(feature, column, span, gaps);
      return;
    }
    const last = published(feature, column, span, gaps, new Float64Array(length - shown));
    tails[index] = last;
    if (last.length > 0) values[index] = last[last.length - 1]!;
  };
  for (const index of runPlan(PROFILE, span, carry, setup, scratch, publish)) {
    yield { done: Math.max(read, index + 1), next: FEATURES[index + 1]?.family ?? null };
  }
  scratch.release();
  idle.push(scratch);
  releaseCarry(carry);
  return { values, tails, state, barCount: offset + length };
}

/** Rows of the feature matrix. */
export interface FeatureBlock {
  readonly ts: Float64Array;
  /** One column per requested feature, in that order; NaN where undefined. */
  readonly columns: readonly Float64Array[];
}

interface MatrixOptions {
  /** Earlier rows (epoch seconds) are left out, and computed only as far as later ones need them. */
  readonly since?: number;
  /** The most rows of a block. */
  readonly blockSize?: number;
  /** Whether the columns of a block are valid only until the next one is asked for, which saves their memory. */
  readonly reuse?: boolean;
  /** Called after every feature of a block; what it throws ends the work. */
  readonly onStep?: () => void;
}

/**
 * The feature matrix in blocks, in constant memory: the returned function takes the bars of the series from its start, in
 * order and in chunks of any size, and yields the blocks that each chunk completes.
 */
export function featureMatrix(
  setup: FeatureSetup,
  features: readonly Feature[],
  { since = Number.NEGATIVE_INFINITY, blockSize, reuse = false, onStep = ignore }: MatrixOptions = {},
): (chunk: BarColumns) => Generator<FeatureBlock, void> {
  const { plan, advance } = matrixPlans(features);
  const length = blockSize ?? blockLength(plan);
  // Short blocks first: every kernel asks for compiled code early, and the compilers work beside the pass.
  let block = reuse ? Math.min(FIRST_BLOCK, length) : length;
  const carry = emptyCarry(plan, setup);
  const scratch = new Scratch();
  let history = emptyBars();
  let own: (Float64Array | undefined)[] = [];
  let copies: (Float64Array | undefined)[] = [];
  return function* take(chunk) {
    const bars = joinBars(history, chunk);
    // Columns that are used again get the size of the longest block at once.
    const longest = reuse ? Math.min(plan.margin + length, bars.ts.length) : 0;
    scratch.reserve(longest);
    const offset = carry.count - history.ts.length;
    const wanted = Math.max(history.ts.length, lowerBound(bars.ts, since));
    for (let from = history.ts.length; from < bars.ts.length; ) {
      const visible = from >= wanted;
      const to = Math.min(from + block, visible ? bars.ts.length : wanted);
      const span = spanOf(bars, plan, offset, from, to);
      if (visible) {
        const columns: Float64Array[] = [];
        const last = carry.lastUnknownVolume;
        let gaps: Float64Array | null = null;
        const rows = span.bars.ts.length;
        const sized = (known: Float64Array | undefined, size: number) =>
          reuse && known && known.length >= size ? known : new Float64Array(Math.max(size, longest));
        own = plan.ownColumns.map((at, index) => (at < 0 ? undefined : sized(own[index], rows)));
        copies = plan.ownColumns.map((at, index) => (at < 0 ? sized(copies[index], to - from) : undefined));
        const publish = (index: number, column: Float64Array) => {
          if (plan.readsVolume && carry.lastUnknownVolume >= 0) gaps ??= volumeGaps(span, last);
          const mine = own[index]?.subarray(span.from, rows) ?? copies[index]!.subarray(0, to - from);
          columns[index] = published(features[index]!, column, span, gaps, mine);
        };
        for (const _ of runPlan(plan, span, carry, setup, scratch, publish, own)) onStep();
        yield { ts: bars.ts.slice(from, to), columns };
      } else {
        for (const _ of runPlan(advance, span, carry, setup, scratch, ignore)) onStep();
      }
      from = to;
      block = Math.min(2 * block, length);
    }
    history = sliceBars(bars, Math.max(0, bars.ts.length - plan.margin), bars.ts.length);
  };
}

interface MatrixPlans {
  readonly key: string;
  readonly plan: ComputePlan;
  readonly advance: ComputePlan;
}

let lastPlans: MatrixPlans | null = null;

/** The plans of a matrix. Those of the last one are kept: a panel computes the same features of every symbol. */
function matrixPlans(features: readonly Feature[]): MatrixPlans {
  const key = features.map(({ name }) => name).join();
  if (lastPlans?.key !== key) {
    const series = features.map((feature) => feature.series);
    lastPlans = { key, plan: planOf(series, { own: true }), advance: planOf(series, { emit: false }) };
  }
  return lastPlans;
}

/** The feature matrix of bars that are available as a sequence of chunks. */
export function* featureBlocks(
  chunks: Iterable<BarColumns>,
  setup: FeatureSetup,
  features: readonly Feature[],
  options: MatrixOptions = {},
): Generator<FeatureBlock, void> {
  const take = featureMatrix(setup, features, options);
  for (const chunk of chunks) yield* take(chunk);
}

const ignore = () => {};

function drain(steps: Generator<unknown, void>): void {
  while (!steps.next().done) {}
}

/** The bars from `from` to `to` with the plan's margin before them. */
function spanOf(bars: BarColumns, plan: ComputePlan, offset: number, from: number, to: number) {
  const start = Math.max(0, from - plan.margin);
  return { bars: sliceBars(bars, start, to), base: asInt(offset + start), from: asInt(from - start) };
}

interface PassSpan {
  readonly bars: BarColumns;
  readonly base: number;
  readonly from: number;
}

/**
 * For each bar of the span, how many bars ago the volume was last unknown (0: its own is, Infinity: never was). `last`:
 * index of the last such bar before the span, −1 if there is none.
 */
function volumeGaps({ bars, base, from }: PassSpan, last: number): Float64Array {
  const gaps = new Float64Array(bars.ts.length - from);
  let unknown = last < 0 ? Number.NEGATIVE_INFINITY : last - base;
  for (let at = from; at < bars.ts.length; at++) {
    if (Number.isNaN(bars.volume[at])) unknown = at;
    gaps[at - from] = at - unknown;
  }
  return gaps;
}

const volumeFeatures = new Map<Feature, boolean>();

/** Whether a feature is computed from volumes in which 0 stands for an unknown one. */
function needsVolume(feature: Feature): boolean {
  const uses = (series: Series): boolean => series.field === "volume" || series.inputs.some(uses);
  const known = volumeFeatures.get(feature) ?? uses(feature.series);
  volumeFeatures.set(feature, known);
  return known;
}

/** For how many bars, its own included, an unknown volume leaves the feature undefined: for all if a state is carried. */
const volumeReach = ({ memory }: Feature): number =>
  memory.kind === "window" ? memory.bars : Number.POSITIVE_INFINITY;

/**
 * A feature's values as published, in `values`, which may be the end of the column itself: NaN before the warm-up, for
 * infinities and after unknown volumes, 0 for −0.
 */
function published(
  feature: Feature,
  column: Float64Array,
  { bars, base, from }: PassSpan,
  gaps: Float64Array | null,
  values: Float64Array,
): Float64Array {
  const warmup = typeof feature.warmup === "number" ? Math.max(0, feature.warmup - base - from) : 0;
  if (values.buffer !== column.buffer) values.set(column.subarray(from, bars.ts.length));
  if (warmup > 0) values.fill(Number.NaN, 0, warmup);
  normalize(values, Math.min(warmup, values.length));
  if (gaps !== null && needsVolume(feature)) {
    const reach = volumeReach(feature);
    for (let i = 0; i < values.length; i++) if (gaps[i]! < reach) values[i] = Number.NaN;
  }
  return values;
}

/** The last of the values that `published` gives, for a span of one bar: 200 columns of one value take longer than they do. */
function publishedLast(
  feature: Feature,
  column: Float64Array,
  { bars, base, from }: PassSpan,
  gaps: Float64Array | null,
): number {
  const last = bars.ts.length - 1;
  if (typeof feature.warmup === "number" && feature.warmup - base > last) return Number.NaN;
  if (gaps !== null && needsVolume(feature) && gaps[last - from]! < volumeReach(feature)) return Number.NaN;
  const value = column[last]!;
  return value + (value - value);
}

/** −0 as 0 and infinities as NaN, from position `from` on: x − x is 0, or NaN for an infinity, and −0 + 0 is 0. */
function normalize(values: Float64Array, from: number): void {
  let i = from;
  for (; i + 4 <= values.length; i += 4) {
    const a = values[i]!;
    const b = values[i + 1]!;
    const c = values[i + 2]!;
    const d = values[i + 3]!;
    values[i] = a + (a - a);
    values[i + 1] = b + (b - b);
    values[i + 2] = c + (c - c);
    values[i + 3] = d + (d - d);
  }
  for (; i < values.length; i++) values[i]! += values[i]! - values[i]!;
}
