/** A table as CSV: ISO times, full precision, an empty cell where a value is undefined. */

import { isoSecond } from "../../domain/time.ts";
import type { TableBlock } from "./table-block.ts";

export async function* encodeCsv(
  names: readonly string[],
  blocks: AsyncIterable<TableBlock>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  yield encoder.encode(`${["timestamp", ...names].join(",")}\n`);
  for await (const { ts, columns } of blocks) {
    let text = "";
    for (let i = 0; i < ts.length; i++) {
      text += isoSecond(ts[i]!);
      for (const column of columns) {
        const value = column[i]!;
        text += Number.isNaN(value) ? "," : `,${value}`;
      }
      text += "\n";
    }
    yield encoder.encode(text);
  }
}
