/**
 * Answers which profiles match and how they are sorted, from memory. The database stays the truth: every question first
 * reads the rows with a newer revision than the newest one known, whoever wrote them. Long reads are cut into slices
 * between which the thread is free.
 */

import { HEALTHS, type Health, type HealthClock, healthOf } from "../../domain/profiles/health.ts";
import type { ColumnOperand, ScreenFact } from "../../domain/profiles/screener.ts";
import { type Database, type Row, yieldToEvents } from "../db.ts";
import { FactColumns } from "./fact-columns.ts";
import { readFeatureLists } from "./feature-lists.ts";
import { ENTRY, type ProfileEntry, ProfileRows } from "./profile-rows.ts";
import {
  factsOf,
  matching,
  operandsOf,
  type ProfileQuery,
  rankApart,
  simpleConditions,
  sorted,
  sortedBy,
} from "./select-profiles.ts";
import { SeriesFactsCache } from "./series-facts.ts";

/** Rows read at a time: a few milliseconds. */
const SLICE = 500;
/** How often all rows are read again when profiles are deleted meanwhile. */
const ATTEMPTS = 3;

export interface Selection {
  /** All profiles that match, sorted. */
  readonly entries: readonly ProfileEntry[];
  /** The values of the requested columns, by an entry's `at`; NaN where undefined. */
  readonly columns: readonly Float64Array[];
}

const VALUES = "p.feature_values, p.feature_list_id";
const NEWER = `FROM profiles p WHERE p.revision > ? ORDER BY p.revision LIMIT ${SLICE}`;

export class ProfileColumns {
  #rows = new ProfileRows();
  readonly #facts: FactColumns;
  readonly #series: SeriesFactsCache;
  /** The end of the last read: one follows the other. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(private readonly db: Database) {
    this.#facts = new FactColumns(db);
    this.#series = new SeriesFactsCache(db);
  }

  /** Every profile, in the order they were first read. */
  async all(): Promise<readonly ProfileEntry[]> {
    return (await this.#read([])).entries;
  }

  /** The profiles that match a query, and the columns it shows. */
  async select(query: ProfileQuery, clock: HealthClock): Promise<Selection> {
    const { where, healths = [], sort, columns = [] } = query;
    const used = sort !== undefined && "operand" in sort ? [...columns, sort.operand] : columns;
    const named = where === undefined ? [] : [...simpleConditions(where)];
    const operands = [...used, ...named.flatMap(operandsOf)];
    const rows = await this.#read(operands, named.flatMap(factsOf));
    await rankApart(rows, operands, named);
    const shown = columns.map((operand) => rows.column(operand));
    const found = matching(rows, query, this.#facts);
    const byHealth = sort !== undefined && "column" in sort && sort.column === "health";
    if (healths.length === 0 && !byHealth) return { entries: sortedBy(found, sort, rows), columns: shown };

    const known = await this.healthsOf(found, clock);
    // Healths of 50,000 profiles take 10 ms, and so does their order.
    await yieldToEvents();
    const places: number[] = [];
    for (let at = 0; at < found.length; at++) {
      if (healths.length === 0 || healths.includes(known[at]!)) places.push(at);
    }
    const entries = places.map((at) => found[at]!);
    if (!byHealth) return { entries: sortedBy(entries, sort, rows), columns: shown };
    const rankOf = (_: ProfileEntry, place: number) => HEALTHS.indexOf(known[places[place]!]!);
    return { entries: sorted(entries, rankOf, sort.descending), columns: shown };
  }

  /** The health of each of some profiles. */
  async healthsOf(entries: readonly ProfileEntry[], clock: HealthClock): Promise<Health[]> {
    await this.#series.update();
    return entries.map((entry) => healthOf(entry, this.#series.of(entry.seriesId), clock));
  }

  /** Brings the rows up to date, with columns for some operands, and some facts of the companies. */
  #read(operands: readonly ColumnOperand[], facts: readonly ScreenFact[] = []): Promise<ProfileRows> {
    const features = [...new Set(operands.map((each) => ("feature" in each ? each.feature : each.rankOf)))];
    const read = this.#reading.then(async () => {
      await this.#facts.update(facts);
      return this.#update(features);
    });
    this.#reading = read.catch(() => {
      // What was half read is read again.
      this.#rows = new ProfileRows();
    });
    return read;
  }

  async #update(features: readonly string[]): Promise<ProfileRows> {
    for (let attempt = 1; ; attempt++) {
      const rows = this.#rows;
      await this.#addColumns(rows, features);
      await this.#readNewer(rows);
      const [counted] = await this.db.rows("SELECT count(*) FROM profiles", []);
      // A deleted profile has no newer revision: then all rows are read again.
      if (counted![0] === rows.entries.length || attempt === ATTEMPTS) return rows;
      this.#rows = new ProfileRows();
    }
  }

  async #readNewer(rows: ProfileRows): Promise<void> {
    const { features } = rows;
    const query = features.length > 0 ? `SELECT ${ENTRY}, ${VALUES} ${NEWER}` : `SELECT ${ENTRY} ${NEWER}`;
    for (;;) {
      const newer = await this.db.rows(query, [rows.newest]);
      if (newer.length > 0) rows.put(newer);
      if (features.length > 0) await this.#fill(rows, newer, features);
      if (newer.length < SLICE) return;
      await yieldToEvents();
    }
  }

  /** Adds the columns that are missing. A profile that is written meanwhile has a newer revision and is read later. */
  async #addColumns(rows: ProfileRows, features: readonly string[]): Promise<void> {
    const missing = features.filter((feature) => !rows.features.includes(feature));
    rows.addColumns(missing);
    for (let after = 0; missing.length > 0 && after < rows.newest; ) {
      const found = await this.db.rows(`SELECT p.revision, ${VALUES} ${NEWER}`, [after]);
      await this.#fill(rows, found, missing);
      after = (found.at(-1)?.[0] as number | undefined) ?? rows.newest;
      await yieldToEvents();
    }
  }

  /** @param found rows that begin with a revision and end with `VALUES` */
  async #fill(rows: ProfileRows, found: readonly Row[], features: readonly string[]): Promise<void> {
    const listOf = await readFeatureLists(
      this.db,
      found.map((row) => row.at(-1) as number),
    );
    for (const row of found) rows.fill(row[0] as number, row.at(-2), listOf(row.at(-1) as number).places, features);
  }
}
