/** Tables that two threads encode have the same bytes as those that one encodes. */

import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import { yieldToEvents } from "../../../../src/clock.ts";
import { EncodingThread, type OpenEncoding } from "../../../../src/pipeline/exports/encoding/encoding-thread.ts";
import { encodeAlone } from "../../../../src/pipeline/exports/encoding/in-order.ts";
import { EXPORT_FORMATS } from "../../../../src/pipeline/exports/formats.ts";
import { encodeParquet } from "../../../../src/pipeline/exports/parquet/encode-parquet.ts";
import { DTYPES, type TableBlock, type TableHead } from "../../../../src/pipeline/exports/table-block.ts";
import { encodeCsv, encodeJson, encodeNdjson } from "../../../../src/pipeline/exports/text/encode-text.ts";
import { randomFrom } from "../../../features/histories.ts";
import { bytesOf, minutes, tableBlocks, tableHead } from "../../../helpers/tables.ts";

const thread = new EncodingThread({ processors: 2, mostAlone: 0 });
afterAll(() => thread.close());

/** Arrow is copied, by one thread. */
const FORMATS = EXPORT_FORMATS.filter((format) => format !== "arrow");
type Format = (typeof FORMATS)[number];

/** Parts that the encoding thread has taken. */
let sent = 0;
const stopped = new Int32Array(new SharedArrayBuffer(4));
const counted: OpenEncoding = (format) => {
  const table = thread.open(format, stopped)!;
  return {
    ...table,
    send(part) {
      const answer = table.send(part);
      if (answer !== null) sent += 1;
      return answer;
    },
  };
};

function encode(format: Format, head: TableHead, blocks: AsyncIterable<TableBlock>, open: OpenEncoding) {
  switch (format) {
    case "parquet":
      return encodeParquet(head, blocks, undefined, open);
    case "csv":
      return encodeCsv(head, blocks, undefined, open);
    case "ndjson":
      return encodeNdjson(head, blocks, undefined, open);
    case "json":
      return encodeJson(head, blocks, { symbol: "X" }, undefined, open);
  }
}

async function expectSame(format: Format, head: TableHead, blocks: () => AsyncIterable<TableBlock>) {
  const [alone, both] = await Promise.all([
    bytesOf(encode(format, head, blocks(), encodeAlone)),
    bytesOf(encode(format, head, blocks(), counted)),
  ]);
  expect(Buffer.compare(new Uint8Array(alone), new Uint8Array(both))).toBe(0);
}

/** The same blocks with the place of a symbol for each row. */
async function* withSymbols(blocks: AsyncIterable<TableBlock>, symbols: number): AsyncGenerator<TableBlock> {
  let row = 0;
  for await (const block of blocks) yield { ...block, symbols: Uint16Array.from(block.ts, () => row++ % symbols) };
}

/** Values of all kinds: undefined, whole, of few digits and of many. */
function columnOf(ts: Float64Array, random: () => number): Float64Array {
  const kind = Math.floor(random() * 4);
  return ts.map(() => {
    const value = (random() - 0.5) * 10 ** Math.floor(random() * 9);
    if (random() < 0.1) return Number.NaN;
    return kind === 0 ? Math.trunc(value) : kind === 1 ? Math.round(value * 100) / 100 : value;
  });
}

const table = (rows: number, columns: number, seed: number) => {
  const random = randomFrom(seed);
  const ts = minutes(rows);
  return { ts, columns: Array.from({ length: columns }, () => columnOf(ts, random)) };
};

const namesOf = (columns: readonly unknown[]) => columns.map((_, k) => `column "${k}"`);

test("the encoding thread takes parts once it has started", async () => {
  const { ts, columns } = table(300, 4, 1);
  while (sent === 0) {
    await expectSame("csv", tableHead(namesOf(columns)), () => tableBlocks(ts, columns, [50]));
    await yieldToEvents();
  }
});

test("a table of any length in blocks of any size has the same bytes from two threads as from one", async () => {
  const before = sent;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...FORMATS),
      fc.constantFrom(...DTYPES),
      fc.integer({ min: 0, max: 700 }),
      fc.integer({ min: 0, max: 300 }),
      fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer(),
      async (format, dtype, rows, width, sizes, symbols, seed) => {
        const { ts, columns } = table(rows, width, seed);
        const list = Array.from({ length: symbols }, (_, k) => `S${k}`);
        const head = tableHead(namesOf(columns), { dtype, symbols: symbols === 0 ? null : list });
        const blocks = () => tableBlocks(ts, columns, sizes);
        await expectSame(format, head, symbols === 0 ? blocks : () => withSymbols(blocks(), symbols));
      },
    ),
    { numRuns: 60 },
  );
  expect(sent).toBeGreaterThan(before);
});

test.each([
  ["pages of a row group", 12_000, 200],
  ["a page and a row of the next", 10_435, 200],
  ["row groups of several pages", 122_881, 17],
])("a Parquet file with %s has the same bytes from two threads as from one", async (_, rows, width) => {
  const before = sent;
  const { ts, columns } = table(rows, width, 7);
  await expectSame("parquet", tableHead(namesOf(columns)), () => tableBlocks(ts, columns, [4_096, 5_000]));
  expect(sent).toBeGreaterThan(before);
});
