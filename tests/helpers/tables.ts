/** Tables as the encoders of exports take them, and what comes out, as an independent reader sees it. */

import { parquetReadObjects } from "hyparquet";
import type { TableBlock, TableHead } from "../../src/pipeline/exports/table-block.ts";

/** A table of one symbol with these columns. */
export const tableHead = (names: readonly string[], more: Partial<TableHead> = {}): TableHead => ({
  names,
  symbols: null,
  dtype: "float64",
  metadata: {},
  ...more,
});

/** The rows of a table in blocks of the given sizes, over and over, until all are given out. */
export async function* tableBlocks(
  ts: Float64Array,
  columns: readonly Float64Array[],
  sizes: readonly number[] = [4_096],
): AsyncGenerator<TableBlock> {
  for (let start = 0, k = 0; start < ts.length; k++) {
    const end = start + sizes[k % sizes.length]!;
    yield { ts: ts.slice(start, end), columns: columns.map((column) => column.slice(start, end)) };
    start = end;
  }
}

/** `count` times a minute apart, in epoch seconds. */
export const minutes = (count: number, from = 1_700_000_040): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => from + 60 * i);

/** All pieces of an encoder. */
export async function piecesOf(encoded: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<Uint8Array<ArrayBuffer>[]> {
  return Array.fromAsync(encoded);
}

/** All that an encoder writes, in one buffer. */
export async function bytesOf(encoded: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<ArrayBuffer> {
  return new Blob(await piecesOf(encoded)).arrayBuffer();
}

/** The rows of a Parquet file, a record each. */
export const readParquet = (file: ArrayBuffer): Promise<Record<string, unknown>[]> =>
  parquetReadObjects({
    file,
    compressors: { ZSTD: (bytes) => Bun.zstdDecompressSync(new Uint8Array(bytes)) },
  });
