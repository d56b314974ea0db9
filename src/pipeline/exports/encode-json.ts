/** A table as one JSON object: its head, then `rows` with one object per bar, `null` where a value is not finite. */

import { NUMBER_BYTES, writeNumber, writeText } from "./number-text.ts";
import type { TableBlock } from "./table-block.ts";
import { textPieces, type WriteRow } from "./text-pieces.ts";

const CLOSE = "}".charCodeAt(0);
const SEPARATOR = ",\n";

export async function* encodeJson(
  names: readonly string[],
  blocks: AsyncIterable<TableBlock>,
  head: Readonly<Record<string, unknown>>,
  throwIfStopped: () => void = () => {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  yield encoder.encode(`${JSON.stringify(head).slice(0, -1)},"rows":[`);
  const opening = encoder.encode('{"ts":');
  const keys = names.map((name) => encoder.encode(`,${JSON.stringify(name)}:`));
  const rowBytes = keys.reduce(
    (sum, key) => sum + key.length + NUMBER_BYTES,
    SEPARATOR.length + opening.length + NUMBER_BYTES + 1,
  );
  let first = true;
  const writeRow: WriteRow = (out, start, { ts, columns }, row) => {
    let at = first ? start : writeText(out, start, SEPARATOR);
    first = false;
    at = writeNumber(out, copy(out, at, opening), ts[row]!);
    for (let k = 0; k < keys.length; k++) {
      at = copy(out, at, keys[k]!);
      const value = columns[k]![row]!;
      at = value - value === 0 ? writeNumber(out, at, value) : writeText(out, at, "null");
    }
    out[at++] = CLOSE;
    return at;
  };
  yield* textPieces(blocks, rowBytes, writeRow, throwIfStopped);
  yield encoder.encode("]}");
}

/** A loop, because `set` costs more than it saves on a dozen bytes. */
function copy(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i]!;
  return at + bytes.length;
}
