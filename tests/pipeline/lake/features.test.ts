import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pl from "nodejs-polars";
import { FEATURES } from "../../../src/features/catalog.ts";
import { CATALOG_VERSION } from "../../../src/features/version.ts";
import { checkLake } from "../../../src/pipeline/lake/check-lake.ts";
import { LakeFolder } from "../../../src/pipeline/lake/lake-folder.ts";
import { MANIFEST } from "../../../src/pipeline/lake/manifest.ts";
import { type SyncOptions, waitingFeatures } from "../../../src/pipeline/lake/sync-lake.ts";
import type { Database } from "../../../src/storage/db.ts";
import { insertBars, seriesId } from "../../../src/storage/market/bars.ts";
import { storeActions } from "../../../src/storage/market/corporate-actions.ts";
import { DAILY, dailyBars, type LakeStore, lakeStore, manifestOf, syncStore } from "./lake-store.ts";

const WISH = ["1d"];
let lake: LakeStore;
let db: Database;
let apple: number;
beforeEach(async () => {
  lake = await lakeStore();
  ({ db } = lake);
  apple = await seriesId(db, DAILY);
  await db.write(insertBars(apple, waves("2023-06-01", 600)));
});
afterEach(() => lake[Symbol.dispose]());

/** Daily bars whose prices move, so that every feature has a value. */
function waves(from: string, count: number) {
  const bars = dailyBars(from, count);
  for (let i = 0; i < count; i++) {
    const close = 100 + 10 * Math.sin(bars.ts[i]! / 1e6) + (i % 7);
    [bars.open[i], bars.close[i], bars.high[i], bars.low[i]] = [close - 1, close, close + 2, close - 2];
    bars.volume[i] = 1_000 + ((i * 31) % 500);
  }
  return bars;
}

const sync = (options: Partial<SyncOptions> = {}) => syncStore(lake, { features: WISH, ...options });
const check = (wish = WISH) => checkLake(db, new LakeFolder(lake.root), () => {}, wish);
const files = () => manifestOf(lake).files.filter(({ path }) => path.startsWith("features/"));
const yearsWritten = (before: readonly { readonly path: string }[]) =>
  files()
    .filter(({ path }) => !before.some((file) => file.path === path))
    .map(({ path }) => Number(/year=(\d+)/.exec(path)![1]));

test("a series that asks has all features of each bar in files beside those of its bars, and no other has", async () => {
  await db.write(insertBars(await seriesId(db, { ...DAILY, symbol: "MSFT", interval: "1h" }), waves("2024-01-01", 3)));
  await sync();
  expect(files().map(({ path, rows }) => [path.replace(/part-.*/, ""), rows])).toEqual(
    [2023, 2024, 2025].map((year, k) => [
      `features/provider=demo/interval=1d/symbol=AAPL/year=${year}/`,
      [214, 366, 20][k]!,
    ]),
  );
  const frame = pl.readParquet(readFileSync(join(lake.root, files()[1]!.path)));
  expect(frame.columns).toEqual(["symbol", "timestamp", ...FEATURES.map(({ name }) => name)]);
  expect([frame.height, String(frame.schema.rsi_14)]).toEqual([366, String(pl.Float32)]);
  // The average of a year's first bars is over bars of the year before.
  const closes = (await db.rows("SELECT close FROM bars WHERE series_id = ?1 AND ts <= ?2 ORDER BY ts DESC LIMIT 5", [
    apple,
    Date.parse("2024-01-01") / 1_000,
  ])) as [number][];
  const average = closes.reduce((sum, [close]) => sum + close, 0) / 5;
  expect(frame.getColumn("sma_5").toArray()[0]).toBeCloseTo(average, 4);
  expect(files()[0]!.catalog_version).toBe(CATALOG_VERSION);
  expect(await check()).toMatchObject({ count: 0, pending: 0 });
  expect((await sync()).written).toBe(0);
});

test("a new day rewrites the features of its year, an old bar those of its year and all after it", async () => {
  await sync();
  let before = files();
  await db.write(insertBars(apple, waves("2025-01-21", 1)));
  await sync();
  expect(yearsWritten(before)).toEqual([2025]);
  before = files();
  await db.write(insertBars(apple, waves("2023-05-31", 1)));
  await sync();
  expect(yearsWritten(before)).toEqual([2023, 2024, 2025]);
  expect((await check()).count).toBe(0);
});

test("a split changes the features of all years, and a dividend those of none", async () => {
  await sync();
  const before = files();
  const date = Date.parse("2024-06-03") / 1_000;
  const of = { provider: "demo", symbol: "AAPL", replaced: [] };
  await storeActions(db, { ...of, actions: [{ kind: "dividend", date, value: 1, currency: null }] });
  await sync();
  expect(yearsWritten(before)).toEqual([]);
  await storeActions(db, { ...of, actions: [{ kind: "split", date, value: 2, currency: null }] });
  await sync();
  expect(yearsWritten(before)).toEqual([2023, 2024, 2025]);
  expect((await check()).count).toBe(0);
});

test("features of another catalogue are written again, and until then differ from the store", async () => {
  await sync();
  const manifest = manifestOf(lake);
  // As an earlier release has written them.
  const older = manifest.files.map((file) =>
    "basis" in file ? { ...file, basis: "of version 1", catalog_version: 1 } : file,
  );
  writeFileSync(join(lake.root, MANIFEST), JSON.stringify({ ...manifest, files: older }));
  expect((await check()).differences).toEqual([
    { path: files()[0]!.path, what: "follows other bars, splits or another catalogue than the store has" },
  ]);
  expect((await sync()).written).toBe(3);
  expect(files().map((file) => file.catalog_version)).toEqual([CATALOG_VERSION, CATALOG_VERSION, CATALOG_VERSION]);
  expect((await check()).count).toBe(0);
});

test("a file with other features than the store's differs, whatever its hash says", async () => {
  await sync();
  const manifest = manifestOf(lake);
  const [first, second] = files();
  const changed = manifest.files.map((file) =>
    file.path === second!.path ? { ...file, content_sha256: first!.content_sha256 } : file,
  );
  writeFileSync(join(lake.root, MANIFEST), JSON.stringify({ ...manifest, files: changed }));
  expect((await check()).differences).toEqual([
    { path: second!.path, what: "has other values than the features of the store" },
  ]);
});

test("a series that no longer asks loses its features, and keeps its bars", async () => {
  await sync();
  expect((await check([])).differences.map(({ what }) => what)).toEqual(
    Array.from({ length: 3 }, () => "is of a series that asks for no features"),
  );
  await sync({ features: ["MSFT:1d", "1h"] });
  expect([files().length, manifestOf(lake).files.length, manifestOf(lake).replaced.length]).toEqual([0, 3, 3]);
  await sync({ features: ["AAPL:1d"] });
  expect(files().length).toBe(3);
});

test("features that could not be written are counted until they are", async () => {
  const folder = new LakeFolder(lake.root);
  const stage = folder.stage.bind(folder);
  let count = 0;
  // The three years of bars and the manifest pass.
  folder.stage = (pieces) => (++count > 4 ? Promise.reject(new Error("full")) : stage(pieces));
  const { syncLake } = await import("../../../src/pipeline/lake/sync-lake.ts");
  const options = { all: false, sweep: false, features: WISH, onStep() {} };
  await expect(syncLake(db, folder, lake.root, options)).rejects.toThrow("full");
  expect([await waitingFeatures(db), (await check()).pending, files().length]).toEqual([1, 1, 0]);
  await sync();
  expect([await waitingFeatures(db), files().length]).toEqual([0, 3]);
});
