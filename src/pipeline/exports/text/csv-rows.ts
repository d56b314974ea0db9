/** The rows of a table as CSV: ISO times, full precision, an empty cell where a value is undefined. */

import type { TableHead } from "../table-block.ts";
import { NUMBER_BYTES, writeNumber } from "./number-text.ts";
import { copyBytes, numberOf, type RowFormat, TIME_BYTES, timeWriter } from "./text-pieces.ts";

const COMMA = 44;
const NEWLINE = 10;

export function csvRows({ names, symbols, dtype }: Pick<TableHead, "names" | "symbols" | "dtype">): RowFormat {
  const encoder = new TextEncoder();
  const writeTime = timeWriter();
  const given = numberOf(dtype);
  const labels = (symbols ?? []).map((symbol) => encoder.encode(`${symbol},`));
  const labelBytes = labels.reduce((most, { length }) => Math.max(most, length), 0);
  return {
    rowBytes: labelBytes + TIME_BYTES + names.length * (1 + NUMBER_BYTES) + 1,
    writeRow(out, start, { ts, columns, symbols: places }, row) {
      let at = places === undefined ? start : copyBytes(out, start, labels[places[row]!]!);
      at = writeTime(out, at, ts[row]!);
      for (let k = 0; k < columns.length; k++) {
        out[at++] = COMMA;
        const value = columns[k]![row]!;
        if (!Number.isNaN(value)) at = writeNumber(out, at, given(value));
      }
      out[at++] = NEWLINE;
      return at;
    },
  };
}
