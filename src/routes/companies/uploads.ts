/** Files of bars that were checked and wait for their import, each in a temporary folder of its own. */

import { constants, rmSync } from "node:fs";
import { copyFile, link, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "../../domain/errors.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { makeTemporaryFolder, noTemporaryFile } from "../../pipeline/exports/spill-file.ts";
import { fileNameFor } from "../../providers/files/file-names.ts";

/** Uploads that wait; the oldest is dropped for a new one. */
const MAX_WAITING = 8;
/** The message for a file that was dropped for newer ones before it was read. */
export const TOO_MANY = "Too many files were sent at once: send this one again";

/**
 * Copies a file to a place where none is. It appears there as a whole: half of it would be read as all there is.
 * @throws Error with the code `EEXIST` if there is one; nothing is left there after another error
 */
export async function storeNew(path: string, target: string): Promise<void> {
  const part = `${target}.part`;
  try {
    await copyFile(path, part);
    await link(part, target).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") throw error;
      // Not every file system has links; this one has just had room for a copy.
      await rm(part);
      await copyFile(path, target, constants.COPYFILE_EXCL);
    });
  } finally {
    await rm(part, { force: true });
  }
}

interface Upload {
  readonly folder: string;
  readonly path: string;
  readonly name: string;
  readonly symbol: string;
  readonly interval: Interval;
}

export class Uploads {
  readonly #waiting = new Map<string, Upload>();

  /**
   * Stores an uploaded file until it is imported, dropped, or the server closes.
   * @throws Refusal if this one was dropped for newer ones meanwhile, or cannot be written
   */
  async keep(file: File, symbol: string, interval: Interval): Promise<[id: string, upload: Upload]> {
    const id = crypto.randomUUID();
    const folder = makeTemporaryFolder("barkeep-file-");
    const path = join(folder, fileNameFor(file.name, symbol, interval));
    const upload = { folder, path, name: file.name, symbol, interval };
    this.#waiting.set(id, upload);
    try {
      await writeFile(path, new Uint8Array(await file.arrayBuffer()));
    } catch (error) {
      if (!this.#waiting.has(id)) throw new Refusal("too_many", TOO_MANY);
      this.drop(id);
      throw noTemporaryFile(error);
    }
    if (this.#waiting.size > MAX_WAITING) this.drop(this.#waiting.keys().next().value!);
    return [id, upload];
  }

  find(id: string): Upload | undefined {
    return this.#waiting.get(id);
  }

  drop(id: string): void {
    const upload = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (upload) rmSync(upload.folder, { recursive: true, force: true });
  }

  close(): void {
    for (const id of [...this.#waiting.keys()]) this.drop(id);
  }
}
