import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parquetReadObjects } from "hyparquet";
import type { CorporateAction } from "../../../src/domain/market/corporate-actions.ts";
import { stageActions } from "../../../src/pipeline/lake/actions.ts";
import { checkLake } from "../../../src/pipeline/lake/check-lake.ts";
import { LakeFolder } from "../../../src/pipeline/lake/lake-folder.ts";
import type { Database } from "../../../src/storage/db.ts";
import { storeActions } from "../../../src/storage/market/corporate-actions.ts";
import { type LakeStore, lakeStore, manifestOf, syncStore } from "./lake-store.ts";

let lake: LakeStore;
let db: Database;
let root: string;
beforeEach(async () => {
  lake = await lakeStore();
  ({ db, root } = lake);
});
afterEach(() => lake[Symbol.dispose]());

const sync = () => syncStore(lake);
const check = () => checkLake(db, new LakeFolder(root), () => {});
const manifest = () => manifestOf(lake);

const SPLIT: CorporateAction = { kind: "split", date: Date.parse("2020-08-31") / 1_000, value: 4, currency: null };
const DIVIDEND: CorporateAction = {
  kind: "dividend",
  date: Date.parse("2024-05-10") / 1_000,
  value: 0.25,
  currency: null,
};
const ABROAD: CorporateAction = { ...DIVIDEND, value: 1.5, currency: "EUR" };

const store = (
  symbol: string,
  actions: readonly CorporateAction[],
  replaced: readonly CorporateAction[] = [],
  provider = "eodhd",
) => storeActions(db, { provider, symbol, actions, replaced });

async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  const bytes = readFileSync(join(root, path));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
  return parquetReadObjects({ file, compressors: { ZSTD: (input) => Bun.zstdDecompressSync(input) } });
}

test("the lake has the splits and dividends that count, a file a provider, with kind, value and foreign currency", async () => {
  await store("MSFT", [DIVIDEND]);
  await store("AAPL", [SPLIT, ABROAD]);
  await store("AAPL", [SPLIT], [], "alpaca");
  await sync();
  const files = manifest().files;
  expect(files.map(({ path }) => path.replace(/part-[0-9a-f]{16}/, "part"))).toEqual([
    "actions/provider=alpaca/part.parquet",
    "actions/provider=eodhd/part.parquet",
  ]);
  expect(files[1]).toMatchObject({
    rows: 3,
    min_timestamp: "2020-08-31T00:00:00Z",
    max_timestamp: "2024-05-10T00:00:00Z",
  });
  const ex = new Date("2024-05-10T00:00:00Z");
  expect(await rowsOf(files[1]!.path)).toEqual([
    { symbol: "AAPL", date: ex, kind: "dividend", currency: "EUR", value: 1.5 },
    { symbol: "AAPL", date: new Date("2020-08-31T00:00:00Z"), kind: "split", currency: "", value: 4 },
    { symbol: "MSFT", date: ex, kind: "dividend", currency: "", value: 0.25 },
  ]);
  expect((await check()).differences).toEqual([]);
});

test("an action that is replaced leaves the lake with the next sync, and other providers' files stay as they are", async () => {
  await store("AAPL", [SPLIT]);
  await store("AAPL", [SPLIT], [], "alpaca");
  await sync();
  const before = manifest().files;
  await store("AAPL", [{ ...SPLIT, value: 5 }], [SPLIT]);
  expect((await check()).pending).toBe(1);
  await sync();
  const after = manifest();
  expect(after.files[0]).toEqual(before[0]!);
  expect((await rowsOf(after.files[1]!.path)).map(({ value }) => value)).toEqual([5]);
  expect(after.replaced.map(({ path }) => path)).toEqual([before[1]!.path]);
  await store("AAPL", [], [{ ...SPLIT, value: 5 }]);
  await sync();
  expect(manifest().files.map(({ path }) => path)).toEqual([before[0]!.path]);
});

test("actions that change while they are written are not shown, and are written again", async () => {
  await store("AAPL", [SPLIT]);
  const rows = db.rows.bind(db);
  let isMet = false;
  db.rows = async (text, args) => {
    const found = await rows(text, args);
    if (!isMet && text.includes("FROM corporate_actions") && text.includes("LIMIT")) {
      isMet = true;
      await store("AAPL", [DIVIDEND]);
    }
    return found;
  };
  await sync();
  expect([isMet, manifest().files.map((file) => file.rows)]).toEqual([true, [2]]);
  expect(readdirSync(join(root, ".incoming"))).toEqual([]);
});

test("more symbols than a file can have are divided among files of the provider", async () => {
  for (const symbol of ["AAPL", "IBM", "MSFT"]) await store(symbol, [SPLIT]);
  const folder = new LakeFolder(root);
  const staged = await stageActions(db, folder, 2);
  expect(staged.map(({ provider, rows }) => [provider, rows])).toEqual([
    ["eodhd", 2],
    ["eodhd", 1],
  ]);
  const symbols: unknown[] = [];
  for (const { staged: file, provider } of staged) {
    const path = `actions/provider=${provider}/part-${file.sha256.slice(0, 16)}.parquet`;
    await file.publish(path);
    symbols.push(...(await rowsOf(path)).map(({ symbol }) => symbol));
  }
  expect(symbols).toEqual(["AAPL", "IBM", "MSFT"]);
});

test("actions that changed without a record differ from the store", async () => {
  await store("AAPL", [SPLIT]);
  await sync();
  await db.write([{ sql: "UPDATE corporate_actions SET value = 3", args: [] }]);
  await db.write([
    {
      sql: "INSERT INTO corporate_actions SELECT 'alpaca', symbol, kind, date, value, currency, seen_at, NULL FROM corporate_actions",
      args: [],
    },
  ]);
  expect((await check()).differences.map(({ what }) => what)).toEqual([
    "the store has 1 actions of it, and the lake has no file",
    "has other values than the store",
  ]);
  await db.write([{ sql: "DELETE FROM corporate_actions", args: [] }]);
  expect((await check()).differences.map(({ what }) => what)).toEqual(["the store has no actions of this provider"]);
});
