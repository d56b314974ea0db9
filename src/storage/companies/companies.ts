/** Known companies: written in bulk, found by the start of their symbol or of any word of their name. */

import { and, eq, sql } from "drizzle-orm";
import {
  COMPANY_FILTERS,
  type Company,
  type CompanyFacts,
  type CompanyFilter,
  type CompanyFilterName,
  FACT_NAMES,
  type FactName,
  LISTINGS,
} from "../../domain/companies.ts";
import { chunks, type Database, type Row } from "../db.ts";
import { companies, companyLists } from "../schema/companies.ts";

/** Companies per statement. */
const CHUNK = 1_000;

interface StoredCompany extends Company {
  readonly facts: CompanyFacts;
  /** Where each fact came from, and when (epoch milliseconds). */
  readonly origins: Readonly<Partial<Record<FactName, readonly [source: string, at: number]>>>;
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
  /** Only companies with these facts. */
  readonly filter?: CompanyFilter;
}

export interface CompanyPage {
  readonly companies: readonly StoredCompany[];
  /** The cursor of the next page; `null` on the last one. */
  readonly next: string | null;
}

/**
 * Inserts companies and updates known ones; what is not known of one never replaces what is. Uses several transactions, so
 * that other writers do not wait long.
 */
export async function storeCompanies(db: Database, rows: readonly Company[], source: string): Promise<void> {
  const now = Date.now();
  for (const part of chunks(rows, CHUNK)) {
    if (part.every(({ facts = {} }) => Object.keys(facts).length === 0)) {
      const values = part.map(({ symbol, name, exchange }) => [symbol, name, exchange]);
      await db.write([{ sql: UPSERT_NAMES, args: [source, now, JSON.stringify(values)] }]);
      continue;
    }
    const values = part.map(({ symbol, name, exchange, facts = {} }) => {
      const origins = Object.fromEntries(Object.keys(facts).map((fact) => [fact, [source, now]]));
      return [symbol, name, exchange, JSON.stringify(origins), ...FACT_NAMES.map((fact) => facts[fact] || null)];
    });
    await db.write([{ sql: UPSERT, args: [source, now, JSON.stringify(values)] }]);
  }
}

/** The moment of a write as a revision: later than every earlier one. */
const REVISION = "max(?2, coalesce((select max(updated_at) + 1 from companies), 0))";
const FACT_COLUMNS = FACT_NAMES.join(", ");
const SAYS_LISTING = "json_type(excluded.origins, '$.delisted_on') is not null";
/** A ticker that was seen listed after the day on which an earlier owner of it was delisted. */
const OUTLIVED = `(excluded.delisted_on is not null and companies.delisted_on is null and
  excluded.delisted_on < date((companies.origins ->> '$.delisted_on[1]') / 1000, 'unixepoch'))`;

const SET_NAMES = `name = iif(excluded.name = '', name, excluded.name),
    exchange = iif(excluded.exchange = '', exchange, excluded.exchange),
    source = excluded.source, updated_at = excluded.updated_at`;

/** For companies without facts: setting a column writes its index again, even if its value stays. */
const UPSERT_NAMES = `insert into companies (symbol, name, exchange, source, updated_at)
  select value ->> 0, value ->> 1, value ->> 2, ?1, ${REVISION} from json_each(?3) where true
  on conflict (symbol) do update set ${SET_NAMES}`;

const UPSERT = `insert into companies (symbol, name, exchange, source, updated_at, origins, ${FACT_COLUMNS})
  select value ->> 0, value ->> 1, value ->> 2, ?1, ${REVISION}, value ->> 3,
    ${FACT_NAMES.map((_, at) => `value ->> ${4 + at}`).join(", ")} from json_each(?3) where true
  on conflict (symbol) do update set ${SET_NAMES},
    ${FACT_NAMES.filter((fact) => fact !== "delisted_on")
      .map((fact) => `${fact} = coalesce(excluded.${fact}, ${fact})`)
      .join(", ")},
    delisted_on = case when not (${SAYS_LISTING}) then delisted_on when ${OUTLIVED} then null
      else excluded.delisted_on end,
    origins = json_patch(origins, iif(${OUTLIVED}, json_remove(excluded.origins, '$.delisted_on'), excluded.origins))`;

const COLUMNS = `c.symbol, c.name, c.exchange, c.source, c.updated_at, c.origins, ${FACT_NAMES.map((fact) => `c.${fact}`).join(", ")}`;
const IN_WATCHLIST = "c.symbol in (select symbol from watchlist_symbols where watchlist_id = ?)";
const IS_LISTED = "c.delisted_on is null and c.origins ->> '$.delisted_on' is not null";

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
    const bound = statement(search, number === group ? last : "", conditionsOf(query), needed);
    if (bound === null) continue;
    for (const row of await db.rows(bound.sql, bound.args)) found.push({ group: number, company: companyOf(row) });
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

function companyOf(row: Row): StoredCompany {
  const [symbol, name, exchange, source, updatedAt, origins, ...values] = row as [
    string,
    string,
    string,
    string,
    number,
    string,
    ...(string | null)[],
  ];
  const from = JSON.parse(origins) as StoredCompany["origins"];
  const facts = Object.fromEntries(
    FACT_NAMES.flatMap((fact, at) => (from[fact] === undefined ? [] : [[fact, values[at] ?? ""]])),
  );
  return { symbol, name, exchange, source, updatedAt: Number(updatedAt), facts, origins: from };
}

/** The conditions of a query besides its search, as the end of a `where`. */
function conditionsOf({ watchlist, filter = {} }: CompanyQuery): Asked {
  const conditions: string[] = [];
  const args: unknown[] = [];
  const { listing, ...facts } = filter;
  for (const [fact, value] of Object.entries(facts)) {
    conditions.push(`c.${fact} = ?`);
    args.push(value);
  }
  if (listing !== undefined) conditions.push(listing === "delisted" ? "c.delisted_on is not null" : IS_LISTED);
  if (watchlist !== undefined) {
    conditions.push(IN_WATCHLIST);
    args.push(watchlist);
  }
  return { sql: conditions.map((condition) => ` and ${condition}`).join(""), args };
}

/** A range scan of the index on symbols: all that start with the search. */
function bySymbol(search: string, last: string, more: Asked, limit: number): Asked {
  const prefix = search.toUpperCase();
  return {
    // The order of symbols comes from their index, and not from a sort of all that have a fact.
    sql: `select ${COLUMNS} from companies c where c.symbol >= ? and c.symbol < ? and c.symbol > ?${more.sql}
      order by c.symbol limit ?`,
    args: [prefix, `${prefix}\u{10ffff}`, last, ...more.args, limit],
  };
}

/** Names that have all words of the search, except those of companies already found by their symbol. */
function byName(search: string, last: string, more: Asked, limit: number): Asked | null {
  const words = search.match(/[\p{L}\p{N}]+/gu);
  if (words === null) return null;
  const prefix = search.toUpperCase();
  return {
    sql: `select ${COLUMNS} from company_names n join companies c on c.id = n.rowid
      where n.company_names match ? and c.symbol > ? and not (c.symbol >= ? and c.symbol < ?)${more.sql}
      order by c.symbol limit ?`,
    args: [words.map((word) => `"${word}"*`).join(" "), last, prefix, `${prefix}\u{10ffff}`, ...more.args, limit],
  };
}

/** Most values of a filter that are offered. */
const MAX_VALUES = 500;

/** The values that companies have of a column, in order; each is one step down its index. */
async function valuesOf(db: Database, column: string): Promise<string[]> {
  const rows = await db.rows(
    `with recursive v(x) as (select min(${column}) from companies
      union all select (select min(${column}) from companies where ${column} > v.x) from v where v.x is not null)
      select x from v where x <> '' limit ${MAX_VALUES}`,
    [],
  );
  return rows.map(([value]) => value as string);
}

/** What companies can be filtered by, with the values that there are. */
export async function readFilterValues(db: Database): Promise<Readonly<Record<CompanyFilterName, readonly string[]>>> {
  const columns = COMPANY_FILTERS.filter((name) => name !== "listing");
  const values = await Promise.all(columns.map(async (name) => [name, await valuesOf(db, name)] as const));
  return { ...(Object.fromEntries(values) as Record<CompanyFilterName, string[]>), listing: [...LISTINGS] };
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
