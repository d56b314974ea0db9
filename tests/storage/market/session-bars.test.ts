import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { type BarColumns, emptyBars } from "../../../src/domain/market/bars.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { type Database, openDatabase } from "../../../src/storage/db.ts";
import { insertBars, seriesId } from "../../../src/storage/market/bars.ts";
import { type DayCount, dayCounts } from "../../../src/storage/market/session-bars.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

let folder: Folder;
let db: Database;
/** A series, and one beside it whose bars never count. */
let own: number;
let other: number;
beforeAll(async () => {
  folder = temporaryFolder();
  db = await openDatabase(await migratedDatabase(folder));
  const key = { provider: "demo", feed: "demo", interval: "1h", adjustment: "none", sessions: "regular" } as const;
  own = await seriesId(db, { ...key, symbol: "AAPL" });
  other = await seriesId(db, { ...key, symbol: "MSFT" });
});
afterAll(() => {
  db.close();
  folder[Symbol.dispose]();
});

function barsAt(times: readonly number[]): BarColumns {
  const bars = emptyBars(times.length);
  times.forEach((ts, at) => {
    bars.ts[at] = ts;
    for (const field of ["open", "high", "low", "close", "volume"] as const) bars[field][at] = 1;
  });
  return bars;
}

async function store(times: readonly number[], beside: readonly number[] = []): Promise<void> {
  await db.write([
    { sql: "DELETE FROM bars", args: [] },
    ...insertBars(own, barsAt(times)),
    ...insertBars(other, barsAt(beside)),
  ]);
}

/** Bars by their date as text, one filter for each date: nothing is shared with the function under test. */
function countedOneByOne(times: readonly number[], from: number): DayCount[] {
  const dateOf = (ts: number) => new Date(ts * 1_000).toISOString().slice(0, 10);
  const counted = times.filter((ts) => ts >= from);
  return [...new Set(counted.map(dateOf))].sort().map((date) => {
    const within = counted.filter((ts) => dateOf(ts) === date);
    const midnight = Date.parse(`${date}T00:00:00Z`) / 1_000;
    return { date: midnight, rows: within.length, first: Math.min(...within), last: Math.max(...within) };
  });
}

/** A week around the turn of a year; minutes, so that days have many bars, one, and none. */
const WEEK = Date.UTC(2023, 11, 28) / 1_000;
const starts = fc.uniqueArray(
  fc.integer({ min: 0, max: 7 * 1_440 - 1 }).map((minute) => WEEK + 60 * minute),
  { maxLength: 80 },
);

test("property: days with several bars, one or none are counted as by hand, from any second on and for one series", async () => {
  await fc.assert(
    fc.asyncProperty(starts, starts, fc.integer({ min: -1, max: 7 * DAY + 1 }), async (times, beside, offset) => {
      await store(times, beside);
      expect(await dayCounts(db, own, WEEK + offset)).toEqual(countedOneByOne(times, WEEK + offset));
    }),
    { numRuns: 200 },
  );
});

test("a day begins with its midnight in UTC and ends before the next one, and a part of it counts its own bars", async () => {
  await store([WEEK - 1, WEEK, WEEK + 3_600, WEEK + DAY - 1, WEEK + DAY, WEEK + 5 * DAY + 60]);
  const day = { date: WEEK, rows: 3, first: WEEK, last: WEEK + DAY - 1 };
  const later = [
    { date: WEEK + DAY, rows: 1, first: WEEK + DAY, last: WEEK + DAY },
    { date: WEEK + 5 * DAY, rows: 1, first: WEEK + 5 * DAY + 60, last: WEEK + 5 * DAY + 60 },
  ];
  const before = { date: WEEK - DAY, rows: 1, first: WEEK - 1, last: WEEK - 1 };
  expect(await dayCounts(db, own, 0)).toEqual([before, day, ...later]);
  expect(await dayCounts(db, own, WEEK)).toEqual([day, ...later]);
  expect(await dayCounts(db, own, WEEK + 1)).toEqual([{ ...day, rows: 2, first: WEEK + 3_600 }, ...later]);
  expect(await dayCounts(db, own, WEEK + 6 * DAY)).toEqual([]);
  await store([-1, 0, 1]);
  expect(await dayCounts(db, own, -DAY)).toEqual([
    { date: -DAY, rows: 1, first: -1, last: -1 },
    { date: 0, rows: 2, first: 0, last: 1 },
  ]);
});
