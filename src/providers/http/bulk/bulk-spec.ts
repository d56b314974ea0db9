/** How a vendor declares its requests that cover many symbols. */

import type { z } from "zod";
import type { Calendar } from "../../../domain/market/calendar.ts";
import type { CorporateAction } from "../../../domain/market/corporate-actions.ts";
import type { BulkSpan } from "../../provider.ts";
import type { SettingValues } from "../../setting.ts";
import type { VendorClient, VendorRequest } from "../client.ts";
import type { Rows } from "../rows.ts";
import type { Ticker } from "../ticker.ts";
import type { Delay, RequestWindow } from "../windows/request-window.ts";

/** What one request covers: `from` <= ts < `to`, epoch seconds. */
export interface BulkQuery {
  readonly tickers: readonly Ticker[];
  readonly from: number;
  readonly to: number;
  /** The next page, as the previous answer named it. */
  readonly page: string | null;
}

/** How a kind of list is divided into requests. */
export interface BulkList {
  /** `day`: all symbols of one day. `symbols`: some symbols, all days. `range`: all symbols, all days. */
  readonly by: "day" | "symbols" | "range";
  /** Most symbols of a request, for `symbols`. */
  readonly most?: number;
  /** The days of a request, for `range`: as many as one page holds, so that the requests can be counted before. */
  readonly pageDays?: number;
  /** Most elements of an answer, where it names a next page if there are more. */
  readonly mostRows?: number;
  request(query: BulkQuery, values: SettingValues): VendorRequest;
  /** The shape that an answer must have before it is read. */
  readonly schema: z.ZodType;
}

interface BulkBars extends BulkList {
  /** The elements of an answer, each with the vendor's name of its symbol. */
  // biome-ignore lint/suspicious/noExplicitAny: each vendor reads what its own schema gives
  read(answer: any): { readonly elements: readonly (readonly [code: string, element: unknown])[]; next: string | null };
  /** Adds the bar of one element. */
  add(rows: Rows, element: unknown, span: Pick<BulkQuery, "from" | "to">): void;
}

export interface BulkActions extends BulkList {
  /** The entries of an answer and its next page. */
  // biome-ignore lint/suspicious/noExplicitAny: each vendor reads what its own schema gives
  read(answer: any): { readonly entries: readonly unknown[]; readonly next: string | null };
  /** The vendor's name of the symbol of an entry. */
  codeOf(entry: unknown): string | undefined;
  readonly entry: z.ZodType;
  // biome-ignore lint/suspicious/noExplicitAny: each vendor reads what its own schema gives
  action(entry: any, ticker: Ticker): CorporateAction;
}

export interface BulkSpec {
  /** The vendor's name of a ticker. */
  code(ticker: Ticker): string;
  readonly bars: BulkBars;
  readonly actions: readonly BulkActions[];
}

/** The vendor whose lists they are. */
export interface BulkVendor {
  readonly title: string;
  readonly client: VendorClient;
  readonly values: SettingValues;
  readonly calendar: Calendar;
  readonly historyStart: number;
  readonly planYears: readonly number[];
  tickerOf(symbol: string): Ticker;
  delayOf(ticker: Ticker): Delay;
  refuses(ticker: Ticker): string | null;
}

/** The window of a symbol in daily bars, as the vendor serves it. */
export function bulkWindow(vendor: BulkVendor, symbol: string, { from, to, asOf }: BulkSpan): RequestWindow {
  const ticker = vendor.tickerOf(symbol);
  return { symbol, interval: "1d", from, to, asOf, ticker, source: "1d", delay: vendor.delayOf(ticker) };
}

/** The text in a field of an element that may be anything; empty if there is none. */
export function nameIn(element: unknown, field: string): string {
  const value = typeof element === "object" && element !== null ? (element as Record<string, unknown>)[field] : null;
  return typeof value === "string" ? value : "";
}
