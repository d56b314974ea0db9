/** What is known of an earlier moment, where several writes share a millisecond or the clock was set back between them. */

import { afterAll, afterEach, beforeAll, expect, setSystemTime, test } from "bun:test";
import fc from "fast-check";
import { type BarColumns, emptyBars, filterBars } from "../../../src/domain/market/bars.ts";
import { DAY } from "../../../src/domain/market/interval.ts";
import { type Database, openDatabase } from "../../../src/storage/db.ts";
import { singly } from "../../../src/storage/market/arrivals.ts";
import { barsIdOf, insertBars, readBars, seriesId } from "../../../src/storage/market/bars.ts";
import { KnownBars } from "../../../src/storage/market/known-bars.ts";
import { moveJumps } from "../../../src/storage/market/quality/jump-bars.ts";
import { archiveReplaced, openStaging, swapStaging } from "../../../src/storage/market/rebuild.ts";
import { storeBatch } from "../../../src/storage/runs/batches.ts";
import { type Folder, migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";

let folder: Folder;
let db: Database;
beforeAll(async () => {
  folder = temporaryFolder();
  db = await openDatabase(await migratedDatabase(folder));
});
afterEach(() => void setSystemTime());
afterAll(() => {
  db.close();
  folder[Symbol.dispose]();
});

/** The first day of the bars, and the day after which writes are made (epoch milliseconds). */
const START = Date.UTC(2024, 0, 1) / 1_000;
const NOW = Date.UTC(2024, 5, 3);
const DAYS = 3;

function barsOf(prices: Readonly<Record<number, number>>): BarColumns {
  const days = Object.keys(prices).map(Number);
  const bars = emptyBars(days.length);
  days.forEach((day, at) => {
    bars.ts[at] = START + day * DAY;
    for (const field of ["open", "high", "low", "close", "volume"] as const) bars[field][at] = prices[day]!;
  });
  return bars;
}

/** Day and price of each bar. */
const pricesOf = ({ ts, close }: BarColumns) => [...ts].map((each, at) => [(each - START) / DAY, close[at]]);

interface Series {
  readonly id: number;
  stored(): Promise<BarColumns>;
  /** Stores bars as an answer to the whole range; changed ones count as corrections if they were `final`. */
  write(prices: Readonly<Record<number, number>>, final?: boolean): Promise<void>;
  withdraw(day: number): Promise<void>;
  restore(day: number, price: number): Promise<void>;
  /** Replaces the whole history by a rebuild, and archives the former one. */
  rebuild(prices: Readonly<Record<number, number>>): Promise<void>;
  knownAt(at: number): Promise<unknown>;
}

let count = 0;
async function newSeries(): Promise<Series> {
  const key = { provider: "demo", feed: "demo", interval: "1d", adjustment: "none", sessions: "regular" } as const;
  const id = await seriesId(db, { ...key, symbol: `S${++count}` });
  const window = { from: START, to: START + DAYS * DAY };
  const stored = () => readBars(db, id, window.from, window.to);
  const none = emptyBars();
  const has = ({ ts }: BarColumns, day: number) => ts.includes(START + day * DAY);
  return {
    id,
    stored,
    async write(prices, final = true) {
      const [known, write] = [await stored(), barsOf(prices)];
      const changed = filterBars(known, (at) => {
        const now = write.ts.indexOf(known.ts[at]!);
        return now >= 0 && write.close[now] !== known.close[at];
      });
      const storing = storeBatch(db, {
        ...{ seriesId: id, barsId: id, runId: "r", window, bars: write, known, write, rejected: [] },
        revised: final ? [{ kind: "correction", bars: changed }] : [],
        counters: { jobId: 1, apiCalls: 1, fetchMs: 1, dataPoints: 1 },
      });
      db.flush();
      await storing;
    },
    async withdraw(day) {
      const bars = await stored();
      if (!has(bars, day)) return;
      const withdrawn = filterBars(bars, (at) => bars.ts[at] === START + day * DAY);
      await moveJumps(db, { seriesId: id, runId: "r" }, { withdrawn, aside: none, restored: none });
    },
    async restore(day, price) {
      if (has(await stored(), day)) return;
      const restored = barsOf({ [day]: price });
      await moveJumps(db, { seriesId: id, runId: "r" }, { withdrawn: none, aside: none, restored });
    },
    async rebuild(prices) {
      let opened = await openStaging(db, id, "r");
      while (!opened.isReady) opened = await openStaging(db, id, "r");
      const staging = opened.id;
      const [before, bars] = [await stored(), barsOf(prices)];
      await db.write(insertBars(await barsIdOf(db, staging), bars));
      const added = singly(filterBars(bars, (at) => !before.ts.includes(bars.ts[at]!)));
      await swapStaging(db, { seriesId: id, staging, ...window, kind: "rebuild", added });
      while (!(await archiveReplaced(db, id)));
    },
    async knownAt(at) {
      const known = await KnownBars.open(db, id, at);
      const pages: unknown[] = [];
      for await (const page of known.pages(0, window.to)) pages.push(...pricesOf(page));
      expect(pricesOf(await known.last(window.to, DAYS))).toEqual(pages as number[][]);
      return pages;
    },
  };
}

test("a bar that arrives and is withdrawn in one millisecond was not there before", async () => {
  const series = await newSeries();
  setSystemTime(NOW - 1_000);
  await series.write({ 0: 10 });
  setSystemTime(NOW);
  await series.write({ 0: 10, 1: 11 });
  await series.withdraw(1);
  expect(await series.knownAt(NOW - 1)).toEqual([[0, 10]]);
  expect(await series.knownAt(NOW + 1_000)).toEqual([[0, 10]]);
});

test("of two corrections of a bar in one millisecond both values are kept, and the first is what was known before", async () => {
  const series = await newSeries();
  setSystemTime(NOW - 1_000);
  await series.write({ 0: 10 });
  setSystemTime(NOW);
  await series.write({ 0: 11 });
  await series.write({ 0: 12 });
  expect(await db.rows("SELECT close FROM bar_revisions WHERE series_id = ? ORDER BY seen_at", [series.id])).toEqual([
    expect.objectContaining([10]),
    expect.objectContaining([11]),
  ]);
  expect(await series.knownAt(NOW - 1)).toEqual([[0, 10]]);
  expect(await series.knownAt(NOW + 1_000)).toEqual([[0, 12]]);
});

test("a bar that is corrected again after the clock was set back has its first value before", async () => {
  const series = await newSeries();
  setSystemTime(NOW - 1_000);
  await series.write({ 0: 10 });
  setSystemTime(NOW + 500);
  await series.write({ 0: 11 });
  setSystemTime(NOW);
  await series.write({ 0: 12 });
  expect(await series.knownAt(NOW - 1)).toEqual([[0, 10]]);
});

test("a history that is rebuilt after the clock was set back is not known before its corrections", async () => {
  const series = await newSeries();
  setSystemTime(NOW - 1_000);
  await series.write({ 0: 10 });
  setSystemTime(NOW + 500);
  await series.write({ 0: 11 });
  setSystemTime(NOW);
  await series.rebuild({ 0: 12, 1: 20 });
  expect(await series.knownAt(NOW - 1)).toEqual([[0, 10]]);
  expect(await series.knownAt(NOW + 500)).toEqual([[0, 11]]);
  expect(await series.knownAt(NOW + 1_000)).toEqual([
    [0, 12],
    [1, 20],
  ]);
});

const day = fc.integer({ min: 0, max: DAYS - 1 });
const price = fc.integer({ min: 10, max: 20 });
const step = fc.record({
  /** What the clock says, milliseconds after `NOW`: it may stand still and go back. */
  clock: fc.integer({ min: 0, max: 2 }),
  do: fc.oneof(
    fc.record({ kind: fc.constant("write" as const), day, price, final: fc.boolean() }),
    fc.record({ kind: fc.constant("withdraw" as const), day }),
    fc.record({ kind: fc.constant("restore" as const), day, price }),
    fc.record({ kind: fc.constant("rebuild" as const), day, price }),
  ),
});

test("property: whatever is written in a few milliseconds of a clock that stands or goes back, the moment before is answered as it was and the moment after as it is", async () => {
  const before = fc.dictionary(day.map(String), price, { maxKeys: DAYS });
  await fc.assert(
    fc.asyncProperty(before, fc.array(step, { minLength: 1, maxLength: 8 }), async (prices, steps) => {
      const series = await newSeries();
      setSystemTime(NOW - 1_000);
      await series.write(prices);
      const first = pricesOf(await series.stored());
      for (const each of steps) {
        setSystemTime(NOW + each.clock);
        if (each.do.kind === "write") await series.write({ [each.do.day]: each.do.price }, each.do.final);
        else if (each.do.kind === "withdraw") await series.withdraw(each.do.day);
        else if (each.do.kind === "rebuild") await series.rebuild({ [each.do.day]: each.do.price });
        else await series.restore(each.do.day, each.do.price);
      }
      expect(await series.knownAt(NOW - 1)).toEqual(first);
      expect(await series.knownAt(NOW + 1_000)).toEqual(pricesOf(await series.stored()));
    }),
    { numRuns: 150 },
  );
});
