/** Reads bars from a Parquet file: columns by name, times as timestamps, dates, epoch numbers or text. */

import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
  type SchemaElement,
  snappyUncompress,
} from "hyparquet";
import { messageOf, ProviderError, quote } from "../../domain/errors.ts";
import { BAR_FIELDS } from "../../domain/market/bars.ts";
import { isMoment } from "../../domain/time.ts";
import type { BarCollector } from "./bar-collector.ts";
import { type CellMoment, DATE_FORMATS, epochOf, readMoment } from "./cell-date.ts";
import { type Field, HeaderLines, type Layout } from "./csv-layout.ts";
import { unpacksTo } from "./text-stream.ts";

/** Unpacks pages, each to the size that it states and no further. @throws ProviderError if that is more than `most` bytes */
function compressors(name: string, most: number): Compressors {
  const within = (unpack: (bytes: Uint8Array, limit: { maxOutputLength: number }) => Uint8Array) => {
    return (bytes: Uint8Array, size: number) => {
      if (size > most) throw unpacksTo(name, most);
      return size === 0 ? new Uint8Array() : new Uint8Array(unpack(bytes, { maxOutputLength: size }));
    };
  };
  return {
    ZSTD: within(zstdDecompressSync),
    GZIP: within(gunzipSync),
    BROTLI: within(brotliDecompressSync),
    SNAPPY: within((bytes, { maxOutputLength }) => {
      const page = new Uint8Array(maxOutputLength);
      snappyUncompress(bytes, page);
      return page;
    }),
  };
}

/** What the columns of a file unpack to by its own account, bytes; a row counts for one number at least. */
function statedSize({ row_groups: groups, num_rows: rows }: FileMetaData): number {
  const chunks = groups.flatMap(({ columns }) =>
    columns.map(({ meta_data: meta }) => meta?.total_uncompressed_size ?? 0n),
  );
  return Math.max(Number(rows) * 8, Number(chunks.reduce((sum, size) => sum + size, 0n)));
}

/** Times as seconds, so that no precision is lost on the way through a `Date`. */
const PARSERS = {
  timestampFromMilliseconds: (value: bigint) => Number(value) / 1e3,
  timestampFromMicroseconds: (value: bigint) => Number(value / 1_000n) / 1e3,
  timestampFromNanoseconds: (value: bigint) => Number(value / 1_000_000n) / 1e3,
  dateFromDays: (days: number) => days * 86_400,
};

/** Column names under which data frames store an index without a name. */
const INDEX = /^__index_level_\d+__$/;

export const isParquet = (start: Uint8Array): boolean =>
  Buffer.from(start.subarray(0, 4)).toString("latin1") === "PAR1";

/** How the values of a column of times are to be understood. */
type TimeKind = "instant" | "wall" | "number" | "text";

function timeKindOf(element: SchemaElement): TimeKind {
  const { logical_type: logical, converted_type: converted, type } = element;
  if (logical?.type === "TIMESTAMP") return logical.isAdjustedToUTC ? "instant" : "wall";
  if (converted === "TIMESTAMP_MILLIS" || converted === "TIMESTAMP_MICROS" || type === "INT96") return "instant";
  if (logical?.type === "DATE" || converted === "DATE") return "wall";
  return type === "BYTE_ARRAY" || type === "FIXED_LEN_BYTE_ARRAY" ? "text" : "number";
}

function momentOf(value: unknown, kind: TimeKind): CellMoment | null {
  if (value === null || value === undefined) return null;
  if (kind === "text") return readMoment(String(value), null);
  if (kind === "number") {
    const digits = String(typeof value === "number" ? Math.trunc(value) : value);
    const date = /^\d{8}$/.test(digits) ? readMoment(digits, null) : null;
    if (date) return date;
    return /^-?\d{9,19}$/.test(digits) ? { wall: epochOf(digits), offset: 0, isInstant: true } : null;
  }
  const wall = Number(value);
  if (!isMoment(wall)) return null;
  return kind === "wall" ? { wall, offset: null, isInstant: false } : { wall, offset: 0, isInstant: true };
}

/** What a file begins and ends with, and the size of one with an empty footer between. */
const MAGIC = "PAR1";
const LEAST_BYTES = 12;

/**
 * Reads the file at `path` (`name` in messages) into `bars`; times without a zone are those of `zone`.
 * @throws ProviderError `bad_request` for a damaged file, a file without the columns of bars, and one that is too large
 */
export async function readParquetFile(
  path: string,
  target: { readonly name: string; readonly zone: string; readonly maxUnpacked?: number },
  bars: BarCollector,
): Promise<Layout> {
  const { name, zone, maxUnpacked = Number.POSITIVE_INFINITY } = target;
  const source = Bun.file(path);
  const file = {
    byteLength: source.size,
    slice: (start: number, end?: number) => source.slice(start, end ?? source.size).arrayBuffer(),
  };
  try {
    const end = await source.slice(Math.max(0, source.size - MAGIC.length)).text();
    if (source.size < LEAST_BYTES || end !== MAGIC)
      throw new ProviderError("bad_request", `${name} cannot be read as Parquet: it does not end as such a file does`);
    const metadata = await parquetMetadataAsync(file);
    if (statedSize(metadata) > maxUnpacked) throw unpacksTo(name, maxUnpacked);
    const elements = parquetSchema(metadata).children.map(({ element }) => element);
    const names = elements.map((element) => (INDEX.test(element.name) ? "timestamp" : element.name));
    const header = new HeaderLines();
    const layout = header.add(names, 1, names.join(","), ",");
    if (layout === null) throw new ProviderError("bad_request", header.fault(name).replace(":1:", ":"));
    const rows = Number(metadata.num_rows);
    const fields = BAR_FIELDS.filter((field) => layout.columns[field] >= 0).map(
      (field): { field: Field; element: SchemaElement } => ({ field, element: elements[layout.columns[field]]! }),
    );
    const values = new Map<string, unknown[] | ArrayLike<unknown>>();
    await parquetRead({
      file,
      metadata,
      columns: fields.map(({ element }) => element.name),
      compressors: compressors(name, maxUnpacked),
      parsers: PARSERS,
      onChunk: ({ columnName, columnData, rowStart, rowEnd }) => {
        const column = (values.get(columnName) as unknown[] | undefined) ?? new Array<unknown>(rows);
        for (let at = rowStart; at < rowEnd; at++) column[at] = columnData[at - rowStart];
        values.set(columnName, column);
      },
    });
    keepRows(rows, fields, values, zone, bars);
    return { ...layout, format: "Parquet", zone };
  } catch (error) {
    if (error instanceof ProviderError) throw error;
    throw new ProviderError("bad_request", `${name} cannot be read as Parquet: ${messageOf(error)}`);
  }
}

function keepRows(
  rows: number,
  fields: readonly { field: Field; element: SchemaElement }[],
  values: ReadonlyMap<string, ArrayLike<unknown>>,
  zone: string,
  bars: BarCollector,
): void {
  const columns = fields.map(({ field, element }) => ({ field, element, cells: values.get(element.name) ?? [] }));
  const kind = timeKindOf(columns[0]!.element);
  // A file without volumes has unknown ones.
  const row = new Float64Array(BAR_FIELDS.length).fill(Number.NaN);
  for (let at = 0; at < rows; at++) {
    const raw = () => columns.map(({ cells }) => String(cells[at] ?? "")).join(",");
    const moment = momentOf(columns[0]!.cells[at], kind);
    const ts = moment === null ? Number.NaN : bars.barStart(moment, zone);
    let fault: [kind: string, reason: string] | null = null;
    if (moment === null) {
      const cell = columns[0]!.cells[at];
      fault = [
        "date",
        `${cell === null || cell === undefined ? "an empty cell" : quote(String(cell))} is not a date (known: ${DATE_FORMATS})`,
      ];
    }
    for (let place = 1; place < columns.length && fault === null; place++) {
      const { field, element, cells } = columns[place]!;
      const value = numberOf(cells[at], element);
      if (value === null && field === "volume") row[place] = Number.NaN;
      else if (value === null) fault = ["empty cell", `${field} is empty`];
      else if (!Number.isFinite(value)) fault = ["number", `${field} ${quote(String(cells[at]))} is not a number`];
      else row[place] = value;
    }
    row[0] = ts;
    if (fault === null) bars.add(row, at + 1);
    else bars.reject(fault[0], { ts, line: at + 1, reason: fault[1], raw: raw() });
  }
}

/** A number or decimal; `null` where there is no value, NaN for anything else. */
function numberOf(value: unknown, { converted_type: converted, scale }: SchemaElement): number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "number") return Number.NaN;
  if (Number.isNaN(value)) return null;
  // The reader multiplies by a power of ten, which is off by a last digit.
  return converted === "DECIMAL" ? Number(value.toFixed(scale ?? 0)) : value;
}
