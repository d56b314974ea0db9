/** A table as CSV: ISO times, full precision, an empty cell where a value is undefined. */

import { NUMBER_BYTES, writeNumber } from "./number-text.ts";
import type { TableBlock } from "./table-block.ts";
import { TIME_BYTES, textPieces, timeWriter, type WriteRow } from "./text-pieces.ts";

const COMMA = 44;
const NEWLINE = 10;

export async function* encodeCsv(
  names: readonly string[],
  blocks: AsyncIterable<TableBlock>,
  throwIfStopped: () => void = () => {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield new TextEncoder().encode(`${["timestamp", ...names].join(",")}\n`);
  const writeTime = timeWriter();
  const rowBytes = TIME_BYTES + names.length * (1 + NUMBER_BYTES) + 1;
  const writeRow: WriteRow = (out, start, { ts, columns }, row) => {
    let at = writeTime(out, start, ts[row]!);
    for (let k = 0; k < columns.length; k++) {
      out[at++] = COMMA;
      const value = columns[k]![row]!;
      if (!Number.isNaN(value)) at = writeNumber(out, at, value);
    }
    out[at++] = NEWLINE;
    return at;
  };
  yield* textPieces(blocks, rowBytes, writeRow, throwIfStopped);
}
