/**
 * Bars written and read per second through `storage/market/bars.ts`, compared with the `libsql` driver on the same rows in
 * the same run: prepared inserts of 1,000 rows in one transaction a batch, and `.raw().all()`.
 */

import { join } from "node:path";
import Driver from "libsql";
import { type BarColumns, sliceBars } from "../src/domain/market/bars.ts";
import { migrateDatabase, openDatabase } from "../src/storage/db.ts";
import { insertBars, readBars, seriesId } from "../src/storage/market/bars.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { rampBars } from "../tests/helpers/inputs/bars.ts";
import { atLeast, median, report, short } from "./support/report.ts";

const ROWS = 196_560;
/** One batch of 21 sessions of minutes. */
const BATCH = 8_190;
const ROUNDS = 7;

const bars = rampBars(ROWS);
const batches: BarColumns[] = [];
for (let start = 0; start < ROWS; start += BATCH) batches.push(sliceBars(bars, start, start + BATCH));

using folder = temporaryFolder();
const key = {
  symbol: "A",
  provider: "demo",
  feed: "x",
  interval: "1m",
  adjustment: "none",
  sessions: "regular",
} as const;

async function open(name: string) {
  const db = await openDatabase(folder.database(name));
  await migrateDatabase(db);
  return { db, series: await seriesId(db, key) };
}

const rate = async (work: () => unknown) => {
  const start = Bun.nanoseconds();
  await work();
  return (ROWS * 1e9) / (Bun.nanoseconds() - start);
};

const ours = await open("ours.db");
const theirs = await open("theirs.db");
const driver = new Driver(join(folder.path, "theirs.db"));
driver.pragma("journal_mode = WAL");
driver.pragma("synchronous = NORMAL");
driver.pragma("foreign_keys = ON");
const values = (rows: number) => Array(rows).fill("(?,?,?,?,?,?,?)").join(",");
const thousand = driver.prepare(`INSERT INTO bars VALUES ${values(1_000)}`);
const remainder = driver.prepare(`INSERT INTO bars VALUES ${values(BATCH % 1_000)}`);
const [begin, commit] = [driver.prepare("BEGIN IMMEDIATE"), driver.prepare("COMMIT")];
const select = driver
  .prepare("SELECT ts, open, high, low, close, volume FROM bars WHERE series_id = ? ORDER BY ts")
  .raw();

function writeRaw(batch: BarColumns): void {
  begin.run();
  for (let start = 0; start < batch.ts.length; start += 1_000) {
    const end = Math.min(start + 1_000, batch.ts.length);
    const args: number[] = [];
    for (let i = start; i < end; i++) {
      args.push(theirs.series, batch.ts[i]!, batch.open[i]!, batch.high[i]!);
      args.push(batch.low[i]!, batch.close[i]!, batch.volume[i]!);
    }
    (end - start === 1_000 ? thousand : remainder).run(args);
  }
  commit.run();
}

const rates = { write: [] as number[], writeRaw: [] as number[], read: [] as number[], readRaw: [] as number[] };
for (let round = 0; round < ROUNDS; round++) {
  for (const { db } of [ours, theirs]) await db.write([{ sql: "DELETE FROM bars", args: [] }]);
  rates.write.push(
    await rate(async () => {
      for (const batch of batches) await ours.db.write(insertBars(ours.series, batch));
    }),
  );
  rates.writeRaw.push(await rate(() => batches.forEach(writeRaw)));
  rates.read.push(await rate(() => readBars(ours.db, ours.series, 0, 1e12)));
  rates.readRaw.push(await rate(() => select.all(theirs.series)));
}
driver.close();
ours.db.close();
theirs.db.close();

const answer = (question: string, own: readonly number[], raw: readonly number[]) => {
  const ratio = median(own.map((value, i) => value / raw[i]!));
  return {
    question,
    measured: `${short(median(own))} rows/s`,
    comparedWith: `libsql driver ${short(median(raw))} rows/s`,
    ratio: ratio.toFixed(2),
    ...atLeast(ratio, 0.8),
  };
};
report([
  answer("bars written", rates.write, rates.writeRaw),
  answer("bars read into columns", rates.read, rates.readRaw),
]);
