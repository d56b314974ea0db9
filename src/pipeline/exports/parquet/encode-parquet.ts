/** A table as Parquet: a column of timestamps and columns of doubles, null where undefined, zstd. */

import type { TableBlock } from "../table-block.ts";
import { ChunkEncoder, DOUBLE, INT64 } from "./chunk.ts";
import { ThriftWriter } from "./thrift.ts";

/** The most rows of a row group, and the most bytes that are kept while one is collected: 10,000 rows of 200 columns. */
const GROUP_ROWS = 122_880;
const GROUP_BYTES = 16 * 2 ** 20;
/** Bytes after which the finished columns of a row group are given out. */
const PIECE_BYTES = 512 * 1024;

const MAGIC = new TextEncoder().encode("PAR1");
const TIME_NAME = "timestamp";
/** Numbers of the format's enumerations: repetition, converted type. */
const [REQUIRED, OPTIONAL] = [0, 1];
const TIMESTAMP_MILLIS = 9;

export async function* encodeParquet(
  names: readonly string[],
  blocks: AsyncIterable<TableBlock>,
  throwIfStopped: () => void = () => {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const rowBytes = 8 * (names.length + 1);
  const file = new ParquetFile(names, Math.min(GROUP_ROWS, Math.ceil(GROUP_BYTES / rowBytes)), throwIfStopped);
  yield MAGIC.slice();
  for await (const block of blocks) {
    for (let row = 0; row < block.ts.length; ) {
      row = file.take(block, row);
      if (file.isGroupFull) yield* file.endGroup();
    }
  }
  yield* file.endGroup();
  yield file.footer();
}

class ParquetFile {
  readonly #encoder: ChunkEncoder;
  /** The columns of the present row group, the times first, and how many rows are in it. */
  readonly #columns: readonly Float64Array[];
  #collected = 0;
  /** The metadata of the row groups so far. */
  readonly #groups: Uint8Array[] = [];
  #offset = MAGIC.length;
  #rows = 0;

  constructor(
    private readonly names: readonly string[],
    private readonly groupRows: number,
    private readonly throwIfStopped: () => void,
  ) {
    this.#encoder = new ChunkEncoder(groupRows);
    this.#columns = [TIME_NAME, ...names].map(() => new Float64Array(groupRows));
  }

  get isGroupFull(): boolean {
    return this.#collected === this.groupRows;
  }

  /** Copies rows of the block, from `row` on, as far as the row group has room, and returns the next row. */
  take({ ts, columns }: TableBlock, row: number): number {
    const end = Math.min(ts.length, row + this.groupRows - this.#collected);
    for (let k = 0; k < this.#columns.length; k++) {
      const column = k === 0 ? ts : columns[k - 1]!;
      this.#columns[k]!.set(column.subarray(row, end), this.#collected);
    }
    this.#collected += end - row;
    return end;
  }

  /** The row group, if it has rows, in pieces of whole columns. */
  *endGroup(): Generator<Uint8Array<ArrayBuffer>> {
    const rows = this.#collected;
    if (rows === 0) return;
    const start = this.#offset;
    const metadata: Uint8Array[] = [];
    let uncompressed = 0;
    let parts: Uint8Array[] = [];
    let waiting = 0;
    for (let k = 0; k < this.#columns.length; k++) {
      this.throwIfStopped();
      const column = this.#columns[k]!.subarray(0, rows);
      const chunk =
        k === 0 ? this.#encoder.times(TIME_NAME, column) : this.#encoder.doubles(this.names[k - 1]!, column);
      metadata.push(chunk.metadata(this.#offset));
      this.#offset += chunk.compressedSize;
      uncompressed += chunk.uncompressedSize;
      parts.push(...chunk.parts);
      waiting += chunk.compressedSize;
      if (waiting < PIECE_BYTES && k + 1 < this.#columns.length) continue;
      yield joined(parts, waiting);
      parts = [];
      waiting = 0;
    }
    this.#collected = 0;
    this.#rows += rows;
    this.#groups.push(
      ThriftWriter.struct((group) => {
        group.structList(1, metadata);
        group.int64(2, uncompressed);
        group.int64(3, rows);
        group.int64(5, start);
        group.int64(6, this.#offset - start);
      }),
    );
  }

  /** The end of the file: its metadata, their length and the mark. */
  footer(): Uint8Array<ArrayBuffer> {
    const names = [TIME_NAME, ...this.names];
    const metadata = ThriftWriter.struct((file) => {
      file.int32(1, 2);
      file.structList(2, [rootElement(this.names.length + 1), ...names.map((name, k) => leafElement(name, k === 0))]);
      file.int64(3, this.#rows);
      file.structList(4, this.#groups);
      file.binary(6, "barkeep");
      // The order in which the bounds of a column are meant: that of its type.
      file.structList(
        7,
        names.map(() => ThriftWriter.struct((order) => order.struct(1, () => {}))),
      );
    });
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, metadata.length, true);
    return joined([metadata, length, MAGIC], metadata.length + length.length + MAGIC.length);
  }
}

const rootElement = (children: number) =>
  ThriftWriter.struct((element) => {
    element.binary(4, "root");
    element.int32(5, children);
  });

const leafElement = (name: string, isTime: boolean) =>
  ThriftWriter.struct((element) => {
    element.int32(1, isTime ? INT64 : DOUBLE);
    element.int32(3, isTime ? REQUIRED : OPTIONAL);
    element.binary(4, name);
    if (!isTime) return;
    element.int32(6, TIMESTAMP_MILLIS);
    element.struct(10, (logical) =>
      logical.struct(8, (timestamp) => {
        timestamp.bool(1, true);
        timestamp.struct(2, (unit) => unit.struct(1, () => {}));
      }),
    );
  });

function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
