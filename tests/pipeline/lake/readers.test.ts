import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import pl from "nodejs-polars";
import type { Database } from "../../../src/storage/db.ts";
import { insertBars, seriesId } from "../../../src/storage/market/bars.ts";
import { DAILY, dailyBars, type LakeStore, lakeStore, syncStore } from "./lake-store.ts";

/** Every column of a bar by every reader: symbol, epoch milliseconds, prices, volume, and the parts of the path. */
type Row = readonly unknown[];

let lake: LakeStore;
let db: Database;
let glob: string;
let stored: Row[];

beforeEach(async () => {
  lake = await lakeStore();
  ({ db } = lake);
  glob = join(lake.root, "bars/**/*.parquet");
  const [apple, hathaway] = [await seriesId(db, DAILY), await seriesId(db, { ...DAILY, symbol: "BRK.B" })];
  await db.write([
    ...insertBars(apple, dailyBars("2024-12-30", 4, 0.1)),
    ...insertBars(hathaway, dailyBars("2025-03-01", 3, 1e-7)),
  ]);
  await syncStore(lake);
  const rows = await db.rows(
    "SELECT s.symbol, b.ts * 1000, open, high, low, close, volume, s.provider, s.interval, CAST(strftime('%Y', b.ts, 'unixepoch') AS integer) FROM bars b JOIN series s ON s.id = b.series_id ORDER BY s.symbol, b.ts",
    [],
  );
  stored = rows as Row[];
  expect(stored.length).toBe(7);
});
afterEach(() => lake[Symbol.dispose]());

test("DuckDB reads the lake's folder by a pattern, with the values of the store and the columns of the path", async () => {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    const found = await connection.runAndReadAll(
      `SELECT symbol, epoch_ms("timestamp")::double, open, high, low, close, volume, provider, "interval", year::double
FROM read_parquet('${glob}', hive_partitioning = true) ORDER BY symbol, "timestamp"`,
    );
    expect(found.getRows()).toEqual(stored as ReturnType<typeof found.getRows>);
    const types = await connection.runAndReadAll(
      `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('${glob}')) WHERE column_name IN ('symbol', 'timestamp', 'close')`,
    );
    expect(types.getRows()).toEqual([
      ["symbol", "VARCHAR"],
      ["timestamp", "TIMESTAMP WITH TIME ZONE"],
      ["close", "DOUBLE"],
    ]);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
});

test("polars reads the lake's folder by a pattern, with the values of the store and the columns of the path", () => {
  const frame = pl.scanParquet(glob, { hivePartitioning: true }).collectSync().sort(["symbol", "timestamp"]);
  const columns = ["symbol", "timestamp", "open", "high", "low", "close", "volume", "provider", "interval", "year"];
  expect(frame.columns).toEqual(columns);
  // Its types know no dates.
  const rows = (frame.toRecords() as Record<string, unknown>[]).map((row) => {
    const values = columns.map((name) => row[name]);
    return values.map((value) => (value instanceof Date ? value.getTime() : value));
  });
  expect(rows).toEqual(stored as unknown[][]);
});
