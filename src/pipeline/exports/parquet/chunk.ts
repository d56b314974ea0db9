/** Encodes one column of a table page by page, and its entry in the file's metadata. */

import { bytesOf } from "../bytes.ts";
import type { ColumnFacts, Page } from "../encoding/part.ts";
import type { Dtype } from "../table-block.ts";
import { ThriftWriter } from "./thrift.ts";
import { mostPageBytes, writeDeltas, writePlaces, writeTexts } from "./values.ts";

/** Numbers of the format's enumerations. */
export const [INT64, BYTE_ARRAY] = [2, 6];
const [FLOAT, DOUBLE] = [4, 5];
export const [PLAIN, RLE_DICTIONARY, BYTE_STREAM_SPLIT] = [0, 8, 9];
const [RLE, DELTA_BINARY_PACKED] = [3, 5];
export const [DATA_PAGE, DICTIONARY_PAGE] = [0, 2];
const ZSTD = 6;
/** Level 3 takes about twice as long for files that are 2 % (features) to 7 % (bars) smaller. */
const ZSTD_LEVEL = 1;

/** A page with its bytes: header and body. */
export interface EncodedPage extends Page {
  readonly parts: readonly Uint8Array[];
}

/** What is known of the values of a column. */
export interface Statistics {
  readonly least?: Uint8Array;
  readonly most?: Uint8Array;
  readonly nulls: number;
}

/** A column of the file. */
export interface Column {
  readonly name: string;
  readonly type: number;
}

/** A column of one row group: takes its rows in parts, each becomes a page of data. */
export interface ColumnWriter extends Column {
  /** The pages of some rows, to be stored in this order. */
  pages(rows: number): EncodedPage[];
  /** The page that belongs before all others, if that is known only now, and the statistics; starts a new row group. */
  end(): { readonly dictionary: EncodedPage | null; readonly statistics: Statistics };
}

/** The buffers that columns share. */
export class PageBuffers {
  readonly values: Float64Array;
  readonly bytes: Uint8Array<ArrayBuffer>;

  /** `mostRows` is the size of the largest page. */
  constructor(mostRows: number, symbolBytes: number) {
    this.values = new Float64Array(mostRows);
    this.bytes = new Uint8Array(Math.max(mostPageBytes(mostRows), symbolBytes));
  }

  /** A page of `count` values, nulls included; `write` fills the buffer from its start and returns where it ends. */
  page(type: number, count: number, encoding: number, write: (page: Uint8Array) => number): EncodedPage {
    const end = write(this.bytes);
    // What is written beyond the end of an array is lost without a word.
    if (end > this.bytes.length) throw new RangeError(`A page of ${end} bytes does not fit into ${this.bytes.length}`);
    const body = this.bytes.subarray(0, end);
    const packed = Bun.zstdCompressSync(body, { level: ZSTD_LEVEL });
    const header = ThriftWriter.struct((page) => {
      page.int32(1, type);
      page.int32(2, body.length);
      page.int32(3, packed.length);
      page.struct(type === DATA_PAGE ? 5 : 7, (about) => {
        about.int32(1, count);
        about.int32(2, encoding);
        if (type === DICTIONARY_PAGE) return about.bool(3, true);
        about.int32(3, RLE);
        about.int32(4, RLE);
      });
    });
    return {
      isDictionary: type === DICTIONARY_PAGE,
      encoding,
      parts: [header, packed],
      size: header.length + packed.length,
      uncompressed: header.length + body.length,
    };
  }
}

/** Times in epoch seconds as a column of microseconds without undefined values; of the years 1828 to 2112. */
export class TimeColumn implements ColumnWriter {
  readonly type = INT64;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;

  constructor(
    readonly name: string,
    private readonly ts: Float64Array,
    private readonly buffers: PageBuffers,
  ) {}

  pages(rows: number): EncodedPage[] {
    const micros = this.buffers.values.subarray(0, rows);
    for (let i = 0; i < rows; i++) {
      const value = this.ts[i]! * 1e6;
      micros[i] = value;
      if (value < this.#least) this.#least = value;
      if (value > this.#most) this.#most = value;
    }
    return [this.buffers.page(DATA_PAGE, rows, DELTA_BINARY_PACKED, (page) => writeDeltas(page, 0, micros))];
  }

  end() {
    const bound = (value: number) => bytesOf(BigInt64Array.of(BigInt(value)));
    const statistics = { least: bound(this.#least), most: bound(this.#most), nulls: 0 };
    [this.#least, this.#most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    return { dictionary: null, statistics };
  }
}

/** Values that are null where they are NaN: what is known of those of one row group. */
export class ValueColumn implements Column {
  readonly type: number;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;
  #nulls = 0;
  #known = 0;

  constructor(
    readonly name: string,
    private readonly dtype: Dtype,
  ) {
    this.type = dtype === "float32" ? FLOAT : DOUBLE;
  }

  add({ least, most, nulls, known }: ColumnFacts): void {
    if (least < this.#least) this.#least = least;
    if (most > this.#most) this.#most = most;
    this.#nulls += nulls;
    this.#known += known;
  }

  /** The statistics; starts a new row group. */
  end(): Statistics {
    // The two zeros are equal: the bounds must hold for either.
    const [least, most] = [this.#least === 0 ? -0 : this.#least, this.#most + 0];
    const bounds = this.#known === 0 ? {} : { least: this.#bound(least), most: this.#bound(most) };
    const statistics = { ...bounds, nulls: this.#nulls };
    [this.#least, this.#most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    [this.#nulls, this.#known] = [0, 0];
    return statistics;
  }

  #bound(value: number): Uint8Array {
    return bytesOf(this.dtype === "float64" ? Float64Array.of(value) : Float32Array.of(value));
  }
}

/** Texts by their place in a list. The dictionary of a row group has those that occur in it. */
export class SymbolColumn implements ColumnWriter {
  readonly type = BYTE_ARRAY;
  /** Per place in the list its place in the dictionary, or -1. */
  readonly #places: Int32Array;
  readonly #texts: readonly Uint8Array[];
  #used: number[] = [];

  constructor(
    readonly name: string,
    private readonly symbols: readonly string[],
    private readonly column: Uint16Array,
    private readonly buffers: PageBuffers,
  ) {
    this.#places = new Int32Array(symbols.length).fill(-1);
    this.#texts = symbols.map((symbol) => new TextEncoder().encode(symbol));
  }

  pages(rows: number): EncodedPage[] {
    const places = new Uint16Array(rows);
    for (let i = 0; i < rows; i++) {
      const symbol = this.column[i]!;
      if (this.#places[symbol]! < 0) this.#places[symbol] = this.#used.push(symbol) - 1;
      places[i] = this.#places[symbol]!;
    }
    const packed = this.#used.length <= 256 ? Uint8Array.from(places) : places;
    return [this.buffers.page(DATA_PAGE, rows, RLE_DICTIONARY, (page) => writePlaces(page, 0, packed))];
  }

  end() {
    const entries = this.#used.map((place) => this.#texts[place]!);
    const write = (page: Uint8Array) => writeTexts(page, 0, entries);
    const dictionary = this.buffers.page(DICTIONARY_PAGE, entries.length, PLAIN, write);
    const names = this.#used.map((place) => this.symbols[place]!).sort();
    const bound = (name: string | undefined) => new TextEncoder().encode(name);
    const statistics = { least: bound(names[0]), most: bound(names.at(-1)), nulls: 0 };
    this.#places.fill(-1);
    this.#used = [];
    return { dictionary, statistics };
  }
}

/** The sizes of a column's pages in a row group, in their order in the file. */
export interface ChunkPages {
  readonly rows: number;
  readonly encodings: ReadonlySet<number>;
  readonly uncompressed: number;
  readonly compressed: number;
  /** Bytes of the dictionary before the pages of data; 0 without one. */
  readonly dictionary: number;
}

/** The metadata of a chunk that begins at `offset` of the file. */
export function chunkMetadata(
  { name, type }: Column,
  { rows, encodings, uncompressed, compressed, dictionary }: ChunkPages,
  { least, most, nulls }: Statistics,
  offset: number,
): Uint8Array {
  return ThriftWriter.struct((chunk) => {
    chunk.int64(2, offset);
    chunk.struct(3, (about) => {
      about.int32(1, type);
      about.int32List(2, [...new Set([RLE, ...encodings])]);
      about.binaryList(3, [name]);
      about.int32(4, ZSTD);
      about.int64(5, rows);
      about.int64(6, uncompressed);
      about.int64(7, compressed);
      about.int64(9, offset + dictionary);
      if (dictionary > 0) about.int64(11, offset);
      about.struct(12, (statistics) => {
        statistics.int64(3, nulls);
        if (most !== undefined) statistics.binary(5, most);
        if (least !== undefined) statistics.binary(6, least);
      });
    });
  });
}
