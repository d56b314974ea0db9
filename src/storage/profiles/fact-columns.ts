/** What is known of companies as columns beside the profiles, kept until a company is written. */

import type { FactColumn } from "../../domain/profiles/evaluate.ts";
import type { ScreenFact } from "../../domain/profiles/screener.ts";
import { type Database, yieldToEvents } from "../db.ts";
import type { ProfileEntry } from "./profile-rows.ts";

/** Companies read at a time: a few milliseconds. */
const SLICE = 2_000;

/** The value of a fact in a row of `companies`, where it is not a column. */
const SOURCES: Readonly<Partial<Record<ScreenFact, string>>> = {
  exchange: "nullif(exchange, '')",
  listing: `CASE WHEN delisted_on IS NOT NULL THEN 'delisted'
WHEN origins ->> '$.delisted_on' IS NOT NULL THEN 'listed' END`,
};

type Named = Pick<ProfileEntry, "symbol">;

/** One fact of all companies: a number per value, and each company's number by its symbol. */
interface Known {
  readonly codes: Map<string, number>;
  readonly values: string[];
  /** The column for the profiles of the last call. */
  column?: { readonly entries: readonly Named[]; readonly length: number; readonly made: FactColumn };
}

export class FactColumns {
  readonly #known = new Map<ScreenFact, Known>();
  #revision = -1;

  constructor(private readonly db: Database) {}

  /** Reads `facts` of all companies, if they are not known or a company was written since. */
  async update(facts: readonly ScreenFact[]): Promise<void> {
    if (facts.length === 0) return;
    const [row] = await this.db.rows("SELECT coalesce(max(updated_at), 0) FROM companies", []);
    const revision = Number(row![0]);
    if (revision !== this.#revision) this.#known.clear();
    this.#revision = revision;
    for (const fact of facts) if (!this.#known.has(fact)) this.#known.set(fact, await this.#read(fact));
  }

  /** The column of a fact that was read, by the place of each entry. */
  column(fact: ScreenFact, entries: readonly Named[]): FactColumn {
    const known = this.#known.get(fact)!;
    const { column } = known;
    if (column !== undefined && column.entries === entries && column.length === entries.length) return column.made;
    const made = {
      codes: Uint32Array.from(entries, ({ symbol }) => known.codes.get(symbol) ?? 0),
      values: known.values,
    };
    known.column = { entries, length: entries.length, made };
    return made;
  }

  async #read(fact: ScreenFact): Promise<Known> {
    const source = SOURCES[fact] ?? fact;
    const codes = new Map<string, number>();
    const numbers = new Map<string, number>();
    for (let after = ""; ; ) {
      const rows = await this.db.rows(
        `SELECT symbol, ${source} FROM companies WHERE symbol > ? AND ${source} IS NOT NULL ORDER BY symbol LIMIT ${SLICE}`,
        [after],
      );
      for (const [symbol, spelled] of rows as [string, string][]) {
        const value = spelled.toLowerCase();
        const number = numbers.get(value) ?? numbers.size + 1;
        numbers.set(value, number);
        codes.set(symbol, number);
      }
      if (rows.length < SLICE) return { codes, values: [...numbers.keys()] };
      after = rows.at(-1)![0] as string;
      await yieldToEvents();
    }
  }
}
