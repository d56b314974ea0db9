/** A thread that brings the lake to the state of the store, once, and ends. */

import { messageOf } from "../../domain/errors.ts";
import { WriteLock } from "../../storage/connection/file/write-lock.ts";
import { type Database, openExisting } from "../../storage/db.ts";
import type { WorkerSettings } from "../messages.ts";
import { LakeFolder } from "./lake-folder.ts";
import { type SyncResult, syncLake } from "./sync-lake.ts";

export type ToLakeWriter =
  | { readonly type: "sync"; readonly settings: WorkerSettings; readonly folder: string; readonly sweep: boolean }
  | { readonly type: "stop" };

export type FromLakeWriter =
  | ({ readonly type: "done" } & SyncResult)
  | { readonly type: "failed"; readonly message: string };

declare const self: Worker;

let isStopped = false;

self.onmessage = async ({ data: message }: MessageEvent<ToLakeWriter>) => {
  if (message.type === "stop") {
    isStopped = true;
    return;
  }
  const { settings, folder, sweep } = message;
  const send = (answer: FromLakeWriter) => self.postMessage(answer);
  let db: Database | undefined;
  try {
    db = await openExisting(settings.dbUrl, settings.dbToken, new WriteLock(settings.writeLock));
    db.fence(settings.lease);
    const onSeries = () => {
      if (isStopped) throw new Error("the server stops");
    };
    send({ type: "done", ...(await syncLake(db, new LakeFolder(folder), folder, { all: false, sweep, onSeries })) });
  } catch (error) {
    send({ type: "failed", message: messageOf(error) });
  } finally {
    db?.close();
    self.terminate();
  }
};
