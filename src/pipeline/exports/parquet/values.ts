/**
 * Values of a Parquet column as bytes. Wherever the format packs integers into any number of bits, whole bytes are used:
 * zstd makes them smaller than packed bits, which hide their repetitions.
 */

import { bytesOf } from "../bytes.ts";
import { writeVarint, zigzag } from "./thrift.ts";

/** Values per block of DELTA_BINARY_PACKED, and per part of a block with a width of its own. */
const [DELTA_BLOCK, DELTA_PART] = [128, 32];

/** The most bytes that a page of so many values takes, in any of the encodings here, with a bit for each if some are null. */
export const mostPageBytes = (rows: number): number =>
  64 +
  8 * DELTA_BLOCK +
  rows * 8 +
  Math.ceil(rows / 8) +
  Math.ceil(rows / DELTA_BLOCK) * (8 + DELTA_BLOCK / DELTA_PART);

/**
 * Integers as DELTA_BINARY_PACKED: their differences in blocks, each less the smallest of its block. Values and their
 * differences must be exact, below 2^52 in size. This and the other writers return where they end.
 */
export function writeDeltas(out: Uint8Array, start: number, values: Float64Array): number {
  const view = new DataView(out.buffer);
  let at = writeVarint(out, start, DELTA_BLOCK);
  at = writeVarint(out, at, DELTA_BLOCK / DELTA_PART);
  at = writeVarint(out, at, values.length);
  at = writeVarint(out, at, zigzag(values[0] ?? 0));
  const deltas = new Float64Array(DELTA_BLOCK);
  for (let first = 1; first < values.length; first += DELTA_BLOCK) {
    const count = Math.min(DELTA_BLOCK, values.length - first);
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const delta = values[first + i]! - values[first + i - 1]!;
      deltas[i] = delta;
      if (delta < least) least = delta;
    }
    // Parts that do not exist have a width, but no values; the last part is filled up.
    deltas.fill(least, count);
    at = writeVarint(out, at, zigzag(least));
    const widths = at;
    at += DELTA_BLOCK / DELTA_PART;
    for (let part = 0; part < DELTA_BLOCK / DELTA_PART; part++) {
      const exists = part * DELTA_PART < count;
      let most = 0;
      for (let i = part * DELTA_PART; i < (part + 1) * DELTA_PART; i++) most = Math.max(most, deltas[i]! - least);
      const bytes = bytesFor(most);
      out[widths + part] = 8 * bytes;
      if (!exists) continue;
      for (let i = part * DELTA_PART; i < (part + 1) * DELTA_PART; i++, at += bytes)
        writeUnsigned(view, at, bytes, deltas[i]! - least);
    }
  }
  return at;
}

const bytesFor = (size: number) => (size === 0 ? 0 : size < 2 ** 8 ? 1 : size < 2 ** 16 ? 2 : size < 2 ** 32 ? 4 : 8);

function writeUnsigned(view: DataView, at: number, bytes: number, value: number): void {
  if (bytes === 1) view.setUint8(at, value);
  else if (bytes === 2) view.setUint16(at, value, true);
  else if (bytes >= 4) view.setUint32(at, value, true);
  if (bytes === 8) view.setUint32(at + 4, value / 2 ** 32, true);
}

/** Distinct values in ascending order, and each value's place among them. */
export interface Dictionary {
  readonly entries: Float64Array;
  readonly places: Uint8Array | Uint16Array;
}

/** Places must fit into two bytes. */
const MAX_ENTRIES = 65_536;
/** Values after which a dictionary is given up if most of them are distinct. */
const SAMPLE = 1_024;

/** Finds the dictionaries of columns; its tables are used again from column to column. */
export class DictionaryBuilder {
  readonly #entries = new Float64Array(MAX_ENTRIES + 1);
  readonly #entryWords = new Uint32Array(this.#entries.buffer);
  /** An open hash table: entry number + 1, or 0. */
  readonly #slots = new Int32Array(4 * MAX_ENTRIES);
  /** Per value its entry number. */
  readonly #numbers: Uint16Array;

  /** `mostValues` is the length of the longest column. */
  constructor(mostValues: number) {
    this.#numbers = new Uint16Array(mostValues);
  }

  /** The dictionary of `values`, or null if too many of them are distinct for it to save much. */
  build(values: Float64Array): Dictionary | null {
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
    const most = Math.min(MAX_ENTRIES, values.length >> 1);
    const bits = 2 + Math.ceil(Math.log2(Math.max(most, 2)));
    this.#slots.fill(0, 0, 2 ** bits);
    const numbers = this.#numbers.subarray(0, values.length);
    let count = 0;
    for (let i = 0; i < values.length; i++) {
      const slot = this.#find(words[2 * i]!, words[2 * i + 1]!, bits);
      if (this.#slots[slot] === 0) {
        if (count === most || (i === SAMPLE && count > (SAMPLE * 3) >> 2)) return null;
        this.#entries[count++] = values[i]!;
        this.#slots[slot] = count;
      }
      numbers[i] = this.#slots[slot]! - 1;
    }
    return this.#sorted(numbers, count, bits);
  }

  /** In ascending order neighbouring prices have neighbouring places, which compresses far better than any order. */
  #sorted(numbers: Uint16Array, count: number, bits: number): Dictionary {
    const entries = this.#entries.slice(0, count).sort();
    const words = new Uint32Array(entries.buffer);
    const place = new Uint16Array(count);
    for (let k = 0; k < count; k++) place[this.#slots[this.#find(words[2 * k]!, words[2 * k + 1]!, bits)]! - 1] = k;
    const places = count <= 256 ? new Uint8Array(numbers.length) : new Uint16Array(numbers.length);
    for (let i = 0; i < numbers.length; i++) places[i] = place[numbers[i]!]!;
    return { entries, places };
  }

  /** The slot of the double with these words, or the free one where it belongs. */
  #find(low: number, high: number, bits: number): number {
    const mask = 2 ** bits - 1;
    const hash = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const entry = this.#slots[slot]! - 1;
      if (entry < 0) return slot;
      if (this.#entryWords[2 * entry] === low && this.#entryWords[2 * entry + 1] === high) return slot;
      slot = (slot + 1) & mask;
    }
  }
}

/**
 * Which values of a column are defined (no NaN), as definition levels of 0 and 1 in the RLE/bit-packed hybrid, with
 * their length before them: one run if all are, else one bit per row, the first in the lowest bit.
 */
export function writeLevels(out: Uint8Array, start: number, column: Float64Array, all: boolean): number {
  let at = start + 4;
  if (all) {
    at = writeVarint(out, at, column.length * 2);
    out[at++] = 1;
  } else {
    const bytes = Math.ceil(column.length / 8);
    at = writeVarint(out, at, bytes * 2 + 1);
    out.fill(0, at, at + bytes);
    for (let i = 0; i < column.length; i++) out[at + (i >> 3)]! |= Number(!Number.isNaN(column[i])) << (i & 7);
    at += bytes;
  }
  new DataView(out.buffer).setUint32(start, at - start - 4, true);
  return at;
}

/** Values of `width` bytes (8: doubles, 4: floats) as they are. */
export function writePlain(out: Uint8Array, at: number, values: Float64Array, width: 4 | 8): number {
  const bytes = bytesOf(width === 8 ? values : new Float32Array(values));
  out.set(bytes, at);
  return at + bytes.length;
}

/** The same as BYTE_STREAM_SPLIT: first the lowest byte of every value, then the next, which zstd compresses better. */
export function writeSplit(out: Uint8Array, at: number, values: Float64Array, width: 4 | 8): number {
  const { buffer, byteOffset, byteLength } = bytesOf(width === 8 ? values : new Float32Array(values));
  const words = new Int32Array(buffer, byteOffset, byteLength / 4);
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const count = values.length;
  const stride = width / 4;
  for (let word = 0; word < stride; word++) splitWords(view, at + 4 * word * count, words, word, stride, count);
  return at + byteLength;
}

/**
 * The bytes of every `stride`th word from `from` on, `count` words in all: first the lowest of each. Four words at a time
 * become a word of each byte, as single bytes take almost three times as long.
 */
function splitWords(view: DataView, at: number, words: Int32Array, from: number, stride: number, count: number): void {
  const whole = count - (count % 4);
  for (let i = 0; i < whole; i += 4) {
    const k = from + stride * i;
    const a = words[k]!;
    const b = words[k + stride]!;
    const c = words[k + 2 * stride]!;
    const d = words[k + 3 * stride]!;
    const evenAB = (a & 0x00ff00ff) | ((b & 0x00ff00ff) << 8);
    const oddAB = ((a >>> 8) & 0x00ff00ff) | (b & 0xff00ff00);
    const evenCD = (c & 0x00ff00ff) | ((d & 0x00ff00ff) << 8);
    const oddCD = ((c >>> 8) & 0x00ff00ff) | (d & 0xff00ff00);
    view.setInt32(at + i, (evenAB & 0xffff) | (evenCD << 16), true);
    view.setInt32(at + count + i, (oddAB & 0xffff) | (oddCD << 16), true);
    view.setInt32(at + 2 * count + i, (evenAB >>> 16) | (evenCD & 0xffff0000), true);
    view.setInt32(at + 3 * count + i, (oddAB >>> 16) | (oddCD & 0xffff0000), true);
  }
  for (let i = whole; i < count; i++) {
    const word = words[from + stride * i]!;
    for (let k = 0; k < 4; k++) view.setUint8(at + k * count + i, word >> (8 * k));
  }
}

/** Texts as they are, each with its length before it. */
export function writeTexts(out: Uint8Array, start: number, texts: readonly Uint8Array[]): number {
  const view = new DataView(out.buffer, out.byteOffset);
  let at = start;
  for (const text of texts) {
    view.setUint32(at, text.length, true);
    out.set(text, at + 4);
    at += 4 + text.length;
  }
  return at;
}

/** Places in a dictionary: their width in bits, then one bit-packed run, which is filled up to a multiple of eight. */
export function writePlaces(out: Uint8Array, start: number, places: Uint8Array | Uint16Array): number {
  const groups = Math.ceil(places.length / 8);
  out[start] = 8 * places.BYTES_PER_ELEMENT;
  const at = writeVarint(out, start + 1, groups * 2 + 1);
  const end = at + groups * 8 * places.BYTES_PER_ELEMENT;
  out.set(bytesOf(places), at);
  out.fill(0, at + places.byteLength, end);
  return end;
}
