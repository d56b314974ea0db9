/** Adds labels to rows: holds rows back until the bars that their labels look ahead to are there. */

import { type BarColumns, emptyBars, joinBars, sliceBars } from "../../../domain/market/bars.ts";
import { type Label, labelColumn } from "./labels.ts";

/** Rows of one symbol: their bars and their columns. */
export interface SeriesRows {
  readonly bars: BarColumns;
  readonly columns: readonly Float64Array[];
}

export class LabelStream {
  #bars = emptyBars();
  #columns: readonly Float64Array[];
  readonly #horizon: number;

  /** @param columnCount columns of the rows that are kept; after them comes `natr_14`, if a label needs it */
  constructor(
    private readonly labels: readonly Label[],
    private readonly columnCount: number,
  ) {
    this.#horizon = labels.reduce((most, { horizon }) => Math.max(most, horizon), 0);
    const taken = columnCount + Number(labels.some(({ needsRange }) => needsRange));
    this.#columns = Array.from({ length: taken }, () => new Float64Array(0));
  }

  /** The rows whose labels are known with these. */
  take({ bars, columns }: SeriesRows): SeriesRows {
    this.#bars = joinBars(this.#bars, bars);
    this.#columns = this.#columns.map((column, k) => joined(column, columns[k]!));
    return this.#release(Math.max(0, this.#bars.ts.length - this.#horizon));
  }

  /** The last rows: labels whose horizon is not over are NaN. */
  end(): SeriesRows {
    return this.#release(this.#bars.ts.length);
  }

  #release(count: number): SeriesRows {
    const { high, low, close } = this.#bars;
    const natr = this.#columns[this.columnCount] ?? new Float64Array(0);
    const labels = this.labels.map((label) => labelColumn(label, { high, low, close, natr }, count));
    const bars = sliceBars(this.#bars, 0, count);
    const columns = this.#columns.slice(0, this.columnCount).map((column) => column.subarray(0, count));
    this.#bars = sliceBars(this.#bars, count, this.#bars.ts.length);
    this.#columns = this.#columns.map((column) => column.subarray(count));
    return { bars, columns: [...columns, ...labels] };
  }
}

function joined(before: Float64Array, after: Float64Array): Float64Array {
  if (before.length === 0) return after;
  const all = new Float64Array(before.length + after.length);
  all.set(before);
  all.set(after, before.length);
  return all;
}
