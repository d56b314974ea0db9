/** A thread that makes one backup: copying and checking a large database takes minutes, and would block the server. */

import { statSync } from "node:fs";
import { backUp } from "../../storage/backup.ts";
import { WriteLock } from "../../storage/connection/file/write-lock.ts";
import { type Database, openExisting } from "../../storage/db.ts";
import { type BackupFault, faultOfBackup } from "./fault.ts";

export interface ToBackupWorker {
  readonly dbUrl: string;
  readonly writeLock: SharedArrayBuffer;
  /** The file to write, which does not exist yet. */
  readonly path: string;
}

export type FromBackupWorker =
  | { readonly type: "done"; readonly bytes: number }
  | { readonly type: "failed"; readonly fault: BackupFault };

declare const self: Worker;

self.onmessage = async ({ data: { dbUrl, writeLock, path } }: MessageEvent<ToBackupWorker>) => {
  const send = (message: FromBackupWorker) => self.postMessage(message);
  let db: Database | undefined;
  try {
    db = await openExisting(dbUrl, undefined, new WriteLock(writeLock));
    await backUp(db, path);
    send({ type: "done", bytes: statSync(path).size });
  } catch (error) {
    send({ type: "failed", fault: faultOfBackup(error) });
  } finally {
    db?.close();
    self.terminate();
  }
};
