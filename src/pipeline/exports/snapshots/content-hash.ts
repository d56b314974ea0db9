/**
 * The hash of a table's content: the same wherever the same bars, features, calendar and actions are, whatever the
 * order in which they were stored, and independent of how the rows are cut into blocks and of the bytes of files.
 */

import type { Calendar } from "../../../domain/market/calendar.ts";
import type { CorporateAction } from "../../../domain/market/corporate-actions.ts";
import type { Venue } from "../../../domain/market/exchanges/exchanges.ts";
import { DAY } from "../../../domain/market/interval.ts";
import type { Dtype } from "../table-block.ts";

const sha256 = () => new Bun.CryptoHasher("sha256");

/** Numbers in a form that has one byte pattern for each value: one NaN, one zero, and floats as they are written. */
export function canonical(column: Float64Array, dtype: Dtype): Float64Array {
  return column.map((value) =>
    Number.isNaN(value) ? Number.NaN : (dtype === "float32" ? Math.fround(value) : value) + 0,
  );
}

export const bytesOf = (column: Float64Array): Uint8Array =>
  new Uint8Array(column.buffer, column.byteOffset, column.byteLength);

/** The hash of one symbol: a hash of each column, whatever its blocks. */
export class SymbolHash {
  readonly #columns: Bun.CryptoHasher[];

  /** @param columns how many, the time included */
  constructor(columns: number) {
    this.#columns = Array.from({ length: columns }, sha256);
  }

  /** Takes canonical columns of the next rows. */
  add(columns: readonly Float64Array[]): void {
    for (const [k, column] of columns.entries()) this.#columns[k]!.update(bytesOf(column));
  }

  /** @param actions those that were recorded for the symbol, in any order */
  end(symbol: string, rows: number, actions: readonly CorporateAction[]): string {
    const hash = sha256().update(JSON.stringify([symbol, rows, sortedActions(actions)]));
    for (const column of this.#columns) hash.update(column.digest());
    return hash.digest("hex");
  }
}

const sortedActions = (actions: readonly CorporateAction[]) =>
  actions.map(({ kind, date, value, currency }) => JSON.stringify([kind, date, value, currency ?? ""])).sort();

/** What a table has beside its rows. */
export interface ContentHead {
  readonly interval: string;
  readonly adjust: string;
  readonly dtype: Dtype;
  readonly columns: readonly string[];
  readonly catalogVersion: string;
  readonly calendarVersion: string;
}

/** @param symbols the hashes by symbol, in the order of the symbols */
export function contentHash(head: ContentHead, symbols: readonly string[]): string {
  const { interval, adjust, dtype, columns, catalogVersion, calendarVersion } = head;
  const facts = [
    "barkeep snapshot 1",
    interval,
    adjust,
    dtype,
    columns,
    catalogVersion,
    calendarVersion,
    symbols.length,
  ];
  return sha256()
    .update(JSON.stringify([...facts, ...symbols]))
    .digest("hex");
}

/** The version of a calendar: a hash of the sessions of some venues over the days of a table (epoch seconds, inclusive). */
export function calendarVersionOf(calendar: Calendar, venues: readonly Venue[], from: number, to: number): string {
  const hash = sha256();
  const first = Math.floor(from / DAY) * DAY;
  for (const venue of [...new Set(venues)].sort()) {
    hash.update(JSON.stringify([venue]));
    if (from > to) continue;
    for (const { date, open, close, lunch } of calendar.sessionsBetween(venue, first, to))
      hash.update(JSON.stringify([date, open, close, lunch?.from ?? 0, lunch?.to ?? 0]));
  }
  return hash.digest("hex").slice(0, 16);
}
