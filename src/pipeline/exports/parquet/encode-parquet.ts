/** A table as Parquet: times, symbols as a dictionary, values that are null where undefined; zstd. */

import { joinBytes } from "../bytes.ts";
import { SpillFile } from "../spill-file.ts";
import { RowBuffer, rowBytes, type TableBlock, type TableHead } from "../table-block.ts";
import {
  BYTE_ARRAY,
  type ChunkPages,
  type ColumnWriter,
  chunkMetadata,
  INT64,
  type Page,
  PageBuffers,
  SymbolColumn,
  TimeColumn,
  ValueColumn,
} from "./chunk.ts";
import { ThriftWriter } from "./thrift.ts";

/** The rows of a row group. */
const GROUP_ROWS = 122_880;
/**
 * The most bytes of rows that are collected in memory: 10,000 rows of 200 columns. The pages of wider row groups wait
 * in a temporary file.
 */
const PAGE_BYTES = 16 * 2 ** 20;
/** Bytes after which the finished columns of a row group are given out. */
const PIECE_BYTES = 512 * 1024;

const MAGIC = new TextEncoder().encode("PAR1");
/** Numbers of the format's enumerations: repetition, converted types. */
const [REQUIRED, OPTIONAL] = [0, 1];
const [UTF8, TIMESTAMP_MICROS] = [0, 10];

/** @param throwIfStopped called before each column of each page */
export async function* encodeParquet(
  head: TableHead,
  blocks: AsyncIterable<TableBlock>,
  throwIfStopped: () => void = () => {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using file = new ParquetFile(head, throwIfStopped);
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

/** The pages of one column of the present row group: those of a single part in memory, others in the file. */
interface Waiting {
  pages: Page[];
  places: Place[];
}

interface Place {
  readonly start: number;
  readonly size: number;
}

class ParquetFile implements Disposable {
  readonly #rows: RowBuffer;
  readonly #columns: readonly ColumnWriter[];
  readonly #waiting: readonly Waiting[];
  readonly #spill = new SpillFile();
  readonly #isWide: boolean;
  #groupRows = 0;
  /** The metadata of the row groups so far. */
  readonly #groups: Uint8Array[] = [];
  #offset = MAGIC.length;
  #total = 0;

  constructor(
    private readonly head: TableHead,
    private readonly throwIfStopped: () => void,
  ) {
    const { names, symbols, dtype, timeName = "timestamp", texts = [] } = head;
    const pageRows = Math.min(GROUP_ROWS, Math.ceil(PAGE_BYTES / rowBytes(head)));
    this.#isWide = pageRows < GROUP_ROWS;
    this.#rows = new RowBuffer(head, pageRows);
    const bytesOf = (list: readonly string[]) => list.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0);
    const most = Math.max(...[symbols ?? [], ...texts.map(({ values }) => values)].map(bytesOf));
    const buffers = new PageBuffers(pageRows, most);
    this.#columns = [
      ...(symbols === null ? [] : [new SymbolColumn("symbol", symbols, this.#rows.symbols, buffers)]),
      new TimeColumn(timeName, this.#rows.ts, buffers),
      ...texts.map(({ name, values }, k) => new SymbolColumn(name, values, this.#rows.texts[k]!, buffers)),
      ...names.map((name, k) => new ValueColumn(name, this.#rows.columns[k]!, buffers, !this.#isWide, dtype)),
    ];
    this.#waiting = this.#columns.map(() => ({ pages: [], places: [] }));
  }

  get isGroupFull(): boolean {
    return this.#groupRows === GROUP_ROWS;
  }

  /** Takes rows of the block, from `row` on, as far as the row group has room, and returns the next row. */
  take(block: TableBlock, row: number): number {
    const room = GROUP_ROWS - this.#groupRows;
    const whole = block.ts.length - row <= room;
    const end = this.#rows.take(whole ? block : cut(block, row + room), row);
    this.#groupRows += end - row;
    if (this.#rows.isFull) this.#endPage();
    return end;
  }

  #endPage(): void {
    const rows = this.#rows.length;
    if (rows === 0) return;
    this.#columns.forEach((column, k) => {
      this.throwIfStopped();
      for (const page of column.pages(rows)) {
        const { pages, places } = this.#waiting[k]!;
        if (!this.#isWide) pages.push(page);
        else {
          const [start] = page.parts.map((part) => this.#spill.append(part));
          places.push({ start: start!, size: page.size });
          pages.push({ ...page, parts: [] });
        }
      }
    });
    this.#rows.clear();
  }

  /** The row group, if it has rows, in pieces of whole columns. */
  *endGroup(): Generator<Uint8Array<ArrayBuffer>> {
    this.#endPage();
    const rows = this.#groupRows;
    if (rows === 0) return;
    const start = this.#offset;
    const metadata: Uint8Array[] = [];
    let uncompressed = 0;
    let parts: (Uint8Array | Place)[] = [];
    let waiting = 0;
    for (const [k, column] of this.#columns.entries()) {
      this.throwIfStopped();
      const { dictionary, statistics } = column.end();
      const { pages } = this.#waiting[k]!;
      const all = dictionary === null ? pages : [dictionary, ...pages];
      const chunk = sizesOf(all, rows);
      metadata.push(chunkMetadata(column, chunk, statistics, this.#offset));
      this.#offset += chunk.compressed;
      uncompressed += chunk.uncompressed;
      parts.push(...all.flatMap((page) => page.parts), ...this.#waiting[k]!.places);
      waiting += chunk.compressed;
      if (waiting < PIECE_BYTES && k + 1 < this.#columns.length) continue;
      yield this.#piece(parts, waiting);
      parts = [];
      waiting = 0;
    }
    for (const each of this.#waiting) [each.pages, each.places] = [[], []];
    this.#spill.clear();
    this.#groupRows = 0;
    this.#total += rows;
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

  /** All parts, one after the other; those that lie in the file are read to their place. */
  #piece(parts: readonly (Uint8Array | Place)[], size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      if ("start" in part) this.#spill.read(bytes.subarray(at, at + part.size), part.start);
      else bytes.set(part, at);
      at += "start" in part ? part.size : part.length;
    }
    return bytes;
  }

  /** The end of the file: its metadata, their length and the mark. */
  footer(): Uint8Array<ArrayBuffer> {
    const metadata = ThriftWriter.struct((file) => {
      file.int32(1, 2);
      file.structList(2, [rootElement(this.#columns.length), ...this.#columns.map(leafElement)]);
      file.int64(3, this.#total);
      file.structList(4, this.#groups);
      file.structList(
        5,
        Object.entries(this.head.metadata).map(([key, value]) =>
          ThriftWriter.struct((entry) => {
            entry.binary(1, key);
            entry.binary(2, value);
          }),
        ),
      );
      file.binary(6, "barkeep");
      // The order in which the bounds of a column are meant: that of its type.
      file.structList(
        7,
        this.#columns.map(() => ThriftWriter.struct((order) => order.struct(1, () => {}))),
      );
    });
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, metadata.length, true);
    return joinBytes([metadata, length, MAGIC]);
  }

  [Symbol.dispose](): void {
    this.#spill[Symbol.dispose]();
  }
}

const cut = ({ ts, columns, symbols, texts }: TableBlock, end: number): TableBlock => ({
  ts: ts.subarray(0, end),
  columns,
  ...(symbols && { symbols }),
  ...(texts && { texts }),
});

function sizesOf(pages: readonly Page[], rows: number): ChunkPages {
  const total = (size: (page: Page) => number) => pages.reduce((sum, page) => sum + size(page), 0);
  return {
    rows,
    encodings: new Set(pages.map(({ encoding }) => encoding)),
    uncompressed: total((page) => page.uncompressed),
    compressed: total((page) => page.size),
    dictionary: total((page) => (page.isDictionary ? page.size : 0)),
  };
}

const rootElement = (children: number) =>
  ThriftWriter.struct((element) => {
    element.binary(4, "root");
    element.int32(5, children);
  });

const leafElement = ({ name, type }: ColumnWriter) =>
  ThriftWriter.struct((element) => {
    element.int32(1, type);
    element.int32(3, type === INT64 || type === BYTE_ARRAY ? REQUIRED : OPTIONAL);
    element.binary(4, name);
    if (type === BYTE_ARRAY) {
      element.int32(6, UTF8);
      element.struct(10, (logical) => logical.struct(1, () => {}));
    }
    if (type !== INT64) return;
    element.int32(6, TIMESTAMP_MICROS);
    element.struct(10, (logical) =>
      logical.struct(8, (timestamp) => {
        timestamp.bool(1, true);
        timestamp.struct(2, (unit) => unit.struct(2, () => {}));
      }),
    );
  });
