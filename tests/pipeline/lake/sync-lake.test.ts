import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import { LakeFolder } from "../../../src/pipeline/lake/lake-folder.ts";
import { GRACE_MS } from "../../../src/pipeline/lake/manifest.ts";
import { type SyncOptions, syncLake } from "../../../src/pipeline/lake/sync-lake.ts";
import type { Database } from "../../../src/storage/db.ts";
import { barsIdOf, insertBars, seriesId } from "../../../src/storage/market/bars.ts";
import { countChanges, markYears } from "../../../src/storage/market/lake-changes.ts";
import { openStaging, swapStaging } from "../../../src/storage/market/rebuild.ts";
import { removeBars } from "../../../src/storage/market/revisions.ts";
import { DAILY, dailyBars, type LakeStore, lakeStore, manifestOf, syncStore } from "./lake-store.ts";

let lake: LakeStore;
let db: Database;
let root: string;
beforeEach(async () => {
  lake = await lakeStore();
  ({ db, root } = lake);
});
afterEach(() => lake[Symbol.dispose]());

const sync = (options: Partial<SyncOptions> = {}) => syncStore(lake, options);
const manifest = () => manifestOf(lake);
const paths = () => manifest().files.map(({ path }) => path.replace(/part-.*/, ""));
const parts = () =>
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".parquet"))
    .toSorted();

async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(join(root, path));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  return parquetReadObjects({ file, compressors: { ZSTD: (input) => Bun.zstdDecompressSync(input) } });
}

test("the lake has every stored bar, raw, in a file a year, and the manifest says what is in each", async () => {
  const id = await seriesId(db, DAILY);
  await db.write(insertBars(id, dailyBars("2024-12-30", 5)));
  await sync();
  const at = "bars/provider=demo/interval=1d/symbol=AAPL/";
  expect(paths()).toEqual([`${at}year=2024/`, `${at}year=2025/`]);
  const [first, second] = manifest().files;
  expect([first!.rows, first!.min_timestamp, first!.max_timestamp]).toEqual([
    2,
    "2024-12-30T00:00:00Z",
    "2024-12-31T00:00:00Z",
  ]);
  const bytes = readFileSync(join(root, second!.path));
  expect([bytes.length, new Bun.CryptoHasher("sha256").update(bytes).digest("hex")]).toEqual([
    second!.bytes,
    second!.sha256,
  ]);
  expect(second!.path).toEndWith(`part-${second!.sha256.slice(0, 16)}.parquet`);
  const rows = await rowsOf(second!.path);
  expect(rows.length).toBe(3);
  expect(rows[0]).toEqual({
    ...{ symbol: "AAPL", timestamp: new Date("2025-01-01T00:00:00Z") },
    ...{ open: 10, high: 10, low: 10, close: 10, volume: 2 },
  });
  expect(rows[1]!.volume).toBeNull();
  expect(await countChanges(db)).toBe(0);
});

test("only years with changed bars are rewritten, and the replaced file stays until its grace is over", async () => {
  const id = await seriesId(db, DAILY);
  await db.write(insertBars(id, dailyBars("2023-06-01", 600)));
  await sync();
  const before = manifest().files;
  await db.write(insertBars(id, dailyBars("2025-01-21", 3, 11)));
  const start = Date.now();
  expect((await sync({ now: () => start })).written).toBe(1);
  const after = manifest().files;
  expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(after[2]!.sha256).not.toBe(before[2]!.sha256);
  expect(parts()).toContain(before[2]!.path);
  await sync({ now: () => start + GRACE_MS - 1 });
  expect(parts()).toContain(before[2]!.path);
  expect((await sync({ now: () => start + GRACE_MS })).removed).toBe(1);
  expect(parts()).toEqual(after.map(({ path }) => path).toSorted());
});

test("bars that are removed leave the lake, with the year's file if they were all of it", async () => {
  const id = await seriesId(db, DAILY);
  const old = dailyBars("2024-12-31", 1);
  await db.write([...insertBars(id, old), ...insertBars(id, dailyBars("2025-01-01", 2))]);
  await sync();
  await db.write(removeBars(id, old));
  await sync();
  expect(paths()).toEqual(["bars/provider=demo/interval=1d/symbol=AAPL/year=2025/"]);
});

test("a history that was rebuilt replaces all years", async () => {
  const id = await seriesId(db, DAILY);
  await db.write(insertBars(id, dailyBars("2024-06-01", 300)));
  await sync();
  const { id: staging } = await openStaging(db, id, "run");
  await db.write(insertBars(await barsIdOf(db, staging), dailyBars("2025-01-01", 20, 5)));
  // What is being built is not shown.
  await sync();
  expect(manifest().files.map(({ rows }) => rows)).toEqual([214, 86]);
  await swapStaging(db, { seriesId: id, staging, from: 0, to: 2e9, kind: "split", added: [] });
  await sync();
  expect(manifest().files.map(({ rows }) => rows)).toEqual([20]);
  expect((await rowsOf(manifest().files[0]!.path))[0]!.close).toBe(5);
});

test("bars that change while they are written are not shown, and are written again", async () => {
  const id = await seriesId(db, DAILY);
  await db.write(insertBars(id, dailyBars("2025-01-01", 2)));
  const rows = db.rows.bind(db);
  let isMet = false;
  db.rows = async (text, args) => {
    const found = await rows(text, args);
    if (!isMet && /^SELECT ts, open/.test(text)) {
      isMet = true;
      await db.write(insertBars(id, dailyBars("2025-01-02", 2, 12)));
    }
    return found;
  };
  expect((await sync()).written).toBe(1);
  expect((await rowsOf(manifest().files[0]!.path)).map(({ close }) => close)).toEqual([10, 12, 12]);
  expect(parts().length).toBe(1);
});

test("a process that is killed between the files and the manifest leaves the earlier lake, and the next one completes it", async () => {
  const id = await seriesId(db, DAILY);
  await db.write(insertBars(id, dailyBars("2025-01-01", 2)));
  await sync();
  const before = manifest();
  await db.write(insertBars(id, dailyBars("2025-01-03", 2)));
  const lake = new LakeFolder(root);
  lake.replaceManifest = () => Promise.reject(new Error("killed"));
  await expect(syncLake(db, lake, root, { all: false, sweep: false, onStep() {} })).rejects.toThrow("killed");
  expect(manifest()).toEqual(before);
  expect(await countChanges(db)).toBe(1);
  await lake.stage([new Uint8Array(3)]);
  await sync({ sweep: true });
  expect(manifest().files.map(({ rows }) => rows)).toEqual([4]);
  expect(readdirSync(join(root, ".incoming"))).toEqual([]);
  // Killed after the manifest: the changes are still recorded, and the lake is still ours.
  await db.write(markYears(id, dailyBars("2025-01-01", 1).ts));
  expect((await sync()).written).toBe(1);
  expect(manifest().files.map(({ rows }) => rows)).toEqual([4]);
});

test("files that no manifest names are swept, others in the folder are left alone", async () => {
  const id = await seriesId(db, DAILY);
  await db.write(insertBars(id, dailyBars("2025-01-01", 2)));
  await sync();
  const [file] = manifest().files;
  const orphan = join(root, file!.path.replace(/part-.*/, "part-0123456789abcdef.parquet"));
  const own = join(root, "bars/notes.txt");
  for (const path of [orphan, own]) writeFileSync(path, "x");
  utimesSync(orphan, 0, 0);
  expect((await sync({ sweep: true })).removed).toBe(1);
  expect(parts()).toEqual([file!.path]);
  expect(readFileSync(own, "utf8")).toBe("x");
});

test("a lake of another state of the store is rebuilt", async () => {
  const id = await seriesId(db, DAILY);
  await db.write(insertBars(id, dailyBars("2024-12-31", 2)));
  await sync();
  // As after a backup was restored: the lake is ahead of it.
  writeFileSync(join(root, "_manifest.json"), JSON.stringify({ ...manifest(), id: "later" }));
  expect((await sync()).written).toBe(2);
  expect((await sync()).written).toBe(0);
  expect((await sync({ all: true })).written).toBe(2);
});

test("of several series of a provider the one that a reader would be shown is in the lake", async () => {
  const first = await seriesId(db, DAILY);
  await db.write(insertBars(first, dailyBars("2025-01-01", 2)));
  await sync();
  const second = await seriesId(db, { ...DAILY, feed: "y" });
  await db.write(insertBars(second, dailyBars("2025-01-01", 5)));
  await sync();
  expect(manifest().files.map(({ rows, feed }) => [rows, feed])).toEqual([[5, "y"]]);
});
