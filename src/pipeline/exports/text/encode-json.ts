/** A table as JSON: one object per row, `null` where a value is not finite, in a list after a head or one a line. */

import type { TableBlock, TableHead } from "../table-block.ts";
import { NUMBER_BYTES, writeNumber, writeText } from "./number-text.ts";
import { copyBytes, numberOf, TIME_BYTES, textPieces, timeWriter, type WriteRow } from "./text-pieces.ts";

const ROW_END = "}";
const NEWLINE = "\n";
const SEPARATOR = ",\n";

/** The fields of `head`, then `data` with one object per row. */
export async function* encodeJson(
  table: Omit<TableHead, "metadata">,
  blocks: AsyncIterable<TableBlock>,
  head: Readonly<Record<string, unknown>>,
  throwIfStopped: () => void = () => {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const fields = JSON.stringify(head).slice(0, -1);
  yield encoder.encode(`${fields}${fields === "{" ? "" : ","}"data":[`);
  const { rowBytes, writeObject } = objectWriter(table);
  let first = true;
  const writeRow: WriteRow = (out, start, block, row) => {
    const at = first ? start : writeText(out, start, SEPARATOR);
    first = false;
    return writeObject(out, at, block, row);
  };
  yield* textPieces(blocks, rowBytes + SEPARATOR.length, writeRow, throwIfStopped);
  yield encoder.encode("]}");
}

/** One object a line. */
export async function* encodeNdjson(
  table: Omit<TableHead, "metadata">,
  blocks: AsyncIterable<TableBlock>,
  throwIfStopped: () => void = () => {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const { rowBytes, writeObject } = objectWriter(table);
  const writeRow: WriteRow = (out, at, block, row) => writeText(out, writeObject(out, at, block, row), NEWLINE);
  yield* textPieces(blocks, rowBytes + NEWLINE.length, writeRow, throwIfStopped);
}

/** The function that writes a row as an object, and the most bytes that it takes. */
function objectWriter({ names, symbols, dtype }: Omit<TableHead, "metadata">) {
  const encoder = new TextEncoder();
  const opening = encoder.encode('{"timestamp":"');
  const openings = (symbols ?? []).map((symbol) => encoder.encode(`{"symbol":${JSON.stringify(symbol)},"timestamp":"`));
  const keys = names.map((name) => encoder.encode(`,${JSON.stringify(name)}:`));
  const openingBytes = openings.reduce((most, { length }) => Math.max(most, length), opening.length);
  const rowBytes = keys.reduce((sum, key) => sum + key.length + NUMBER_BYTES, openingBytes + TIME_BYTES + 2);
  const writeTime = timeWriter();
  const given = numberOf(dtype);
  const writeObject: WriteRow = (out, start, { ts, columns, symbols: places }, row) => {
    let at = copyBytes(out, start, places === undefined ? opening : openings[places[row]!]!);
    at = writeText(out, writeTime(out, at, ts[row]!), '"');
    for (let k = 0; k < keys.length; k++) {
      at = copyBytes(out, at, keys[k]!);
      const value = given(columns[k]![row]!);
      at = value - value === 0 ? writeNumber(out, at, value) : writeText(out, at, "null");
    }
    return writeText(out, at, ROW_END);
  };
  return { rowBytes, writeObject };
}
