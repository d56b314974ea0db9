/** Tables as CSV and JSON, piece by piece. */

import type { OpenEncoding } from "../encoding/encoding-thread.ts";
import { encodeAlone, encodeInOrder } from "../encoding/in-order.ts";
import { PART_VALUES, type Part } from "../encoding/part.ts";
import type { TableBlock, TableHead } from "../table-block.ts";
import { csvRows } from "./csv-rows.ts";
import { jsonRows, SEPARATOR } from "./json-rows.ts";
import { RowEncoder, type RowFormat } from "./text-pieces.ts";

type TextTable = Omit<TableHead, "metadata">;
type Pieces = AsyncGenerator<Uint8Array<ArrayBuffer>>;

const ignore = () => {};

/** A line with the names of the columns, then one line per row. */
export async function* encodeCsv(
  table: TextTable,
  blocks: AsyncIterable<TableBlock>,
  throwIfStopped = ignore,
  openEncoding: OpenEncoding = encodeAlone,
): Pieces {
  const before = table.symbols === null ? ["timestamp"] : ["symbol", "timestamp"];
  yield bytesOf(`${[...before, ...table.names].join(",")}\n`);
  yield* encodeRows("csv", csvRows(table), table, blocks, throwIfStopped, openEncoding);
}

/** The fields of `head`, then `data` with one object per row. */
export async function* encodeJson(
  table: TextTable,
  blocks: AsyncIterable<TableBlock>,
  head: Readonly<Record<string, unknown>>,
  throwIfStopped = ignore,
  openEncoding: OpenEncoding = encodeAlone,
): Pieces {
  const fields = JSON.stringify(head).slice(0, -1);
  yield bytesOf(`${fields}${fields === "{" ? "" : ","}"data":[`);
  let isFirst = true;
  for await (const piece of encodeRows("json", jsonRows(table, "json"), table, blocks, throwIfStopped, openEncoding)) {
    yield isFirst ? piece.subarray(SEPARATOR.length) : piece;
    isFirst = false;
  }
  yield bytesOf("]}");
}

/** One object a line. */
export const encodeNdjson = (
  table: TextTable,
  blocks: AsyncIterable<TableBlock>,
  throwIfStopped = ignore,
  openEncoding: OpenEncoding = encodeAlone,
): Pieces => encodeRows("ndjson", jsonRows(table, "ndjson"), table, blocks, throwIfStopped, openEncoding);

async function* encodeRows(
  format: "csv" | "json" | "ndjson",
  rows: RowFormat,
  { names, symbols, dtype }: TextTable,
  blocks: AsyncIterable<TableBlock>,
  throwIfStopped: () => void,
  openEncoding: OpenEncoding,
): Pieces {
  const table = openEncoding({ kind: "text", format, names, symbols, dtype });
  const parts = textParts(blocks, names.length + 1);
  for await (const { bytes } of encodeInOrder(parts, new RowEncoder(rows), table, throwIfStopped)) yield bytes;
}

async function* textParts(blocks: AsyncIterable<TableBlock>, width: number): AsyncGenerator<Part> {
  const most = Math.max(1, Math.floor(PART_VALUES / width));
  for await (const { ts, columns, symbols } of blocks) {
    for (let start = 0; start < ts.length; start += most) {
      const cut = (column: Float64Array) => column.subarray(start, start + most);
      yield {
        columns: [cut(ts), ...columns.map(cut)],
        ...(symbols && { symbols: symbols.subarray(start, start + most) }),
      };
    }
  }
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
