/**
 * Mean returns by the time of day and the weekday, or by the month and the year, on the exchange's clock; accumulated
 * bar by bar, so that a long history needs no memory. Pure.
 */

import { DAY } from "../market/interval.ts";
import type { MissingCloses } from "./missing-closes.ts";

/** One cell: how many returns, their mean, and the share above 0. */
export interface SeasonCell {
  readonly count: number;
  readonly mean: number;
  readonly positive: number;
}

class Sums {
  #count = 0;
  #sum = 0;
  #above = 0;

  add(value: number): void {
    this.#count += 1;
    this.#sum += value;
    if (value > 0) this.#above += 1;
  }

  cell(): SeasonCell {
    return { count: this.#count, mean: this.#sum / this.#count, positive: this.#above / this.#count };
  }
}

/** Rows and columns with at least one cell; `null` for a cell without a return. */
export interface Seasonality {
  /** Hours 0 to 23, or years. */
  readonly rows: readonly number[];
  /** Weekdays, 1 Monday to 7 Sunday, or months, 1 to 12. */
  readonly columns: readonly number[];
  readonly cells: readonly (readonly (SeasonCell | null)[])[];
  /** Of all cells of a column, all returns alike. */
  readonly totals: readonly (SeasonCell | null)[];
}

class Grid {
  readonly #cells = new Map<number, Map<number, Sums>>();
  readonly #totals = new Map<number, Sums>();

  add(row: number, column: number, value: number): void {
    this.#cells
      .getOrInsertComputed(row, () => new Map<number, Sums>())
      .getOrInsertComputed(column, () => new Sums())
      .add(value);
    this.#totals.getOrInsertComputed(column, () => new Sums()).add(value);
  }

  result(): Seasonality {
    const rows = [...this.#cells.keys()].sort((a, b) => a - b);
    const columns = [...this.#totals.keys()].sort((a, b) => a - b);
    return {
      rows,
      columns,
      cells: rows.map((row) => columns.map((column) => this.#cells.get(row)?.get(column)?.cell() ?? null)),
      totals: columns.map((column) => this.#totals.get(column)?.cell() ?? null),
    };
  }
}

/** 1 Monday to 7 Sunday of a local time in epoch seconds; the epoch is a Thursday. */
const weekdayOf = (local: number): number => ((Math.floor(local / DAY) + 3) % 7) + 1;

/**
 * By hour and weekday: of each hour on the clock that has bars, ln(last close ÷ first open), so that the way from one
 * session to the next is in none.
 */
export class HourlySeasonality {
  readonly #grid = new Grid();
  #hour = Number.NaN;
  #open = 0;
  #close = 0;

  /** @param local the start of a bar as local time, in seconds of an epoch on that clock; ascending but for clock changes */
  add(local: number, open: number, close: number): void {
    const hour = Math.floor(local / 3_600);
    if (hour !== this.#hour) {
      this.#flush();
      this.#hour = hour;
      this.#open = open;
    }
    this.#close = close;
  }

  result(): Seasonality {
    this.#flush();
    this.#hour = Number.NaN;
    return this.#grid.result();
  }

  #flush(): void {
    if (Number.isNaN(this.#hour)) return;
    const value = Math.log(this.#close / this.#open);
    this.#grid.add(this.#hour % 24, weekdayOf(this.#hour * 3_600), value);
  }
}

/**
 * By year and month: last close of the month ÷ last close of the month before − 1; the first month has none. A month whose
 * last closes are missing ends early: it has none, and neither has the month after it.
 */
export class MonthlySeasonality {
  readonly #grid = new Grid();
  readonly #missing: MissingCloses;
  #month = Number.NaN;
  #before = Number.NaN;
  #date = Number.NaN;
  #close = Number.NaN;
  #cut = 0;

  /** @param missing how many closes are missing between two dates; none if it is not given */
  constructor(missing: MissingCloses = () => 0) {
    this.#missing = missing;
  }

  /** Months that end early, for which nothing is stated. */
  get cut(): number {
    return this.#cut;
  }

  /** @param date a trading date, midnight UTC in epoch seconds, ascending */
  add(date: number, close: number): void {
    const day = new Date(date * 1_000);
    const month = 12 * day.getUTCFullYear() + day.getUTCMonth();
    if (month !== this.#month) {
      // The dates of this month before its first close may be closed days or missing: they change no return.
      const isWhole = Number.isNaN(this.#month) || this.#missing(this.#date, nextMonth(this.#month)) === 0;
      if (isWhole) this.#flush();
      else this.#cut += 1;
      // A month without bars between two breaks the chain: its return would be that of several months.
      this.#before = isWhole && month === this.#month + 1 ? this.#close : Number.NaN;
      this.#month = month;
    }
    this.#date = date;
    this.#close = close;
  }

  result(): Seasonality {
    this.#flush();
    this.#month = Number.NaN;
    return this.#grid.result();
  }

  #flush(): void {
    if (!(this.#before > 0)) return;
    this.#grid.add(Math.floor(this.#month / 12), (this.#month % 12) + 1, this.#close / this.#before - 1);
  }
}

/** The first day after a month, counted from the year 0, as epoch seconds. */
const nextMonth = (month: number): number => Date.UTC(Math.floor(month / 12), (month % 12) + 1, 1) / 1_000;
