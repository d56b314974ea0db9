/**
 * What it costs to record when bars were first seen, in bytes of the database for each bar, and to ask for an earlier
 * moment: `bun bench/as-known-at.ts [symbols of days] [symbols of minutes]`.
 */

import { type BarColumns, barsBetween } from "../src/domain/market/bars.ts";
import { barStarts, CALENDAR } from "../src/domain/market/calendar.ts";
import { DAY, type Interval } from "../src/domain/market/interval.ts";
import { planBatches } from "../src/domain/runs/batch-plan.ts";
import { type Database, migrateDatabase, openDatabase } from "../src/storage/db.ts";
import { barPages, seriesId } from "../src/storage/market/bars.ts";
import { KnownBars } from "../src/storage/market/known-bars.ts";
import { storeBatch } from "../src/storage/runs/batches.ts";
import { temporaryFolder } from "../tests/helpers/folder.ts";
import { barsAt } from "./support/bars-at.ts";
import { atMost, median, report } from "./support/report.ts";

const [DAILY = 500, MINUTES = 20] = process.argv.slice(2).map(Number);
const END = Date.UTC(2026, 0, 1) / 1_000;
const START = END - 730 * DAY;
const SESSIONS = CALENDAR.sessionsBetween("us_equity", START, END);
/** Nights of which each stores one new daily bar. */
const NIGHTS = 250;

function barsOf(interval: Interval): BarColumns {
  const starts = SESSIONS.flatMap((session) => (interval === "1d" ? [session.date] : barStarts(session, interval)));
  return barsAt(starts);
}

async function store(db: Database, id: number, window: { from: number; to: number }, bars: BarColumns, from: number) {
  const inside = barsBetween(bars, window.from, window.to);
  await storeBatch(db, {
    seriesId: id,
    barsId: id,
    runId: "0f5d1c1e-6a44-4a0f-9a52-2f6f0c5a1b7d",
    window,
    bars: inside,
    known: barsBetween(inside, window.from, from),
    write: barsBetween(inside, from, window.to),
    rejected: [],
    counters: { jobId: 1, apiCalls: 1, fetchMs: 1, dataPoints: 1 },
  });
}

async function bytesOf(db: Database): Promise<number> {
  await db.script("VACUUM");
  const [row] = await db.rows("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", []);
  return Number(row![0]);
}

const days = barsOf("1d");
const minutes = barsOf("1m");

async function measure(what: string, fill: (db: Database) => Promise<number>): Promise<void> {
  using folder = temporaryFolder();
  const db = await openDatabase(folder.database());
  await migrateDatabase(db);
  const bars = await fill(db);
  const before = await bytesOf(db);
  const [[rows]] = (await db.rows("SELECT count(*) FROM arrivals", [])) as [[number]];
  await db.script("DELETE FROM arrivals; UPDATE batches SET first_at = NULL;");
  const without = await bytesOf(db);
  const each = (before - without) / bars;
  report([
    {
      question: `${what}: bytes a bar for when it was first seen`,
      measured: `${each.toFixed(3)} in ${rows} rows`,
      comparedWith: `${(before / bars).toFixed(1)} bytes a bar in all, ${bars} bars`,
      ...atMost(each, 2, "bytes a bar"),
    },
  ]);
  db.close();
}

const keyOf = (n: number, interval: Interval) => ({
  symbol: `S${n}`,
  provider: "demo",
  feed: "x",
  interval,
  adjustment: "none",
  sessions: "regular",
});

async function fillWindows(db: Database, count: number, interval: Interval, bars: BarColumns): Promise<number> {
  for (let n = 0; n < count; n++) {
    const id = await seriesId(db, keyOf(n, interval));
    const writes = planBatches(START, END, 30).map((window) => store(db, id, window, bars, window.from));
    await Promise.all(writes);
  }
  return count * bars.ts.length;
}

await measure(`${DAILY} symbols, two years of days`, (db) => fillWindows(db, DAILY, "1d", days));
await measure(`${DAILY} symbols, ${NIGHTS} nights with one new day each`, async (db) => {
  const ids = await Promise.all(Array.from({ length: DAILY }, (_, n) => seriesId(db, keyOf(n, "1d"))));
  for (let night = 10; night < NIGHTS + 10; night++) {
    const [first, last] = [SESSIONS[night - 9]!, SESSIONS[night]!];
    const window = { from: first.date, to: last.date + DAY };
    await Promise.all(ids.map((id) => store(db, id, window, days, last.date)));
  }
  return DAILY * NIGHTS;
});
await measure(`${MINUTES} symbols, two years of minutes`, (db) => fillWindows(db, MINUTES, "1m", minutes));
await measure(`${MINUTES} symbols, ${NIGHTS} days of minutes fetched every hour`, async (db) => {
  const ids = await Promise.all(Array.from({ length: MINUTES }, (_, n) => seriesId(db, keyOf(n, "1m"))));
  for (const session of SESSIONS.slice(0, NIGHTS)) {
    for (let from = session.open; from < session.close; from += 3_600) {
      const part = barsBetween(minutes, 0, from + 3_600);
      const window = { from: session.date, to: session.date + DAY };
      await Promise.all(ids.map((id) => store(db, id, window, part, from)));
    }
  }
  return MINUTES * barsBetween(minutes, 0, SESSIONS[NIGHTS]!.open).ts.length;
});

{
  using folder = temporaryFolder();
  const db = await openDatabase(folder.database());
  await migrateDatabase(db);
  await fillWindows(db, 1, "1m", minutes);
  const id = await seriesId(db, keyOf(0, "1m"));
  const time = async (pages: () => AsyncIterable<BarColumns> | Promise<AsyncIterable<BarColumns>>) => {
    const { user } = process.cpuUsage();
    for await (const { ts } of await pages()) if (ts.length === 0) throw new Error("a page without bars");
    return (process.cpuUsage().user - user) / 1_000;
  };
  const asKnown = () => time(async () => (await KnownBars.open(db, id, Date.now())).pages(0, END));
  const [plain, known]: [number[], number[]] = [[], []];
  for (let round = 0; round < 3; round++) {
    plain.push(await time(() => barPages(db, id, 0, END)));
    known.push(await asKnown());
  }
  const revise = `INSERT INTO bar_revisions SELECT series_id, ts, ?1, 'r', 'correction', open, high, low, close, volume FROM bars
WHERE ts % 600 = 0`;
  await db.write([{ sql: revise, args: [Date.now() + 1] }]);
  const revised = await asKnown();
  const milliseconds = (ms: number) => `${ms.toFixed(0)} ms`;
  report(
    (
      [
        ["", median(known)],
        [", a tenth of them revised since", revised],
      ] as const
    ).map(([what, ms]) => ({
      question: `two years of minutes as known at a moment${what}: processor time to read them`,
      measured: milliseconds(ms),
      comparedWith: `as stored ${milliseconds(median(plain))}`,
      ratio: (ms / median(plain)).toFixed(2),
    })),
  );
  db.close();
}
