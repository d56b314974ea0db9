/** Collects the bars of a file: puts them in order, decides between doubled ones and holds them against the interval. */

import { BAR_FIELDS, type BarColumns, emptyBars, sliceBars } from "../../domain/market/bars.ts";
import { tradingDate } from "../../domain/market/calendar.ts";
import type { Venue } from "../../domain/market/exchanges/exchanges.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import { spacingFault, spanInWords } from "../../domain/market/spacing.ts";
import { wallToUtc } from "../../domain/zone.ts";
import type { CellMoment } from "./cell-date.ts";

/** A row without a usable bar. `ts` is its time, or that of a row near it, and decides which window reports it. */
interface BadRow {
  readonly ts: number;
  readonly line: number;
  readonly reason: string;
  readonly raw: string;
}

/** The rows of a file that were rejected for one kind of reason. */
export interface BadKind {
  count: number;
  /** The first of them, in the order of the file. */
  readonly rows: BadRow[];
}

/** Rejected rows of a kind that are kept; further ones are counted. */
const MAX_KEPT = 1_000;

/** Bars and their lines as they are read, in arrays that grow. */
class GrowingBars {
  length = 0;
  bars = emptyBars(1_024);
  lines = new Int32Array(1_024);

  /** Appends a row, with its values in the order of `BAR_FIELDS`. */
  add(row: Float64Array, line: number): void {
    if (this.length === this.lines.length) this.#grow(2 * this.length);
    const { ts, open, high, low, close, volume } = this.bars;
    const at = this.length++;
    ts[at] = row[0]!;
    open[at] = row[1]!;
    high[at] = row[2]!;
    low[at] = row[3]!;
    close[at] = row[4]!;
    volume[at] = row[5]!;
    this.lines[at] = line;
  }

  /** All rows, as views: the room for more was never written, so it takes no memory. */
  read(): BarColumns {
    return sliceBars(this.bars, 0, this.length);
  }

  #grow(capacity: number): void {
    const bars = emptyBars(capacity);
    for (const field of BAR_FIELDS) {
      const old = this.bars[field];
      bars[field].set(old);
      // Gives its memory back now: a million rows were held three times until garbage was collected.
      (old.buffer as ArrayBuffer).transfer(0);
    }
    const lines = new Int32Array(capacity);
    lines.set(this.lines);
    this.bars = bars;
    this.lines = lines;
  }
}

export class BarCollector {
  readonly #rows = new GrowingBars();
  readonly #bad = new Map<string, BadKind>();
  #lastTs = Number.NEGATIVE_INFINITY;
  #isAscending = true;
  #outOfOrder = 0;
  #firstOutOfOrder = 0;
  /** Daily rows that have the date of the row before at another time, and the least seconds between two of them. */
  #sameDate = 0;
  #leastApart = Number.POSITIVE_INFINITY;
  #lastMoment = Number.NaN;
  readonly notes: string[] = [];

  constructor(
    readonly interval: Interval,
    readonly venue: Venue,
  ) {}

  /** Rows that were read, rejected ones included. */
  get total(): number {
    let total = this.#rows.length;
    for (const { count } of this.#bad.values()) total += count;
    return total;
  }

  get bad(): ReadonlyMap<string, BadKind> {
    return this.#bad;
  }

  /** The start (epoch seconds) of the bar of a moment. The date of somebody's clock is that date in every zone. */
  barStart({ wall, offset, isInstant }: CellMoment, zone: string): number {
    if (this.interval !== "1d") return offset === null ? wallToUtc(zone, wall) : wall - offset;
    this.#countMoment(wall);
    if (!isInstant) return Math.floor(wall / DAY) * DAY;
    const ts = wall - (offset ?? 0);
    return ts % DAY === 0 ? ts : tradingDate(this.venue, ts);
  }

  #countMoment(moment: number): void {
    const apart = Math.abs(moment - this.#lastMoment);
    if (apart > 0 && apart < DAY && Math.floor(moment / DAY) === Math.floor(this.#lastMoment / DAY)) {
      this.#sameDate++;
      this.#leastApart = Math.min(this.#leastApart, apart);
    }
    this.#lastMoment = moment;
  }

  /** Keeps a row, with its values in the order of `BAR_FIELDS`. */
  add(row: Float64Array, line: number): void {
    const ts = row[0]!;
    if (ts < this.#lastTs) {
      this.#outOfOrder++;
      this.#firstOutOfOrder ||= line;
    }
    if (ts <= this.#lastTs) this.#isAscending = false;
    this.#lastTs = ts;
    this.#rows.add(row, line);
  }

  /** Rejects a row; `kind` is a fixed text by which rows are counted. A `ts` of NaN is that of the row before. */
  reject(kind: string, row: { ts: number; line: number; reason: string; raw: string }): void {
    let group = this.#bad.get(kind);
    if (group === undefined) {
      group = { count: 0, rows: [] };
      this.#bad.set(kind, group);
    }
    group.count++;
    if (group.rows.length < MAX_KEPT) group.rows.push({ ...row, ts: Number.isNaN(row.ts) ? this.#lastTs : row.ts });
  }

  /** What shows that the rows are not bars of the interval, or `null`. */
  #intervalFault(bars: BarColumns): string | null {
    if (this.interval === "1d" && 2 * this.#sameDate > this.#rows.length) {
      return `several rows a day, ${spanInWords(this.#leastApart)} apart, are no daily bars`;
    }
    return spacingFault(bars.ts, this.interval);
  }

  /**
   * The bars, ascending and without duplicates: of several rows of one time, the last of the file is kept.
   * @returns also what shows that they are not bars of the interval
   */
  finish(name: string): { readonly bars: BarColumns; readonly intervalFault: string | null } {
    if (this.#outOfOrder > 1 && this.#outOfOrder === this.#rows.length - 1) {
      this.notes.push(`${name}: the newest row comes first; the order was reversed on reading`);
    } else if (this.#outOfOrder > 0) {
      this.notes.push(
        `${name}:${this.#firstOutOfOrder}: earlier than the line before; ` +
          `${this.#outOfOrder} line(s) out of order were sorted on reading`,
      );
    }
    const all = this.#isAscending ? this.#rows.read() : null;
    const bars = all ?? this.#sorted();
    const firstTs = bars.ts[0] ?? 0;
    for (const { rows } of this.#bad.values()) {
      for (const [at, row] of rows.entries()) if (!Number.isFinite(row.ts)) rows[at] = { ...row, ts: firstTs };
    }
    return { bars, intervalFault: this.#intervalFault(bars) };
  }

  #sorted(): BarColumns {
    const { bars: read, lines, length } = this.#rows;
    const { ts } = read;
    const order = Uint32Array.from({ length }, (_, index) => index).sort((a, b) => ts[a]! - ts[b]! || a - b);
    let kept = 0;
    for (const at of order) {
      const before = kept === 0 ? undefined : order[kept - 1]!;
      if (before === undefined || ts[before] !== ts[at]) {
        order[kept++] = at;
        continue;
      }
      order[kept - 1] = at;
      const isSame = BAR_FIELDS.every((field) => Object.is(read[field][before], read[field][at]));
      this.reject(isSame ? "repeated" : "corrected", {
        ts: ts[before]!,
        line: lines[before]!,
        reason: isSame ? `the same row as line ${lines[at]}` : `replaced by line ${lines[at]}, which has the same time`,
        raw: BAR_FIELDS.map((field) => read[field][before]).join(","),
      });
    }
    const bars = emptyBars(kept);
    for (const field of BAR_FIELDS) {
      const [from, to] = [read[field], bars[field]];
      for (let place = 0; place < kept; place++) to[place] = from[order[place]!]!;
    }
    return bars;
  }
}
