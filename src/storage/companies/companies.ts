/** Known companies: written in bulk, found by the start of their symbol or of any word of their name. */

import { and, eq, sql } from "drizzle-orm";
import type { Company } from "../../domain/companies.ts";
import { chunks, type Database } from "../db.ts";
import { companies, companyLists } from "../schema/companies.ts";

/** Companies per statement. */
const CHUNK = 2_000;

interface StoredCompany extends Company {
  /** The provider that listed it, or `import`. */
  readonly source: string;
  /** Epoch milliseconds. */
  readonly updatedAt: number;
}

export interface CompanyQuery {
  /** The start of a symbol, or of words of a name in any order. */
  readonly search: string;
  readonly limit: number;
  /** Where the previous page ended (`CompanyPage.next`). */
  readonly after?: string | undefined;
  /** Only the symbols of this watchlist. */
  readonly watchlist?: number | undefined;
}

export interface CompanyPage {
  readonly companies: readonly StoredCompany[];
  /** The cursor of the next page; `null` on the last one. */
  readonly next: string | null;
}

/**
 * Inserts companies and updates known ones; an empty name or exchange never replaces a known one. Uses several
 * transactions, so that other writers do not wait long.
 */
export async function storeCompanies(db: Database, rows: readonly Company[], source: string): Promise<void> {
  const now = Date.now();
  for (const part of chunks(rows, CHUNK)) {
    const values = part.map(({ symbol, name, exchange }) => [symbol, name, exchange]);
    await db.write([{ sql: UPSERT, args: [source, now, JSON.stringify(values)] }]);
  }
}

const UPSERT = `insert into companies (symbol, name, exchange, source, updated_at)
  select value ->> 0, value ->> 1, value ->> 2, ?1, ?2 from json_each(?3) where true
  on conflict (symbol) do update set
    name = iif(excluded.name = '', name, excluded.name),
    exchange = iif(excluded.exchange = '', exchange, excluded.exchange),
    source = excluded.source, updated_at = excluded.updated_at`;

const COLUMNS = "c.symbol, c.name, c.exchange, c.source, c.updated_at";
const IN_WATCHLIST = "c.symbol in (select symbol from watchlist_symbols where watchlist_id = ?)";

/**
 * One page of the companies that match: first those whose symbol starts with the search, then those whose name has
 * words that do; both groups sorted by symbol.
 */
export async function searchCompanies(db: Database, query: CompanyQuery): Promise<CompanyPage> {
  const { limit } = query;
  const search = query.search.trim();
  const [group, last] = readCursor(query.after);
  const found: { group: number; company: StoredCompany }[] = [];
  for (const [number, statement] of [bySymbol, byName].entries()) {
    // One more than fits on the page, to know whether there is another page.
    const needed = limit + 1 - found.length;
    if (number < group || needed <= 0) continue;
    const bound = statement(search, number === group ? last : "", query.watchlist, needed);
    if (bound === null) continue;
    const rows = (await db.rows(bound.sql, bound.args)) as [string, string, string, string, number][];
    for (const [symbol, name, exchange, source, updatedAt] of rows) {
      found.push({ group: number, company: { symbol, name, exchange, source, updatedAt: Number(updatedAt) } });
    }
  }
  const page = found.slice(0, limit);
  const end = page.at(-1);
  return {
    companies: page.map(({ company }) => company),
    next: found.length > limit && end ? `${end.group}:${end.company.symbol}` : null,
  };
}

interface Asked {
  readonly sql: string;
  readonly args: readonly unknown[];
}

/** A range scan of the index on symbols: all that start with the search. */
function bySymbol(search: string, last: string, watchlist: number | undefined, limit: number): Asked {
  const prefix = search.toUpperCase();
  const list = watchlist === undefined ? "" : ` and ${IN_WATCHLIST}`;
  return {
    sql: `select ${COLUMNS} from companies c where c.symbol >= ? and c.symbol < ? and c.symbol > ?${list}
      order by c.symbol limit ?`,
    args: [prefix, `${prefix}\u{10ffff}`, last, ...(watchlist === undefined ? [] : [watchlist]), limit],
  };
}

/** Names that have all words of the search, except those of companies already found by their symbol. */
function byName(search: string, last: string, watchlist: number | undefined, limit: number): Asked | null {
  const words = search.match(/[\p{L}\p{N}]+/gu);
  if (words === null) return null;
  const prefix = search.toUpperCase();
  const list = watchlist === undefined ? "" : ` and ${IN_WATCHLIST}`;
  return {
    sql: `select ${COLUMNS} from company_names n join companies c on c.id = n.rowid
      where n.company_names match ? and c.symbol > ? and not (c.symbol >= ? and c.symbol < ?)${list}
      order by c.symbol limit ?`,
    args: [
      words.map((word) => `"${word}"*`).join(" "),
      last,
      prefix,
      `${prefix}\u{10ffff}`,
      ...(watchlist === undefined ? [] : [watchlist]),
      limit,
    ],
  };
}

/** A cursor is the group and the symbol at which a page ended; anything else means the first page. */
function readCursor(after: string | undefined): [group: number, last: string] {
  const parts = /^([01]):(.+)$/.exec(after ?? "");
  return parts ? [Number(parts[1]), parts[2]!] : [0, ""];
}

export async function countCompanies(db: Database): Promise<number> {
  return db.orm.$count(companies);
}

/** The names of those symbols that are known companies. */
export async function companiesNamed(db: Database, symbols: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await db.rows("select symbol, name from companies where symbol in (select value from json_each(?))", [
    JSON.stringify(symbols),
  ]);
  return new Map(rows as [string, string][]);
}

/** The company lists fetched from providers, newest first. */
export async function readCompanyLists(db: Database) {
  return db.orm.select().from(companyLists).orderBy(sql`${companyLists.fetchedAt} desc`);
}

export async function findCompanyList(db: Database, provider: string, exchange: string) {
  return db.orm
    .select()
    .from(companyLists)
    .where(and(eq(companyLists.provider, provider), eq(companyLists.exchange, exchange)))
    .get();
}

/** Records that a provider's list has just been fetched and stored. */
export async function recordCompanyList(
  db: Database,
  list: { provider: string; exchange: string; companies: number },
): Promise<void> {
  const row = { ...list, fetchedAt: Date.now() };
  await db.orm
    .insert(companyLists)
    .values(row)
    .onConflictDoUpdate({ target: [companyLists.provider, companyLists.exchange], set: row })
    .run();
}
