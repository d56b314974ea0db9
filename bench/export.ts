/**
 * Exports of 1,000,000 one-minute bars and of 200 features over 100,000 of them: seconds from the request to the last
 * byte (reading and computing included), bytes and peak memory, through the export thread. Compared, in the same run, with
 * the least that the same columns cost: a copy and zstd 1 per column chunk for Parquet, `String(value)` of every value,
 * written nowhere, for text.
 */

import { join } from "node:path";
import { type BarColumns, sliceBars } from "../src/domain/market/bars.ts";
import { CALENDAR } from "../src/domain/market/calendar.ts";
import { DAY } from "../src/domain/market/interval.ts";
import { FEATURES } from "../src/features/catalog.ts";
import { featureBlocks } from "../src/features/engine.ts";
import { EXPORT_FORMATS, type ExportRequest } from "../src/pipeline/exports/export-table.ts";
import { demoBars } from "../src/providers/demo/demo-bars.ts";
import { DemoPath } from "../src/providers/demo/price-path.ts";
import { migrateDatabase, openDatabase } from "../src/storage/db.ts";
import { insertBars, seriesId } from "../src/storage/market/bars.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import type { ExportCost } from "./support/export-once.ts";
import { type BenchResult, median, report } from "./support/report.ts";

const ROUNDS = 3;
const BARS = 1_000_000;
/** Bars with features. */
const ROWS = 100_000;
const BATCH = 50_000;
/** Rows that the limit compresses at a time. */
const GROUP = 16_384;

const TARGETS: Readonly<Record<string, string>> = {
  "bars parquet": "<= 13.5 B a row",
  "features csv": "<= 3 s",
  "features json": "<= 3.5 s",
  "features parquet": "<= 2 s, <= +150 MB",
};

const end = Date.UTC(2026, 0, 1) / 1000;
const start = end - 4_200 * DAY;
const path = new DemoPath("BENCH", "us_equity", CALENDAR, start);
const minutes = demoBars(path.traits, path.days(start, end), "1m");
const bars = sliceBars(minutes, minutes.ts.length - BARS, minutes.ts.length);
const recent = sliceBars(bars, BARS - ROWS, BARS);

using folder = temporaryFolder();
const dbUrl = folder.database("bars.db");

async function store(symbol: string, stored: BarColumns): Promise<number> {
  const key = { symbol, provider: "demo", feed: "x", interval: "1m", adjustment: "none", sessions: "regular" } as const;
  const id = await seriesId(db, key);
  for (let start = 0; start < stored.ts.length; start += BATCH)
    await db.write(insertBars(id, sliceBars(stored, start, start + BATCH)));
  return id;
}

const db = await openDatabase(dbUrl);
await migrateDatabase(db);
const series = { bars: await store("BARS", bars), features: await store("FEATURES", recent) };
db.close();

async function exportOnce(content: ExportRequest["content"], format: ExportRequest["format"]): Promise<ExportCost> {
  const request: ExportRequest = {
    content,
    seriesId: series[content],
    symbol: content.toUpperCase(),
    interval: "1m",
    from: Number.MIN_SAFE_INTEGER,
    to: Number.MAX_SAFE_INTEGER,
    names: content === "bars" ? [] : FEATURES.map(({ name }) => name),
    format,
    adjust: "splits",
    head: {},
  };
  const script = join(import.meta.dir, "support", "export-once.ts");
  const child = Bun.spawn([process.execPath, "--no-env-file", script, dbUrl, JSON.stringify(request)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`the export of ${content} as ${format} failed`);
  return JSON.parse(text);
}

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

function limitOnce(content: ExportRequest["content"], parquet: boolean): { seconds: number; size: number } {
  const start = performance.now();
  const size = (parquet ? compress : format)(columns[content]);
  return { seconds: (performance.now() - start) / 1000, size };
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

const answers: BenchResult[] = [];
for (const content of ["bars", "features"] as const) {
  const rows = content === "bars" ? BARS : ROWS;
  for (const format of EXPORT_FORMATS) {
    const costs: ExportCost[] = [];
    const limits: number[] = [];
    let size = 0;
    for (let round = 0; round < ROUNDS; round++) {
      costs.push(await exportOnce(content, format));
      const limit = limitOnce(content, format === "parquet");
      limits.push(limit.seconds);
      size = limit.size;
    }
    const bytes = costs[0]!.bytes;
    const seconds = median(costs.map((cost) => cost.seconds));
    const limit = median(limits);
    const what = content === "bars" ? `${BARS} bars` : `${FEATURES.length} features of ${ROWS} bars`;
    const growth = megabytes(median(costs.map((cost) => cost.growth)));
    const target = TARGETS[`${content} ${format}`];
    answers.push({
      question: `export of ${what} as ${format}`,
      measured: `${seconds.toFixed(2)} s, ${megabytes(bytes)}, ${(bytes / rows).toFixed(1)} B a row, +${growth}`,
      comparedWith: `${format === "parquet" ? "copy and zstd 1" : "String(value)"} ${limit.toFixed(2)} s, ${megabytes(size)}`,
      ratio: (seconds / limit).toFixed(2),
      ...(target === undefined ? {} : { target }),
    });
  }
}
report(answers);
