/** The list of stored series: what is counted, what is known without, and how it is sorted. */

import { expect, test } from "bun:test";
import { listStoredSeries, type SeriesListTask } from "../../../src/pipeline/analysis/stored-series.ts";
import { openDatabase } from "../../../src/storage/db.ts";
import { insertBars, seriesId } from "../../../src/storage/market/bars.ts";
import { migratedDatabase, temporaryFolder } from "../../helpers/folder.ts";
import { rampBars } from "../../helpers/inputs/bars.ts";

const KEY = { provider: "demo", feed: "demo", interval: "1m", adjustment: "none", sessions: "regular" } as const;
const ALL = { kind: "stored", filter: {}, descending: false, offset: 0, limit: 10, place: undefined } as const;

test("series without an up-to-date profile are counted within a time, and what is not counted yet is said", async () => {
  using folder = temporaryFolder();
  const db = await openDatabase(await migratedDatabase(folder));
  const list = (task: Partial<SeriesListTask> = {}, countMs?: number) =>
    listStoredSeries({ db, throwIfStopped: () => {} }, { ...ALL, sort: "symbol", ...task }, countMs);
  for (const [symbol, count] of [
    ["AAA", 3],
    ["BBB", 0],
    ["CCC", 2],
  ] as const)
    await db.write(insertBars(await seriesId(db, { ...KEY, symbol }), rampBars(count, 60)));

  const first = await list({ sort: "bars", descending: true }, -1);
  expect([first.total, first.bars, first.uncounted]).toEqual([3, 0, 2]);
  expect(first.rows.map(({ symbol, bars, firstBar }) => [symbol, bars, firstBar])).toEqual([
    ["BBB", 0, null],
    ["AAA", null, 60],
    ["CCC", null, 60],
  ]);
  const second = await list({ sort: "bars", descending: true });
  expect(second.rows.map(({ symbol, bars, lastBar }) => [symbol, bars, lastBar])).toEqual([
    ["AAA", 3, 180],
    ["CCC", 2, 120],
    ["BBB", 0, null],
  ]);
  expect([second.bars, second.uncounted]).toEqual([5, 0]);

  // What is counted is not counted again, until the series changes.
  expect((await list({}, -1)).rows.map(({ bars }) => bars)).toEqual([3, 0, 2]);
  await db.write(insertBars(await seriesId(db, { ...KEY, symbol: "CCC" }), rampBars(1, 6_000)));
  expect((await list({}, -1)).rows.map(({ bars }) => bars)).toEqual([3, 0, null]);
  expect((await list()).rows.map(({ bars }) => bars)).toEqual([3, 0, 3]);
  expect((await list({ filter: { q: "b" }, limit: 1 })).rows.map(({ symbol }) => symbol)).toEqual(["BBB"]);
  db.close();
});
