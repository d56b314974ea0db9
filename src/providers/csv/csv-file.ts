/** Reads one CSV file of bars: any column order, common header names and date formats; every bad line is reported. */

import Papa from "papaparse";
import { ProviderError } from "../../domain/errors.ts";
import { type BarColumns, emptyBars } from "../../domain/market/bars.ts";
import { tradingDate } from "../../domain/market/calendar.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import type { Market } from "../../domain/market/symbol.ts";
import { parseTimestamp, TIMESTAMP_FORMATS } from "../timestamp.ts";

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

/**
 * Reads `path` (shown as `name` in messages) as a stream.
 * @throws ProviderError `bad_request` when the first line does not name the columns, naming file, line and column
 */
export async function readCsvFile(path: string, name: string, interval: Interval, market: Market): Promise<CsvFile> {
  const reader = new CsvReader(name, interval, market);
  let rest = "";
  for await (const text of Bun.file(path).stream().pipeThrough(new TextDecoderStream())) {
    const chunk = rest + text;
    const end = chunk.lastIndexOf("\n") + 1;
    rest = chunk.slice(end);
    if (end > 0) reader.read(chunk.slice(0, end));
  }
  if (rest !== "") reader.read(`${rest}\n`);
  return reader.finish();
}

class CsvReader {
  readonly #columns: Record<Field, number[]> = { ts: [], open: [], high: [], low: [], close: [], volume: [] };
  readonly #lines: number[] = [];
  readonly #bad: BadLine[] = [];
  #line = 0;
  #positions: Record<Field, number> | null = null;
  /** Index of the `time` column that belongs to a `date` column, or -1. */
  #clock = -1;
  #delimiter = ",";
  #lastTs = Number.NEGATIVE_INFINITY;
  #outOfOrder = 0;
  #firstOutOfOrder = 0;

  constructor(
    readonly name: string,
    readonly interval: Interval,
    readonly market: Market,
  ) {}

  /** Parses a piece of text that ends with a line break. */
  read(text: string): void {
    const body = text.slice(0, text.endsWith("\r\n") ? -2 : -1).replaceAll("\r\n", "\n");
    if (!this.#positions) this.#delimiter = guessDelimiter(body);
    const { data } = Papa.parse<string[]>(body, { delimiter: this.#delimiter, newline: "\n" });
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
  }

  #readRow(cells: string[], positions: Record<Field, number>): void {
    const day = cells[positions.ts]?.trim() ?? "";
    const stamp = this.#clock >= 0 ? `${day} ${cells[this.#clock]?.trim() ?? ""}` : day;
    const parsed = parseTimestamp(stamp);
    const ts = this.interval === "1d" && parsed % DAY !== 0 ? tradingDate(this.market, parsed) : parsed;
    const fault = this.#faultOf(cells, positions, stamp, ts);
    if (fault) {
      const near = Number.isNaN(ts) ? this.#lastTs : ts;
      this.#bad.push({ ts: near, line: this.#line, reason: fault, raw: cells.join(this.#delimiter) });
      return;
    }
    if (ts < this.#lastTs) {
      this.#outOfOrder++;
      this.#firstOutOfOrder ||= this.#line;
    }
    this.#lastTs = ts;
    this.#lines.push(this.#line);
    this.#columns.ts.push(ts);
    for (const field of FIELDS) if (field !== "ts") this.#columns[field].push(Number(cells[positions[field]]));
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
    const raw = FIELDS.map((field) => this.#columns[field][at]).join(",");
    this.#bad.push({ ts: this.#columns.ts[at]!, line: this.#lines[at]!, reason, raw });
  }

  finish(): CsvFile {
    if (!this.#positions) throw new ProviderError("bad_request", `${this.name}:1: the file is empty`);
    const { ts } = this.#columns;
    const order = ts.map((_, index) => index);
    const notes: string[] = [];
    if (this.#outOfOrder > 0) {
      order.sort((a, b) => ts[a]! - ts[b]!);
      notes.push(
        `${this.name}:${this.#firstOutOfOrder}: earlier than the line before; ` +
          `${this.#outOfOrder} line(s) out of order were sorted on reading`,
      );
    }
    const kept: number[] = [];
    for (const at of order) {
      const before = kept.at(-1);
      if (before === undefined || ts[before] !== ts[at]) kept.push(at);
      else this.#reject(at, `same timestamp as line ${this.#lines[before]}, which is kept`);
    }
    const bars = emptyBars(kept.length);
    for (const field of FIELDS)
      for (let place = 0; place < kept.length; place++) bars[field][place] = this.#columns[field][kept[place]!]!;
    const firstTs = bars.ts[0] ?? 0;
    const bad = this.#bad.map((line) => (Number.isFinite(line.ts) ? line : { ...line, ts: firstTs }));
    return { bars, bad: bad.sort((a, b) => a.line - b.line), notes };
  }
}

/** The delimiter that occurs most often in the first line. */
function guessDelimiter(text: string): string {
  const header = text.slice(0, text.indexOf("\n") >>> 0);
  const count = (delimiter: string) => header.split(delimiter).length;
  return DELIMITERS.reduce((best, delimiter) => (count(delimiter) > count(best) ? delimiter : best));
}
