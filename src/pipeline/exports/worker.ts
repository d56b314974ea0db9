/** The export thread: it encodes the next piece of an export only when it is requested. */

import { messageOf, Refusal } from "../../domain/errors.ts";
import { type Calendar, createCalendar } from "../../domain/market/calendar.ts";
import { SharedConnection } from "../../storage/db.ts";
import type { WorkerSettings } from "../messages.ts";
import { EncodingThread, type OpenEncoding } from "./encoding/encoding-thread.ts";
import { exportProfiles, type ProfilesRequest } from "./export-profiles.ts";
import { type ExportRequest, exportTable } from "./export-table.ts";
import type { SnapshotDiffRequest } from "./snapshots/diff-snapshots.ts";
import type { SnapshotRequest } from "./snapshots/write-snapshot.ts";

/** What the thread works on. */
export type ThreadRequest = ExportRequest | ProfilesRequest | SnapshotRequest | SnapshotDiffRequest;

export type ToExporter =
  | { readonly type: "open"; readonly settings: WorkerSettings }
  /** Begins an export, and asks for its first piece. */
  | {
      readonly type: "start";
      readonly id: number;
      readonly request: ThreadRequest;
      /** Becomes 1 when the reader has left. */
      readonly stopped: Int32Array<SharedArrayBuffer>;
    }
  | { readonly type: "more"; readonly id: number }
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "close" };

/** A piece of an export (`null` if none is left) and whether it is the last one, or why the export was interrupted. */
export type FromExporter = { readonly id: number } & (
  | { readonly piece: Uint8Array<ArrayBuffer> | null; readonly isLast: boolean }
  /** `isUnavailable`: it may succeed later. */
  | { readonly error: string; readonly isUnavailable?: boolean }
);

/** Pieces of a table or a list are sent together until they are so long, bytes: a small answer is one message. */
const TOGETHER = 32_768;

declare const self: Pick<Worker, "onmessage" | "postMessage">;

let connection: SharedConnection;
let calendar: Calendar;
const encoding = new EncodingThread();

interface OpenExport {
  readonly pieces: AsyncGenerator<Uint8Array<ArrayBuffer>>;
  /** Pieces are sent together until they are so long, bytes. */
  readonly together: number;
}
const exports = new Map<number, OpenExport>();

async function* begin(
  request: ThreadRequest,
  stopped: Int32Array<SharedArrayBuffer>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const throwIfStopped = () => {
    if (Atomics.load(stopped, 0) === 1) throw new Error("the reader has left");
  };
  throwIfStopped();
  const openEncoding: OpenEncoding = (format) => encoding.open(format, stopped);
  switch (request.content) {
    case "profiles":
      return yield* exportProfiles(await connection.open(), request, throwIfStopped, calendar);
    case "table":
      return yield* exportTable(await connection.open(), request, throwIfStopped, calendar, openEncoding);
    case "snapshot": {
      const { writeSnapshot } = await import("./snapshots/write-snapshot.ts");
      return yield* writeSnapshot(await connection.open(), request, throwIfStopped, calendar, openEncoding);
    }
    case "snapshot-diff": {
      const { diffSnapshots } = await import("./snapshots/diff-snapshots.ts");
      return yield* diffSnapshots(request, throwIfStopped);
    }
  }
}

async function sendNext(id: number): Promise<void> {
  const found = exports.get(id);
  const answer = (message: FromExporter, transfer: ArrayBuffer[] = []) => self.postMessage(message, transfer);
  if (found === undefined) return answer({ id, error: "its thread was replaced" });
  try {
    const { piece, isLast } = await nextPiece(found.pieces, found.together);
    if (isLast) exports.delete(id);
    answer({ id, piece, isLast }, piece === null ? [] : [piece.buffer]);
  } catch (error) {
    exports.delete(id);
    const isUnavailable = error instanceof Refusal && error.kind === "unavailable";
    answer({ id, error: messageOf(error), isUnavailable });
  }
}

/** The next pieces as one of `together` bytes or more, or all that are left. */
async function nextPiece(pieces: AsyncGenerator<Uint8Array<ArrayBuffer>>, together: number) {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let isLast = false;
  do {
    const { done, value } = await pieces.next();
    isLast = done === true;
    if (value === undefined) continue;
    parts.push(value);
    bytes += value.byteLength;
  } while (!isLast && bytes < together);
  if (parts.length < 2) return { piece: parts[0] ?? null, isLast };
  const piece = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    piece.set(part, at);
    at += part.byteLength;
  }
  return { piece, isLast };
}

self.onmessage = async ({ data: message }: MessageEvent<ToExporter>) => {
  switch (message.type) {
    case "open":
      calendar = createCalendar(message.settings.sessions);
      connection = new SharedConnection(message.settings);
      break;
    case "start": {
      const { content } = message.request;
      const together = content === "table" || content === "profiles" ? TOGETHER : 0;
      exports.set(message.id, { pieces: begin(message.request, message.stopped), together });
      await sendNext(message.id);
      break;
    }
    case "more":
      await sendNext(message.id);
      break;
    case "cancel":
      await exports.get(message.id)?.pieces.return(undefined);
      exports.delete(message.id);
      break;
    case "close":
      await encoding.close();
      await connection.close();
      process.exit();
  }
};
