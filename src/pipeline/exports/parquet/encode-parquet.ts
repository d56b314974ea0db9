/** A table as Parquet: times, symbols as a dictionary, values that are null where undefined; zstd. */

import { joinBytes } from "../bytes.ts";
import type { OpenEncoding } from "../encoding/encoding-thread.ts";
import { encodeAlone, encodeInOrder } from "../encoding/in-order.ts";
import { type Encoded, PART_VALUES, type Page, type Part, type PartFormat } from "../encoding/part.ts";
import { SpillFile } from "../spill-file.ts";
import { RowBuffer, rowBytes, type TableBlock, type TableHead } from "../table-block.ts";
import {
  BYTE_ARRAY,
  type ChunkPages,
  type Column,
  type ColumnWriter,
  chunkMetadata,
  type EncodedPage,
  INT64,
  PageBuffers,
  type Statistics,
  SymbolColumn,
  TimeColumn,
  ValueColumn,
} from "./chunk.ts";
import { PagesEncoder } from "./pages-encoder.ts";
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
  openEncoding: OpenEncoding = encodeAlone,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  using file = new ParquetFile(head, throwIfStopped);
  const { format } = file;
  yield MAGIC.slice();
  // Of narrow rows, reading takes most of the time: a second thread saves nothing.
  const table = file.isWide ? openEncoding(format) : null;
  const encoded = encodeInOrder(file.parts(blocks), new PagesEncoder(format), table, throwIfStopped);
  for await (const column of encoded) {
    file.add(column);
    if (file.hasGroup) yield* file.endGroup();
  }
  while (file.hasRest) yield* file.endGroup();
  yield file.footer();
}

/** The pages of one column of a row group: their bytes in memory or, of more than a single part, in the file. */
interface Waiting {
  readonly pages: Page[];
  readonly bytes: (Uint8Array | Place)[];
}

interface Place {
  readonly start: number;
  readonly size: number;
}

/** A row group whose last row was taken, with its columns of times and texts. */
interface CutGroup {
  readonly rows: number;
  /** Pages of each column of the file up to its end. */
  readonly pages: number;
  readonly fixed: readonly { readonly pages: readonly EncodedPage[]; readonly statistics: Statistics }[];
}

/** Rows are taken ahead of the pages that come back: those of values are encoded elsewhere, part by part. */
class ParquetFile implements Disposable {
  readonly format: Extract<PartFormat, { kind: "pages" }>;
  readonly #rows: RowBuffer;
  /** Times, symbols and texts: encoded at once, as they are short. */
  readonly #fixed: readonly ColumnWriter[];
  readonly #values: readonly ValueColumn[];
  /** All of them, in the order of the file. */
  readonly #columns: readonly Column[];
  readonly #spill = new SpillFile();
  /** Whether a row group has several pages. */
  readonly isWide: boolean;
  /** What was taken: rows and the pages of `#fixed` of the present row group, pages of the file, and whole groups. */
  #groupRows = 0;
  #fixedPages: EncodedPage[][];
  #pagesTaken = 0;
  readonly #cut: CutGroup[] = [];
  /** What has come back: the pages of values of the present row group, the next column, and pages of the file. */
  #waiting: readonly Waiting[];
  #next = 0;
  #pagesDone = 0;
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
    this.isWide = pageRows < GROUP_ROWS;
    this.format = { kind: "pages", dtype, pageRows, mayHaveDictionary: !this.isWide };
    this.#rows = new RowBuffer(head, pageRows);
    const bytesOf = (list: readonly string[]) => list.reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0);
    const most = Math.max(...[symbols ?? [], ...texts.map(({ values }) => values)].map(bytesOf));
    const buffers = new PageBuffers(pageRows, most);
    this.#fixed = [
      ...(symbols === null ? [] : [new SymbolColumn("symbol", symbols, this.#rows.symbols, buffers)]),
      new TimeColumn(timeName, this.#rows.ts, buffers),
      ...texts.map(({ name, values }, k) => new SymbolColumn(name, values, this.#rows.texts[k]!, buffers)),
    ];
    this.#fixedPages = this.#fixed.map(() => []);
    this.#values = names.map((name) => new ValueColumn(name, dtype));
    this.#columns = [...this.#fixed, ...this.#values];
    this.#waiting = names.map(() => ({ pages: [], bytes: [] }));
  }

  /** The columns of values of all blocks, page by page, in parts; `add` takes what becomes of them, in their order. */
  async *parts(blocks: AsyncIterable<TableBlock>): AsyncGenerator<Part> {
    for await (const block of blocks) {
      for (let row = 0; row < block.ts.length; ) {
        row = this.#take(block, row);
        const endsGroup = this.#groupRows === GROUP_ROWS;
        if (endsGroup || this.#rows.isFull) yield* this.#endPage(endsGroup);
      }
    }
    yield* this.#endPage(true);
  }

  /** Takes rows of the block, from `row` on, as far as page and row group have room, and returns the next row. */
  #take(block: TableBlock, row: number): number {
    const room = GROUP_ROWS - this.#groupRows;
    const whole = block.ts.length - row <= room;
    const end = this.#rows.take(whole ? block : cut(block, row + room), row);
    this.#groupRows += end - row;
    return end;
  }

  *#endPage(endsGroup: boolean): Generator<Part> {
    const rows = this.#rows.length;
    if (rows > 0) {
      this.#fixed.forEach((column, k) => {
        this.throwIfStopped();
        this.#fixedPages[k]!.push(...column.pages(rows));
      });
      this.#pagesTaken += 1;
    }
    if (endsGroup && this.#groupRows > 0) this.#cutGroup();
    const step = Math.max(1, Math.floor(PART_VALUES / Math.max(1, rows)));
    for (let k = 0; rows > 0 && k < this.#values.length; k += step) {
      yield { columns: this.#rows.columns.slice(k, k + step).map((column) => column.subarray(0, rows)) };
    }
    this.#rows.clear();
  }

  #cutGroup(): void {
    const fixed = this.#fixed.map((column, k) => {
      const { dictionary, statistics } = column.end();
      const pages = this.#fixedPages[k]!;
      return { pages: dictionary === null ? pages : [dictionary, ...pages], statistics };
    });
    this.#cut.push({ rows: this.#groupRows, pages: this.#pagesTaken, fixed });
    this.#groupRows = 0;
    this.#fixedPages = this.#fixed.map(() => []);
  }

  /** Takes the pages of the next column of a part. */
  add({ bytes, column }: Encoded): void {
    const place = this.isWide ? { start: this.#spill.append(bytes), size: bytes.length } : bytes.slice();
    this.#values[this.#next]!.add(column!);
    this.#waiting[this.#next]!.pages.push(...column!.pages);
    this.#waiting[this.#next]!.bytes.push(place);
    this.#next += 1;
    if (this.#next < this.#values.length) return;
    this.#next = 0;
    this.#pagesDone += 1;
  }

  /** Whether all pages of a row group are there. */
  get hasGroup(): boolean {
    return this.#next === 0 && this.#cut[0]?.pages === this.#pagesDone;
  }

  /** Whether a row group is left when all pages are there. */
  get hasRest(): boolean {
    return this.#cut.length > 0;
  }

  /** The first row group that was cut, in pieces of whole columns. */
  *endGroup(): Generator<Uint8Array<ArrayBuffer>> {
    const { rows, fixed } = this.#cut.shift()!;
    const start = this.#offset;
    const metadata: Uint8Array[] = [];
    let uncompressed = 0;
    let parts: (Uint8Array | Place)[] = [];
    let waiting = 0;
    const chunks = [
      ...fixed.map(({ pages, statistics }) => ({ pages, statistics, bytes: pages.flatMap((page) => page.parts) })),
      ...this.#waiting.map((each, k) => ({ ...each, statistics: this.#values[k]!.end() })),
    ];
    for (const [k, { pages, statistics, bytes }] of chunks.entries()) {
      this.throwIfStopped();
      const chunk = sizesOf(pages, rows);
      metadata.push(chunkMetadata(this.#columns[k]!, chunk, statistics, this.#offset));
      this.#offset += chunk.compressed;
      uncompressed += chunk.uncompressed;
      parts.push(...bytes);
      waiting += chunk.compressed;
      if (waiting < PIECE_BYTES && k + 1 < chunks.length) continue;
      yield this.#piece(parts, waiting);
      parts = [];
      waiting = 0;
    }
    this.#waiting = this.#values.map(() => ({ pages: [], bytes: [] }));
    this.#spill.clear();
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

const leafElement = ({ name, type }: Column) =>
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
