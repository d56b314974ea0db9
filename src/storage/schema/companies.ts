/** Known companies, the lists they came from, and watchlists. */

import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/**
 * Companies that were imported or listed by a provider. Their names are searched in the full-text table
 * `company_names`, which triggers keep in step; drizzle cannot declare it, so it exists only in the migrations.
 */
export const companies = sqliteTable(
  "companies",
  {
    id: integer().primaryKey(),
    symbol: text().notNull().unique(),
    name: text().notNull().default(""),
    exchange: text().notNull().default(""),
    /** The provider that listed it, or `import`. */
    source: text().notNull(),
    /** Epoch milliseconds, larger than that of any earlier write. */
    updatedAt: integer("updated_at").notNull(),
    type: text(),
    currency: text(),
    country: text(),
    sector: text(),
    industry: text(),
    listedOn: text("listed_on"),
    /** Empty also where it is listed: then `origins` has an entry. */
    delistedOn: text("delisted_on"),
    isin: text(),
    figi: text(),
    /** Where each fact came from, and when (epoch milliseconds): `{"sector": ["eodhd", 1764374400000]}`. */
    origins: text().notNull().default("{}"),
  },
  (t) => [
    index("companies_by_update").on(t.updatedAt),
    index("companies_by_exchange").on(t.exchange),
    index("companies_by_type").on(t.type),
    index("companies_by_currency").on(t.currency),
    index("companies_by_country").on(t.country),
    index("companies_by_sector").on(t.sector),
    index("companies_by_industry").on(t.industry),
  ],
);

/** The lists fetched from providers, so that they are not requested again soon. */
export const companyLists = sqliteTable(
  "company_lists",
  {
    provider: text().notNull(),
    exchange: text().notNull(),
    companies: integer().notNull(),
    /** Epoch milliseconds. */
    fetchedAt: integer("fetched_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.provider, t.exchange] })],
);

/** Named lists of symbols. */
export const watchlists = sqliteTable(
  "watchlists",
  {
    id: integer().primaryKey(),
    name: text().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [uniqueIndex("watchlists_name").on(sql`lower(${t.name})`)],
);

/** The symbols of a watchlist; they need not be known companies. */
export const watchlistSymbols = sqliteTable(
  "watchlist_symbols",
  {
    watchlistId: integer("watchlist_id")
      .notNull()
      .references(() => watchlists.id, { onDelete: "cascade" }),
    symbol: text().notNull(),
  },
  (t) => [primaryKey({ columns: [t.watchlistId, t.symbol] })],
);
