import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { encodeCsv, encodeJson } from "../../../../src/pipeline/exports/text/encode-text.ts";
import { bytesOf, minutes, piecesOf, tableBlocks, tableHead } from "../../../helpers/tables.ts";

const PIECE_BYTES = 512 * 1024;
const HEAD = { symbol: "BRK.B", note: 'ü "quoted"' };

const csv = async (...table: Parameters<typeof tableBlocks>) =>
  new TextDecoder().decode(await bytesOf(encodeCsv(tableHead(NAMES), tableBlocks(...table))));
const json = async (...table: Parameters<typeof tableBlocks>) =>
  new TextDecoder().decode(await bytesOf(encodeJson(tableHead(NAMES), tableBlocks(...table), HEAD)));

const NAMES = ["open", 'größe "x"\n€'];

/** Any times that a date can show, and any doubles. */
const anyTable = fc
  .array(fc.tuple(fc.integer({ min: -8.64e12, max: 8.64e12 }), fc.double(), fc.double()), { maxLength: 40 })
  .map((rows) => ({
    ts: Float64Array.from(rows, (row) => row[0]),
    columns: [Float64Array.from(rows, (row) => row[1]), Float64Array.from(rows, (row) => row[2])],
  }));
const anySizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 });

describe("a table as CSV", () => {
  test("a table as CSV has ISO times, every digit, and empty cells where values are undefined", async () => {
    await fc.assert(
      fc.asyncProperty(anyTable, anySizes, async ({ ts, columns }, sizes) => {
        const rows = Array.from(ts, (time, i) => {
          const cells = columns.map((column) => (Number.isNaN(column[i]) ? "" : `${column[i]}`));
          return `${[`${new Date(time * 1000).toISOString().slice(0, -5)}Z`, ...cells].join(",")}\n`;
        });
        expect(await csv(ts, columns, sizes)).toBe(`timestamp,${NAMES.join(",")}\n${rows.join("")}`);
      }),
    );
  });
});

describe("a table as JSON", () => {
  test("a table as JSON reads back with its head, every digit, and null where values are not finite", async () => {
    await fc.assert(
      fc.asyncProperty(anyTable, anySizes, async ({ ts, columns }, sizes) => {
        const text = await json(ts, columns, sizes);
        const [open, size] = NAMES as [string, string];
        const known = (value: number) => (Number.isFinite(value) ? value + 0 : null);
        expect(JSON.parse(text)).toEqual({
          ...HEAD,
          data: Array.from(ts, (time, i) => ({
            timestamp: `${new Date(time * 1000).toISOString().slice(0, -5)}Z`,
            [open]: known(columns[0]![i]!),
            [size]: known(columns[1]![i]!),
          })),
        });
        expect(text.split(",\n{")).toHaveLength(Math.max(1, ts.length));
      }),
    );
  });
});

describe("wide and long tables", () => {
  const names = Array.from({ length: 200 }, (_, k) => `feature_${k}`);
  const ts = minutes(6_000);
  const columns = names.map((_, k) => ts.map((time) => Math.sqrt(time + k)));

  test.each([
    ["CSV", () => encodeCsv(tableHead(names), tableBlocks(ts, columns, [5_000]))],
    ["JSON", () => encodeJson(tableHead(names), tableBlocks(ts, columns, [5_000]), HEAD)],
  ])("wide tables as %s come in pieces of bounded size, each with a buffer of its own", async (_, encode) => {
    const pieces = await piecesOf(encode());
    expect(Math.max(...pieces.map(({ buffer }) => buffer.byteLength))).toBeLessThanOrEqual(PIECE_BYTES);
    expect(new Set(pieces.map(({ buffer }) => buffer)).size).toBe(pieces.length);
    expect(pieces.length).toBeGreaterThan(40);
  });

  test("rows longer than a piece are whole", async () => {
    const many = Array.from({ length: 30_000 }, (_, k) => `c${k}`);
    const one = Float64Array.of(0.1, Number.NaN, -1 / 3);
    const text = new TextDecoder().decode(
      await bytesOf(encodeCsv(tableHead(many), tableBlocks(minutes(3), Array(30_000).fill(one)))),
    );
    expect(text.split("\n").map((line) => line.split(",").length)).toEqual([30_001, 30_001, 30_001, 30_001, 1]);
  });
});
