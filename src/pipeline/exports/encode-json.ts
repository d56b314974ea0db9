/** A table as one JSON object: its head, then `rows` with one object per bar, `null` where a value is undefined. */

import type { TableBlock } from "./table-block.ts";

export async function* encodeJson(
  names: readonly string[],
  blocks: AsyncIterable<TableBlock>,
  head: Readonly<Record<string, unknown>>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const keys = names.map((name) => `,${JSON.stringify(name)}:`);
  yield encoder.encode(`${JSON.stringify(head).slice(0, -1)},"rows":[`);
  let separator = "";
  for await (const { ts, columns } of blocks) {
    let text = "";
    for (let i = 0; i < ts.length; i++) {
      text += `${separator}{"ts":${ts[i]}`;
      for (let k = 0; k < keys.length; k++) {
        const value = columns[k]![i]!;
        text += `${keys[k]}${Number.isNaN(value) ? "null" : value}`;
      }
      text += "}";
      separator = ",\n";
    }
    yield encoder.encode(text);
  }
  yield encoder.encode("]}");
}
