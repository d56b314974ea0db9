/** Brings rows that come symbol by symbol into the order of their times; they wait in a temporary file. */

import { SpillFile } from "../spill-file.ts";
import type { TableBlock } from "../table-block.ts";

/** Bytes of rows that are read back at a time, of all symbols together, and rows of a block that is given out. */
const READ_BYTES = 32 * 2 ** 20;
const BLOCK_ROWS = 4_096;

/** Rows of one symbol in the file: time and values, row by row. */
class Cursor {
  #buffer = new Float64Array(0);
  #at = 0;
  #left: number;
  #start: number;

  constructor(
    readonly symbol: number,
    start: number,
    rows: number,
    private readonly width: number,
    private readonly most: number,
    private readonly file: SpillFile,
  ) {
    this.#start = start;
    this.#left = rows;
    this.#fill();
  }

  /** The time of the next row; Infinity after the last. */
  time = Number.POSITIVE_INFINITY;

  /** Copies the next row into row `to` of a block, and moves on. */
  copy(ts: Float64Array, columns: readonly Float64Array[], to: number): void {
    const at = this.#at;
    ts[to] = this.#buffer[at]!;
    for (let k = 0; k < columns.length; k++) columns[k]![to] = this.#buffer[at + 1 + k]!;
    this.#at += this.width;
    if (this.#at < this.#buffer.length) this.time = this.#buffer[this.#at]!;
    else this.#fill();
  }

  #fill(): void {
    const rows = Math.min(this.#left, this.most);
    if (rows === 0) {
      this.time = Number.POSITIVE_INFINITY;
      return;
    }
    this.#buffer = new Float64Array(rows * this.width);
    this.file.read(new Uint8Array(this.#buffer.buffer), this.#start);
    this.#start += this.#buffer.byteLength;
    this.#left -= rows;
    this.#at = 0;
    this.time = this.#buffer[0]!;
  }
}

/**
 * All rows by time, then by symbol. `blocks` has those of each symbol together and ascending, with the place of the
 * symbol; `columns` is the number of columns.
 * @throws Error if they need more temporary space than allowed
 */
export async function* mergeByTime(
  blocks: AsyncIterable<TableBlock>,
  columns: number,
  throwIfStopped: () => void,
): AsyncGenerator<TableBlock> {
  using file = new SpillFile();
  const width = columns + 1;
  const stored: { symbol: number; start: number; rows: number }[] = [];
  for await (const block of blocks) {
    throwIfStopped();
    const symbol = block.symbols![0]!;
    const start = file.append(rowMajor(block, width));
    const last = stored.at(-1);
    if (last?.symbol === symbol) last.rows += block.ts.length;
    else stored.push({ symbol, start, rows: block.ts.length });
  }
  const most = Math.max(1, Math.floor(READ_BYTES / (8 * width * Math.max(1, stored.length))));
  const cursors = stored.map(({ symbol, start, rows }) => new Cursor(symbol, start, rows, width, most, file));
  let block = emptyBlock(columns);
  let count = 0;
  for (;;) {
    let time = Number.POSITIVE_INFINITY;
    for (const cursor of cursors) if (cursor.time < time) time = cursor.time;
    if (time === Number.POSITIVE_INFINITY) break;
    for (const cursor of cursors) {
      if (cursor.time !== time) continue;
      cursor.copy(block.ts, block.columns, count);
      block.symbols[count++] = cursor.symbol;
      if (count < BLOCK_ROWS) continue;
      throwIfStopped();
      yield block;
      block = emptyBlock(columns);
      count = 0;
    }
  }
  if (count > 0) yield cutTo(block, count);
}

const emptyBlock = (columns: number) => ({
  ts: new Float64Array(BLOCK_ROWS),
  columns: Array.from({ length: columns }, () => new Float64Array(BLOCK_ROWS)),
  symbols: new Uint16Array(BLOCK_ROWS),
});

const cutTo = ({ ts, columns, symbols }: ReturnType<typeof emptyBlock>, count: number): TableBlock => ({
  ts: ts.subarray(0, count),
  columns: columns.map((column) => column.subarray(0, count)),
  symbols: symbols.subarray(0, count),
});

function rowMajor({ ts, columns }: TableBlock, width: number): Uint8Array {
  const rows = new Float64Array(ts.length * width);
  for (let i = 0; i < ts.length; i++) rows[i * width] = ts[i]!;
  for (let k = 0; k < columns.length; k++) {
    const column = columns[k]!;
    for (let i = 0, at = k + 1; i < ts.length; i++, at += width) rows[at] = column[i]!;
  }
  return new Uint8Array(rows.buffer);
}
