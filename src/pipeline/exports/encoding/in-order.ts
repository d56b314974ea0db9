/** Encodes the parts of a table on both threads, in their order. */

import { yieldToEvents } from "../../../clock.ts";
import type { EncodedPart, OpenEncoding, TableEncoding } from "./encoding-thread.ts";
import type { Encoded, Part, PartEncoder } from "./part.ts";

/** For tables that are encoded by one thread. */
export const encodeAlone: OpenEncoding = () => null;

interface UnderWay {
  readonly part: Promise<EncodedPart> | { readonly encoded: readonly Encoded[] };
  isDone: boolean;
}

/**
 * What all parts become, in their order: encoded here, and on the encoding thread if `table` is given and it is free. A
 * part is done with when the next one is asked for; pages must be, too.
 */
export async function* encodeInOrder(
  parts: AsyncIterable<Part>,
  encoder: PartEncoder,
  table: TableEncoding | null,
  throwIfStopped: () => void,
): AsyncGenerator<Encoded> {
  const underWay: UnderWay[] = [];
  // Of JSON, the longest text, sixteen parts take 35 MB.
  const most = 2 * (table?.mostParts ?? 0);
  async function* first() {
    const part = await underWay.shift()!.part;
    yield* part.encoded;
    if ("buffer" in part) table?.release(part.buffer);
  }
  try {
    for await (const part of parts) {
      const sent = table?.send(part) ?? null;
      if (sent !== null) {
        const each: UnderWay = { part: sent, isDone: false };
        const done = () => {
          each.isDone = true;
        };
        sent.then(done, done);
        underWay.push(each);
      } else if (underWay.length === 0) {
        // Nobody waits for a later part, so pieces are made when they are asked for.
        yield* encoder.encode(part, throwIfStopped);
        continue;
      } else {
        underWay.push({ part: { encoded: [...encoder.encode(part, throwIfStopped)] }, isDone: true });
        await yieldToEvents();
      }
      while (underWay[0]?.isDone || underWay.length >= most) yield* first();
    }
    while (underWay.length > 0) yield* first();
  } finally {
    table?.end();
  }
}
