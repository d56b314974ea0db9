/** A table as CSV: ISO times, full precision, an empty cell where a value is undefined. */

import type { TableBlock } from "./table-block.ts";

const isoTime = (seconds: number) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;

export async function* encodeCsv(
  names: readonly string[],
  blocks: AsyncIterable<TableBlock>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  yield encoder.encode(`${["timestamp", ...names].join(",")}\n`);
  for await (const { ts, columns } of blocks) {
    let text = "";
    for (let i = 0; i < ts.length; i++) {
      text += isoTime(ts[i]!);
      for (const column of columns) {
        const value = column[i]!;
        text += Number.isNaN(value) ? "," : `,${value}`;
      }
      text += "\n";
    }
    yield encoder.encode(text);
  }
}
