/** Whether a database file is still the one that was opened. */

import { type Stats, statSync } from "node:fs";

/** How often the file is looked at, milliseconds. */
const EVERY_MS = 1_000;

/** The file is not the one that was opened: what is written would be in no file that anybody finds. */
export class DatabaseGone extends Error {
  override readonly name = "DatabaseGone";
}

export class FileIdentity {
  readonly #opened: Stats;
  #checked = Number.NEGATIVE_INFINITY;
  #fault: string | null = null;

  /** @throws Error if there is no file at `path` */
  constructor(private readonly path: string) {
    this.#opened = statSync(path);
  }

  /** What has become of the file, and what to do; `null` if it is the one that was opened. */
  fault(): string | null {
    const now = performance.now();
    if (now - this.#checked < EVERY_MS) return this.#fault;
    this.#checked = now;
    const found = statSync(this.path, { throwIfNoEntry: false });
    const what =
      found === undefined
        ? "was deleted or moved"
        : found.ino !== this.#opened.ino || found.dev !== this.#opened.dev
          ? "was replaced by another file"
          : found.size === 0
            ? "was emptied"
            : null;
    this.#fault =
      what === null
        ? null
        : `The database file ${this.path} ${what} while the server used it. Nothing more is stored: stop the server, put the file back or restore a backup, and start it again.`;
    return this.#fault;
  }

  /** @throws DatabaseGone */
  check(): void {
    const fault = this.fault();
    if (fault !== null) throw new DatabaseGone(fault);
  }
}
