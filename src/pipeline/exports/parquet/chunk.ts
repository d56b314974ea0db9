/** One column of one row group: its pages, compressed, and its entry in the file's metadata. */

import { ThriftWriter } from "./thrift.ts";
import {
  bytesOf,
  DictionaryBuilder,
  mostPageBytes,
  writeDeltas,
  writeDoubles,
  writeLevels,
  writePlaces,
} from "./values.ts";

/** Numbers of the format's enumerations. */
export const [INT64, DOUBLE] = [2, 5];
const [PLAIN, RLE, DELTA_BINARY_PACKED, RLE_DICTIONARY] = [0, 3, 5, 8];
const [DATA_PAGE, DICTIONARY_PAGE] = [0, 2];
const ZSTD = 6;
/** Level 3 takes about twice as long for files that are 2 % (features) to 7 % (bars) smaller. */
const ZSTD_LEVEL = 1;

/** The pages of a column, and its entry in the file's metadata once it is known where they lie. */
export interface ColumnChunk {
  readonly parts: readonly Uint8Array[];
  /** Bytes before compression, headers included. */
  readonly uncompressedSize: number;
  readonly compressedSize: number;
  /** The metadata of the chunk that begins at `offset` of the file. */
  metadata(offset: number): Uint8Array;
}

/** Encodes the columns of one file. Its buffers are used again from column to column. */
export class ChunkEncoder {
  readonly #dictionaries: DictionaryBuilder;
  readonly #values: Float64Array;
  readonly #page: Uint8Array<ArrayBuffer>;

  /** `mostRows` is the size of the largest row group. */
  constructor(mostRows: number) {
    this.#dictionaries = new DictionaryBuilder(mostRows);
    this.#values = new Float64Array(mostRows);
    this.#page = new Uint8Array(mostPageBytes(mostRows));
  }

  /** Times in epoch seconds, within 69,000 years of 1970, as a column of milliseconds without undefined values. */
  times(name: string, ts: Float64Array): ColumnChunk {
    const millis = this.#values.subarray(0, ts.length);
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < ts.length; i++) {
      const value = ts[i]! * 1_000;
      millis[i] = value;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const pages = new Pages(this.#page);
    pages.add(DATA_PAGE, ts.length, DELTA_BINARY_PACKED, (page) => writeDeltas(page, 0, millis));
    const bound = (value: number) => bytesOf(BigInt64Array.of(BigInt(value)));
    return pages.chunk(name, INT64, ts.length, { least: bound(least), most: bound(most), nulls: 0 });
  }

  /** Doubles as a column that is null where they are NaN. */
  doubles(name: string, column: Float64Array): ColumnChunk {
    const rows = column.length;
    let count = 0;
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < rows; i++) {
      const value = column[i]!;
      this.#values[count] = value;
      if (!Number.isNaN(value)) count++;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    const values = this.#values.subarray(0, count);
    const pages = new Pages(this.#page);
    const dictionary = this.#dictionaries.build(values);
    const levels = (page: Uint8Array) => writeLevels(page, 0, column, count === rows);
    if (dictionary === null) {
      pages.add(DATA_PAGE, rows, PLAIN, (page) => writeDoubles(page, levels(page), values));
    } else {
      const { entries, places } = dictionary;
      pages.add(DICTIONARY_PAGE, entries.length, PLAIN, (page) => writeDoubles(page, 0, entries));
      pages.add(DATA_PAGE, rows, RLE_DICTIONARY, (page) => writePlaces(page, levels(page), places));
    }
    // The two zeros are equal: the bounds must hold for either.
    const bounds = count === 0 ? {} : { least: doubleBound(least === 0 ? -0 : least), most: doubleBound(most + 0) };
    return pages.chunk(name, DOUBLE, rows, { ...bounds, nulls: rows - count });
  }
}

const doubleBound = (value: number) => bytesOf(Float64Array.of(value));

interface Statistics {
  readonly least?: Uint8Array;
  readonly most?: Uint8Array;
  readonly nulls: number;
}

/** The pages of a chunk: at most one dictionary, then one page of data. */
class Pages {
  readonly #parts: Uint8Array[] = [];
  readonly #encodings = new Set([RLE]);
  #uncompressed = 0;
  #compressed = 0;
  /** Where the page of data begins in the chunk. */
  #dataStart = 0;

  constructor(private readonly buffer: Uint8Array<ArrayBuffer>) {}

  /** Adds a page of `values` values, nulls included; `write` fills the buffer from its start and returns where it ends. */
  add(type: number, values: number, encoding: number, write: (page: Uint8Array) => number): void {
    const body = this.buffer.subarray(0, write(this.buffer));
    const packed = Bun.zstdCompressSync(body, { level: ZSTD_LEVEL });
    const header = ThriftWriter.struct((page) => {
      page.int32(1, type);
      page.int32(2, body.length);
      page.int32(3, packed.length);
      page.struct(type === DATA_PAGE ? 5 : 7, (about) => {
        about.int32(1, values);
        about.int32(2, encoding);
        if (type === DICTIONARY_PAGE) return about.bool(3, true);
        about.int32(3, RLE);
        about.int32(4, RLE);
      });
    });
    if (type === DATA_PAGE) this.#dataStart = this.#compressed;
    this.#parts.push(header, packed);
    this.#encodings.add(encoding);
    this.#uncompressed += header.length + body.length;
    this.#compressed += header.length + packed.length;
  }

  chunk(name: string, type: number, rows: number, { least, most, nulls }: Statistics): ColumnChunk {
    const [uncompressedSize, compressedSize, dataStart] = [this.#uncompressed, this.#compressed, this.#dataStart];
    const metadata = (offset: number) =>
      ThriftWriter.struct((chunk) => {
        chunk.int64(2, offset);
        chunk.struct(3, (about) => {
          about.int32(1, type);
          about.int32List(2, [...this.#encodings]);
          about.binaryList(3, [name]);
          about.int32(4, ZSTD);
          about.int64(5, rows);
          about.int64(6, uncompressedSize);
          about.int64(7, compressedSize);
          about.int64(9, offset + dataStart);
          if (dataStart > 0) about.int64(11, offset);
          about.struct(12, (statistics) => {
            statistics.int64(3, nulls);
            if (most !== undefined) statistics.binary(5, most);
            if (least !== undefined) statistics.binary(6, least);
          });
        });
      });
    return { parts: this.#parts, uncompressedSize, compressedSize, metadata };
  }
}
