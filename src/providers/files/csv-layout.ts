/** Recognizes what the columns of a delimited file hold: by its header lines, or by the shape of a vendor's rows. */

import { onOneLine, quote } from "../../domain/errors.ts";
import { isTimeZone } from "../../domain/time.ts";
import { type DateOrder, readMoment } from "./cell-date.ts";
import { readNumber } from "./cell-number.ts";

/** Header names by field, in lower case without accents, the better name first. */
const HEADERS = {
  ts: [
    ...["timestamp", "datetime", "date", "time", "ts", "t", "gmt time", "local time", "open time", "open_time"],
    ...["date/time", "date time", "datum", "data", "fecha", "window_start", "unix", "epoch"],
  ],
  open: ["open", "o", "eroffnung", "eroffnungskurs", "erster", "otwarcie", "ouverture", "open price", "apertura"],
  high: ["high", "h", "hoch", "tageshoch", "hochst", "najwyzszy", "haut", "plus haut", "high price", "maximo"],
  low: ["low", "l", "tief", "tagestief", "tiefst", "najnizszy", "bas", "plus bas", "low price", "minimo"],
  close: [
    ...["close", "c", "last", "close/last", "schluss", "schlusskurs", "zamkniecie", "cloture", "close price"],
    ...["ultimo", "price"],
  ],
  volume: ["volume", "tickvol", "tick_volume", "vol", "v", "vol.", "stuecke", "stucke", "volumen", "wolumen", "shares"],
} as const;
export type Field = keyof typeof HEADERS;
const FIELDS = Object.keys(HEADERS) as Field[];
const CLOCKS = ["time", "zeit", "uhrzeit", "hora", "heure"];
const DATES = ["date", "datum", "data", "fecha", "dtyyyymmdd"];
const SYMBOLS = ["ticker", "symbol"];
const PERIODS = ["per", "period"];

export interface Layout {
  /** What the file was recognized as. */
  readonly format: string;
  readonly delimiter: string;
  /** The column of each field; that of the volume is -1 in a file without one. */
  readonly columns: Readonly<Record<Field, number>>;
  /** The column of the time that belongs to a column of dates, or -1. */
  readonly clock: number;
  /** Columns of a row, or 0 if rows may have any number. */
  readonly width: number;
  /** Time zone of times without an offset: a name of the IANA database. */
  readonly zone: string;
  /** The order of day and month that the header states. */
  readonly order: DateOrder | null;
  readonly symbolColumn: number;
  /** The column of the bars' length in minutes, or `D`; -1 without one. */
  readonly periodColumn: number;
  readonly header: readonly string[];
}

interface Name {
  /** Without accents, brackets, numbering and what stands in parentheses. */
  readonly text: string;
  readonly remark: string;
}

function nameOf(cell: string): Name {
  const remark = /\(([^)]*)\)/.exec(cell)?.[1]?.trim() ?? "";
  const text = cell
    .replace(/\([^)]*\)/g, "")
    .normalize("NFD")
    .replace(/[\u0300-\u036f\ufeff]/g, "")
    .replaceAll("ł", "l")
    .trim()
    .toLowerCase()
    .replace(/^<(.*)>$/, "$1")
    .replace(/^\d+\.\s*/, "")
    .replace(/\s+/g, " ");
  return { text, remark };
}

const MISSING_NAMES: Partial<Record<Field, string>> = { ts: "timestamp" };

/** A line that names as many fields is taken for the header of a table of bars, and may be shown. */
const SHOWN_FROM = 2;

/** The header of a file, which may spread over several lines: the last line that names a field counts. */
export class HeaderLines {
  readonly #columns: Record<Field, number> = { ts: -1, open: -1, high: -1, low: -1, close: -1, volume: -1 };
  #names: readonly Name[] = [];
  #best: { known: number; line: number; text: string; cells: readonly string[] } = {
    known: -1,
    line: 1,
    text: "",
    cells: [],
  };
  #firstDates = -1;
  #doubled: string | null = null;
  lines = 0;

  /** Takes a line without data; the layout as soon as date and prices are named. */
  add(cells: readonly string[], line: number, text: string, delimiter: string): Layout | null {
    const names = cells.map(nameOf);
    let known = 0;
    for (const field of FIELDS) {
      const at = HEADERS[field].map((name) => names.findIndex(({ text }) => text === name)).find((index) => index >= 0);
      if (at === undefined) continue;
      known++;
      this.#columns[field] = at;
      const isPrice = field !== "ts" && field !== "volume";
      if (isPrice && names.some(({ text }, other) => other !== at && text === names[at]!.text)) {
        this.#doubled ??= `${line}: several columns are named ${quote(cells[at]!.trim())}, as in a table of several symbols`;
      }
    }
    const dates = names.findIndex(({ text }) => DATES.includes(text));
    if (dates >= 0) {
      this.#firstDates = dates;
      this.#columns.ts = dates;
    }
    if (known > this.#best.known) this.#best = { known, line, text, cells };
    this.lines++;
    if (known === 0 && dates < 0) return null;
    this.#names = names;
    const isComplete = this.#missing().every((field) => field === "volume");
    return isComplete ? this.#layout(cells, delimiter) : null;
  }

  #missing(): Field[] {
    return FIELDS.filter((field) => this.#columns[field] < 0);
  }

  #layout(cells: readonly string[], delimiter: string): Layout {
    const find = (wanted: readonly string[]) => this.#names.findIndex(({ text }) => wanted.includes(text));
    const remark = this.#names[this.#columns.ts]?.remark ?? "";
    const clock = this.#firstDates >= 0 ? find(CLOCKS) : -1;
    const zone = isTimeZone(remark) ? remark : "UTC";
    return {
      format: find(PERIODS) >= 0 ? "Stooq" : find(["tickvol"]) >= 0 ? "MetaTrader" : "columns by name",
      delimiter,
      columns: { ...this.#columns },
      clock: clock === this.#columns.ts ? -1 : clock,
      width: cells.length,
      zone,
      order: /^d/i.test(remark) ? "day-first" : /^m/i.test(remark) ? "month-first" : null,
      symbolColumn: find(SYMBOLS),
      periodColumn: find(PERIODS),
      header: cells,
    };
  }

  /** What is wrong with a header that names all columns; `null` if nothing is. */
  doubt(name: string): string | null {
    return this.#doubled && `${name}:${this.#doubled}: a file holds the bars of one symbol, and each price once`;
  }

  /**
   * Where the best header is and what it lacks. All readers see it, and a link in the folder may lead to any file: of one
   * that names no columns of a table of bars only the form is said.
   */
  fault(name: string): string {
    const missing = this.#missing().map((field) => MISSING_NAMES[field] ?? field);
    const { known, line, text, cells } = this.#best;
    const numbers = cells.filter((cell) => cell.trim() !== "" && Number.isFinite(Number(cell))).length;
    const form = `it has ${cells.length} ${cells.length === 1 ? "cell" : "cells"}, ${numbers} of them numbers`;
    return (
      `${name}:${line}: no column for ${missing.join(", ")}; the first line must name the columns ` +
      `timestamp,open,high,low,close,volume (in any order), ${known >= SHOWN_FROM ? `it holds "${onOneLine(text.slice(0, 80))}"` : form}`
    );
  }
}

const plain = (columns: readonly number[]): Record<Field, number> => ({
  ts: columns[0]!,
  open: columns[1]!,
  high: columns[2]!,
  low: columns[3]!,
  close: columns[4]!,
  volume: columns[5]!,
});

const isPrice = (cell: string | undefined) =>
  cell !== undefined && readNumber(cell.replace(/^(\d+),(\d+)$/, "$1.$2"), ".") > 0;

/** Vendors whose files have no header, each with the shape of its rows. */
const HEADERLESS: readonly {
  readonly format: string;
  readonly columns: readonly number[];
  readonly clock?: number;
  readonly zone?: string;
  matches(cells: readonly string[], delimiter: string): boolean;
}[] = [
  {
    // HistData states its times as New York standard time all year.
    format: "HistData",
    columns: [0, 1, 2, 3, 4, 5],
    zone: "Etc/GMT+5",
    matches: (cells, delimiter) => delimiter === ";" && cells.length === 6 && /^\d{8} \d{6}$/.test(cells[0]!),
  },
  {
    format: "MetaTrader",
    columns: [0, 2, 3, 4, 5, 6],
    clock: 1,
    matches: (cells) =>
      cells.length >= 7 && /^\d{4}\.\d{2}\.\d{2}$/.test(cells[0]!) && /^\d{2}:\d{2}(:\d{2})?$/.test(cells[1]!),
  },
  {
    format: "Binance",
    columns: [0, 1, 2, 3, 4, 5],
    matches: (cells) => cells.length === 12 && [0, 6].every((at) => /^1\d{12}(\d{3})?$/.test(cells[at]!)),
  },
  {
    format: "Kraken",
    columns: [0, 1, 2, 3, 4, 5],
    matches: (cells) => cells.length === 7 && /^1\d{9}$/.test(cells[0]!) && /^\d+$/.test(cells[6]!),
  },
];

/** The layout of a file without a header, by its first row; `null` if the row is of no known vendor. */
export function headerlessLayout(cells: readonly string[], delimiter: string): Layout | null {
  const known = HEADERLESS.find(({ matches }) => matches(cells, delimiter));
  if (!known?.columns.slice(1, 5).every((at) => isPrice(cells[at]))) return null;
  return {
    format: known.format,
    delimiter,
    columns: plain(known.columns),
    clock: known.clock ?? -1,
    width: cells.length,
    zone: known.zone ?? "UTC",
    order: null,
    symbolColumn: -1,
    periodColumn: -1,
    header: [],
  };
}

/** Whether a line has the shape of a row of bars: a moment and at least four numbers. */
export function looksLikeRow(cells: readonly string[]): boolean {
  const numbers = cells.filter((cell) => isPrice(cell)).length;
  return numbers >= 4 && cells.some((cell) => readMoment(cell, "day-first") ?? readMoment(cell, "month-first"));
}
