/**
 * The state of a symbol's features as bytes, stored with its profile: an update reads it, computes only the new bars and
 * writes the next state. Layout, before compression, in native float64: a header of nine numbers, per recursion its
 * state and its kept values, and the CRC-32 of all of these.
 */

import { BAR_FIELDS, type BarColumns, lowerBound } from "../domain/market/bars.ts";
import { INTERVALS, type Interval } from "../domain/market/interval.ts";
import type { FeatureSetup } from "./define.ts";
import { type Carry, carriedNumbers, carryOf } from "./pass.ts";
import type { ComputePlan } from "./plan.ts";

/** Why a stored state cannot be used; the caller then makes a full pass. */
export type StateRefusal =
  /** The bytes are damaged or not a state. */
  | "corrupt"
  /** Written by another version of the catalogue or of the state's layout. */
  | "version"
  /** Made for another interval or market. */
  | "setup"
  /** The bars do not continue those it was made from: they were revised, cut off, or are too few. */
  | "history";

const MARKETS = ["us_equity", "crypto"] as const;
const HEADER = 9;

/** The layouts that were computed, by plan and setup. */
const layouts = new WeakMap<ComputePlan, Map<string, number>>();

/** A checksum of the plan's layout: any change to a node's formula, state or kept values changes it. */
function layoutOf(plan: ComputePlan, setup: FeatureSetup): number {
  const known = layouts.getOrInsertComputed(plan, () => new Map<string, number>());
  return known.getOrInsertComputed(JSON.stringify(setup), () => {
    const nodes = [...plan.stateful].map(([series, back]) => `${series.key}:${series.stateSize(setup)}:${back}`);
    return Bun.hash.crc32([plan.margin, ...nodes].join(";"));
  });
}

/** A checksum of the `plan.margin` bars (or all there are) before position `end`. */
function checksum(plan: ComputePlan, bars: BarColumns, end: number): number {
  let crc = 0;
  const start = Math.max(0, end - plan.margin);
  for (const field of BAR_FIELDS) crc = Bun.hash.crc32(bars[field].subarray(start, end), crc);
  return crc;
}

/** The numbers of the last state that was written, used again: new memory takes longer than its contents. */
let written = new Float64Array(0);

/** Encodes the carry after the first `end` bars of `bars`, of a series whose first bar opened at `firstTs`. */
export function writeState(
  version: number,
  plan: ComputePlan,
  setup: FeatureSetup,
  carry: Carry,
  bars: BarColumns,
  end: number,
  firstTs: number,
): Uint8Array {
  const sumAt = HEADER + carry.numbers.length;
  if (written.length <= sumAt) written = new Float64Array(sumAt + 1);
  const floats = written.subarray(0, sumAt + 1);
  floats.set([
    version,
    layoutOf(plan, setup),
    INTERVALS.indexOf(setup.interval as Interval),
    MARKETS.indexOf(setup.market),
    carry.count,
    carry.lastUnknownVolume,
    firstTs,
    end > 0 ? bars.ts[end - 1]! : Number.NEGATIVE_INFINITY,
    checksum(plan, bars, end),
  ]);
  floats.set(carry.numbers, HEADER);
  floats[sumAt] = Bun.hash.crc32(floats.subarray(0, sumAt));
  return Bun.zstdCompressSync(floats, { level: 1 });
}

/** A state that fits its bars: the series continues at position `next` of the bars it was read with. */
export interface ResumePoint {
  readonly carry: Carry;
  readonly next: number;
  readonly firstTs: number;
}

/**
 * Decodes a stored state and checks it against `bars`: the last stored bars, as many as the plan's margin and the
 * profile's tail need (or all), followed by the new ones.
 */
export function readState(
  bytes: Uint8Array,
  version: number,
  plan: ComputePlan,
  setup: FeatureSetup,
  bars: BarColumns,
): ResumePoint | { readonly refused: StateRefusal } {
  const floats = decompress(bytes);
  const end = (floats?.length ?? 0) - 1;
  if (!floats || end < HEADER || floats[end] !== Bun.hash.crc32(floats.subarray(0, end))) return { refused: "corrupt" };
  const [writtenBy, layout, interval, market, count, lastUnknownVolume, firstTs, lastTs, barsSum] = floats;
  if (interval !== INTERVALS.indexOf(setup.interval as Interval) || market !== MARKETS.indexOf(setup.market)) {
    return { refused: "setup" };
  }
  if (writtenBy !== version || layout !== layoutOf(plan, setup)) return { refused: "version" };

  const whole = bars.ts[0] === firstTs;
  const next = whole ? count! : lowerBound(bars.ts, lastTs!) + 1;
  const enough = whole ? bars.ts.length >= count! : next >= plan.margin;
  const continues = enough && (next === 0 || bars.ts[next - 1] === lastTs) && checksum(plan, bars, next) === barsSum;
  if (!continues) return { refused: "history" };

  const numbers = floats.subarray(HEADER, end);
  if (numbers.length !== carriedNumbers(plan, setup)) return { refused: "corrupt" };
  return { carry: carryOf(plan, setup, numbers, count!, lastUnknownVolume!), next, firstTs: firstTs! };
}

function decompress(bytes: Uint8Array): Float64Array | null {
  try {
    const raw = Bun.zstdDecompressSync(bytes);
    return raw.length % 8 === 0 ? new Float64Array(raw.buffer, raw.byteOffset, raw.length / 8) : null;
  } catch {
    return null;
  }
}
