/** A temporary file for what an export must collect but memory should not hold. It is gone with the process. */

import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, Refusal, withoutPaths } from "../../domain/errors.ts";

/** The most bytes of one file. */
export const MAX_SPILL = 8 * 2 ** 30;

export class SpillFile implements Disposable {
  #file: { readonly fd: number; readonly folder: string } | null = null;
  #size = 0;

  constructor(private readonly most = MAX_SPILL) {}

  /**
   * Appends bytes and returns where they begin.
   * @throws Error if the file would be larger than allowed, and Refusal if it cannot be written
   */
  append(bytes: Uint8Array): number {
    if (this.#size + bytes.length > this.most) {
      throw new Error(`The export needs more than ${Math.floor(this.most / 2 ** 20)} MiB of temporary space`);
    }
    this.#file ??= create();
    const start = this.#size;
    try {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.#file.fd, bytes, at, bytes.length - at, start + at);
      }
    } catch (error) {
      throw noTemporaryFile(error);
    }
    this.#size += bytes.length;
    return start;
  }

  /** Fills `bytes` from what begins at `start`. */
  read(bytes: Uint8Array, start: number): void {
    for (let at = 0; at < bytes.length; ) {
      const read = readSync(this.#file!.fd, bytes, at, bytes.length - at, start + at);
      if (read === 0) throw new Error("The temporary file of the export ends too early");
      at += read;
    }
  }

  /** Forgets what was appended; the space is used again. */
  clear(): void {
    this.#size = 0;
  }

  [Symbol.dispose](): void {
    if (this.#file === null) return;
    closeSync(this.#file.fd);
    rmSync(this.#file.folder, { recursive: true, force: true });
    this.#file = null;
  }
}

/**
 * A new folder among the system's temporary files whose name begins with `name`.
 * @throws Refusal if there can be none
 */
export function makeTemporaryFolder(name: string): string {
  try {
    return mkdtempSync(join(tmpdir(), name));
  } catch (error) {
    throw noTemporaryFile(error);
  }
}

/** The refusal of what needs a temporary file, which could not be written. */
export const noTemporaryFile = (error: unknown): Refusal =>
  new Refusal(
    "unavailable",
    `No temporary file can be written (${withoutPaths(messageOf(error))}): look at TMPDIR and its disk`,
  );

function create() {
  const folder = makeTemporaryFolder("barkeep-export-");
  const fd = openSync(join(folder, "rows"), "wx+", 0o600);
  // An open file stays readable without its name, so that nothing is left behind if the process is killed.
  if (process.platform !== "win32") rmSync(folder, { recursive: true });
  return { fd, folder };
}
