/**
 * The smallest program that stores a CSV file of minutes: a parser of bytes that knows the form of each line
 * (`2015-01-02T14:30:00Z,open,high,low,close,volume`), and prepared inserts, a transaction for each 8,000 rows. Arguments: the
 * file, and the URL of a new database. Prints the seconds of both, and of the inserts alone, as JSON.
 */

import { closeSync, openSync, readSync, statSync } from "node:fs";
import Driver from "libsql";
import { type BarColumns, emptyBars } from "../../src/domain/market/bars.ts";
import { migrateDatabase, openDatabase, pathOf } from "../../src/storage/db.ts";
import { seriesId } from "../../src/storage/market/bars.ts";

export interface CsvLimit {
  /** Seconds to parse and to insert. */
  readonly seconds: number;
  /** Seconds of the inserts. */
  readonly inserts: number;
  /** Rows of the database at the end. */
  readonly stored: number;
}

const ROWS = 8_000;
const PIECE = 1 << 20;
const [LINE_END, COMMA, POINT] = [10, 44, 46];

const [file, url] = process.argv.slice(2) as [string, string];
const created = await openDatabase(url);
await migrateDatabase(created);
const key = {
  symbol: "A",
  provider: "files",
  feed: "x",
  interval: "1m",
  adjustment: "none",
  sessions: "regular",
} as const;
const series = await seriesId(created, key);
created.close();
const db = new Driver(pathOf(url));
for (const pragma of ["synchronous = NORMAL", "foreign_keys = ON", "wal_autocheckpoint = 4000"])
  db.exec(`PRAGMA ${pragma}`);
const insert = db.prepare(`INSERT INTO bars VALUES ${new Array(1_000).fill("(?,?,?,?,?,?,?)").join()}`);
const one = db.prepare("INSERT INTO bars VALUES (?,?,?,?,?,?,?)");

let inserts = 0;
function store({ ts, open, high, low, close, volume }: BarColumns, rows: number): void {
  const before = performance.now();
  db.exec("BEGIN IMMEDIATE");
  const row = (i: number) => [series, ts[i]!, open[i]!, high[i]!, low[i]!, close[i]!, volume[i]!];
  let at = 0;
  for (; at + 1_000 <= rows; at += 1_000) {
    const values: number[] = [];
    for (let i = at; i < at + 1_000; i++) values.push(...row(i));
    insert.run(values);
  }
  for (; at < rows; at++) one.run(row(at));
  db.exec("COMMIT");
  inserts += performance.now() - before;
}

/** Digits at known places of a text. */
const digits = (bytes: Uint8Array, at: number, count: number): number => {
  let value = 0;
  for (let i = at; i < at + count; i++) value = value * 10 + bytes[i]! - 48;
  return value;
};

const began = performance.now();
const columns = emptyBars(ROWS);
const fields = [columns.open, columns.high, columns.low, columns.close, columns.volume];
let rows = 0;
/** The day that was read last, as a number like 20150102, and its start, epoch seconds. */
let [day, dayStart] = [0, 0];

/** Reads one line from `at`; where the next begins. */
function readLine(bytes: Uint8Array, at: number): number {
  const [year, month, date] = [digits(bytes, at, 4), digits(bytes, at + 5, 2), digits(bytes, at + 8, 2)];
  const next = (year * 100 + month) * 100 + date;
  if (next !== day) [day, dayStart] = [next, Date.UTC(year, month - 1, date) / 1_000];
  columns.ts[rows] = dayStart + digits(bytes, at + 11, 2) * 3_600 + digits(bytes, at + 14, 2) * 60;
  let i = at + 20;
  for (const field of fields) {
    let [value, scale] = [0, 0];
    for (i++; bytes[i] !== COMMA && bytes[i] !== LINE_END; i++) {
      if (bytes[i] === POINT) scale = 1;
      else {
        value = value * 10 + bytes[i]! - 48;
        scale *= 10;
      }
    }
    field[rows] = scale > 0 ? value / scale : value;
  }
  rows++;
  return i + 1;
}

const handle = openSync(file, "r");
const size = statSync(file).size;
const bytes = new Uint8Array(PIECE);
let left = 0;
let isHead = true;
for (let read = 0; read < size; ) {
  const count = readSync(handle, bytes, left, PIECE - left, null);
  read += count;
  const end = bytes.lastIndexOf(LINE_END, left + count - 1) + 1;
  let at = isHead ? bytes.indexOf(LINE_END) + 1 : 0;
  isHead = false;
  while (at < end) {
    at = readLine(bytes, at);
    if (rows === ROWS) {
      store(columns, rows);
      rows = 0;
    }
  }
  left = left + count - end;
  bytes.copyWithin(0, end, end + left);
}
store(columns, rows);
const seconds = (performance.now() - began) / 1_000;
closeSync(handle);
const [[stored]] = db.prepare("SELECT count(*) FROM bars").raw().all() as [[number]];
db.close();
const limit: CsvLimit = { seconds, inserts: inserts / 1_000, stored };
console.log(JSON.stringify(limit));
