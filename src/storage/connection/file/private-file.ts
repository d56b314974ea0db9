import { chmodSync, statSync } from "node:fs";

/** The permissions of everybody but the owner. */
const OTHERS = 0o077;

/**
 * Lets only the owner read a database: it holds the hash of the password, the recipients of mails and the audit. New
 * files beside it (`-wal`, `-shm`) get its permissions from SQLite.
 */
export function keepPrivate(path: string): void {
  for (const each of [path, `${path}-wal`, `${path}-shm`]) {
    try {
      if ((statSync(each).mode & OTHERS) !== 0) chmodSync(each, 0o600);
    } catch (error) {
      // Not there, of another user, or on a file system without permissions: the folder has to keep others out.
      const { code = "" } = error as NodeJS.ErrnoException;
      if (!["ENOENT", "EPERM", "ENOTSUP", "EROFS"].includes(code)) throw error;
    }
  }
}
