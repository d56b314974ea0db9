/** Files of bars that were checked and wait for their import, each in a temporary folder of its own. */

import { rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Refusal } from "../../domain/errors.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { makeTemporaryFolder, noTemporaryFile } from "../../pipeline/exports/spill-file.ts";
import { fileNameFor } from "../../providers/files/file-names.ts";

/** Uploads that wait; the oldest is dropped for a new one. */
const MAX_WAITING = 8;
/** The message for a file that was dropped for newer ones before it was read. */
export const TOO_MANY = "Too many files were sent at once: send this one again";

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
