import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parquetMetadata, parquetSchema } from "hyparquet";
import { encodeParquet } from "../../../../src/pipeline/exports/parquet/encode-parquet.ts";
import { mostPageBytes, writeLevels, writeSplit } from "../../../../src/pipeline/exports/parquet/values.ts";
import { randomFrom } from "../../../features/histories.ts";
import { anyText } from "../../../helpers/inputs/texts.ts";
import { bytesOf, minutes, piecesOf, readParquet, tableBlocks, tableHead } from "../../../helpers/tables.ts";

/** Row groups of tables with one column have so many rows. */
const GROUP_ROWS = 122_880;

const encode = (names: readonly string[], ...table: Parameters<typeof tableBlocks>) =>
  bytesOf(encodeParquet(tableHead(names), tableBlocks(...table)));

/** Compares a file's rows with the table: null for NaN, and the sign of zeros. */
async function expectTable(file: ArrayBuffer, names: readonly string[], ts: Float64Array, columns: Float64Array[]) {
  const rows = await readParquet(file);
  expect(rows).toHaveLength(ts.length);
  expect(rows.map(({ timestamp }) => (timestamp as Date).getTime())).toEqual(Array.from(ts, (time) => time * 1000));
  for (const [k, name] of names.entries()) {
    const read = rows.map((row) => row[name] as number | null);
    const mismatch = read.findIndex((value, i) => !Object.is(value ?? Number.NaN, columns[k]![i]));
    expect([name, mismatch, read[mismatch]]).toEqual([name, -1, undefined]);
  }
}

describe("round trips", () => {
  const value = fc.oneof(
    fc.double(),
    fc.constant(Number.NaN),
    fc.constantFrom(0, -0, 1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    fc.integer({ min: -20_000, max: 20_000 }).map((cents) => cents / 100),
  );
  /** Any times within 70 years of 1970, in any order. */
  const time = fc.integer({ min: -2.2e9, max: 2.2e9 });

  test("a table of any values reads back from Parquet", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(time, value, value), { maxLength: 700 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
        async (rows, sizes) => {
          const ts = Float64Array.from(rows, (row) => row[0]);
          const columns = [Float64Array.from(rows, (row) => row[1]), Float64Array.from(rows, (row) => row[2])];
          await expectTable(await encode(["a", "b"], ts, columns, sizes), ["a", "b"], ts, columns);
        },
      ),
    );
  });

  test("columns with few or many distinct values read back from Parquet", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5_000 }),
        fc.constantFrom(1, 2, 255, 256, 257, 900, 2_500, 1e9),
        fc.constantFrom(0, 0.01, 0.5, 1),
        fc.integer(),
        async (length, distinct, undefinedShare, seed) => {
          const random = randomFrom(seed);
          const ts = minutes(length);
          const column = ts.map(() =>
            random() < undefinedShare ? Number.NaN : Math.floor(random() * distinct) / 100 - 3,
          );
          await expectTable(await encode(["x"], ts, [column]), ["x"], ts, [column]);
        },
      ),
    );
  });

  test("names of any characters and lengths read back from Parquet", async () => {
    const name = anyText({ minLength: 1, maxLength: 300 }).filter((text) => text !== "timestamp");
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(name, { minLength: 1, maxLength: 20 }), async (names) => {
        const file = await encode(names, minutes(2), Array(names.length).fill(Float64Array.of(1.5, 2.5)));
        expect(parquetSchema(parquetMetadata(file)).children.map(({ element }) => element.name)).toEqual([
          "timestamp",
          ...names,
        ]);
      }),
      { numRuns: 30 },
    );
  });

  test.each([GROUP_ROWS - 1, GROUP_ROWS, GROUP_ROWS + 1, 2 * GROUP_ROWS])(
    "a table of %i rows reads back from Parquet, in row groups of bounded size",
    async (length) => {
      const random = randomFrom(length);
      const ts = minutes(length);
      // 70,000 distinct values are more than a dictionary of two-byte places can hold.
      const column = ts.map((_, i) => (i < 2_000 ? i % 40 : Math.floor(random() * 70_000)));
      const file = await encode(["x"], ts, [column], [5_000]);
      await expectTable(file, ["x"], ts, [column]);
      const groups = parquetMetadata(file).row_groups.map(({ num_rows }) => Number(num_rows));
      expect(Math.max(...groups)).toBeLessThanOrEqual(GROUP_ROWS);
      expect(groups).toHaveLength(Math.ceil(length / GROUP_ROWS));
    },
  );

  test.each([1, 13, 60_000])(
    "a row group of distinct values of which %i are undefined reads back from Parquet",
    async (undefinedRows) => {
      const random = randomFrom(undefinedRows);
      const ts = minutes(GROUP_ROWS);
      const column = ts.map((_, i) => (i < undefinedRows ? Number.NaN : random()));
      await expectTable(await encode(["x"], ts, [column], [5_000]), ["x"], ts, [column]);
    },
  );

  test.each([1, 8, 129, 34_953, GROUP_ROWS])(
    "a page of %i rows with nulls fits into the buffer for pages of so many",
    (rows) => {
      const column = new Float64Array(rows).fill(0.1).fill(Number.NaN, 0, 1);
      const page = new Uint8Array(2 * mostPageBytes(rows));
      const end = writeSplit(page, writeLevels(page, 0, column, false), column.subarray(1), 8);
      expect(end).toBeLessThanOrEqual(mostPageBytes(rows));
    },
  );

  test("empty tables and single rows read back from Parquet", async () => {
    const none = new Float64Array(0);
    await expectTable(await encode(["x"], none, [none]), ["x"], none, [none]);
    expect(parquetMetadata(await encode(["x"], none, [none])).row_groups).toEqual([]);
    for (const value of [1.25, Number.NaN]) {
      const one = Float64Array.of(value);
      await expectTable(await encode(["x"], minutes(1), [one]), ["x"], minutes(1), [one]);
    }
    await expectTable(await encode([], minutes(3), []), [], minutes(3), []);
  });
});

describe("the metadata of a file", () => {
  const metadataOf = async (column: Float64Array) =>
    parquetMetadata(await encode(["x"], minutes(column.length), [column]));
  const statisticsOf = async (column: Float64Array) =>
    (await metadataOf(column)).row_groups[0]!.columns[1]!.meta_data!.statistics;

  test("a Parquet file has a required timestamp and optional doubles, compressed with zstd", async () => {
    const { schema, created_by, row_groups, num_rows } = await metadataOf(Float64Array.of(1, Number.NaN));
    expect(schema).toMatchObject([
      { name: "root", num_children: 2 },
      {
        name: "timestamp",
        type: "INT64",
        repetition_type: "REQUIRED",
        converted_type: "TIMESTAMP_MICROS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
      },
      { name: "x", type: "DOUBLE", repetition_type: "OPTIONAL" },
    ]);
    expect([created_by, num_rows]).toEqual(["barkeep", 2n]);
    expect(row_groups[0]!.columns.map(({ meta_data }) => meta_data!.codec)).toEqual(["ZSTD", "ZSTD"]);
  });

  test("a Parquet file has bounds and the number of nulls of every column, without NaN", async () => {
    expect(await statisticsOf(Float64Array.of(3, Number.NaN, -2.5, 7, Number.NaN))).toMatchObject({
      null_count: 2n,
      min_value: -2.5,
      max_value: 7,
    });
    const { min_value, max_value } = (await statisticsOf(Float64Array.of(0, 0)))!;
    expect([Object.is(min_value, -0), Object.is(max_value, 0)]).toEqual([true, true]);
    const undefinedOnly = (await statisticsOf(Float64Array.of(Number.NaN, Number.NaN)))!;
    expect([undefinedOnly.null_count, undefinedOnly.min_value]).toEqual([2n, undefined]);
    const [times] = (await metadataOf(Float64Array.of(1, 2, 3))).row_groups[0]!.columns;
    expect(times!.meta_data!.statistics).toMatchObject({
      null_count: 0n,
      min_value: new Date(minutes(3)[0]! * 1000),
      max_value: new Date(minutes(3)[2]! * 1000),
    });
  });
});

describe("size and pieces", () => {
  /** Minutes of a random walk in cents, with gaps over night. */
  function walk(length: number) {
    const random = randomFrom(7);
    const ts = minutes(length).map((time, i) => time + Math.floor(i / 390) * 63_000);
    const columns = Array.from({ length: 5 }, () => new Float64Array(length));
    let close = 25_000;
    for (let i = 0; i < length; i++) {
      const step = () => Math.floor(random() * 8);
      const open = close;
      close += step() - step();
      const prices = [open, Math.max(open, close) + step(), Math.min(open, close) - step(), close];
      for (const [k, cents] of prices.entries()) columns[k]![i] = cents / 100;
      columns[4]![i] = Math.floor(random() * 40_000);
    }
    return { ts, columns };
  }

  test("bars of a minute take at most 13.5 bytes as Parquet", async () => {
    const { ts, columns } = walk(200_000);
    const file = await encode(["open", "high", "low", "close", "volume"], ts, columns);
    expect(file.byteLength / ts.length).toBeLessThanOrEqual(13.5);
  });

  test("wide tables as Parquet come in pieces of bounded size, each with a buffer of its own", async () => {
    const random = randomFrom(1);
    const ts = minutes(20_000);
    const columns = Array.from({ length: 200 }, () => ts.map(random));
    const names = columns.map((_, k) => `c${k}`);
    const pieces = await piecesOf(encodeParquet(tableHead(names), tableBlocks(ts, columns)));
    expect(Math.max(...pieces.map(({ buffer }) => buffer.byteLength))).toBeLessThanOrEqual(768 * 1024);
    expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(pieces.length);
    expect(pieces.length).toBeGreaterThan(30);
  });
});
