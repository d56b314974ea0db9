/** Watchlists: named lists of symbols. */

import { asc, eq, sql } from "drizzle-orm";
import { quote, Refusal } from "../../domain/errors.ts";
import { withoutUs } from "../../domain/market/symbol.ts";
import { cleanName } from "../../schemas.ts";
import { auditStatement, record } from "../access/audit.ts";
import { byName, nameKey, writeNamed } from "../connection/unique-names.ts";
import type { Database } from "../db.ts";
import { watchlistSymbols, watchlists } from "../schema/companies.ts";

export interface Watchlist {
  readonly id: number;
  readonly name: string;
  readonly symbols: number;
}

/** All watchlists by name, with the number of their symbols. */
export async function readWatchlists(db: Database): Promise<Watchlist[]> {
  const rows = await db.orm
    .select({ id: watchlists.id, name: watchlists.name, symbols: sql<number>`count(${watchlistSymbols.symbol})` })
    .from(watchlists)
    .leftJoin(watchlistSymbols, eq(watchlistSymbols.watchlistId, watchlists.id))
    .groupBy(watchlists.id);
  return rows.sort(byName);
}

/** @throws Refusal if there is no such watchlist */
export async function requireWatchlist(db: Database, id: number): Promise<{ id: number; name: string }> {
  const row = await db.orm.select().from(watchlists).where(eq(watchlists.id, id)).get();
  if (row) return row;
  throw new Refusal("not_found", `There is no watchlist ${id}`);
}

/** @throws Refusal if there is no watchlist of that name */
export async function watchlistNamed(db: Database, name: string): Promise<{ id: number; name: string }> {
  const rows = await db.orm.select().from(watchlists);
  // As it was typed first: an earlier version may have stored names that are the same name now.
  const found =
    rows.find((each) => each.name === name) ?? rows.find((each) => nameKey(each.name) === nameKey(cleanName(name)));
  if (found) return found;
  throw new Refusal("not_found", `There is no watchlist named ${quote(name)}`);
}

/** The symbols of a watchlist in alphabetical order. */
export async function symbolsOf(db: Database, id: number): Promise<string[]> {
  const rows = await db.orm
    .select({ symbol: watchlistSymbols.symbol })
    .from(watchlistSymbols)
    .where(eq(watchlistSymbols.watchlistId, id))
    .orderBy(asc(watchlistSymbols.symbol));
  return rows.map(({ symbol }) => symbol);
}

/**
 * Creates a watchlist with these symbols and returns its id.
 * @throws Refusal if another one has the name
 */
export async function createWatchlist(db: Database, name: string, symbols: readonly string[]): Promise<number> {
  const row = await writeNamed(db, { table: "watchlists", name }, () =>
    db.orm.insert(watchlists).values({ name, createdAt: Date.now() }).returning({ id: watchlists.id }).get(),
  );
  await record(db, { action: "watchlist.create", subject: name, after: { id: row.id } });
  await addToWatchlist(db, row.id, symbols);
  return row.id;
}

/** @throws Refusal if another one has the name */
export async function renameWatchlist(db: Database, id: number, name: string): Promise<void> {
  const before = await nameOf(db, id);
  await writeNamed(db, { table: "watchlists", name, id }, () =>
    db.write([
      db.orm.update(watchlists).set({ name }).where(eq(watchlists.id, id)),
      ...auditStatement({ action: "watchlist.rename", subject: name, before: { name: before }, after: { name } }),
    ]),
  );
}

export async function deleteWatchlist(db: Database, id: number): Promise<void> {
  const [subject, symbols] = [await nameOf(db, id), await symbolsOf(db, id)];
  await db.write([
    db.orm.delete(watchlists).where(eq(watchlists.id, id)),
    ...auditStatement({ action: "watchlist.delete", subject, before: { symbols } }),
  ]);
}

/** Adds symbols; unknown ones are added to the companies too, without a name. */
export async function addToWatchlist(db: Database, id: number, symbols: readonly string[]): Promise<void> {
  if (symbols.length === 0) return;
  const list = JSON.stringify([...new Set(symbols.map(withoutUs))]);
  const known = `insert into companies (symbol, source, updated_at)
    select value, 'watchlist', ? from json_each(?) where true on conflict do nothing`;
  const listed = `insert into watchlist_symbols (watchlist_id, symbol)
    select ?, value from json_each(?) where true on conflict do nothing`;
  await db.write([
    { sql: known, args: [Date.now(), list] },
    { sql: listed, args: [id, list] },
    ...auditStatement({ action: "watchlist.add", subject: await nameOf(db, id), after: { symbols } }),
  ]);
}

export async function removeFromWatchlist(db: Database, id: number, symbols: readonly string[]): Promise<void> {
  const sql = `delete from watchlist_symbols
    where watchlist_id = ? and symbol in (select value from json_each(?))`;
  if (symbols.length === 0) return;
  await db.write([
    { sql, args: [id, JSON.stringify(symbols)] },
    ...auditStatement({ action: "watchlist.remove", subject: await nameOf(db, id), before: { symbols } }),
  ]);
}

const nameOf = async (db: Database, id: number): Promise<string> =>
  (await db.orm.select({ name: watchlists.name }).from(watchlists).where(eq(watchlists.id, id)).get())?.name ??
  String(id);
