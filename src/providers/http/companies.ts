/** A vendor's list of symbols, read page by page, symbols as users type them. */

import type { z } from "zod";
import type { Company } from "../../domain/companies.ts";
import { ProviderError } from "../../domain/errors.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import type { Exchange, FetchContext } from "../provider.ts";
import type { SettingValues } from "../setting.ts";
import type { Answer } from "./classify.ts";
import type { VendorClient, VendorRequest } from "./client.ts";
import { mayBeCut, type PagedList, type ReadList, readEntries, readPages, readShape } from "./read-answer.ts";
import type { Ticker } from "./ticker.ts";

export interface CompanyListing {
  /** The exchanges that have a list, the default first. */
  readonly exchanges: readonly Exchange[];
  /** The request for a page: `null` is the first, then what `next` named. */
  request(exchange: string, values: SettingValues, page: string | null): VendorRequest;
  /** The content of an answer that is no JSON. */
  open?(answer: Answer): Promise<unknown>;
  /** The shape that an answer must have before it is read. */
  readonly schema: z.ZodType;
  /** The entries of an answer. */
  // biome-ignore lint/suspicious/noExplicitAny: each listing reads what its own schemas give
  entries(answer: any): readonly unknown[];
  /** Most entries of an answer, where there is a limit. */
  readonly most?: number;
  /** The page after an answer, where there may be one. */
  // biome-ignore lint/suspicious/noExplicitAny: each listing reads what its own schemas give
  next?(answer: any): string | null;
  /** The shape of an entry; others are left out. */
  readonly entry: z.ZodType;
  /** The company of an entry; `null` if it has no bars. */
  // biome-ignore lint/suspicious/noExplicitAny: each listing reads what its own schemas give
  read(entry: any, exchange: string): Company | null;
}

/** The request that finds where a ticker's bars begin. */
export interface FirstBarSpec {
  /** See `FirstBarLookup`. */
  readonly isStated?: boolean;
  /** `null` where there is no such request for a ticker. */
  request(ticker: Ticker, source: Interval, values: SettingValues): VendorRequest | null;
  /** The shape that an answer must have before it is read. */
  readonly schema: z.ZodType;
  /** The moment, epoch seconds; NaN or `null` if the answer does not tell. */
  // biome-ignore lint/suspicious/noExplicitAny: each vendor reads what its own schema gives
  read(answer: any): number | null;
}

/** What a vendor says of one company. */
export interface FactsLookup {
  request(ticker: Ticker, values: SettingValues): VendorRequest;
  /** The shape that an answer must have before it is read. */
  readonly schema: z.ZodType;
  // biome-ignore lint/suspicious/noExplicitAny: each lookup reads what its own schema gives
  read(answer: any): Omit<Company, "symbol">;
}

interface Vendor {
  readonly title: string;
  readonly client: VendorClient;
  readonly values: SettingValues;
}

/**
 * What a vendor says of one company.
 * @throws ProviderError when the vendor could not answer
 */
export async function lookUpFacts(
  lookup: FactsLookup,
  ticker: Ticker,
  vendor: Vendor,
  context: FetchContext,
): Promise<Company> {
  const request = lookup.request(ticker, vendor.values);
  const facts = await vendor.client.read(request, context, ({ json }) => readShape(lookup.schema, json, vendor));
  return { symbol: ticker.symbol, ...lookup.read(facts) };
}

/** More pages than any list has. */
const MAX_PAGES = 200;

/** @throws ProviderError when the vendor could not answer, or has no such exchange */
export async function listCompanies(
  listing: CompanyListing,
  exchange: string,
  vendor: Vendor,
  context: FetchContext,
): Promise<Company[]> {
  const { title, client, values } = vendor;
  if (!listing.exchanges.some(({ code }) => code === exchange)) {
    throw new ProviderError("bad_request", `${title} has no list of the exchange "${exchange}"`);
  }
  const found = new Map<string, Company>();
  const pages: PagedList<unknown, ReadList<unknown>> = {
    get: (page, read) => client.read(listing.request(exchange, values, page), context, read),
    ...(listing.open && { open: listing.open }),
    schema: listing.schema,
    read(content) {
      const entries = listing.entries(content);
      const readable = readEntries(listing.entry, entries, { title, client, of: exchange }, context);
      return { entries, readable, next: listing.next?.(content) ?? null };
    },
    sizeOf: ({ entries }) => entries.length,
    most: MAX_PAGES,
  };
  for await (const page of readPages(pages, vendor)) {
    if (mayBeCut(page, listing.most))
      context.log("warn", `${title}: the list of ${exchange} ends with ${page.entries.length} entries and may be cut`);
    for (const entry of page.readable) {
      const company = listing.read(entry, exchange);
      const symbol = company && parseSymbol(company.symbol);
      // Lists are of what is listed now, but for those that say when it ended.
      if (company && symbol) found.set(symbol, { ...company, symbol, facts: { delisted_on: "", ...company.facts } });
    }
  }
  return [...found.values()];
}
