/** A table as an Arrow IPC file (Feather v2), not compressed: batches of rows, null where a value is undefined. */

import { bytesOf, joinBytes } from "../bytes.ts";
import { RowBuffer, rowBytes, type TableBlock, type TableHead } from "../table-block.ts";
import { type BatchShape, batchMessage, dictionaryMessage, footer, type Place, schemaMessage } from "./messages.ts";

/** The most rows of a batch, and the most bytes of rows that are collected in memory. */
const BATCH_ROWS = 65_536;
const BATCH_BYTES = 16 * 2 ** 20;
/** Bytes after which finished columns are given out. */
const PIECE_BYTES = 512 * 1024;

const MAGIC = new TextEncoder().encode("ARROW1");
/** The mark at the end of the messages. */
const END = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0);

/** @param throwIfStopped called before each column of each batch */
export async function* encodeArrow(
  head: TableHead,
  blocks: AsyncIterable<TableBlock>,
  throwIfStopped: () => void = () => {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const file = new ArrowFile(head, throwIfStopped);
  yield* file.begin();
  for await (const block of blocks) {
    for (let row = 0; row < block.ts.length; ) {
      row = file.rows.take(block, row);
      if (file.rows.isFull) yield* file.endBatch();
    }
  }
  yield* file.endBatch();
  yield file.end();
}

/** Some buffers of a batch, one after the other, and how many nulls the column has. */
interface Column {
  readonly buffers: readonly Uint8Array[];
  readonly nulls: number;
}

class ArrowFile {
  readonly rows: RowBuffer;
  readonly #dictionaries: Place[] = [];
  readonly #batches: Place[] = [];
  #offset = 0;

  constructor(
    private readonly head: TableHead,
    private readonly throwIfStopped: () => void,
  ) {
    this.rows = new RowBuffer(head, Math.min(BATCH_ROWS, Math.ceil(BATCH_BYTES / rowBytes(head))));
  }

  *begin(): Generator<Uint8Array<ArrayBuffer>> {
    yield this.#count(joinBytes([MAGIC, new Uint8Array(2), schemaMessage(this.head)]));
    const { symbols } = this.head;
    if (symbols !== null) yield* this.#write(this.#dictionaries, dictionaryMessage, symbols.length, [texts(symbols)]);
  }

  /** The batch, if it has rows, in pieces of whole columns. */
  *endBatch(): Generator<Uint8Array<ArrayBuffer>> {
    const rows = this.rows.length;
    if (rows === 0) return;
    const { ts, columns, symbols } = this.rows;
    const all: Column[] = this.head.symbols === null ? [] : [places(symbols.subarray(0, rows))];
    all.push(times(ts.subarray(0, rows)));
    for (const column of columns) {
      this.throwIfStopped();
      all.push(values(column.subarray(0, rows), this.head.dtype === "float32"));
    }
    yield* this.#write(this.#batches, batchMessage, rows, all);
    this.rows.clear();
  }

  *#write(
    list: Place[],
    messageOf: (shape: BatchShape) => Uint8Array<ArrayBuffer>,
    rows: number,
    columns: readonly Column[],
  ): Generator<Uint8Array<ArrayBuffer>> {
    const buffers = columns.flatMap((column) => column.buffers);
    let body = 0;
    const shapes = buffers.map(({ length }) => {
      const shape = { offset: body, length };
      body += padded(length);
      return shape;
    });
    const metadata = messageOf({ rows, columns, buffers: shapes, body });
    list.push({ offset: this.#offset, metadata: metadata.length, body });
    let parts: Uint8Array[] = [metadata];
    let waiting = metadata.length;
    for (const buffer of buffers) {
      parts.push(buffer, new Uint8Array(padded(buffer.length) - buffer.length));
      waiting += padded(buffer.length);
      if (waiting < PIECE_BYTES) continue;
      yield this.#count(joinBytes(parts));
      parts = [];
      waiting = 0;
    }
    if (waiting > 0) yield this.#count(joinBytes(parts));
  }

  end(): Uint8Array<ArrayBuffer> {
    const last = footer(this.head, this.#dictionaries, this.#batches);
    const length = new Uint8Array(4);
    new DataView(length.buffer).setInt32(0, last.length, true);
    return joinBytes([END, last, length, MAGIC]);
  }

  #count(piece: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.#offset += piece.length;
    return piece;
  }
}

/** Buffers begin at multiples of 64 bytes, as the format recommends. */
const padded = (length: number) => Math.ceil(length / 64) * 64;

const NONE = new Uint8Array(0);

function times(ts: Float64Array): Column {
  const micros = new BigInt64Array(ts.length);
  for (let i = 0; i < ts.length; i++) micros[i] = BigInt(ts[i]! * 1e6);
  return { buffers: [NONE, bytesOf(micros)], nulls: 0 };
}

const places = (symbols: Uint16Array): Column => ({
  buffers: [NONE, bytesOf(Int32Array.from(symbols))],
  nulls: 0,
});

/**
 * Values with a bit per row that says whether it is defined, the first in the lowest bit; no bits if all are. What is not
 * has the value 0: the engine has several kinds of NaN, and equal tables are to be equal files.
 */
function values(column: Float64Array, single: boolean): Column {
  const bits = new Uint8Array(Math.ceil(column.length / 8));
  const data = single ? new Float32Array(column) : column.slice();
  let nulls = 0;
  for (let i = 0; i < column.length; i++) {
    if (Number.isNaN(column[i])) {
      nulls++;
      data[i] = 0;
    } else bits[i >> 3]! |= 1 << (i & 7);
  }
  return { buffers: [nulls === 0 ? NONE : bits, bytesOf(data)], nulls };
}

/** Texts: where each begins and the last ends, then their bytes. */
function texts(list: readonly string[]): Column {
  const encoded = list.map((each) => new TextEncoder().encode(each));
  const offsets = new Int32Array(list.length + 1);
  encoded.forEach(({ length }, k) => {
    offsets[k + 1] = offsets[k]! + length;
  });
  return { buffers: [NONE, bytesOf(offsets), joinBytes(encoded)], nulls: 0 };
}
