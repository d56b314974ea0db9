/** A vendor's list of symbols: one request, one answer, symbols as users type them. */

import type { z } from "zod";
import type { Company } from "../../domain/companies.ts";
import { ProviderError } from "../../domain/errors.ts";
import { parseSymbol } from "../../domain/market/symbol.ts";
import type { Exchange, FetchContext } from "../provider.ts";
import type { SettingValues } from "../setting.ts";
import type { VendorClient, VendorRequest } from "./client.ts";
import { readEntries } from "./entries.ts";

export interface CompanyListing {
  /** The exchanges that have a list, the default first. */
  readonly exchanges: readonly Exchange[];
  request(exchange: string, values: SettingValues): VendorRequest;
  /** The shape that an answer must have before it is read. */
  readonly schema: z.ZodType;
  /** The entries of an answer. */
  // biome-ignore lint/suspicious/noExplicitAny: each listing reads what its own schemas give
  entries(answer: any): readonly unknown[];
  /** The shape of an entry; others are left out. */
  readonly entry: z.ZodType;
  /** The company of an entry; `null` if it has no bars. */
  // biome-ignore lint/suspicious/noExplicitAny: each listing reads what its own schemas give
  read(entry: any, exchange: string): Company | null;
}

/** @throws ProviderError when the vendor could not answer, or has no such exchange */
export async function listCompanies(
  listing: CompanyListing,
  exchange: string,
  vendor: { readonly title: string; readonly client: VendorClient; readonly values: SettingValues },
  context: FetchContext,
): Promise<Company[]> {
  const { title, client, values } = vendor;
  if (!listing.exchanges.some(({ code }) => code === exchange)) {
    throw new ProviderError("bad_request", `${title} has no list of the exchange "${exchange}"`);
  }
  const { json } = await client.get(listing.request(exchange, values), context);
  const parsed = listing.schema.safeParse(json);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new ProviderError(
      "invalid_response",
      client.redact(`${title}: unexpected answer: ${path.join(".") || "the answer"}: ${message}`),
    );
  }
  const found = new Map<string, Company>();
  const entries = listing.entries(parsed.data);
  for (const entry of readEntries(listing.entry, entries, `${title}: unexpected list of ${exchange}`, context)) {
    const company = listing.read(entry, exchange);
    const symbol = company && parseSymbol(company.symbol);
    if (company && symbol) found.set(symbol, { ...company, symbol });
  }
  return [...found.values()];
}
