import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkLake } from "../../../src/pipeline/lake/check-lake.ts";
import { LakeFolder } from "../../../src/pipeline/lake/lake-folder.ts";
import type { Database } from "../../../src/storage/db.ts";
import { insertBars, seriesId } from "../../../src/storage/market/bars.ts";
import { DAILY, dailyBars, type LakeStore, lakeStore, manifestOf, syncStore } from "./lake-store.ts";

let lake: LakeStore;
let db: Database;
let root: string;
beforeEach(async () => {
  lake = await lakeStore();
  ({ db, root } = lake);
});
afterEach(() => lake[Symbol.dispose]());

const sync = () => syncStore(lake);
const at = (date: string) => Date.parse(date) / 1_000;

function minutes(count: number) {
  const bars = dailyBars("2025-01-01", count);
  for (let i = 0; i < count; i++) bars.ts[i] = at("2025-01-02") + i * 60;
  return bars;
}

const check = () => checkLake(db, new LakeFolder(root), () => {});
const manifest = () => manifestOf(lake);

test("a lake in step with the store has no differences, however many pages its bars were read in", async () => {
  await db.write(insertBars(await seriesId(db, DAILY), dailyBars("2024-06-01", 300)));
  await db.write(insertBars(await seriesId(db, { ...DAILY, symbol: "MSFT", interval: "1m" }), minutes(12_000)));
  await sync();
  expect(await check()).toEqual({ files: 3, rows: 12_300, pending: 0, count: 0, differences: [] });
});

test("a file that is gone, cut or changed differs from the manifest", async () => {
  await db.write(insertBars(await seriesId(db, DAILY), dailyBars("2023-06-01", 600)));
  await sync();
  const [gone, cut, changed] = manifest().files.map(({ path }) => path);
  rmSync(join(root, gone!));
  writeFileSync(join(root, cut!), readFileSync(join(root, cut!)).subarray(1));
  const bytes = readFileSync(join(root, changed!));
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(join(root, changed!), bytes);
  const { differences } = await check();
  expect(differences.map(({ path }) => path)).toEqual([gone!, cut!, changed!]);
  expect(differences[0]!.what).toContain("is not there");
  expect(differences[1]!.what).toMatch(/^has \d+ bytes, not \d+$/);
  expect(differences[2]!.what).toContain("another SHA-256");
});

test("bars that changed without a record differ from the store: value, number, year and series", async () => {
  const id = await seriesId(db, DAILY);
  const other = await seriesId(db, { ...DAILY, symbol: "MSFT" });
  await db.write([...insertBars(id, dailyBars("2023-06-01", 600)), ...insertBars(other, dailyBars("2025-01-01", 5))]);
  await sync();
  await db.write([
    { sql: "UPDATE bars SET close = 99 WHERE series_id = ?1 AND ts = ?2", args: [id, at("2023-06-02")] },
  ]);
  await db.write([{ sql: "DELETE FROM bars WHERE series_id = ?1 AND ts = ?2", args: [id, at("2024-06-02")] }]);
  await db.write([{ sql: "DELETE FROM bars WHERE series_id = ?1 AND ts >= ?2", args: [id, at("2025-01-01")] }]);
  const moved = "UPDATE series SET symbol = 'META' WHERE id = ?1";
  await db.write([{ sql: moved, args: [other] }]);
  const { differences } = await check();
  expect(differences.map(({ path, what }) => [/symbol=(\w+)\/year=(\d+)/.exec(path)!.slice(1).join(), what])).toEqual([
    ["AAPL,2023", "has other values than the store"],
    ["AAPL,2024", "has 366 rows, and the store 365 bars"],
    ["AAPL,2025", "the store has no bars of this year"],
    ["META,2025", "the store has 5 bars of it, and the lake has no file"],
    ["MSFT,2025", "is of a series that the store does not have"],
  ]);
});

test("a year that waits to be written is no difference: it is counted, and not compared", async () => {
  const id = await seriesId(db, DAILY);
  await db.write(insertBars(id, dailyBars("2024-12-31", 2)));
  await sync();
  await db.write(insertBars(id, dailyBars("2025-01-02", 3)));
  expect(await check()).toEqual({ files: 2, rows: 1, pending: 1, count: 0, differences: [] });
});

test("a folder without a manifest, or with one of another layout, is no lake of this store", async () => {
  expect((await check()).differences).toEqual([{ path: "_manifest.json", what: "is not there" }]);
  await sync();
  writeFileSync(join(root, "_manifest.json"), JSON.stringify({ ...manifest(), layout: 1 }));
  expect((await check()).differences).toEqual([{ path: "_manifest.json", what: "is of layout 1, not 3" }]);
});
