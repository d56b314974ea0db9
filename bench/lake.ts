/**
 * What one new day of minutes costs the lake, by the years that are stored, and what the record of changes adds to the
 * storing of a batch, in CPU time: `bun bench/lake.ts [symbols]`.
 */

import { type BarColumns, lowerBound, sliceBars } from "../src/domain/market/bars.ts";
import { barStarts, CALENDAR } from "../src/domain/market/calendar.ts";
import { LakeFolder } from "../src/pipeline/lake/lake-folder.ts";
import { syncLake } from "../src/pipeline/lake/sync-lake.ts";
import { type Database, migrateDatabase, openDatabase } from "../src/storage/db.ts";
import { insertBars, seriesId } from "../src/storage/market/bars.ts";
import { markYears } from "../src/storage/market/lake-changes.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { barsAt } from "./support/bars-at.ts";
import { report } from "./support/report.ts";

const SYMBOLS = Number(process.argv[2] ?? 10);
/** The new day is the last one of its year: the file that is rewritten is as large as it gets. */
const END = Date.UTC(2026, 0, 1) / 1_000;
const BATCHES = 500;

/** CPU time of this process in milliseconds. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function minutesSince(year: number): BarColumns {
  const sessions = CALENDAR.sessionsBetween("us_equity", Date.UTC(year, 0, 1) / 1_000, END);
  const starts = sessions.flatMap((session) => barStarts(session, "1m"));
  return barsAt(starts);
}

const keyOf = (n: number) => ({
  ...{ symbol: `S${n}`, provider: "demo", feed: "x", adjustment: "none", sessions: "regular" },
  interval: "1m" as const,
});

async function measure(years: number): Promise<void> {
  using folder = temporaryFolder();
  const root = `${folder.path}/lake`;
  const db: Database = await openDatabase(folder.database());
  await migrateDatabase(db);
  const bars = minutesSince(2026 - years);
  const day = lowerBound(bars.ts, Date.UTC(2025, 11, 31) / 1_000);
  const [before, after] = [sliceBars(bars, 0, day), sliceBars(bars, day, bars.ts.length)];
  const ids: number[] = [];
  for (let n = 0; n < SYMBOLS; n++) {
    const id = await seriesId(db, keyOf(n));
    ids.push(id);
    await db.write(insertBars(id, before));
  }
  const sync = () => syncLake(db, new LakeFolder(root), root, { all: false, sweep: false, onStep() {} });
  const first = await cpuOf(sync);
  for (const id of ids) await db.write(insertBars(id, after));
  let written = 0;
  const next = await cpuOf(async () => {
    ({ written } = await sync());
  });
  if (written !== SYMBOLS) throw new Error(`${written} files were written, not ${SYMBOLS}`);
  report([
    {
      question: `lake: one new day of ${after.ts.length} bars with ${years} years of minutes stored, processor time a symbol`,
      measured: `${(next / SYMBOLS).toFixed(0)} ms`,
      comparedWith: `a year of a new lake ${(first / SYMBOLS / years).toFixed(0)} ms`,
    },
  ]);
  if (years === 1) await measureMarks(db, ids[0]!, after);
  db.close();
}

/** A batch of one day, with the record of its year and without. */
async function measureMarks(db: Database, id: number, day: BarColumns): Promise<void> {
  const marks = markYears(id, day.ts);
  const whole = insertBars(id, day);
  const bare = whole.slice(0, whole.length - marks.length);
  const repeat = (write: Parameters<Database["write"]>[0]) =>
    cpuOf(async () => {
      for (let n = 0; n < BATCHES; n++) await db.write(write);
    });
  const [without, with_] = [await repeat(bare), await repeat(whole)];
  const [again, againWith] = [await repeat(bare), await repeat(whole)];
  const [bareMs, wholeMs] = [Math.min(without, again), Math.min(with_, againWith)];
  const micros = (ms: number) => `${((ms / BATCHES) * 1_000).toFixed(0)} µs`;
  report([
    {
      question: `storing a batch of ${day.ts.length} bars with the record of changes for the lake, processor time`,
      measured: micros(wholeMs),
      comparedWith: `without it ${micros(bareMs)}`,
      ratio: (wholeMs / bareMs).toFixed(2),
    },
  ]);
}

await measure(1);
await measure(5);
