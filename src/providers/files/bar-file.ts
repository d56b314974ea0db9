/** Reads one file of bars of any kind, and says how it was understood. */

import { ProviderError } from "../../domain/errors.ts";
import type { BarColumns } from "../../domain/market/bars.ts";
import type { Venue } from "../../domain/market/exchanges/exchanges.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import { isoDate } from "../../domain/time.ts";
import { type BadKind, BarCollector } from "./bar-collector.ts";
import type { Layout } from "./csv-layout.ts";
import { CsvReader, type Dialect, NeedsSurvey } from "./csv-reader.ts";
import { isParquet, readParquetFile } from "./parquet-reader.ts";
import { readText } from "./text-stream.ts";

/** What a file is to be read as. */
export interface FileTarget {
  /** In messages. */
  readonly name: string;
  readonly symbol: string;
  readonly interval: Interval;
  readonly venue: Venue;
  /** Time zone of times without an offset. */
  readonly zone: string;
  /** Most bytes that a compressed file may unpack to; no limit unless given. */
  readonly maxUnpacked?: number;
}

export interface BarFile {
  /** Ascending, without duplicates. */
  readonly bars: BarColumns;
  /** Rows of the file, rejected ones included. */
  readonly rows: number;
  /** The rejected rows by kind. */
  readonly bad: ReadonlyMap<string, BadKind>;
  /** What was corrected or rejected, one line for each kind. */
  readonly notes: readonly string[];
  readonly layout: Layout;
  /** Compression and encoding, for people. */
  readonly encoding: string;
  /** How dates like 04/06/2026 and numbers like 1,234 were decided, if there are any. */
  readonly dialect: Dialect | null;
}

/** Lines named in a message. */
const SHOWN_LINES = 3;
/** Longest line of text, bytes. */
const MAX_LINE = 2 ** 20;

/**
 * Reads the file at `path`.
 * @throws ProviderError `bad_request` when the file, its columns or its interval cannot be read; `no_data` when all rows
 * were rejected; both name the file and the first line
 */
export async function readBarFile(path: string, target: FileTarget): Promise<BarFile> {
  const bars = new BarCollector(target.interval, target.venue);
  const start = new Uint8Array(await Bun.file(path).slice(0, 4).arrayBuffer());
  if (isParquet(start)) {
    const layout = await readParquetFile(path, target, bars);
    return finish(target, bars, { layout, encoding: "binary", dialect: null });
  }
  try {
    return await readCsv(path, target, bars, null);
  } catch (error) {
    if (!(error instanceof NeedsSurvey)) throw error;
  }
  const survey = new CsvReader(target.name, target.symbol, target.zone, bars, "survey");
  for await (const lines of linesOf(path, target, { text: "" })) survey.read(lines);
  return readCsv(path, target, new BarCollector(target.interval, target.venue), survey.found);
}

async function readCsv(
  path: string,
  target: FileTarget,
  bars: BarCollector,
  dialect: Dialect | null,
): Promise<BarFile> {
  const reader = new CsvReader(target.name, target.symbol, target.zone, bars, dialect);
  const encoding = { text: "" };
  for await (const lines of linesOf(path, target, encoding)) reader.read(lines);
  return finish(target, bars, { layout: reader.finish(), encoding: encoding.text, dialect });
}

/** Whole lines at a time; the last one may lack its line break. */
async function* linesOf(
  path: string,
  { name, maxUnpacked = Number.POSITIVE_INFINITY }: FileTarget,
  encoding: { text: string },
): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array();
  for await (const bytes of readText(path, name, encoding, maxUnpacked)) {
    const chunk = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    const end = chunk.lastIndexOf(10) + 1;
    yield chunk.subarray(0, end);
    rest = chunk.slice(end);
    if (rest.length > MAX_LINE)
      throw new ProviderError(
        "bad_request",
        `${name} has a line of more than ${MAX_LINE} bytes: it is no table of bars`,
      );
  }
  yield rest;
}

function finish(
  target: FileTarget,
  bars: BarCollector,
  read: Pick<BarFile, "layout" | "encoding" | "dialect">,
): BarFile {
  const { name, interval } = target;
  const rows = bars.total;
  const { bars: kept, intervalFault } = bars.finish(name);
  if (intervalFault !== null) throw new ProviderError("bad_request", `${name}: ${intervalFault}${hintFor(target)}`);
  if (kept.ts.length === 0 && rows > 0) {
    const [first] = [...bars.bad.values()].map(({ rows }) => rows[0]!).sort((a, b) => a.line - b.line);
    throw new ProviderError(
      "no_data",
      `${rows} of ${rows} rows refused: row ${first!.line}: ${first!.reason}; ${name}`,
    );
  }
  const notes = [...bars.notes, ...[...bars.bad].map(([kind, group]) => `${name}: ${describeKind(kind, group, rows)}`)];
  const zoned = interval === "1d" ? [] : zoneNote(read.layout, target);
  return { bars: kept, rows, bad: bars.bad, notes: [...notes, ...zoned, ...neverStored(kept.ts, target)], ...read };
}

/** Says of rows that no run requests: before 1970, and after today on every exchange. */
function neverStored(ts: BarColumns["ts"], { name }: FileTarget): string[] {
  const future = Date.now() / 1_000 + DAY;
  const early = ts.findIndex((each) => each >= 0);
  const late = ts.length - 1 - ts.findLastIndex((each) => each <= future);
  const before = early < 0 ? ts.length : early;
  return [
    ...(before > 0 ? [`${name}: ${before} of ${ts.length} bars not stored: before 1970-01-01`] : []),
    ...(late > 0
      ? [`${name}: ${late} of ${ts.length} bars not stored: in the future, the last of ${isoDate(ts.at(-1)!)}`]
      : []),
  ];
}

const hintFor = ({ symbol }: FileTarget) =>
  `; the name says which bars a file holds: ${symbol}-1m.csv, ${symbol}-1h.csv, ${symbol}.csv for daily bars`;

function zoneNote({ zone, format }: Layout, { name }: FileTarget): string[] {
  return zone === "UTC" ? [] : [`${name}: times are read as ${zone} (${format})`];
}

/** `2 of 40 rows rejected, lines 3, 9: …`; a reason that is not known to be that of all lines is said of its own line. */
function describeKind(kind: string, { count, rows }: BadKind, total: number): string {
  const lines = rows.slice(0, SHOWN_LINES).map(({ line }) => line);
  const where = `${count === 1 ? "line" : "lines"} ${lines.join(", ")}${count > lines.length ? " and others" : ""}`;
  const what = kind === "corrected" ? "replaced by later rows" : kind === "repeated" ? "repeated" : "rejected";
  const { line, reason } = rows[0]!;
  const isOfAll = rows.length === count && rows.every((row) => row.reason === reason);
  return `${count} of ${total} rows ${what}, ${where}${isOfAll ? "" : `; line ${line}`}: ${reason}`;
}
