/** Parts of a table: what is encoded at a time, by the export thread or by the encoding thread. */

import type { Dtype } from "../table-block.ts";

/** How the parts of a table are encoded. Plain data: it is sent to a thread once a table. */
export type PartFormat =
  /** Rows as text. The first column of a part has their times, epoch seconds; `symbols` are the values of a column. */
  | {
      readonly kind: "text";
      readonly format: "csv" | "json" | "ndjson";
      readonly names: readonly string[];
      readonly symbols: readonly string[] | null;
      readonly dtype: Dtype;
    }
  /** Columns as pages of a Parquet file, of at most `pageRows` rows. */
  | { readonly kind: "pages"; readonly dtype: Dtype; readonly pageRows: number; readonly mayHaveDictionary: boolean };

/** Columns of some rows, and each row's place in `symbols` where the table has that column. */
export interface Part {
  readonly columns: readonly Float64Array[];
  readonly symbols?: Uint16Array;
}

/** A part with a buffer of its own, which is given to another thread without a copy. */
export interface PackedPart {
  /** Begins with the columns, one after the other. */
  readonly buffer: ArrayBuffer;
  readonly columns: number;
  readonly rows: number;
  readonly symbols: Uint16Array<ArrayBuffer> | null;
}

/** A page of a column, compressed, with its header. */
export interface Page {
  readonly isDictionary: boolean;
  readonly encoding: number;
  /** Bytes of header and body, and what they were before compression. */
  readonly size: number;
  readonly uncompressed: number;
}

/** What is known of the values of one column of a part. */
export interface ColumnFacts {
  readonly pages: readonly Page[];
  /** The bounds of those that are defined; Infinity and -Infinity if none is. */
  readonly least: number;
  readonly most: number;
  readonly nulls: number;
  readonly known: number;
}

/** A piece of text, or the pages of one column. */
export interface Encoded {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly column?: ColumnFacts;
}

/** Encodes parts of one table, independent of each other. */
export interface PartEncoder {
  /** @param throwIfStopped called several times within a part */
  encode(part: Part, throwIfStopped: () => void): Iterable<Encoded>;
}

/** Values of a part: some ms of work, so that both threads have work until the end. */
export const PART_VALUES = 2 ** 16;

/** Copies a part, into `used` if that is large enough. */
export function pack({ columns, symbols }: Part, used: ArrayBuffer | undefined): PackedPart {
  const rows = columns[0]?.length ?? 0;
  const bytes = Float64Array.BYTES_PER_ELEMENT * columns.length * rows;
  const usual = Float64Array.BYTES_PER_ELEMENT * PART_VALUES;
  const buffer = used !== undefined && used.byteLength >= bytes ? used : new ArrayBuffer(Math.max(usual, bytes));
  const values = new Float64Array(buffer);
  for (let k = 0; k < columns.length; k++) values.set(columns[k]!, k * rows);
  return { buffer, columns: columns.length, rows, symbols: symbols === undefined ? null : new Uint16Array(symbols) };
}

export function unpack({ buffer, columns, rows, symbols }: PackedPart): Part {
  const bytes = Float64Array.BYTES_PER_ELEMENT * rows;
  return {
    columns: Array.from({ length: columns }, (_, k) => new Float64Array(buffer, k * bytes, rows)),
    ...(symbols !== null && { symbols }),
  };
}
