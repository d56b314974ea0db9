/** Reads delimited text with bars: the usual lines straight from their bytes, all others cell by cell. */

import { ProviderError, quote } from "../../domain/errors.ts";
import { BAR_FIELDS } from "../../domain/market/bars.ts";
import { DAY, INTERVAL_SECONDS } from "../../domain/market/interval.ts";
import type { BarCollector } from "./bar-collector.ts";
import { bothReadings, type CellMoment, DATE_FORMATS, type DateOrder, orderOf, readMoment } from "./cell-date.ts";
import {
  type DecimalSign,
  isEitherPoint,
  isUnknownCell,
  readNumber,
  readVolume,
  signAmong,
  signOf,
} from "./cell-number.ts";
import { type Field, HeaderLines, headerlessLayout, type Layout, looksLikeRow } from "./csv-layout.ts";
import { guessDelimiter, splitLine } from "./csv-line.ts";
import { RowParser } from "./row-parser.ts";

/** What only the whole file can decide: how its dates and decimals are written. */
export interface Dialect {
  /** `null` if nothing in the file tells. */
  readonly order: DateOrder | "both" | null;
  readonly sign: DecimalSign | "both" | null;
  /** The first line that shows each of them. */
  readonly proof: { readonly [shown in DateOrder | DecimalSign]?: { readonly line: number; readonly cell: string } };
}

/** A cell can be read in two ways, and the file was not surveyed yet. */
export class NeedsSurvey extends Error {
  override readonly name = "NeedsSurvey";
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;
/** Lines before the first row of bars; after more, the file is none of bars. */
const MAX_HEADER_LINES = 50;
/** Lines over which a cell in quotation marks may go on. */
const MAX_CELL_LINES = 20;
const decoder = new TextDecoder();
const PRICES = ["open", "high", "low", "close"] as const;

/** The kind of a fault, by which rows are counted, and what is wrong. */
type Fault = readonly [kind: string, reason: string];

/** Kinds of faults: rows are counted by them. */
const KINDS = {
  quotes: "open quotation mark",
  columns: "number of columns",
  date: "date",
  eitherDate: "date of two readings",
  number: "number",
  eitherNumber: "number of two readings",
  empty: "empty cell",
  symbol: "another symbol",
} as const;

export class CsvReader {
  layout: Layout | null = null;
  readonly #header = new HeaderLines();
  readonly #row = new Float64Array(BAR_FIELDS.length);
  /** Reads the usual lines; `null` before the header, and where a row needs more than its cells. */
  #parser: RowParser | null = null;
  /** The same, once a cell has shown that the point stands before decimals. */
  #laterParser: RowParser | null = null;
  #delimiter = "";
  #line = 0;
  /** Lines of a cell that is not closed yet, with the line of the first. */
  #open: { readonly line: number; readonly lines: string[] } | null = null;
  #repeatedHeaders: number[] = [];
  #skipped = 0;
  #symbols = new Set<string>();
  readonly #shown: Partial<Record<DateOrder | DecimalSign, { line: number; cell: string }>> = {};
  readonly #orders = new Set<DateOrder>();
  readonly #signs = new Set<DecimalSign>();
  /** What neighbouring prices show, where no cell shows it by itself. */
  readonly #likelySigns = new Set<DecimalSign>();
  #priceBefore: readonly string[] = [];

  /**
   * @param dialect `null` on the first reading, which throws `NeedsSurvey` when it is needed; `"survey"` collects what
   * shows it and keeps no bars
   */
  constructor(
    readonly name: string,
    readonly symbol: string,
    readonly zone: string,
    readonly bars: BarCollector,
    readonly dialect: Dialect | "survey" | null,
  ) {}

  /** What a survey has found. */
  get found(): Dialect {
    const one = <T>(values: ReadonlySet<T>) => (values.size === 2 ? "both" : ([...values][0] ?? null));
    const sign = one(this.#signs) ?? one(this.#likelySigns);
    return { order: one(this.#orders), sign, proof: this.#shown };
  }

  /** Parses whole lines; the last one may lack its line break. */
  read(bytes: Uint8Array): void {
    const hasQuotes = bytes.includes(QUOTE);
    for (let start = 0, end = 0; start < bytes.length; start = end) {
      const at = bytes.indexOf(LINE_FEED, start);
      end = at < 0 ? bytes.length : at + 1;
      let stop = at < 0 ? end : at;
      if (stop > start && bytes[stop - 1] === CARRIAGE_RETURN) stop--;
      this.#line++;
      const isUsual =
        this.#parser !== null &&
        this.#open === null &&
        !(hasQuotes && hasByte(bytes, QUOTE, start, stop)) &&
        this.#parser.parse(bytes, start, stop, this.#row) &&
        !(this.bars.interval === "1d" && this.#row[0]! % DAY !== 0);
      if (isUsual) this.bars.add(this.#row, this.#line);
      else this.#readLine(decoder.decode(bytes.subarray(start, stop)));
    }
  }

  #readLine(text: string): void {
    const layout = this.layout;
    if (!layout) {
      this.#readHeader(text);
      return;
    }
    if (this.#open) {
      this.#continueCell(text, layout);
      return;
    }
    if (text.trim() === "" || text.startsWith("#")) return;
    const { cells, isOpen } = splitLine(text, layout.delimiter);
    if (isOpen) this.#open = { line: this.#line, lines: [text] };
    else this.#readRow(cells, layout, this.#line);
  }

  /** A cell that is not closed goes on in the next line, unless that is a row itself. */
  #continueCell(text: string, layout: Layout): void {
    const open = this.#open!;
    const alone = splitLine(text, layout.delimiter);
    const isRow = !alone.isOpen && alone.cells.length >= layout.width && looksLikeRow(alone.cells);
    const joined = splitLine([...open.lines, text].join("\n"), layout.delimiter);
    if (!isRow && !joined.isOpen && joined.cells.length === layout.width) {
      this.#open = null;
      this.#readRow(joined.cells, layout, open.line);
      return;
    }
    if (!isRow && joined.isOpen && open.lines.length < MAX_CELL_LINES) {
      open.lines.push(text);
      return;
    }
    this.#giveUpCell();
    this.#readLine(text);
  }

  /** Rejects the line with the open quotation mark and reads those after it, one by one. */
  #giveUpCell(): void {
    const { line, lines } = this.#open!;
    const now = this.#line;
    this.#open = null;
    this.#reject(KINDS.quotes, Number.NaN, line, "a quotation mark is not closed", lines[0]!);
    for (const [index, text] of lines.slice(1).entries()) {
      this.#line = line + 1 + index;
      this.#readLine(text);
    }
    this.#line = now;
  }

  #readHeader(raw: string): void {
    const text = raw.replace(/^\ufeff/, "");
    if (text.trim() === "" || text.startsWith("#")) return;
    const stated = /^"?sep=(.)"?$/i.exec(text.trim());
    if (stated) {
      this.#delimiter = stated[1]!;
      return;
    }
    const delimiter = this.#delimiter || guessDelimiter(text);
    const { cells } = splitLine(text, delimiter);
    let layout = headerlessLayout(cells, delimiter);
    const isRow = layout !== null;
    layout ??= this.#header.add(cells, this.#line, text, delimiter);
    if (layout === null) {
      if (looksLikeRow(cells) || this.#header.lines > MAX_HEADER_LINES)
        throw new ProviderError("bad_request", this.#header.fault(this.name));
      return;
    }
    const doubt = this.#header.doubt(this.name);
    if (doubt !== null) throw new ProviderError("bad_request", doubt);
    this.#skipped = this.#header.lines - 1;
    const zone = layout.zone === "UTC" ? this.zone : layout.zone;
    this.layout = { ...layout, zone };
    const { columns, clock, width, periodColumn, symbolColumn } = this.layout;
    if (
      clock < 0 &&
      zone === "UTC" &&
      symbolColumn < 0 &&
      periodColumn < 0 &&
      this.dialect !== "survey" &&
      this.dialect?.sign !== ","
    ) {
      // A file without volumes has unknown ones.
      const wanted = BAR_FIELDS.map((field) => columns[field]).filter((column) => column >= 0);
      this.#row.fill(Number.NaN);
      const parser = new RowParser(delimiter.charCodeAt(0), wanted, width);
      if (delimiter !== ";" || this.dialect?.sign === ".") this.#parser = parser;
      else if (this.dialect === null) this.#laterParser = parser;
    }
    if (isRow) this.#readRow(cells, this.layout, this.#line);
  }

  #readRow(cells: string[], layout: Layout, line: number): void {
    if (this.#isHeader(cells, layout)) {
      this.#repeatedHeaders.push(line);
      return;
    }
    // Spreadsheets end with such lines.
    if (cells.every((cell) => cell.trim() === "")) return;
    if (this.dialect === "survey") {
      this.#survey(cells, layout, line);
      return;
    }
    this.#row[0] = Number.NaN;
    const fault = this.#parseRow(cells, layout, line);
    if (fault === null) this.bars.add(this.#row, line);
    else this.#reject(fault[0], this.#row[0]!, line, fault[1], cells.join(layout.delimiter));
  }

  /** Reads the cells into the row, as far as they can be read; what is wrong with them, or `null`. */
  #parseRow(cells: readonly string[], layout: Layout, line: number): Fault | null {
    const wanted = Math.max(...Object.values(layout.columns), layout.clock) + 1;
    if (cells.length < wanted) return [KINDS.columns, `${cells.length} of at least ${wanted} columns`];
    if (cells.slice(layout.width).some((cell) => cell.trim() !== "")) {
      const hint = layout.delimiter === "," ? "; numbers with commas need quotation marks" : "";
      return [KINDS.columns, `${cells.length} columns, the first row has ${layout.width}${hint}`];
    }
    const stamp = stampOf(cells, layout);
    const moment = this.#momentOf(stamp, layout);
    if (moment === null) return this.#dateFault(stamp, layout);
    this.#row[0] = this.bars.barStart(moment, layout.zone);
    const other = this.#otherSymbol(cells, layout);
    if (other !== null) return [KINDS.symbol, other];
    this.#checkPeriod(cells, layout, line);
    for (const [place, field] of BAR_FIELDS.entries()) {
      if (field === "ts") continue;
      const text = cells[layout.columns[field]]?.trim() ?? "";
      if (field === "volume" && isUnknownCell(text)) {
        this.#row[place] = Number.NaN;
        continue;
      }
      if (text === "") return [KINDS.empty, `${field} is empty`];
      const value = this.#valueOf(text, field);
      if (Number.isNaN(value)) return this.#numberFault(text, field);
      this.#row[place] = value;
    }
    return null;
  }

  #reject(kind: string, ts: number, line: number, reason: string, raw: string): void {
    if (this.dialect !== "survey") this.bars.reject(kind, { ts, line, reason, raw });
  }

  #isHeader(cells: readonly string[], { header }: Layout): boolean {
    return header.length > 0 && cells.length === header.length && header.every((name, at) => name === cells[at]);
  }

  /** Notes what a row shows of the order of dates and the sign of decimals. */
  #survey(cells: readonly string[], layout: Layout, line: number): void {
    const order = orderOf(stampOf(cells, layout));
    if (order !== null && order !== "either") {
      this.#orders.add(order);
      this.#shown[order] ??= { line, cell: stampOf(cells, layout) };
    }
    for (const field of [...PRICES, "volume"] as const) {
      const cell = cells[layout.columns[field]] ?? "";
      const sign = signOf(cell);
      if (sign === null || sign === "either") continue;
      this.#signs.add(sign);
      this.#shown[sign] ??= { line, cell };
    }
    if (layout.delimiter !== ";") return;
    const prices = PRICES.map((field) => cells[layout.columns[field]] ?? "");
    const sign = signAmong([...this.#priceBefore, ...prices]);
    if (sign !== null) this.#likelySigns.add(sign);
    this.#priceBefore = prices.slice(-1);
  }

  #momentOf(stamp: string, layout: Layout): CellMoment | null {
    if (orderOf(stamp) !== "either") return readMoment(stamp, null);
    const order = layout.order ?? this.#known().order;
    return order === null || order === "both" ? null : readMoment(stamp, order);
  }

  #valueOf(text: string, field: Field): number {
    const read = field === "volume" ? readVolume : readNumber;
    const isPlain = !text.includes(",") && text.indexOf(".") === text.lastIndexOf(".") && !this.#isEither(text);
    const sign = (isPlain ? this.#surveyed() : this.#known())?.sign;
    if (sign !== "." && sign !== "," && (signOf(text) === "either" || this.#isEither(text))) return Number.NaN;
    if (this.#laterParser !== null && signOf(text) === ".") this.#parser = this.#laterParser;
    return read(text, sign === "," ? "," : ".");
  }

  /** A comma between cells stands in no number, so its writer has a decimal point. */
  #isEither(text: string): boolean {
    return this.layout?.delimiter === ";" && isEitherPoint(text);
  }

  #surveyed(): Dialect | null {
    return this.dialect === "survey" ? null : this.dialect;
  }

  #known(): Dialect {
    const dialect = this.#surveyed();
    if (dialect === null) throw new NeedsSurvey();
    return dialect;
  }

  #dateFault(stamp: string, { order }: Layout): Fault {
    const readings = bothReadings(stamp);
    if (orderOf(stamp) !== "either" || order !== null)
      return [KINDS.date, `${quote(stamp)} is not a date (known: ${DATE_FORMATS})`];
    const { proof } = this.#known();
    const [day, month] = [proof["day-first"], proof["month-first"]];
    const why =
      day && month
        ? `line ${day.line} has the day first, line ${month.line} the month`
        : "no line of the file shows which; write 2026-12-31, or name the column Date (DD/MM/YYYY) or Date (MM/DD/YYYY)";
    return [KINDS.eitherDate, `${quote(stamp)} is not a date (${readings}? ${why})`];
  }

  #numberFault(text: string, field: Field): Fault {
    if (signOf(text) === "either") {
      const [a, b] = [text.replace(",", ""), text.replace(",", ".")];
      return [KINDS.eitherNumber, `${field} ${quote(text)} may be ${a} or ${b}: no cell of the file shows which`];
    }
    if (this.#isEither(text)) {
      const whole = text.replace(".", "");
      const way = `write ${text}0 or ${whole}`;
      return [
        KINDS.eitherNumber,
        `${field} ${quote(text)} may be ${text} or ${whole}: no cell of the file shows which; ${way}`,
      ];
    }
    return [KINDS.number, `${field} ${quote(text)} is not a number`];
  }

  #otherSymbol(cells: readonly string[], { symbolColumn }: Layout): string | null {
    if (symbolColumn < 0) return null;
    const symbol = cells[symbolColumn]!.trim().toUpperCase();
    this.#symbols.add(symbol);
    const [first = symbol] = this.#symbols;
    return symbol === first ? null : `a row of ${quote(symbol)}; the rows before are of ${quote(first)}`;
  }

  /** @throws ProviderError `bad_request` if the file states another interval than the one that is read */
  #checkPeriod(cells: readonly string[], { periodColumn }: Layout, line: number): void {
    if (periodColumn < 0) return;
    const period = cells[periodColumn]!.trim().toUpperCase();
    const seconds = period === "D" ? DAY : Number(period) * 60;
    if (!Number.isFinite(seconds) || seconds === INTERVAL_SECONDS[this.bars.interval]) return;
    const what = period === "D" ? "daily bars" : `bars of ${period} minutes`;
    throw new ProviderError("bad_request", `${this.name}:${line}: the file holds ${what}, not ${this.bars.interval}`);
  }

  /** Ends the reading. @throws ProviderError `bad_request` for a file without a header */
  finish(): Layout {
    if (this.#open) this.#giveUpCell();
    if (!this.layout) {
      if (this.#header.lines === 0) throw new ProviderError("bad_request", `${this.name}:1: the file is empty`);
      throw new ProviderError("bad_request", this.#header.fault(this.name));
    }
    if (this.#skipped > 0)
      this.bars.notes.push(`${this.name}: ${this.#skipped} line(s) before the header were skipped`);
    const [first] = this.#repeatedHeaders;
    if (first !== undefined) {
      this.bars.notes.push(
        `${this.name}:${first}: the header comes again, ${this.#repeatedHeaders.length} time(s); skipped`,
      );
    }
    return this.layout;
  }
}

function stampOf(cells: readonly string[], { columns, clock }: Layout): string {
  const day = cells[columns.ts]?.trim() ?? "";
  return clock >= 0 ? `${day} ${cells[clock]?.trim() ?? ""}`.trim() : day;
}

function hasByte(bytes: Uint8Array, byte: number, start: number, end: number): boolean {
  const at = bytes.indexOf(byte, start);
  return at >= 0 && at < end;
}
