/** How much space a database takes on its disk, and how much is left there. */

import { stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";

export interface Space {
  /** The file and its write-ahead log, bytes. */
  readonly used: number;
  /** The write-ahead log alone, bytes. */
  readonly log: number;
  /** What this process may still write to the disk, bytes. */
  readonly free: number;
}

/** @param path the database file; `null` if it cannot be read */
export async function spaceOf(path: string): Promise<Space | null> {
  try {
    const sizes = await Promise.all([
      stat(path).then(({ size }) => size),
      stat(`${path}-wal`).then(
        ({ size }) => size,
        () => 0,
      ),
    ]);
    return { used: sizes[0] + sizes[1], log: sizes[1], free: await freeSpace(dirname(path)) };
  } catch {
    return null;
  }
}

/** What this process may still write to the disk of a folder, bytes. @throws Error with the code of the system */
export async function freeSpace(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
