/** The export thread: it encodes the next piece of an export only when it is requested. */

import { messageOf } from "../../domain/errors.ts";
import { type Calendar, createCalendar } from "../../domain/market/calendar.ts";
import { SharedConnection } from "../../storage/db.ts";
import type { WorkerSettings } from "../messages.ts";
import { exportProfiles, type ProfilesRequest } from "./export-profiles.ts";
import { type ExportRequest, exportTable } from "./export-table.ts";
import type { SnapshotDiffRequest } from "./snapshots/diff-snapshots.ts";
import type { SnapshotRequest } from "./snapshots/write-snapshot.ts";

/** What the thread works on. */
export type ThreadRequest = ExportRequest | ProfilesRequest | SnapshotRequest | SnapshotDiffRequest;

export type ToExporter =
  | { readonly type: "open"; readonly settings: WorkerSettings }
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

/** A piece of an export, its end (`null`), or why it was interrupted. */
export type FromExporter = { readonly id: number } & (
  | { readonly piece: Uint8Array<ArrayBuffer> | null }
  | { readonly error: string }
);

declare const self: Worker;

let connection: SharedConnection;
let calendar: Calendar;
const exports = new Map<number, AsyncGenerator<Uint8Array<ArrayBuffer>>>();

async function* begin(request: ThreadRequest, stopped: Int32Array): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const throwIfStopped = () => {
    if (Atomics.load(stopped, 0) === 1) throw new Error("the reader has left");
  };
  throwIfStopped();
  switch (request.content) {
    case "profiles":
      return yield* exportProfiles(await connection.open(), request, throwIfStopped);
    case "table":
      return yield* exportTable(await connection.open(), request, throwIfStopped, calendar);
    case "snapshot": {
      const { writeSnapshot } = await import("./snapshots/write-snapshot.ts");
      return yield* writeSnapshot(await connection.open(), request, throwIfStopped, calendar);
    }
    case "snapshot-diff": {
      const { diffSnapshots } = await import("./snapshots/diff-snapshots.ts");
      return yield* diffSnapshots(request, throwIfStopped);
    }
  }
}

async function sendNext(id: number): Promise<void> {
  const pieces = exports.get(id);
  const answer = (message: FromExporter, transfer: ArrayBuffer[] = []) => self.postMessage(message, transfer);
  if (pieces === undefined) return answer({ id, error: "its thread was replaced" });
  try {
    const { done, value } = await pieces.next();
    if (done) exports.delete(id);
    answer({ id, piece: done ? null : value }, done ? [] : [value.buffer]);
  } catch (error) {
    exports.delete(id);
    answer({ id, error: messageOf(error) });
  }
}

self.onmessage = async ({ data: message }: MessageEvent<ToExporter>) => {
  switch (message.type) {
    case "open":
      calendar = createCalendar(message.settings.sessions);
      connection = new SharedConnection(message.settings);
      break;
    case "start":
      exports.set(message.id, begin(message.request, message.stopped));
      break;
    case "more":
      await sendNext(message.id);
      break;
    case "cancel":
      await exports.get(message.id)?.return(undefined);
      exports.delete(message.id);
      break;
    case "close":
      await connection.close();
      self.terminate();
  }
};
