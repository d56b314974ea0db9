import { expect, test } from "bun:test";
import { join } from "node:path";
import fc from "fast-check";
import { venueOf } from "../../../src/domain/market/exchanges/exchanges.ts";
import { isoSecond } from "../../../src/domain/time.ts";
import { encodeParquet } from "../../../src/pipeline/exports/parquet/encode-parquet.ts";
import { readBarFile } from "../../../src/providers/files/bar-file.ts";
import { temporaryFolder } from "../../helpers/folder.ts";
import { bytesOf, minutes, tableBlocks, tableHead } from "../../helpers/tables.ts";
import { readFile, refusalOf } from "./read-file.ts";

const NAMES = ["open", "high", "low", "close", "volume"];

async function parquetOf(ts: Float64Array, columns: readonly Float64Array[], names = NAMES): Promise<Uint8Array> {
  return new Uint8Array(await bytesOf(encodeParquet(tableHead(names), tableBlocks(ts, columns))));
}

test("property: exported Parquet files are read back as the same bars", async () => {
  const price = fc.double({ min: 0.01, max: 1e6, noNaN: true });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(price, price, price, price, price), { minLength: 1, maxLength: 15 }),
      async (rows) => {
        const ts = minutes(rows.length);
        const columns = NAMES.map((_, field) => Float64Array.from(rows, (row) => row[field]!));
        const { bars } = await readFile("AAPL-1m.parquet", await parquetOf(ts, columns), { interval: "1m" });
        expect(bars).toEqual(rows.map((row, at) => [isoSecond(ts[at]!), ...row].join(" ")));
      },
    ),
    { numRuns: 20 },
  );
});

test("a cell without a value in a Parquet file loses its row only, and the row is named", async () => {
  const columns = NAMES.map(() => Float64Array.of(1, 1, 1));
  columns[3]![1] = Number.NaN;
  const { bars, rejected } = await readFile("AAPL-1m.parquet", await parquetOf(minutes(3), columns), {
    interval: "1m",
  });
  expect(bars).toHaveLength(2);
  expect(rejected).toEqual(["2: close is empty"]);
});

test("a Parquet file without the columns of bars is refused with those that it lacks", async () => {
  const file = await parquetOf(minutes(2), [Float64Array.of(1, 2)], ["rsi_14"]);
  expect(await refusalOf("AAPL-1m.parquet", file, { interval: "1m" })).toStartWith(
    "bad_request: AAPL-1m.parquet: no column for open, high, low, close, volume",
  );
});

test("a Parquet file that states more than it may unpack to is refused, and one that states less is read", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "AAPL-1m.parquet");
  const rows = 20_000;
  const columns = NAMES.map(() => new Float64Array(rows).fill(10));
  await Bun.write(path, await parquetOf(minutes(rows), columns));
  expect(Bun.file(path).size).toBeLessThan(rows * 8);
  const target = {
    name: "AAPL-1m.parquet",
    symbol: "AAPL",
    interval: "1m",
    venue: venueOf("AAPL"),
    zone: "UTC",
  } as const;
  expect((await readBarFile(path, { ...target, maxUnpacked: 2 ** 20 })).rows).toBe(rows);
  expect(readBarFile(path, { ...target, maxUnpacked: 8 * rows - 1 })).rejects.toThrow("unpacks to more than");
});
