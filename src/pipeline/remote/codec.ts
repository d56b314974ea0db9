/**
 * Plain data as bytes for the network: JSON, and beside it the columns as they are in memory. One byte says how the rest is
 * compressed (0: not, 1: zstd); then the length of the JSON (32 bits), the JSON, and each column at a multiple of 8 bytes.
 * All numbers are little endian, as on every machine that Bun runs on.
 */

import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { messageOf } from "../../domain/errors.ts";

/** The most bytes of one message: as it is sent, and as it is read. */
export const MAX_SENT = 16 * 1024 * 1024;
const MAX_READ = 128 * 1024 * 1024;
const MAX_COLUMNS = 4_096;
const MAX_DEPTH = 32;
/** Shorter messages are not compressed, bytes. */
const MIN_COMPRESSED = 512;
const PLAIN = 0;
const ZSTD = 1;

/** The key of an object that stands for what JSON has no word for. */
const TAG = "$";

type Column = Float64Array | Uint8Array;
const COLUMNS = { f8: Float64Array, u1: Uint8Array } as const;

/** The bytes are no message. */
export class BadMessage extends Error {
  override readonly name = "BadMessage";
}

const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
  "-0": -0,
};

/** Collects the columns of a message; one that occurs again is sent once. */
class Encoder {
  readonly columns: Column[] = [];
  readonly #places = new Map<ArrayBufferLike, { column: Column; place: number }[]>();

  value(value: unknown): unknown {
    if (typeof value === "number") {
      const isSpecial = !Number.isFinite(value) || Object.is(value, -0);
      return isSpecial ? { [TAG]: ["n", Object.is(value, -0) ? "-0" : String(value)] } : value;
    }
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map((each) => this.value(each));
    if (value instanceof Float64Array || value instanceof Uint8Array) return { [TAG]: ["c", this.#placeOf(value)] };
    if (value instanceof Map) return { [TAG]: ["m", [...value].map((pair) => this.value(pair))] };
    if (value instanceof Set) return { [TAG]: ["s", [...value].map((each) => this.value(each))] };
    const fields = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.value(each)]));
    return TAG in fields ? { [TAG]: ["o", Object.entries(fields)] } : fields;
  }

  #placeOf(column: Column): number {
    const same = this.#places.get(column.buffer) ?? [];
    this.#places.set(column.buffer, same);
    const known = same.find(
      (each) =>
        each.column.byteOffset === column.byteOffset &&
        each.column.length === column.length &&
        kindOf(each.column) === kindOf(column),
    );
    if (known) return known.place;
    const place = this.columns.push(column) - 1;
    same.push({ column, place });
    return place;
  }
}

const aligned = (length: number) => Math.ceil(length / 8) * 8;
const kindOf = (column: Column) => (column instanceof Float64Array ? "f8" : "u1");

export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  const encoder = new Encoder();
  const body = encoder.value(value);
  const columns = encoder.columns.map((column) => [kindOf(column), column.length]);
  const json = new TextEncoder().encode(JSON.stringify({ columns, body }));
  const start = aligned(8 + json.length);
  const size = encoder.columns.reduce((sum, { byteLength }) => sum + aligned(byteLength), start);
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, json.length, true);
  bytes.set(json, 8);
  let at = start;
  for (const { buffer, byteOffset, byteLength } of encoder.columns) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += aligned(byteLength);
  }
  const isSmall = size < MIN_COMPRESSED;
  const params = { [constants.ZSTD_c_compressionLevel]: 1 };
  const packed = isSmall ? bytes : zstdCompressSync(bytes, { params });
  const sent = new Uint8Array(1 + packed.length);
  sent[0] = isSmall ? PLAIN : ZSTD;
  sent.set(packed, 1);
  return sent;
}

/**
 * @param most the bytes that the message may have when it is no longer compressed
 * @throws BadMessage if the bytes are not what `encode` makes, or too many
 */
export function decode(bytes: Uint8Array, most = MAX_READ): unknown {
  try {
    return read(unpacked(bytes, most));
  } catch (error) {
    throw error instanceof BadMessage ? error : new BadMessage(`not a message: ${messageOf(error)}`);
  }
}

/** The bytes of a message in a buffer of their own. */
function unpacked(bytes: Uint8Array, most: number): Uint8Array<ArrayBuffer> {
  const rest = bytes.subarray(1);
  if (rest.length > most) throw new BadMessage("the message is too long");
  if (bytes[0] === PLAIN) return new Uint8Array(rest);
  if (bytes[0] !== ZSTD) throw new BadMessage("not a message: unknown compression");
  return new Uint8Array(zstdDecompressSync(rest, { maxOutputLength: most }));
}

function read(bytes: Uint8Array<ArrayBuffer>): unknown {
  if (bytes.length < 8) throw new BadMessage("the message is cut off");
  const length = new DataView(bytes.buffer).getUint32(0, true);
  if (8 + length > bytes.length) throw new BadMessage("the message is cut off");
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length));
  const head: unknown = JSON.parse(text);
  if (typeof head !== "object" || head === null || !("columns" in head) || !("body" in head))
    throw new BadMessage("the message has no body");
  return revived(head.body, columnsOf(head.columns, bytes, aligned(8 + length)), 0);
}

function columnsOf(described: unknown, bytes: Uint8Array<ArrayBuffer>, start: number): Column[] {
  if (!Array.isArray(described) || described.length > MAX_COLUMNS) throw new BadMessage("wrong columns");
  let at = start;
  const columns = described.map((each: unknown): Column => {
    const [kind, length] = Array.isArray(each) ? each : [];
    const Type = COLUMNS[kind as keyof typeof COLUMNS];
    if (Type === undefined || !Object.hasOwn(COLUMNS, kind)) throw new BadMessage("a column of an unknown kind");
    const size = length * Type.BYTES_PER_ELEMENT;
    if (!Number.isSafeInteger(length) || length < 0 || at + size > bytes.length)
      throw new BadMessage("a column is cut off");
    const column = new Type(bytes.buffer, at, length);
    at += aligned(size);
    return column;
  });
  if (at !== bytes.length) throw new BadMessage("the message is longer than its columns");
  return columns;
}

function revived(value: unknown, columns: readonly Column[], depth: number): unknown {
  if (depth > MAX_DEPTH) throw new BadMessage("the message is nested too deeply");
  if (typeof value !== "object" || value === null) return value;
  const inner = (each: unknown) => revived(each, columns, depth + 1);
  if (Array.isArray(value)) return value.map(inner);
  if (!Object.hasOwn(value, TAG)) {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inner(each)]));
  }
  const tag = (value as Readonly<Record<string, unknown>>)[TAG];
  const [kind, content] = Array.isArray(tag) ? (tag as unknown[]) : [];
  if (kind === "n" && typeof content === "string" && Object.hasOwn(SPECIAL, content)) return SPECIAL[content];
  if (kind === "c") {
    const column = columns[content as number];
    if (column !== undefined) return column;
  }
  if (Array.isArray(content)) {
    if (kind === "s") return new Set(content.map(inner));
    const pairs = content.map((pair: unknown) => {
      if (!Array.isArray(pair) || pair.length !== 2) throw new BadMessage("wrong pairs");
      return pair as [unknown, unknown];
    });
    if (kind === "m") return new Map(pairs.map(([key, each]) => [inner(key), inner(each)] as const));
    if (kind === "o") return Object.fromEntries(pairs.map(([key, each]) => [String(key), inner(each)]));
  }
  throw new BadMessage("a value of an unknown kind");
}
