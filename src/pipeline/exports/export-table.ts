/** Exports bars, features and labels of one or many symbols, block by block, in any of the formats. */

import { CALENDAR, type Calendar } from "../../domain/market/calendar.ts";
import { type Database, yieldToEvents } from "../../storage/db.ts";
import { encodeArrow } from "./arrow/encode-arrow.ts";
import { type Coding, compressPieces } from "./compress-pieces.ts";
import type { OpenEncoding } from "./encoding/encoding-thread.ts";
import { encodeAlone } from "./encoding/in-order.ts";
import type { ExportFormat, TABLE_SORTS } from "./formats.ts";
import { encodeParquet } from "./parquet/encode-parquet.ts";
import { mergeByTime } from "./series/merge-by-time.ts";
import type { ExportContext } from "./series/read-bars.ts";
import { columnNames, type RowsRequest, readRows, type SymbolSource } from "./series/read-rows.ts";
import type { Dtype, TableBlock, TableHead } from "./table-block.ts";
import { encodeCsv, encodeJson, encodeNdjson } from "./text/encode-text.ts";

/** What to export. Plain data: it is sent to a thread. */
export interface ExportRequest extends RowsRequest {
  readonly content: "table";
  /** In the order of their symbols. */
  readonly series: readonly SymbolSource[];
  /** Whether the rows name their symbol. */
  readonly hasSymbol: boolean;
  readonly sort: (typeof TABLE_SORTS)[number];
  readonly format: ExportFormat;
  readonly dtype: Dtype;
  /** How the bytes are compressed on the way to the reader. */
  readonly coding: Coding | null;
  /** The fields of a JSON export before its rows. */
  readonly head: Readonly<Record<string, unknown>>;
  /** The metadata of a file, by key. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The encoded table, piece by piece; memory grows neither with the number of rows nor of symbols.
 * @param throwIfStopped called several times within a piece, so that an export without a reader ends at once
 * @param openEncoding for parts of long tables that another thread encodes
 */
export function exportTable(
  db: Database,
  request: ExportRequest,
  throwIfStopped: () => void = () => {},
  calendar: Calendar = CALENDAR,
  openEncoding: OpenEncoding = encodeAlone,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { format, dtype, metadata, hasSymbol, series } = request;
  const names = columnNames(request);
  const symbols = hasSymbol ? series.map(({ symbol }) => symbol) : null;
  const table: TableHead = { names, symbols, dtype, metadata };
  const bySymbol = tableBlocks({ db, calendar, throwIfStopped, reusesColumns: true }, request);
  const blocks = request.sort === "timestamp" ? mergeByTime(bySymbol, names.length, throwIfStopped) : bySymbol;
  const pieces = encode(format, table, blocks, request.head, throwIfStopped, openEncoding);
  return request.coding === null ? pieces : compressPieces(pieces, request.coding);
}

function encode(
  format: ExportFormat,
  table: TableHead,
  blocks: AsyncIterable<TableBlock>,
  head: ExportRequest["head"],
  throwIfStopped: () => void,
  openEncoding: OpenEncoding,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  switch (format) {
    case "parquet":
      return encodeParquet(table, blocks, throwIfStopped, openEncoding);
    case "arrow":
      return encodeArrow(table, blocks, throwIfStopped);
    case "csv":
      return encodeCsv(table, blocks, throwIfStopped, openEncoding);
    case "ndjson":
      return encodeNdjson(table, blocks, throwIfStopped, openEncoding);
    case "json":
      return encodeJson(table, blocks, head, throwIfStopped, openEncoding);
  }
}

async function* tableBlocks(context: ExportContext, request: ExportRequest): AsyncGenerator<TableBlock> {
  const { series, hasSymbol } = request;
  for (const [place, source] of series.entries()) {
    context.throwIfStopped();
    for await (const block of readRows(context, source, request)) {
      yield hasSymbol ? { ...block, symbols: new Uint16Array(block.ts.length).fill(place) } : block;
      // Other exports of the thread take turns with this one.
      await yieldToEvents();
    }
  }
}
