/** The messages of an Arrow file, written with FlatBuffers (format/{Schema,Message,File}.fbs of Apache Arrow). */

import { Builder } from "flatbuffers";
import type { TableHead } from "../table-block.ts";

/** Numbers of the format's enumerations. */
const V5 = 4;
const [TYPE_FLOAT, TYPE_UTF8, TYPE_TIMESTAMP] = [3, 5, 10];
const [SINGLE, DOUBLE, MICROSECOND] = [1, 2, 2];
const [HEADER_SCHEMA, HEADER_DICTIONARY, HEADER_BATCH] = [1, 2, 3];
/** The id of the only dictionary. */
const SYMBOLS = 0n;

/** Where a message lies in the file, bytes. */
export interface Place {
  readonly offset: number;
  readonly metadata: number;
  readonly body: number;
}

/** The buffers of a batch: per column how many values and nulls, and where each buffer lies in the body. */
export interface BatchShape {
  readonly rows: number;
  readonly columns: readonly { readonly nulls: number }[];
  readonly buffers: readonly { readonly offset: number; readonly length: number }[];
  readonly body: number;
}

interface ArrowField {
  readonly name: string;
  readonly kind: "symbol" | "time" | "float32" | "float64";
}

const fieldsOf = ({ names, symbols, dtype }: TableHead): ArrowField[] => [
  ...(symbols === null ? [] : [{ name: "symbol", kind: "symbol" } as const]),
  { name: "timestamp", kind: "time" },
  ...names.map((name) => ({ name, kind: dtype })),
];

/** The first message: the columns and the metadata. */
export const schemaMessage = (head: TableHead): Uint8Array<ArrayBuffer> =>
  message(HEADER_SCHEMA, 0, (builder) => schema(builder, head));

/** The message before the body of a batch of rows. */
export const batchMessage = (shape: BatchShape): Uint8Array<ArrayBuffer> =>
  message(HEADER_BATCH, shape.body, (builder) => recordBatch(builder, shape));

/** The message before the body that has the values of the column `symbol`. */
export const dictionaryMessage = (shape: BatchShape): Uint8Array<ArrayBuffer> =>
  message(HEADER_DICTIONARY, shape.body, (builder) => {
    const data = recordBatch(builder, shape);
    builder.startObject(3);
    builder.addFieldInt64(0, SYMBOLS, -1n);
    builder.addFieldOffset(1, data, 0);
    return builder.endObject();
  });

/** The end of the file: the schema again, and where the messages lie. */
export function footer(head: TableHead, dictionaries: readonly Place[], batches: readonly Place[]): Uint8Array {
  const builder = new Builder();
  const schemaAt = schema(builder, head);
  const blocks = (places: readonly Place[]) => {
    builder.startVector(24, places.length, 8);
    for (const { offset, metadata, body } of places.toReversed()) {
      builder.prep(8, 24);
      builder.writeInt64(BigInt(body));
      builder.pad(4);
      builder.writeInt32(metadata);
      builder.writeInt64(BigInt(offset));
    }
    return builder.endVector();
  };
  const dictionariesAt = blocks(dictionaries);
  const batchesAt = blocks(batches);
  builder.startObject(5);
  builder.addFieldInt16(0, V5, 0);
  builder.addFieldOffset(1, schemaAt, 0);
  builder.addFieldOffset(2, dictionariesAt, 0);
  builder.addFieldOffset(3, batchesAt, 0);
  builder.finish(builder.endObject());
  return builder.asUint8Array();
}

/** A message with its mark and length before it, filled up to a multiple of eight bytes. */
function message(type: number, body: number, header: (builder: Builder) => number): Uint8Array<ArrayBuffer> {
  const builder = new Builder();
  const headerAt = header(builder);
  builder.startObject(5);
  builder.addFieldInt16(0, V5, 0);
  builder.addFieldInt8(1, type, 0);
  builder.addFieldOffset(2, headerAt, 0);
  builder.addFieldInt64(3, BigInt(body), 0n);
  builder.finish(builder.endObject());
  const content = builder.asUint8Array();
  const length = Math.ceil(content.length / 8) * 8;
  const bytes = new Uint8Array(8 + length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, -1, true);
  view.setInt32(4, length, true);
  bytes.set(content, 8);
  return bytes;
}

function schema(builder: Builder, head: TableHead): number {
  const fields = fieldsOf(head).map((each) => field(builder, each));
  const fieldsAt = offsets(builder, fields);
  const entries = Object.entries(head.metadata).map(([key, value]) => {
    const [keyAt, valueAt] = [builder.createString(key), builder.createString(value)];
    builder.startObject(2);
    builder.addFieldOffset(0, keyAt, 0);
    builder.addFieldOffset(1, valueAt, 0);
    return builder.endObject();
  });
  const metadataAt = offsets(builder, entries);
  builder.startObject(4);
  builder.addFieldOffset(1, fieldsAt, 0);
  builder.addFieldOffset(2, metadataAt, 0);
  return builder.endObject();
}

function field(builder: Builder, { name, kind }: ArrowField): number {
  const nameAt = builder.createString(name);
  const typeAt = typeOf(builder, kind);
  const dictionaryAt = kind === "symbol" ? dictionaryEncoding(builder) : 0;
  const childrenAt = offsets(builder, []);
  const types = { symbol: TYPE_UTF8, time: TYPE_TIMESTAMP, float32: TYPE_FLOAT, float64: TYPE_FLOAT };
  builder.startObject(7);
  builder.addFieldOffset(0, nameAt, 0);
  builder.addFieldInt8(1, Number(kind === "float32" || kind === "float64"), 0);
  builder.addFieldInt8(2, types[kind], 0);
  builder.addFieldOffset(3, typeAt, 0);
  builder.addFieldOffset(4, dictionaryAt, 0);
  builder.addFieldOffset(5, childrenAt, 0);
  return builder.endObject();
}

function typeOf(builder: Builder, kind: ArrowField["kind"]): number {
  if (kind === "symbol") {
    builder.startObject(0);
    return builder.endObject();
  }
  if (kind !== "time") {
    builder.startObject(1);
    builder.addFieldInt16(0, kind === "float32" ? SINGLE : DOUBLE, 0);
    return builder.endObject();
  }
  const zone = builder.createString("UTC");
  builder.startObject(2);
  builder.addFieldInt16(0, MICROSECOND, 0);
  builder.addFieldOffset(1, zone, 0);
  return builder.endObject();
}

/** Places are signed integers of 32 bits, which every reader knows. */
function dictionaryEncoding(builder: Builder): number {
  builder.startObject(2);
  builder.addFieldInt32(0, 32, 0);
  builder.addFieldInt8(1, 1, 0);
  const index = builder.endObject();
  builder.startObject(4);
  builder.addFieldInt64(0, SYMBOLS, -1n);
  builder.addFieldOffset(1, index, 0);
  return builder.endObject();
}

function recordBatch(builder: Builder, { rows, columns, buffers }: BatchShape): number {
  builder.startVector(16, buffers.length, 8);
  for (const { offset, length } of buffers.toReversed()) pair(builder, offset, length);
  const buffersAt = builder.endVector();
  builder.startVector(16, columns.length, 8);
  for (const { nulls } of columns.toReversed()) pair(builder, rows, nulls);
  const nodesAt = builder.endVector();
  builder.startObject(4);
  builder.addFieldInt64(0, BigInt(rows), 0n);
  builder.addFieldOffset(1, nodesAt, 0);
  builder.addFieldOffset(2, buffersAt, 0);
  return builder.endObject();
}

/** A structure of two 64-bit integers; buffers are written from their end. */
function pair(builder: Builder, first: number, second: number): void {
  builder.prep(8, 16);
  builder.writeInt64(BigInt(second));
  builder.writeInt64(BigInt(first));
}

function offsets(builder: Builder, places: readonly number[]): number {
  builder.startVector(4, places.length, 4);
  for (const place of places.toReversed()) builder.addOffset(place);
  return builder.endVector();
}
