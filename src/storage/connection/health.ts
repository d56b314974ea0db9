/** Whether the database can be written: one state for the whole server, with its cause and its beginning. */

import { consequenceOf, faultOf, type StorageTrouble } from "../../domain/errors.ts";
import type { Log } from "../../log.ts";
import type { Database } from "./database.ts";
import { storageFault } from "./trouble.ts";

/** How often it is looked whether the file is still there, milliseconds. */
const LOOK_MS = 2_000;

interface Dependencies {
  /** The connection of the main thread. */
  readonly db: Database;
  readonly log: Log;
  /** It has begun, become another one, or is over (`null`). */
  onChange(trouble: StorageTrouble | null): void;
}

export class StorageHealth {
  /** What each connection reports: the main thread's, those of the workers, and what does not pass. */
  readonly #reports = new Map<object, StorageTrouble>();
  #current: StorageTrouble | null = null;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(private readonly dependencies: Dependencies) {
    const { db } = dependencies;
    db.watch((trouble) => this.report(db, trouble));
    this.#timer = setInterval(() => this.current(), LOOK_MS);
  }

  /** The trouble that lasts; `null` if all is well. */
  current(): StorageTrouble | null {
    const { db } = this.dependencies;
    this.report(db, db.trouble());
    return this.#current;
  }

  /** A connection is in trouble, or no longer (`null`). */
  report(source: object, trouble: StorageTrouble | null): void {
    if (trouble === null) this.#reports.delete(source);
    else this.#reports.set(trouble.canPass ? source : LASTING, trouble);
    this.#update();
  }

  /** Notes an error of a read that shows damage: that does not pass by itself. */
  note(error: unknown): void {
    if (storageFault(error)?.kind === "damaged") this.report(LASTING, { ...faultOf("damaged"), since: Date.now() });
  }

  close(): void {
    clearInterval(this.#timer);
    this.dependencies.db.watch(() => {});
  }

  #update(): void {
    const before = this.#current;
    const reports = [...this.#reports.values()];
    // What does not pass matters most.
    const worst = reports.find(({ canPass }) => !canPass) ?? reports[0];
    if (worst?.what === before?.what) return;
    this.#current = worst === undefined ? null : { ...worst, since: before?.since ?? worst.since };
    const { log, onChange } = this.dependencies;
    if (this.#current !== null) {
      const { what, advice } = this.#current;
      log.write("error", `${what}. ${advice} ${consequenceOf(this.#current)}`);
    } else if (before !== null) {
      const seconds = Math.max(1, Math.round((Date.now() - before.since) / 1_000));
      log.write("info", `The database can be written again, after ${seconds} s: the work goes on`);
    }
    onChange(this.#current);
  }
}

/** What no connection can report to be over. */
const LASTING = {};
