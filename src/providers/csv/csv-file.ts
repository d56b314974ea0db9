/** Reads one CSV file of bars: any column order, common header names and date formats; every bad line is reported. */

import Papa from "papaparse";
import { ProviderError } from "../../domain/errors.ts";
import { BAR_FIELDS, type BarColumns, emptyBars } from "../../domain/market/bars.ts";
import { tradingDate } from "../../domain/market/calendar.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import type { Market } from "../../domain/market/symbol.ts";
import { parseTimestamp, TIMESTAMP_FORMATS } from "../timestamp.ts";
import { RowParser } from "./row-parser.ts";

/** A line without a usable bar. `ts` is its time, or that of the line before, and decides which window reports it. */
interface BadLine {
  readonly ts: number;
  readonly line: number;
  readonly reason: string;
  readonly raw: string;
}

export interface CsvFile {
  /** Ascending, without duplicates. */
  readonly bars: BarColumns;
  readonly bad: readonly BadLine[];
  /** What was corrected while reading, one line each. */
  readonly notes: readonly string[];
}

/** Header names by field, lower case. */
const HEADERS = {
  ts: ["timestamp", "datetime", "date", "time", "ts", "t"],
  open: ["open", "o"],
  high: ["high", "h"],
  low: ["low", "l"],
  close: ["close", "c", "last"],
  volume: ["volume", "vol", "v"],
} as const;
type Field = keyof typeof HEADERS;
const FIELDS = Object.keys(HEADERS) as Field[];
const DELIMITERS = [",", ";", "\t", "|"];

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const QUOTE = 34;
/** After so many unusual lines, the rest of a chunk is read as text at once, which is faster than line by line. */
const MAX_UNUSUAL = 16;
const NO_BYTES = new Uint8Array();
const decoder = new TextDecoder();

/**
 * Reads `path` (shown as `name` in messages) as a stream.
 * @throws ProviderError `bad_request` when the first line does not name the columns, naming file, line and column
 */
export async function readCsvFile(path: string, name: string, interval: Interval, market: Market): Promise<CsvFile> {
  const reader = new CsvReader(name, interval, market);
  let rest = NO_BYTES;
  for await (const bytes of Bun.file(path).stream()) {
    const chunk = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    reader.read(chunk.subarray(0, end));
    rest = chunk.slice(end);
  }
  reader.read(rest);
  return reader.finish();
}

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

  /** All rows, without the room for more. */
  read(): BarColumns {
    const bars = emptyBars(this.length);
    for (const field of BAR_FIELDS) bars[field].set(this.bars[field].subarray(0, this.length));
    return bars;
  }

  #grow(capacity: number): void {
    const bars = emptyBars(capacity);
    for (const field of BAR_FIELDS) bars[field].set(this.bars[field]);
    const lines = new Int32Array(capacity);
    lines.set(this.lines);
    this.bars = bars;
    this.lines = lines;
  }
}

class CsvReader {
  readonly #rows = new GrowingBars();
  readonly #row = new Float64Array(BAR_FIELDS.length);
  readonly #bad: BadLine[] = [];
  #line = 0;
  #positions: Record<Field, number> | null = null;
  /** Index of the `time` column that belongs to a `date` column, or -1. */
  #clock = -1;
  #delimiter = ",";
  /** Reads the usual lines; `null` before the header, and where date and time are two columns. */
  #parser: RowParser | null = null;
  #lastTs = Number.NEGATIVE_INFINITY;
  #isAscending = true;
  #outOfOrder = 0;
  #firstOutOfOrder = 0;

  constructor(
    readonly name: string,
    readonly interval: Interval,
    readonly market: Market,
  ) {}

  /** Parses whole lines; the last one may lack its line break. */
  read(bytes: Uint8Array): void {
    let start = 0;
    while (this.#positions === null && start < bytes.length) {
      const end = endOfLine(bytes, start);
      this.#readText(bytes.subarray(start, end));
      start = end;
    }
    // Line breaks inside of quotes are no ends of lines: only the slower reader tells them apart.
    let unusual = this.#parser === null || bytes.indexOf(QUOTE, start) >= 0 ? MAX_UNUSUAL : 0;
    for (let end: number; start < bytes.length; start = end) {
      end = unusual < MAX_UNUSUAL ? endOfLine(bytes, start) : bytes.length;
      let stop = bytes[end - 1] === LINE_FEED ? end - 1 : end;
      if (stop > start && bytes[stop - 1] === CARRIAGE_RETURN) stop--;
      if (unusual < MAX_UNUSUAL && this.#parser?.parse(bytes, start, stop, this.#row)) {
        this.#line++;
        this.#row[0] = this.#barStart(this.#row[0]!);
        this.#keep();
      } else {
        unusual++;
        this.#readText(bytes.subarray(start, end));
      }
    }
  }

  /** Parses lines of any kind. */
  #readText(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const text = decoder.decode(bytes);
    const body = text.replace(/\r?\n$/, "").replaceAll("\r\n", "\n");
    if (!this.#positions) this.#delimiter = guessDelimiter(body);
    const { data } = Papa.parse<string[]>(body, { delimiter: this.#delimiter, newline: "\n" });
    if (data.length === 0) this.#line++;
    for (const cells of data) {
      this.#line++;
      if (cells.length === 1 && cells[0]!.trim() === "") continue;
      if (this.#positions) this.#readRow(cells, this.#positions);
      else this.#readHeader(cells);
    }
  }

  #readHeader(cells: string[]): void {
    const names = cells.map((cell) =>
      cell
        .trim()
        .toLowerCase()
        .replace(/^<(.*)>$/, "$1"),
    );
    const find = (field: Field) =>
      HEADERS[field].map((header) => names.indexOf(header)).find((index) => index >= 0) ?? -1;
    const positions = Object.fromEntries(FIELDS.map((field) => [field, find(field)])) as Record<Field, number>;
    const missing = FIELDS.filter((field) => positions[field] < 0).map((field) =>
      field === "ts" ? "timestamp" : field,
    );
    if (missing.length > 0) {
      throw new ProviderError(
        "bad_request",
        `${this.name}:${this.#line}: no column for ${missing.join(", ")}; the first line must name the columns ` +
          `timestamp,open,high,low,close,volume (in any order), it holds "${cells.join(this.#delimiter).slice(0, 80)}"`,
      );
    }
    this.#positions = positions;
    const clock = names.indexOf("time");
    this.#clock = names.includes("date") && clock >= 0 ? clock : -1;
    if (this.#clock >= 0) positions.ts = names.indexOf("date");
    else
      this.#parser = new RowParser(
        this.#delimiter.charCodeAt(0),
        BAR_FIELDS.map((field) => positions[field]),
      );
  }

  #readRow(cells: string[], positions: Record<Field, number>): void {
    const day = cells[positions.ts]?.trim() ?? "";
    const stamp = this.#clock >= 0 ? `${day} ${cells[this.#clock]?.trim() ?? ""}` : day;
    const ts = this.#barStart(parseTimestamp(stamp));
    const fault = this.#faultOf(cells, positions, stamp, ts);
    if (fault) {
      const near = Number.isNaN(ts) ? this.#lastTs : ts;
      this.#bad.push({ ts: near, line: this.#line, reason: fault, raw: cells.join(this.#delimiter) });
      return;
    }
    for (const [place, field] of BAR_FIELDS.entries()) {
      this.#row[place] = field === "ts" ? ts : Number(cells[positions[field]]);
    }
    this.#keep();
  }

  /** The start of the bar of a moment (epoch seconds): for daily bars, its trading date. */
  #barStart(ts: number): number {
    return this.interval === "1d" && ts % DAY !== 0 ? tradingDate(this.market, ts) : ts;
  }

  /** Keeps the row that was read last. */
  #keep(): void {
    const ts = this.#row[0]!;
    if (ts < this.#lastTs) {
      this.#outOfOrder++;
      this.#firstOutOfOrder ||= this.#line;
    }
    if (ts <= this.#lastTs) this.#isAscending = false;
    this.#lastTs = ts;
    this.#rows.add(this.#row, this.#line);
  }

  #faultOf(cells: string[], positions: Record<Field, number>, stamp: string, ts: number): string | null {
    const wanted = Math.max(...Object.values(positions), this.#clock) + 1;
    if (cells.length < wanted) return `${cells.length} of at least ${wanted} columns`;
    if (Number.isNaN(ts)) return `"${stamp}" is not a timestamp (known: ${TIMESTAMP_FORMATS})`;
    for (const field of FIELDS) {
      if (field === "ts") continue;
      const text = cells[positions[field]]!.trim();
      if (text === "") return `${field} is empty`;
      if (!Number.isFinite(Number(text))) return `${field} "${text}" is not a number`;
    }
    return null;
  }

  /** Rejects a row that was parsed already. */
  #reject(at: number, reason: string): void {
    const { bars, lines } = this.#rows;
    const raw = BAR_FIELDS.map((field) => bars[field][at]).join(",");
    this.#bad.push({ ts: bars.ts[at]!, line: lines[at]!, reason, raw });
  }

  /** The rows in ascending order; of several with one timestamp, the first line is kept. */
  #sorted(): BarColumns {
    const { bars: read, lines, length } = this.#rows;
    const { ts } = read;
    const order = Uint32Array.from({ length }, (_, index) => index).sort((a, b) => ts[a]! - ts[b]! || a - b);
    let kept = 0;
    for (const at of order) {
      const before = kept === 0 ? undefined : order[kept - 1]!;
      if (before === undefined || ts[before] !== ts[at]) order[kept++] = at;
      else this.#reject(at, `same timestamp as line ${lines[before]}, which is kept`);
    }
    const bars = emptyBars(kept);
    for (const field of BAR_FIELDS) {
      const [from, to] = [read[field], bars[field]];
      for (let place = 0; place < kept; place++) to[place] = from[order[place]!]!;
    }
    return bars;
  }

  finish(): CsvFile {
    if (!this.#positions) throw new ProviderError("bad_request", `${this.name}:1: the file is empty`);
    const notes: string[] = [];
    if (this.#outOfOrder > 0) {
      notes.push(
        `${this.name}:${this.#firstOutOfOrder}: earlier than the line before; ` +
          `${this.#outOfOrder} line(s) out of order were sorted on reading`,
      );
    }
    const bars = this.#isAscending ? this.#rows.read() : this.#sorted();
    const firstTs = bars.ts[0] ?? 0;
    const bad = this.#bad.map((line) => (Number.isFinite(line.ts) ? line : { ...line, ts: firstTs }));
    return { bars, bad: bad.sort((a, b) => a.line - b.line), notes };
  }
}

/** Where the line that begins at `start` ends, its line break included. */
function endOfLine(bytes: Uint8Array, start: number): number {
  const at = bytes.indexOf(LINE_FEED, start);
  return at < 0 ? bytes.length : at + 1;
}

/** The delimiter that occurs most often in the first line. */
function guessDelimiter(text: string): string {
  const header = text.slice(0, text.indexOf("\n") >>> 0);
  const count = (delimiter: string) => header.split(delimiter).length;
  return DELIMITERS.reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
}
