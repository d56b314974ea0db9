/** A temporary folder, and the proof that nothing holds on to it. */

import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Folder extends Disposable {
  readonly path: string;
  /** The URL of a database file in it. */
  database(name?: string): string;
  /** Files of this folder that this process still has open (Linux; empty elsewhere). */
  openFiles(): string[];
}

export function temporaryFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "barkeep-test-"));
  return {
    path,
    database: (name = "barkeep.db") => `file:${join(path, name)}`,
    openFiles: () => openFilesUnder(path),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

function openFilesUnder(folder: string): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`);
      return file.startsWith(folder) ? [file] : [];
    } catch {
      return []; // closed in the meantime
    }
  });
}
