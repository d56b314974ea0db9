/** A vendor's lists of splits and dividends, read page by page. */

import type { z } from "zod";
import { isSpentQuota, ProviderError } from "../../domain/errors.ts";
import type { CorporateAction } from "../../domain/market/corporate-actions.ts";
import { parseIsoDate } from "../../domain/time.ts";
import type { FetchContext } from "../provider.ts";
import type { SettingValues } from "../setting.ts";
import type { VendorClient, VendorRequest } from "./client.ts";
import { mayBeCut, type PagedList, type ReadList, readEntries, readPages, readShape } from "./read-answer.ts";
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
  /** @param quoted the currency of the prices, if `currency` was asked for it and it is known */
  action(entry: Entry, ticker: Ticker, quoted?: string): CorporateAction;
  /** How the currency of a ticker's prices is found, where an entry leaves open what it is in terms of it. */
  readonly currency?: CurrencyLookup<Entry>;
  /** Most entries of an answer, where there is a limit. */
  readonly most?: number;
  /** The request where the vendor has moved the list to, if the first one is not there any more. */
  moved?(ticker: Ticker, values: SettingValues): VendorRequest;
}

interface CurrencyLookup<Entry> {
  isNeeded(entry: Entry, ticker: Ticker): boolean;
  request(ticker: Ticker, values: SettingValues): VendorRequest;
  /** The shape that an answer must have before it is read. */
  readonly schema: z.ZodType;
  // biome-ignore lint/suspicious/noExplicitAny: each lookup reads what its own schema gives
  read(answer: any, ticker: Ticker): string | undefined;
}

const ACTIONS = "splits or dividends";
/** More pages than the actions of any company fill. */
const MAX_PAGES = 50;

/** Midnight UTC of the date that `text` begins with, epoch seconds; NaN if it is not a `YYYY-MM-DD` that exists. */
export const exDate = (text: string) => parseIsoDate(text.slice(0, 10));

/** The dates (epoch seconds, the years 1792 to 2222) and values that an action can have. */
const DATES = { least: -5_617_382_400, most: 7_983_792_000 } as const;
const VALUES = { least: 1e-9, most: 1e9 } as const;

/** Whether an action has a possible date and value. */
export const isUsable = ({ date, value }: CorporateAction) =>
  date >= DATES.least && date < DATES.most && value >= VALUES.least && value <= VALUES.most;

/** Whether an action is one of which the date or the value cannot be used; one of 0 is none. */
const isOdd = (action: CorporateAction) => action.value !== 0 && !isUsable(action);

/**
 * All actions of a ticker; entries without a date or a value are left out, odd ones with a line in the log.
 * @throws ProviderError when a list could not be fetched
 */
export async function listActionsOf(
  // biome-ignore lint/suspicious/noExplicitAny: each list reads what its own schemas give
  lists: readonly ActionListing<any, any>[],
  ticker: Ticker,
  vendor: { readonly title: string; readonly client: VendorClient; readonly values: SettingValues },
  context: FetchContext,
): Promise<CorporateAction[]> {
  const { title, client, values } = vendor;
  const found: CorporateAction[] = [];
  for (const list of lists) {
    const pages: PagedList<unknown, ReadList<unknown>> = {
      get: (page, read) =>
        client.read(list.request(ticker, page, values), context, read).catch((error) => {
          const isGone = error instanceof ProviderError && error.kind === "unknown_symbol" && page === null;
          if (!isGone || list.moved === undefined) throw error;
          return client.read(list.moved(ticker, values), context, read);
        }),
      schema: list.schema,
      read(content) {
        const { entries, next } = list.read(content);
        return { entries, readable: readEntries(list.entry, entries, { title, client, of: ACTIONS }, context), next };
      },
      sizeOf: ({ entries }) => entries.length,
      most: MAX_PAGES,
      what: `unexpected list of ${ACTIONS}`,
    };
    for await (const page of readPages(pages, vendor)) {
      if (mayBeCut(page, list.most))
        context.log("warn", `${title}: a list of ${page.entries.length} ${ACTIONS} may be cut`);
      const quoted = page.readable.some((entry) => list.currency?.isNeeded(entry, ticker))
        ? await currencyOf(list.currency!, ticker, vendor, context)
        : undefined;
      const actions = page.readable.map((entry) => list.action(entry, ticker, quoted));
      const odd = actions.findIndex(isOdd);
      if (odd >= 0) {
        const entry = client.redact(JSON.stringify(page.readable[odd])).slice(0, 120);
        context.log("warn", `${title}: ${ACTIONS} without a usable date or value left out, the first: ${entry}`);
      }
      found.push(...actions.filter(isUsable));
    }
  }
  return found;
}

/** The currency of a ticker's prices; `undefined`, with a line in the log, if the vendor does not tell. */
async function currencyOf(
  { request, schema, read }: CurrencyLookup<never>,
  ticker: Ticker,
  vendor: { readonly title: string; readonly client: VendorClient; readonly values: SettingValues },
  context: FetchContext,
): Promise<string | undefined> {
  const unknown = `${vendor.title}: the currency of the prices of ${ticker.symbol} is not known`;
  try {
    const found = await vendor.client.read(request(ticker, vendor.values), context, ({ json }) =>
      read(readShape(schema, json, vendor), ticker),
    );
    if (found === undefined) context.log("warn", unknown);
    return found;
  } catch (error) {
    if (!(error instanceof ProviderError) || isSpentQuota(error)) throw error;
    context.log("warn", `${unknown}: ${error.message}`);
    return undefined;
  }
}
