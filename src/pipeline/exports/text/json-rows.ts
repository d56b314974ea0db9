/** The rows of a table as JSON objects: `null` where a value is not finite; one a line, or each after a separator. */

import type { TableHead } from "../table-block.ts";
import { NUMBER_BYTES, writeNumber, writeText } from "./number-text.ts";
import { copyBytes, numberOf, type RowFormat, TIME_BYTES, timeWriter } from "./text-pieces.ts";

/** Before each row of a list, the first included. */
export const SEPARATOR = ",\n";
const ROW_END = "}";
const LINE_END = "}\n";

export function jsonRows(
  { names, symbols, dtype }: Pick<TableHead, "names" | "symbols" | "dtype">,
  format: "json" | "ndjson",
): RowFormat {
  const encoder = new TextEncoder();
  const [before, end] = format === "json" ? [SEPARATOR, ROW_END] : ["", LINE_END];
  const opening = encoder.encode(`${before}{"timestamp":"`);
  const openings = (symbols ?? []).map((symbol) =>
    encoder.encode(`${before}{"symbol":${JSON.stringify(symbol)},"timestamp":"`),
  );
  const keys = names.map((name) => encoder.encode(`,${JSON.stringify(name)}:`));
  const openingBytes = openings.reduce((most, { length }) => Math.max(most, length), opening.length);
  const writeTime = timeWriter();
  const given = numberOf(dtype);
  return {
    rowBytes: keys.reduce((sum, key) => sum + key.length + NUMBER_BYTES, openingBytes + TIME_BYTES + 1 + end.length),
    writeRow(out, start, { ts, columns, symbols: places }, row) {
      let at = copyBytes(out, start, places === undefined ? opening : openings[places[row]!]!);
      at = writeText(out, writeTime(out, at, ts[row]!), '"');
      for (let k = 0; k < keys.length; k++) {
        at = copyBytes(out, at, keys[k]!);
        const value = given(columns[k]![row]!);
        at = value - value === 0 ? writeNumber(out, at, value) : writeText(out, at, "null");
      }
      return writeText(out, at, end);
    },
  };
}
