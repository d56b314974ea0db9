/** How the jobs of a thread reach the store: through a database connection of the thread, or through the server. */

import type { StorageTrouble } from "../../domain/errors.ts";
import { openShared, storageFault } from "../../storage/db.ts";
import type { RemoteSettings, SymbolTask, WorkerSettings } from "../messages.ts";
import { directJobStore } from "../store/direct-store.ts";
import type { JobStore } from "../store/job-store.ts";

/** The pause before a database that cannot be opened is tried again, milliseconds. */
const OPEN_AGAIN_MS = 500;

export interface StoreAccess {
  of(task: SymbolTask): JobStore;
  /** Nothing waits longer than `milliseconds` for the end of trouble. */
  hurry(milliseconds: number): void;
  /** What waits for the end of trouble is tried now. */
  flush(): void;
  close(): void;
}

/**
 * @param isClosing whether the thread is to end instead
 * @param report called with why writes wait, and with `null` when they continue
 */
export async function openStore(
  settings: WorkerSettings | RemoteSettings,
  isClosing: () => boolean,
  report: (trouble: StorageTrouble | null) => void,
): Promise<StoreAccess> {
  if ("server" in settings) {
    // Loaded on other machines only: every thread of the server would build the shapes of its operations.
    const [{ httpJobStore }, { ServerConnection }] = await Promise.all([
      import("./http-store.ts"),
      import("./server-connection.ts"),
    ]);
    const connection = new ServerConnection(settings.server);
    const of = ({ attempt = "" }: SymbolTask) => httpJobStore(connection, attempt);
    // What the server has not answered it does not count as stored, so nothing has to be hurried.
    return { of, hurry() {}, flush() {}, close() {} };
  }
  const db = await openDatabase(settings, isClosing, report);
  db.fence(settings.lease);
  db.watch(report);
  const store = directJobStore(db);
  return {
    of: () => store,
    hurry: (milliseconds) => db.hurry(milliseconds),
    flush: () => db.flush(),
    close: () => db.close(),
  };
}

/** Opens the database, also after trouble that passes; nothing is created in the place of a file that is gone. */
async function openDatabase(
  settings: WorkerSettings,
  isClosing: () => boolean,
  report: (trouble: StorageTrouble | null) => void,
) {
  for (let isHeld = false; ; isHeld = true) {
    try {
      const opened = await openShared(settings);
      if (isHeld) report(null);
      return opened;
    } catch (error) {
      const fault = storageFault(error);
      if (fault === null || isClosing()) throw error;
      if (!isHeld) report({ ...fault, since: Date.now() });
      await Bun.sleep(OPEN_AGAIN_MS);
    }
  }
}
