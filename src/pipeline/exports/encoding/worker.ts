/** The encoding thread: it encodes parts of long tables while the export thread reads and computes the next ones. */

import { messageOf } from "../../../domain/errors.ts";
import { type FromEncoder, IS_READY, PARTS, type ToEncoder } from "./encoding-thread.ts";
import { type Encoded, type PackedPart, type PartEncoder, unpack } from "./part.ts";
import { partEncoder } from "./part-encoder.ts";

declare const self: Pick<Worker, "onmessage" | "postMessage">;

interface Table {
  readonly encoder: PartEncoder;
  readonly throwIfStopped: () => void;
}

let shared: Int32Array<SharedArrayBuffer>;
const tables = new Map<number, Table>();

function encode(table: number, part: PackedPart): void {
  const answer = (message: FromEncoder, transfer: ArrayBuffer[] = []) => {
    Atomics.sub(shared, PARTS, 1);
    self.postMessage(message, transfer);
  };
  try {
    const { encoder, throwIfStopped } = tables.get(table)!;
    const encoded: Encoded[] = [...encoder.encode(unpack(part), throwIfStopped)];
    const { buffer } = part;
    if (encoded.some(({ column }) => column === undefined)) {
      answer({ encoded, buffer }, [buffer, ...encoded.map(({ bytes }) => bytes.buffer)]);
    } else answer({ encoded: moved(encoded, buffer), buffer }, [buffer]);
  } catch (error) {
    answer({ error: messageOf(error) });
  }
}

/** The same with all bytes in `buffer`, as far as they fit: new buffers would only have to be collected. */
function moved(encoded: readonly Encoded[], buffer: ArrayBuffer): Encoded[] {
  let at = 0;
  return encoded.map(({ bytes, column }) => {
    if (at + bytes.length > buffer.byteLength) return { bytes, column: column! };
    const to = new Uint8Array(buffer, at, bytes.length);
    to.set(bytes);
    at += bytes.length;
    return { bytes: to, column: column! };
  });
}

self.onmessage = ({ data: message }: MessageEvent<ToEncoder>) => {
  switch (message.type) {
    case "open":
      shared = message.shared;
      Atomics.store(shared, IS_READY, 1);
      break;
    case "begin": {
      const { table, format, stopped } = message;
      const throwIfStopped = () => {
        if (Atomics.load(stopped, 0) === 1) throw new Error("the reader has left");
      };
      tables.set(table, { encoder: partEncoder(format), throwIfStopped });
      break;
    }
    case "encode":
      encode(message.table, message.part);
      break;
    case "end":
      tables.delete(message.table);
      break;
    case "close":
      process.exit();
  }
};
