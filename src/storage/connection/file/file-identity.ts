/** Whether a database file is still the one that was opened. */

import { statSync } from "node:fs";
import type { StorageFault } from "../../../domain/errors.ts";
import { FaultError } from "../trouble.ts";

/** How often the file is looked at, milliseconds. */
const EVERY_MS = 1_000;

const NAMES = {
  gone: "was deleted or moved",
  replaced: "was replaced by another file",
  emptied: "was emptied",
} as const;

/** What tells a file from another one at its path. */
export interface FileId {
  readonly dev: number;
  readonly ino: number;
}

export class FileIdentity {
  readonly id: FileId;
  #checked = Number.NEGATIVE_INFINITY;
  #fault: StorageFault | null = null;

  /**
   * @param opened the file that another thread of the server has opened at `path`; without it, the one that is there
   * @throws Error if there is none
   */
  constructor(
    private readonly path: string,
    opened: FileId | null = null,
  ) {
    const { dev, ino } = opened ?? statSync(path);
    this.id = { dev, ino };
  }

  /**
   * What has become of the file, and what to do; `null` if it is the one that was opened. One that was moved may come
   * back; what was replaced or emptied is another database, also if the old one takes its place again.
   * @param isSuspect whether something speaks for a change, so that the file is looked at now and not once a second
   */
  fault(isSuspect = false): StorageFault | null {
    const now = performance.now();
    if (this.#fault?.canPass === false || (!isSuspect && now - this.#checked < EVERY_MS)) return this.#fault;
    this.#checked = now;
    const found = statSync(this.path, { throwIfNoEntry: false });
    if (found === undefined) this.#fault = this.#describe("gone");
    else if (found.ino !== this.id.ino || found.dev !== this.id.dev) this.#fault = this.#describe("replaced");
    else this.#fault = found.size === 0 ? this.#describe("emptied") : null;
    return this.#fault;
  }

  /** @throws FaultError */
  check(isSuspect = false): void {
    const fault = this.fault(isSuspect);
    if (fault !== null) throw new FaultError(fault);
  }

  #describe(what: keyof typeof NAMES): StorageFault {
    const canPass = what === "gone";
    const way = canPass
      ? "Put it back; or stop the server, restore a backup, and start it again."
      : "Stop the server, put the right file in its place or restore a backup, and start it again.";
    return { kind: "gone", what: `The database file ${NAMES[what]} while the server used it`, advice: way, canPass };
  }
}
