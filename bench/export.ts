/**
 * Exports of 1,000,000 one-minute bars, of 200 features over 100,000 of them, and panels of 500 symbols with a year of
 * daily bars: seconds from the request to the last byte (reading and computing included), bytes and peak memory, through
 * the export thread. Compared, in the same run, with the least that the same columns cost: a copy and zstd 1 per column
 * chunk for Parquet, `String(value)` of every value, written nowhere, for text. Parquet files are also held against those
 * that DuckDB's `COPY` and polars write of the same table.
 */

import { join } from "node:path";
import { type BarColumns, sliceBars } from "../src/domain/market/bars.ts";
import { CALENDAR } from "../src/domain/market/calendar.ts";
import { DAY, type Interval } from "../src/domain/market/interval.ts";
import { FEATURES } from "../src/features/catalog.ts";
import { featureBlocks } from "../src/features/engine.ts";
import type { ExportRequest } from "../src/pipeline/exports/export-table.ts";
import type { SymbolSource } from "../src/pipeline/exports/series/read-rows.ts";
import { demoBars } from "../src/providers/demo/demo-bars.ts";
import { DemoPath } from "../src/providers/demo/price-path.ts";
import { migrateDatabase, openDatabase } from "../src/storage/db.ts";
import { insertBars, seriesId } from "../src/storage/market/bars.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import type { ExportCost } from "./support/export-once.ts";
import type { PeerCosts } from "./support/parquet-peers.ts";
import { atMost, type BenchResult, median, report } from "./support/report.ts";

const ROUNDS = 3;
const BARS = 1_000_000;
/** Bars with features. */
const ROWS = 100_000;
const BATCH = 50_000;
/** Rows that the limit compresses at a time. */
const GROUP = 16_384;

/** Seconds, bytes a row, and bytes of memory on top. */
interface Figures {
  readonly seconds: number;
  readonly rowBytes: number;
  readonly growth: number;
}

/** The most of each. */
const TARGETS: Readonly<Record<string, Partial<Figures>>> = {
  "bars parquet": { rowBytes: 13.5 },
  "features csv": { seconds: 3 },
  "features json": { seconds: 3.5 },
  "features parquet": { seconds: 2, growth: 150e6 },
};
const PANEL_TARGET: Partial<Figures> = { seconds: 10, growth: 150e6 };
/** Of a year of minutes, 98,280 rows. */
const YEAR_TARGET: Partial<Figures> = { rowBytes: 55e6 / 98_280 };

/** A target in words, and whether it is missed; nothing without one. */
function judged(target: Partial<Figures> | undefined, figures: Figures) {
  if (target === undefined) return {};
  const { seconds, rowBytes, growth } = target;
  const words = [
    ...(seconds === undefined ? [] : [`<= ${seconds} s`]),
    ...(rowBytes === undefined ? [] : [`<= ${rowBytes.toFixed(1)} B a row`]),
    ...(growth === undefined ? [] : [`<= +${megabytes(growth)}`]),
  ];
  const missed = Object.entries(target).some(([name, most]) => figures[name as keyof Figures] > most);
  return { target: words.join(", "), missed };
}

const end = Date.UTC(2026, 0, 1) / 1000;
const start = end - 4_200 * DAY;
const path = new DemoPath("BENCH", "us_equity", CALENDAR, start);
const minutes = demoBars(path.traits, path.days(start, end), "1m");
const bars = sliceBars(minutes, minutes.ts.length - BARS, minutes.ts.length);
const recent = sliceBars(bars, BARS - ROWS, BARS);

using folder = temporaryFolder();
const dbUrl = folder.database("bars.db");

const DAILY = { source: "1d", venue: "us_equity" } as const;

async function store(symbol: string, stored: BarColumns, interval: Interval = "1m"): Promise<number> {
  const key = { symbol, provider: "demo", feed: "x", interval, adjustment: "none", sessions: "regular" } as const;
  const id = await seriesId(db, key);
  for (let start = 0; start < stored.ts.length; start += BATCH)
    await db.write(insertBars(id, sliceBars(stored, start, start + BATCH)));
  return id;
}

const db = await openDatabase(dbUrl);
await migrateDatabase(db);
const series = { bars: await store("BARS", bars), features: await store("FEATURES", recent) };
/** A year of days with 200 features each, of so many symbols. */
const PANEL_SYMBOLS = 500;
const panel: SymbolSource[] = [];
const yearStart = end - 365 * DAY;
for (let k = 0; k < PANEL_SYMBOLS; k++) {
  const symbol = `P${k}`;
  const each = new DemoPath(symbol, "us_equity", CALENDAR, yearStart);
  const days = demoBars(each.traits, each.days(yearStart, end), "1d");
  panel.push({ symbol, base: { seriesId: await store(symbol, days, "1d"), ...DAILY }, longer: {} });
}
db.close();

type Content = keyof typeof series;
const ALL = FEATURES.map(({ name }) => name);

const requestOf = (content: Content, format: ExportRequest["format"]): ExportRequest => ({
  content: "table",
  series: [
    {
      symbol: content.toUpperCase(),
      base: { seriesId: series[content], source: "1m", venue: "us_equity" },
      longer: {},
    },
  ],
  hasSymbol: false,
  hasBars: content === "bars",
  features: content === "bars" ? [] : ALL,
  labels: [],
  interval: "1m",
  from: Number.MIN_SAFE_INTEGER,
  to: Number.MAX_SAFE_INTEGER,
  format,
  dtype: "float64",
  sort: "symbol",
  adjust: "splits",
  coding: null,
  head: {},
  metadata: {},
});

const panelOf = (more: Partial<ExportRequest>): ExportRequest => ({
  ...requestOf("features", "parquet"),
  series: panel,
  interval: "1d",
  hasSymbol: true,
  hasBars: true,
  ...more,
});

/** The JSON that a script of `support` prints. */
async function printedBy(name: string, ...args: string[]) {
  const script = join(import.meta.dir, "support", name);
  const child = Bun.spawn([process.execPath, "--no-env-file", script, ...args], { stdout: "pipe", stderr: "inherit" });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`${name} failed`);
  return JSON.parse(text);
}

const exportOnce = (request: ExportRequest, file?: string): Promise<ExportCost> =>
  printedBy("export-once.ts", dbUrl, JSON.stringify(request), ...(file === undefined ? [] : [file]));

const setup = { interval: "1m", market: "us_equity" } as const;
const blocks = [...featureBlocks([recent], setup, FEATURES, { blockSize: GROUP })];
const columns = {
  bars: [bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume],
  features: blocks.flatMap(({ ts, columns }) => [ts, ...columns]),
};

/** Bytes of the columns, each copied and compressed in chunks of `GROUP` rows. */
function compress(all: readonly Float64Array[]): number {
  let bytes = 0;
  for (const column of all) {
    for (let start = 0; start < column.length; start += GROUP) {
      const chunk = column.slice(start, start + GROUP);
      bytes += Bun.zstdCompressSync(new Uint8Array(chunk.buffer), { level: 1 }).length;
    }
  }
  return bytes;
}

/** Characters of all values as text. */
function format(all: readonly Float64Array[]): number {
  let characters = 0;
  for (const column of all) for (let i = 0; i < column.length; i++) characters += String(column[i]!).length;
  return characters;
}

function limitOnce(content: Content, parquet: boolean): { seconds: number; size: number } {
  const start = performance.now();
  const size = (parquet ? compress : format)(columns[content]);
  return { seconds: (performance.now() - start) / 1000, size };
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

const answers: BenchResult[] = [];
for (const content of ["bars", "features"] as const) {
  const rows = content === "bars" ? BARS : ROWS;
  for (const format of ["json", "csv", "arrow", "parquet"] as const) {
    const costs: ExportCost[] = [];
    const limits: number[] = [];
    let size = 0;
    for (let round = 0; round < ROUNDS; round++) {
      costs.push(await exportOnce(requestOf(content, format)));
      const limit = limitOnce(content, format === "parquet" || format === "arrow");
      limits.push(limit.seconds);
      size = limit.size;
    }
    const bytes = costs[0]!.bytes;
    const seconds = median(costs.map((cost) => cost.seconds));
    const limit = median(limits);
    const what = content === "bars" ? `${BARS} bars` : `${FEATURES.length} features of ${ROWS} bars`;
    const grown = median(costs.map((cost) => cost.growth));
    const growth = megabytes(grown);
    const stall = `${(1000 * Math.max(...costs.map((cost) => cost.stall))).toFixed(0)} ms`;
    answers.push({
      question: `export of ${what} as ${format}`,
      measured: `${seconds.toFixed(2)} s, ${megabytes(bytes)}, ${(bytes / rows).toFixed(1)} B a row, +${growth}, longest stall ${stall}`,
      comparedWith: `${format === "parquet" || format === "arrow" ? "copy and zstd 1" : "String(value)"} ${limit.toFixed(2)} s, ${megabytes(size)}`,
      ratio: (seconds / limit).toFixed(2),
      ...judged(TARGETS[`${content} ${format}`], { seconds, growth: grown, rowBytes: bytes / rows }),
    });
  }
}
/** Most bytes of a file of bars beside DuckDB's. */
const MOST_BYTES = 1.1;
for (const content of ["bars", "features"] as const) {
  const file = join(folder.path, `${content}.parquet`);
  const own = await exportOnce(requestOf(content, "parquet"), file);
  const peers: PeerCosts = await printedBy("parquet-peers.ts", file, folder.path);
  for (const [name, { seconds, bytes }] of Object.entries(peers)) {
    const share = own.bytes / bytes;
    answers.push({
      question: `Parquet file of ${content}, and ${name}'s of the same table: bytes`,
      measured: `${megabytes(own.bytes)}, ${own.seconds.toFixed(2)} s with reading and computing`,
      comparedWith: `${megabytes(bytes)}, ${seconds.toFixed(2)} s from a table in memory`,
      ratio: share.toFixed(2),
      ...atMost(share, content === "bars" && name === "DuckDB" ? MOST_BYTES : undefined),
    });
  }
}
const PANELS: readonly [string, Partial<ExportRequest>, Partial<Figures>?][] = [
  ["Parquet, float32", { dtype: "float32" }, PANEL_TARGET],
  ["Parquet, float32, sorted by time", { dtype: "float32", sort: "timestamp" }],
  ["Parquet, with labels", { labels: ["fwd_ret_5", "tb_20_20_20"] }],
  ["Arrow", { format: "arrow" }],
  ["CSV", { format: "csv" }],
];
for (const [what, more, target] of PANELS) {
  const { seconds, bytes, growth } = await exportOnce(panelOf(more));
  answers.push({
    question: `panel of ${PANEL_SYMBOLS} symbols, a year of days, ${FEATURES.length} features: ${what}`,
    measured: `${seconds.toFixed(2)} s, ${megabytes(bytes)}, +${megabytes(growth)}`,
    ...judged(target, { seconds, growth, rowBytes: Number.NaN }),
  });
}
const year = await exportOnce({ ...requestOf("features", "parquet"), dtype: "float32" });
const rowBytes = year.bytes / ROWS;
answers.push({
  question: `${FEATURES.length} features of ${ROWS} minutes as Parquet, float32`,
  measured: `${year.seconds.toFixed(2)} s, ${megabytes(year.bytes)}, ${rowBytes.toFixed(1)} B a row, +${megabytes(year.growth)}`,
  ...judged(YEAR_TARGET, { ...year, rowBytes }),
});
report(answers);
