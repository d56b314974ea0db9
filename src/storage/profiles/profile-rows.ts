/** Profiles in memory: an entry each, and the newest values of some features in columns. */

import { type Interval, READ_INTERVALS, type ReadInterval } from "../../domain/market/interval.ts";
import { largerWithin, rankWithin } from "../../domain/profiles/evaluate.ts";
import type { ColumnOperand } from "../../domain/profiles/screener.ts";
import type { Row } from "../db.ts";
import type { FeatureList } from "./feature-lists.ts";
import { readValues } from "./feature-values.ts";

/** What lists show of a profile, besides features and health. */
export interface ProfileEntry<Of extends ReadInterval = Interval> {
  /** Its place in the columns. */
  readonly at: number;
  readonly symbol: string;
  readonly interval: Of;
  readonly seriesId: number;
  readonly provider: string;
  /** The session policy of its series. */
  readonly sessions: string;
  /** Start of the first and the last bar, epoch seconds. */
  readonly firstBar: number;
  readonly lastBar: number;
  readonly bars: number;
  /** Whether a batch of its range was never answered. */
  readonly incomplete: boolean;
  /** How many features have a value. */
  readonly knownFeatures: number;
  readonly catalogVersion: string;
  /** Epoch milliseconds. */
  readonly updatedAt: number;
}

/** What a row must begin with to become an entry. */
export const ENTRY = `p.revision, p.symbol, p.interval, p.series_id, p.provider, p.first_bar, p.last_bar,
p.backfill ->> '$.history_rows', p.backfill ->> '$.history_complete', p.known_features, p.catalog_version, p.updated_at,
(SELECT s.sessions FROM series s WHERE s.id = p.series_id)`;

export class ProfileRows<Of extends ReadInterval = Interval> {
  /** The newest revision. */
  newest = 0;
  /** By their place. */
  readonly entries: ProfileEntry<Of>[] = [];
  readonly #revisions: number[] = [];
  readonly #atKey = new Map<string, number>();
  readonly #atRevision = new Map<number, number>();
  readonly #columns = new Map<string, Float64Array>();
  readonly #ranks = new Map<string, Float64Array>();
  readonly #larger = new Map<string, Float64Array>();
  readonly #texts = new Map<string, string>();
  /** Places in the order of symbol and interval, and the entries in that order once they were needed. */
  #order: number[] = [];
  #ordered: readonly ProfileEntry<Of>[] | null = null;
  #capacity = 0;

  /** The features that have a column. */
  get features(): string[] {
    return [...this.#columns.keys()];
  }

  /** Adds columns without values. */
  addColumns(features: readonly string[]): void {
    for (const feature of features) this.#columns.set(feature, new Float64Array(this.#capacity).fill(Number.NaN));
  }

  /** Adds rows that begin with `ENTRY`, in the order of their revisions; `fill` sets their values. */
  put(rows: readonly Row[]): void {
    this.#ranks.clear();
    this.#larger.clear();
    this.#ordered = null;
    const added: number[] = [];
    for (const row of rows) {
      const [revision, symbol, interval] = row as [number, string, Of];
      const key = `${symbol}/${interval}`;
      let at = this.#atKey.get(key);
      if (at === undefined) {
        at = this.entries.length;
        this.#atKey.set(key, at);
        added.push(at);
      } else this.#atRevision.delete(this.#revisions[at]!);
      this.entries[at] = this.#entryOf(at, row);
      this.#revisions[at] = revision;
      this.#atRevision.set(revision, at);
      this.newest = revision;
    }
    this.#grow();
    if (added.length > 0) this.#insert(added);
  }

  /** Sets the values of some columns for the profile of a revision, if that is its newest. */
  fill(revision: number, bytes: unknown, places: FeatureList["places"], features: readonly string[]): void {
    const at = this.#atRevision.get(revision);
    if (at === undefined) return;
    const values = readValues(bytes);
    for (const feature of features) this.#columns.get(feature)![at] = values[places.get(feature) ?? -1] ?? Number.NaN;
  }

  /** The values of an operand whose feature has a column, by place; the column may be longer than there are entries. */
  column(operand: ColumnOperand): Float64Array {
    if ("feature" in operand) return this.#columns.get(operand.feature)!;
    return this.#within(this.#ranks, operand.rankOf, rankWithin);
  }

  /** For each entry how many of its interval have a larger value of a feature that has a column. */
  larger(feature: string): Float64Array {
    return this.#within(this.#larger, feature, largerWithin);
  }

  #within(known: Map<string, Float64Array>, feature: string, places: typeof rankWithin): Float64Array {
    return known.getOrInsertComputed(feature, () => {
      const intervals = this.entries.map(({ interval }) => READ_INTERVALS.indexOf(interval));
      return places(this.#columns.get(feature)!, intervals);
    });
  }

  /** All entries by symbol and interval. */
  inOrder(): readonly ProfileEntry<Of>[] {
    this.#ordered ??= this.#order.map((at) => this.entries[at]!);
    return this.#ordered;
  }

  #entryOf(at: number, row: Row): ProfileEntry<Of> {
    return {
      at,
      symbol: row[1] as string,
      interval: this.#shared(row[2] as Of),
      seriesId: row[3] as number,
      provider: this.#shared(row[4] as string),
      firstBar: row[5] as number,
      lastBar: row[6] as number,
      bars: (row[7] as number | null) ?? 0,
      incomplete: row[8] === 0,
      knownFeatures: row[9] as number,
      catalogVersion: this.#shared(row[10] as string),
      updatedAt: row[11] as number,
      sessions: this.#shared(row[12] as string),
    };
  }

  /** One copy of a text that many rows have. */
  #shared<T extends string>(text: T): T {
    const known = this.#texts.get(text);
    if (known === undefined) this.#texts.set(text, text);
    return (known ?? text) as T;
  }

  #grow(): void {
    if (this.entries.length <= this.#capacity) return;
    this.#capacity = 2 * this.entries.length;
    for (const [feature, values] of this.#columns) {
      const larger = new Float64Array(this.#capacity).fill(Number.NaN);
      larger.set(values);
      this.#columns.set(feature, larger);
    }
  }

  /** Merges new places into the order, which is faster than to sort all of them again. */
  #insert(added: number[]): void {
    const isAfter = (a: number, b: number) => byKey(this.entries[a]!, this.entries[b]!) > 0;
    added.sort((a, b) => byKey(this.entries[a]!, this.entries[b]!));
    const before = this.#order;
    const merged = new Array<number>(before.length + added.length);
    let [old, fresh] = [before.length - 1, added.length - 1];
    for (let to = merged.length - 1; to >= 0; to--) {
      const takesOld = fresh < 0 || (old >= 0 && isAfter(before[old]!, added[fresh]!));
      merged[to] = takesOld ? before[old--]! : added[fresh--]!;
    }
    this.#order = merged;
  }
}

function byKey(a: ProfileEntry<ReadInterval>, b: ProfileEntry<ReadInterval>): number {
  if (a.symbol !== b.symbol) return a.symbol < b.symbol ? -1 : 1;
  return a.interval < b.interval ? -1 : Number(a.interval > b.interval);
}
