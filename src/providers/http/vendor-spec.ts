/**
 * How a vendor is declared: data (limits, windows, delays) and two functions, one that builds a request and one that reads
 * an answer.
 */

import type { z } from "zod";
import type { Interval } from "../../domain/market/interval.ts";
import { isoDate } from "../../domain/time.ts";
import type { SeriesTraits } from "../provider.ts";
import type { QuotaLimit } from "../quotas/meters.ts";
import type { ProviderSetting, SettingValues } from "../setting.ts";
import type { BulkSpec } from "./bulk/bulk-spec.ts";
import type { HttpVendor, VendorRequest } from "./client.ts";
import type { CompanyListing, FactsLookup, FirstBarSpec } from "./companies.ts";
import type { ActionListing } from "./corporate-actions.ts";
import type { Rows } from "./rows.ts";
import type { Ticker } from "./ticker.ts";
import type { Delay } from "./windows/request-window.ts";

/** One request chain: a window of one ticker in an interval that the vendor serves. Epoch seconds, half open. */
export interface VendorQuery {
  readonly ticker: Ticker;
  readonly interval: Interval;
  readonly from: number;
  readonly to: number;
  /** The next page, as the previous answer named it. */
  readonly page: string | null;
}

export interface VendorSpec<Answer> {
  readonly name: string;
  readonly title: string;
  /** One sentence on what it offers and needs. */
  readonly summary: string;
  readonly baseUrl: string;
  /** The vendor's own domains, old ones included: redirects are followed between them. */
  readonly domains: readonly string[];
  readonly keys: readonly ProviderSetting[];
  /** More variables, such as the feed. */
  readonly options?: readonly ProviderSetting[];
  /** The limits of the most common plan; each can be changed by a variable of its own. */
  readonly limits: readonly QuotaLimit[];
  /** Most requests that the vendor answers at once, where it names a number. */
  readonly maxInFlight?: number;
  /** The intervals offered, each with the one requested from the vendor; longer bars are built from it. */
  readonly sources: Readonly<Partial<Record<Interval, Interval>>>;
  /** The same for crypto pairs, where it differs. */
  readonly cryptoSources?: Readonly<Partial<Record<Interval, Interval>>>;
  /** The longest window of one request, in days, for an interval requested from the vendor. */
  maxDays(source: Interval, ticker: Pick<Ticker, "market" | "exchange">): number;
  /** The days that one page holds, where a window may take several: batches are merged as far as one page. */
  pageDays?(source: Interval): number;
  /**
   * Most rows of one answer, and how the vendor gives more: the answer names the `next` page, `read` goes `on` after the
   * last row, or `none` are given: then an answer as long as that may be cut, and is requested in halves.
   */
  readonly answer: { readonly rows: number; readonly more: "next" | "on" | "none" };
  /** Where the vendor's history begins, of a ticker or of any. */
  historyStart(source: Interval, ticker?: Ticker): number;
  /** When the vendor has a bar. */
  delay(ticker: Ticker, source: Interval, values: SettingValues): Delay;
  /** When a bar no longer changes, where that is later than `delay`: until then it is provisional. */
  final?(ticker: Ticker, source: Interval, values: SettingValues): Delay;
  /** The days back from now for which the vendor keeps bars, where it does not keep all: no request begins earlier. */
  keptDays?(source: Interval): number | undefined;
  /** What its plans give, as far as it is known, one phrase each; and what cannot be had here. For docs/providers.md. */
  readonly plans?: readonly string[];
  readonly lacks?: readonly string[];
  /** The years of history that its plans give, ascending, where they are known: a limit is looked for near them. */
  readonly planYears?: readonly number[];
  /** Whether an answer may begin where the plan's history does, without a word about what was left out. */
  readonly trims?: boolean;
  traits(ticker: Ticker, source: Interval, values: SettingValues): Pick<SeriesTraits, "feed" | "adjustment">;
  /** Whether the vendor trades pairs alone, quoted in whatever it lists. */
  readonly pairs?: boolean;
  /** Why the vendor cannot have this ticker; `null` if it may. */
  refuses(ticker: Ticker): string | null;
  headers?(values: SettingValues): Readonly<Record<string, string>>;
  request(query: VendorQuery, values: SettingValues): VendorRequest;
  /** The shape that an answer must have before it is read. */
  readonly schema: z.ZodType<Answer>;
  /** Adds the answer's bars to `rows`; returns the next page, or `null`. */
  read(answer: Answer, rows: Rows, query: VendorQuery): string | null;
  readonly recognise?: HttpVendor["recognise"];
  readonly quota?: HttpVendor["quota"];
  /** The request for the vendor's own usage count, where there is one. */
  readonly usage?: { request(values: SettingValues): VendorRequest };
  /** The vendor's lists of splits and dividends, where they do not come with the bars. */
  // biome-ignore lint/suspicious/noExplicitAny: each list reads what its own schemas give
  readonly actions?: readonly ActionListing<any, any>[];
  /** Whether its raw prices come without any splits and dividends. */
  withoutActions?(values: SettingValues): boolean;
  /** The vendor's lists of symbols. */
  readonly companies?: CompanyListing;
  /** What the vendor says of one company, beyond its lists. */
  readonly facts?: FactsLookup;
  /** The requests that cover many symbols, where the vendor has some. */
  readonly bulk?: BulkSpec;
  /** How the beginning of a ticker's bars is found, where that is cheaper than requesting all of them. */
  readonly firstBar?: FirstBarSpec;
}

/** The window of a query, for messages: `2026-01-02 to 2026-01-31`. */
export const windowOf = ({ from, to }: VendorQuery): string => `${isoDate(from)} to ${isoDate(to - 1)}`;
