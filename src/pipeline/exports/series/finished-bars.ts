/** Joins features of longer bars to shorter ones: at each bar those of the last longer bar that has ended by its end. */

import type { TableBlock } from "../table-block.ts";

/** Walks through blocks of longer bars once. */
export class FinishedBars {
  #block: TableBlock | null = null;
  #at = -1;
  /** The values of the last bar that has ended; NaN before the first. */
  readonly #values: Float64Array;
  /** When the next bar ends, epoch seconds; Infinity after the last. */
  #end: number | null = null;

  /** @param endOf the first moment after a bar of these blocks, by its start */
  constructor(
    private readonly blocks: AsyncIterator<TableBlock>,
    private readonly endOf: (ts: number) => number,
    columns: number,
  ) {
    this.#values = new Float64Array(columns).fill(Number.NaN);
  }

  /** One column per feature for bars that end at `ends`, ascending. */
  async columnsAt(ends: Float64Array): Promise<Float64Array[]> {
    const columns = Array.from(this.#values, () => new Float64Array(ends.length));
    if (this.#end === null) await this.#advance();
    for (let i = 0; i < ends.length; i++) {
      while (this.#end! <= ends[i]!) {
        this.#values.forEach((_, k) => {
          this.#values[k] = this.#block!.columns[k]![this.#at]!;
        });
        await this.#advance();
      }
      for (let k = 0; k < columns.length; k++) columns[k]![i] = this.#values[k]!;
    }
    return columns;
  }

  async #advance(): Promise<void> {
    this.#at += 1;
    while (this.#block === null || this.#at >= this.#block.ts.length) {
      const { done, value } = await this.blocks.next();
      if (done === true) {
        this.#end = Number.POSITIVE_INFINITY;
        return;
      }
      [this.#block, this.#at] = [value, 0];
    }
    this.#end = this.endOf(this.#block.ts[this.#at]!);
  }
}
