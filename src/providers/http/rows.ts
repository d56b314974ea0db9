/** Collects a vendor's rows, in any order, into columns. */

import { BAR_FIELDS, type BarColumns, emptyBars } from "../../domain/market/bars.ts";
import type { CorporateAction } from "../../domain/market/corporate-actions.ts";

/** A number as vendors send it: as a number, as text, or not at all. */
export type Wire = number | string | null | undefined;

/** Bars as received. A missing number becomes NaN, never 0, and is validated later. */
export class Rows {
  readonly #rows: number[][] = [];
  /** Splits and dividends from the same rows. */
  readonly actions: CorporateAction[] = [];

  /** `ts` in epoch seconds. */
  add(ts: number, open: Wire, high: Wire, low: Wire, close: Wire, volume: Wire): void {
    this.#rows.push([ts, toNumber(open), toNumber(high), toNumber(low), toNumber(close), toNumber(volume)]);
  }

  append(other: Rows): void {
    for (const row of other.#rows) this.#rows.push(row);
    this.actions.push(...other.actions);
  }

  get length(): number {
    return this.#rows.length;
  }

  /** The columns, ascending by time; rows of one time stay in the order received. */
  columns(): BarColumns {
    const key = (row: number[]) => (Number.isFinite(row[0]) ? row[0]! : Number.MAX_VALUE);
    const sorted = this.#rows.sort((a, b) => key(a) - key(b));
    const bars = emptyBars(sorted.length);
    for (let at = 0; at < sorted.length; at++) {
      for (let column = 0; column < BAR_FIELDS.length; column++) bars[BAR_FIELDS[column]!][at] = sorted[at]![column]!;
    }
    return bars;
  }
}

function toNumber(value: Wire): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
}
