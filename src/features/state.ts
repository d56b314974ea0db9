/**
 * The state of a symbol's features as bytes, stored with its profile: an update reads it, computes only the new bars and
 * writes the next state. Layout, before compression, in native float64: a header of nine numbers, per recursion its
 * state and its kept values, and the CRC-32 of all of these. A 0 is followed by the number of further zeros: of most
 * minutes of a day a series has no bar. States of before, in which zeros are not counted, are read too.
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

/** Checksums of a layout: with zeros counted, and as it was before. */
interface Layouts {
  readonly counted: number;
  readonly plain: number;
}

/** The layouts that were computed, by plan and setup. */
const layouts = new WeakMap<ComputePlan, Map<string, Layouts>>();

/** Checksums of the plan's layout: any change to a node's formula, state or kept values changes them. */
function layoutsOf(plan: ComputePlan, setup: FeatureSetup): Layouts {
  const known = layouts.getOrInsertComputed(plan, () => new Map<string, Layouts>());
  return known.getOrInsertComputed(JSON.stringify(setup), () => {
    const nodes = [...plan.stateful].map(([series, back]) => `${series.key}:${series.stateSize(setup)}:${back}`);
    const plain = [plan.margin, ...nodes].join(";");
    return { counted: Bun.hash.crc32(`${plain};zeros`), plain: Bun.hash.crc32(plain) };
  });
}

/** A checksum of the `plan.margin` bars (or all there are) before position `end`. */
function checksum(plan: ComputePlan, bars: BarColumns, end: number): number {
  let crc = 0;
  const start = Math.max(0, end - plan.margin);
  for (const field of BAR_FIELDS) crc = Bun.hash.crc32(bars[field].subarray(start, end), crc);
  return crc;
}

/** The last state that was written, and the last carried numbers that were read: new memory takes longer than to fill it. */
let written = new Float64Array(0);
let idle: Float64Array = new Float64Array(0);

/** Lets the next state that is read use the memory of a carry that nothing reads any more. */
export function releaseCarry({ numbers }: Carry): void {
  idle = numbers;
}

/** Writes `numbers` to `into` from `start` on, after each 0 how many zeros follow it; −0 is none. Gives the end. */
function countZeros(numbers: Float64Array, into: Float64Array, start: number): number {
  const words = new Int32Array(numbers.buffer, numbers.byteOffset, 2 * numbers.length);
  let at = start;
  for (let i = 0; i < numbers.length; ) {
    const first = i;
    while (2 * i < words.length && (words[2 * i]! | words[2 * i + 1]!) === 0) i++;
    if (i > first) {
      into[at++] = 0;
      into[at++] = i - first - 1;
    } else into[at++] = numbers[i++]!;
  }
  return at;
}

/** The numbers that `countZeros` wrote: `length` of them, or null if there are more or fewer. */
function restoreZeros(counted: Float64Array, length: number): Float64Array | null {
  const numbers = idle.length === length ? idle.fill(0) : new Float64Array(length);
  idle = new Float64Array(0);
  let at = 0;
  for (let i = 0; i < counted.length; i++) {
    const value = counted[i]!;
    numbers[at++] = value;
    if (Object.is(value, 0)) at += counted[++i]! | 0;
  }
  return at === length ? numbers : null;
}

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
  const most = HEADER + 2 * carry.numbers.length + 1;
  if (written.length < most) written = new Float64Array(most);
  written.set([
    version,
    layoutsOf(plan, setup).counted,
    INTERVALS.indexOf(setup.interval as Interval),
    MARKETS.indexOf(setup.market),
    carry.count,
    carry.lastUnknownVolume,
    firstTs,
    end > 0 ? bars.ts[end - 1]! : Number.NEGATIVE_INFINITY,
    checksum(plan, bars, end),
  ]);
  const sumAt = countZeros(carry.numbers, written, HEADER);
  written[sumAt] = Bun.hash.crc32(written.subarray(0, sumAt));
  return Bun.zstdCompressSync(written.subarray(0, sumAt + 1), { level: 1 });
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
  const { counted, plain } = layoutsOf(plan, setup);
  if (writtenBy !== version || (layout !== counted && layout !== plain)) return { refused: "version" };

  const whole = bars.ts[0] === firstTs;
  const next = whole ? count! : lowerBound(bars.ts, lastTs!) + 1;
  const enough = whole ? bars.ts.length >= count! : next >= plan.margin;
  const continues = enough && (next === 0 || bars.ts[next - 1] === lastTs) && checksum(plan, bars, next) === barsSum;
  if (!continues) return { refused: "history" };

  const length = carriedNumbers(plan, setup);
  const stored = floats.subarray(HEADER, end);
  const numbers = layout === counted ? restoreZeros(stored, length) : stored;
  if (numbers?.length !== length) return { refused: "corrupt" };
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
