/** The hash of bars as numbers, whatever file they are in. */

import { BAR_FIELDS, type BarColumns } from "../../domain/market/bars.ts";

/** SHA-256 of bars that come in pages; how they are divided into pages has no influence. */
export class BarsHash {
  // Each column of its own, because a page ends anywhere.
  readonly #columns = BAR_FIELDS.map((field) => ({ field, hash: new Bun.CryptoHasher("sha256") }));
  rows = 0;
  /** Epoch seconds. */
  first = 0;
  last = 0;

  add(bars: BarColumns): void {
    const count = bars.ts.length;
    if (count === 0) return;
    if (this.rows === 0) this.first = bars.ts[0]!;
    this.rows += count;
    this.last = bars.ts[count - 1]!;
    for (const { field, hash } of this.#columns) hash.update(bars[field]);
  }

  digest(): string {
    const all = new Bun.CryptoHasher("sha256");
    for (const { hash } of this.#columns) all.update(hash.digest());
    return all.digest("hex");
  }
}
