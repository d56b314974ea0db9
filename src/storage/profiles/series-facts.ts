/**
 * The facts behind the health of all series, in memory: read once, and then those of series whose facts have changed, whoever
 * writes them. Triggers record that in `health_changes`.
 */

import { NO_FAULTS, type SeriesFacts } from "../../domain/profiles/health.ts";
import { type Database, yieldToEvents } from "../db.ts";
import { readFaults, readSeriesFacts } from "./health.ts";

/** Series whose facts are read at a time: a few milliseconds. */
const SLICE = 500;
const NEWEST = "SELECT coalesce(max(revision), 0) FROM health_changes";
const CHANGED = `SELECT revision, series_id FROM health_changes WHERE revision > ? ORDER BY revision LIMIT ${SLICE}`;

export class SeriesFactsCache {
  /** Those that differ from `NO_FAULTS`, by the id of the series. */
  readonly #known = new Map<number, SeriesFacts>();
  /** The newest change that is known; `null` before the first read. */
  #newest: number | null = null;
  /** The end of the last read: one follows the other. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(private readonly db: Database) {}

  /** Brings the facts up to date. */
  update(): Promise<void> {
    const read = this.#reading.then(() => this.#update());
    this.#reading = read.catch(() => {});
    return read;
  }

  /** The facts of a series at the last update. */
  of(seriesId: number): SeriesFacts {
    return this.#known.get(seriesId) ?? NO_FAULTS;
  }

  async #update(): Promise<void> {
    if (this.#newest === null) {
      const [row] = await this.db.rows(NEWEST, []);
      this.#known.clear();
      for await (const slice of readFaults(this.db)) for (const [id, facts] of slice) this.#known.set(id, facts);
      this.#newest = row![0] as number;
    }
    for (;;) {
      const changes = (await this.db.rows(CHANGED, [this.#newest])) as [revision: number, seriesId: number][];
      if (changes.length === 0) return;
      const ids = changes.map(([, id]) => id);
      const facts = await readSeriesFacts(this.db, ids);
      for (const id of ids) {
        const found = facts.get(id);
        if (found === undefined) this.#known.delete(id);
        else this.#known.set(id, found);
      }
      this.#newest = changes.at(-1)![0];
      if (changes.length < SLICE) return;
      await yieldToEvents();
    }
  }
}
