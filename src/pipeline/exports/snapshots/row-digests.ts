/** Times of rows with short hashes of their bars and of their other values: what a comparison of snapshots needs. */

import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { bytesOf } from "./content-hash.ts";

/** Rows of one symbol, ascending. */
export interface Digests {
  readonly ts: Float64Array;
  readonly bars: BigUint64Array;
  readonly values: BigUint64Array;
}

export class RowDigests {
  readonly #blocks: Digests[] = [];
  rows = 0;

  /** Takes canonical columns of the next rows. */
  add(ts: Float64Array, bars: readonly Float64Array[], values: readonly Float64Array[]): void {
    this.#blocks.push({ ts: ts.slice(), bars: digestsOf(bars, ts.length), values: digestsOf(values, ts.length) });
    this.rows += ts.length;
  }

  packed(): Uint8Array {
    const all = new Float64Array(3 * this.rows);
    const hashes = new BigUint64Array(all.buffer);
    let at = 0;
    for (const { ts, bars, values } of this.#blocks) {
      all.set(ts, at);
      hashes.set(bars, this.rows + at);
      hashes.set(values, 2 * this.rows + at);
      at += ts.length;
    }
    return zstdCompressSync(bytesOf(all));
  }
}

/** What `packed` has made of rows. */
export function unpackDigests(packed: Uint8Array, rows: number): Digests {
  const { buffer } = new Uint8Array(zstdDecompressSync(packed));
  return {
    ts: new Float64Array(buffer, 0, rows),
    bars: new BigUint64Array(buffer, 8 * rows, rows),
    values: new BigUint64Array(buffer, 16 * rows, rows),
  };
}

function digestsOf(columns: readonly Float64Array[], rows: number): BigUint64Array {
  const found = new BigUint64Array(rows);
  const row = new Float64Array(columns.length);
  const bytes = bytesOf(row);
  for (let at = 0; at < rows; at++) {
    for (let k = 0; k < columns.length; k++) row[k] = columns[k]![at]!;
    found[at] = Bun.hash.xxHash64(bytes);
  }
  return found;
}
