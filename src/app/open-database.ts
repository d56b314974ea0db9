/** The database of a server, with its lease and in its newest form. */

import { hostname } from "node:os";
import type { Config } from "../config.ts";
import { plainPrinter } from "../log.ts";
import { WriteLock } from "../storage/connection/file/write-lock.ts";
import { type Lease, takeLease } from "../storage/connection/lease.ts";
import { type Database, hasTable, openDatabase, refuseNewerSchema } from "../storage/db.ts";
import { emptyLog } from "../storage/maintenance.ts";
import { upgradeDatabase } from "../storage/upgrade.ts";
import type { AppOptions } from "./options.ts";

export interface ServerDatabase {
  readonly db: Database;
  readonly lease: Lease;
  readonly writeLock: WriteLock;
}

/** Pages of the write-ahead log (of 4 KiB) that the main thread leaves to the workers. */
const MAX_LOG_PAGES = 20_000;

/** @throws Error if it cannot be opened, is newer than this version, or belongs to another server */
export async function openServerDatabase(
  stack: AsyncDisposableStack,
  config: Config,
  options: AppOptions,
): Promise<ServerDatabase> {
  const writeLock = new WriteLock();
  const db = stack.adopt(await openDatabase(config.dbUrl, config.dbToken, writeLock), (each) => each.close());
  // The file alone is then whole: who copies it after a clean stop leaves nothing behind.
  stack.defer(() => emptyLog(db));
  await refuseNewerSchema(db);
  const print = plainPrinter(config.logFormat, options.print);
  const onLost = options.onLeaseLost ?? (() => {});
  const hold = async () => {
    const lease = await takeLease(db, { host: hostname(), print, onLost });
    stack.defer(() => lease.release());
    return lease;
  };
  // Before anything is changed; only a new database has no place for a lease yet.
  const held = (await hasTable(db, "settings")) ? await hold() : null;
  await upgradeDatabase(db, print);
  // The workers move the write-ahead log into the file: this thread would block while the disk is slow.
  if (db.local) await db.script(`PRAGMA wal_autocheckpoint = ${MAX_LOG_PAGES}`);
  return { db, writeLock, lease: held ?? (await hold()) };
}
