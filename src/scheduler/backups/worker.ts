/** A thread that makes one backup: copying and checking a large database takes minutes, and would block the server. */

import { statSync } from "node:fs";
import { backUp } from "../../storage/backup.ts";
import { type Database, openShared, type SharedDatabase } from "../../storage/db.ts";
import { type BackupFault, faultOfBackup } from "./fault.ts";

export interface ToBackupWorker {
  readonly database: SharedDatabase;
  /** The file to write, which does not exist yet. */
  readonly path: string;
}

export type FromBackupWorker =
  | { readonly type: "done"; readonly bytes: number }
  | { readonly type: "failed"; readonly fault: BackupFault };

declare const self: Pick<Worker, "onmessage" | "postMessage">;

self.onmessage = async ({ data: { database, path } }: MessageEvent<ToBackupWorker>) => {
  const send = (message: FromBackupWorker) => self.postMessage(message);
  let db: Database | undefined;
  try {
    db = await openShared(database);
    await backUp(db, path);
    send({ type: "done", bytes: statSync(path).size });
  } catch (error) {
    send({ type: "failed", fault: faultOfBackup(error) });
  } finally {
    db?.close();
    process.exit();
  }
};
