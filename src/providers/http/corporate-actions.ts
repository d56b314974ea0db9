/** A vendor's lists of splits and dividends, read page by page. */

import type { z } from "zod";
import { ProviderError } from "../../domain/errors.ts";
import type { CorporateAction } from "../../domain/market/corporate-actions.ts";
import { parseIsoDate } from "../../domain/time.ts";
import type { FetchContext } from "../provider.ts";
import type { SettingValues } from "../setting.ts";
import type { VendorClient, VendorRequest } from "./client.ts";
import { readEntries } from "./entries.ts";
import type { Ticker } from "./ticker.ts";

/** One list, of splits or of dividends. */
export interface ActionListing<Answer = never, Entry = never> {
  request(ticker: Ticker, page: string | null, values: SettingValues): VendorRequest;
  /** The shape that an answer must have before it is read. */
  readonly schema: z.ZodType<Answer>;
  /** The entries of an answer and its next page. */
  read(answer: Answer): { readonly entries: readonly unknown[]; readonly next: string | null };
  /** The shape of an entry; others are left out. */
  readonly entry: z.ZodType<Entry>;
  action(entry: Entry, ticker: Ticker): CorporateAction;
  /** The request where the vendor has moved the list to, if the first one is not there any more. */
  moved?(ticker: Ticker, values: SettingValues): VendorRequest;
}

/** More pages than the actions of any company fill. */
const MAX_PAGES = 50;

/** Midnight UTC of the date that `text` begins with, epoch seconds; NaN if it is not a `YYYY-MM-DD` that exists. */
export const exDate = (text: string) => parseIsoDate(text.slice(0, 10));

/**
 * All actions of a ticker; entries without a date or a value are left out, odd ones with a line in the log.
 * @throws ProviderError when a list could not be fetched
 */
export async function listActionsOf(
  // biome-ignore lint/suspicious/noExplicitAny: each list reads what its own schemas give
  lists: readonly ActionListing<any, any>[],
  ticker: Ticker,
  { title, client, values }: { title: string; client: VendorClient; values: SettingValues },
  context: FetchContext,
): Promise<CorporateAction[]> {
  const found: CorporateAction[] = [];
  for (const list of lists) {
    let page: string | null = null;
    for (let pages = 0; pages === 0 || (page !== null && pages < MAX_PAGES); pages++) {
      const { json } = await client.get(list.request(ticker, page, values), context).catch((error) => {
        const isGone = error instanceof ProviderError && error.kind === "unknown_symbol" && page === null;
        if (!isGone || list.moved === undefined) throw error;
        return client.get(list.moved(ticker, values), context);
      });
      const parsed = list.schema.safeParse(json);
      if (!parsed.success)
        throw new ProviderError("invalid_response", `${title}: unexpected list of splits or dividends`);
      const { entries, next } = list.read(parsed.data);
      const readable = readEntries(list.entry, entries, `${title}: unexpected list of splits or dividends`, context);
      for (const entry of readable) {
        const action = list.action(entry, ticker);
        const { date, value } = action;
        if (Number.isFinite(date) && value > 0 && Number.isFinite(value)) found.push(action);
      }
      page = next;
    }
  }
  return found;
}
