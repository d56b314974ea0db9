/** A table as Parquet: a timestamp column and doubles, one row group per `GROUP_ROWS` rows, snappy. */

import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { TableBlock } from "./table-block.ts";

/** Rows per group: 200 columns of so many doubles are about 26 MB before compression. */
const GROUP_ROWS = 16_384;

export async function* encodeParquet(
  names: readonly string[],
  blocks: AsyncIterable<TableBlock>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const bytes = new DrainedWriter();
  const writer = new ParquetWriter({
    writer: bytes,
    createdBy: "barkeep",
    schema: [
      { name: "root", num_children: names.length + 1 },
      {
        name: "timestamp",
        type: "INT64",
        repetition_type: "REQUIRED",
        converted_type: "TIMESTAMP_MILLIS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" },
      },
      ...names.map((name) => ({ name, type: "DOUBLE", repetition_type: "OPTIONAL" }) as const),
    ],
  });
  let waiting: TableBlock[] = [];
  let rows = 0;
  const writeGroup = async () => {
    const ts = waiting.flatMap((block) => Array.from(block.ts, (seconds) => new Date(seconds * 1000)));
    const columnData = [
      { name: "timestamp", data: ts },
      ...names.map((name, k) => ({ name, data: waiting.flatMap((block) => Array.from(block.columns[k]!, defined)) })),
    ];
    await writer.write({ columnData, rowGroupSize: rows });
    waiting = [];
    rows = 0;
  };
  for await (const block of blocks) {
    waiting.push(block);
    rows += block.ts.length;
    if (rows < GROUP_ROWS) continue;
    await writeGroup();
    yield bytes.drain();
  }
  if (rows > 0) await writeGroup();
  await writer.finish();
  yield bytes.drain();
}

const defined = (value: number) => (Number.isNaN(value) ? null : value);

/** A writer whose bytes can be taken out before the file is complete; offsets count from the start of the file. */
class DrainedWriter extends ByteWriter {
  drain(): Uint8Array<ArrayBuffer> {
    const bytes = this.getBytes().slice();
    this.index = 0;
    return bytes;
  }
}
