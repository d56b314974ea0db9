/** A vendor's requests that cover many symbols: a whole day, a list of symbols, or all splits of some days. */

import type { z } from "zod";
import { ProviderError } from "../../domain/errors.ts";
import type { Calendar } from "../../domain/market/calendar.ts";
import type { CorporateAction } from "../../domain/market/corporate-actions.ts";
import { DAY } from "../../domain/market/interval.ts";
import { isoDate } from "../../domain/time.ts";
import type { BulkAnswer, BulkPart, BulkSource, BulkSpan, FetchContext } from "../provider.ts";
import type { SettingValues } from "../setting.ts";
import { shortened } from "./classify.ts";
import type { VendorClient, VendorRequest } from "./client.ts";
import { isUsable } from "./corporate-actions.ts";
import { PlanWindow } from "./plan-window.ts";
import { mayBeCut, noteIn, type PagedList, readPages } from "./read-answer.ts";
import { barsOfWindow, type Delay, type RequestWindow, sessionsToRequest, sourceSpan } from "./request-window.ts";
import { Rows, UnreadableRows } from "./rows.ts";
import type { Ticker } from "./ticker.ts";

/** What one request covers: `from` <= ts < `to`, epoch seconds. */
export interface BulkQuery {
  readonly tickers: readonly Ticker[];
  readonly from: number;
  readonly to: number;
  /** The next page, as the previous answer named it. */
  readonly page: string | null;
}

/** How a kind of list is divided into requests. */
interface BulkList {
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

interface BulkActions extends BulkList {
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

interface Vendor {
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

const MAX_PAGES = 100;

export function createBulk(spec: BulkSpec, vendor: Vendor): BulkSource {
  const { title, client, values, calendar } = vendor;

  const windowOf = (symbol: string, { from, to, asOf }: BulkSpan): RequestWindow => {
    const ticker = vendor.tickerOf(symbol);
    return { symbol, interval: "1d", from, to, asOf, ticker, source: "1d", delay: vendor.delayOf(ticker) };
  };

  function parts(symbols: readonly string[], span: BulkSpan): BulkPart[] {
    if (symbols.length === 0) return [];
    const window = windowOf(symbols[0]!, span);
    const sessions = sessionsToRequest(calendar, window, vendor.historyStart);
    if (sessions.length === 0) return [];
    const { from, to } = sourceSpan(calendar, window, sessions);
    const days = sessions.map(({ date }) => ({ from: date, to: date + DAY, name: isoDate(date) }));
    const lists = [spec.bars, ...spec.actions];
    return lists.flatMap((list, index) => {
      const what = index === 0 ? ("bars" as const) : ("actions" as const);
      // Splits and dividends of the whole last day, whatever there is of its bars.
      const end = index === 0 ? to : sessions.at(-1)!.date + DAY;
      const part = (key: string, asked: { from: number; to: number }, of = symbols): BulkPart => {
        const query = { tickers: of.slice(0, 1).map(vendor.tickerOf), ...asked, page: null };
        const { cost } = list.request(query, values);
        return {
          key: `${index} ${key}`,
          list: index,
          what,
          from: asked.from,
          to: asked.to,
          symbols: of,
          cost,
        };
      };
      if (list.by === "day") return days.map((day) => part(day.name, { from: day.from, to: Math.min(day.to, end) }));
      if (list.by === "range") {
        const length = (list.pageDays ?? Number.POSITIVE_INFINITY) * DAY;
        const count = Math.max(1, Math.ceil((end - from) / length));
        const starts = Array.from({ length: count }, (_, at) => (at === 0 ? from : from + at * length));
        return starts.map((start) =>
          part(`range ${isoDate(start)}`, { from: start, to: Math.min(start + length, end) }),
        );
      }
      const most = list.most ?? symbols.length;
      const groups = Array.from({ length: Math.ceil(symbols.length / most) }, (_, at) => at * most);
      return groups.map((at) => part(`group ${at / most}`, { from, to: end }, symbols.slice(at, at + most)));
    });
  }

  async function fetch(part: BulkPart, { asOf }: { asOf: number }, context: FetchContext) {
    const symbolOf = new Map(part.symbols.map((symbol) => [spec.code(vendor.tickerOf(symbol)), symbol]));
    const request = { part, symbolOf, asOf };
    return part.what === "bars" ? fetchBars(request, context) : fetchActions(request, context);
  }

  interface PartRequest {
    readonly part: BulkPart;
    /** Our symbols by the vendor's names. */
    readonly symbolOf: ReadonlyMap<string, string>;
    readonly asOf: number;
  }

  async function fetchBars({ part, symbolOf, asOf }: PartRequest, context: FetchContext) {
    const ticker = vendor.tickerOf(part.symbols[0]!);
    const plan = await PlanWindow.read(context.plan, { ticker, interval: "1d", asOf, years: vendor.planYears });
    if (plan.refused) throw new ProviderError("plan", plan.refused.words, undefined, plan.refused);
    for (let { from, to } = plan.clip(part); from < to; ) {
      const found = new Map<string, Rows>();
      const query = { tickers: part.symbols.map(vendor.tickerOf), from, to };
      try {
        await fetchRows(query, symbolOf, found, context);
      } catch (error) {
        // Only the newest days: any other refusal may concern requests for many symbols alone, and not the symbols.
        if (!(error instanceof ProviderError) || error.refusal?.scope !== "recent") throw error;
        ({ from, to } = await plan.narrow(error, { from, to }, async () => error));
        continue;
      }
      return new Map([...found].map(([symbol, rows]) => [symbol, answerOf(rows)]));
    }
    return new Map<string, BulkAnswer>();
  }

  async function fetchRows(
    asked: Omit<BulkQuery, "page">,
    symbolOf: ReadonlyMap<string, string>,
    found: Map<string, Rows>,
    context: FetchContext,
  ): Promise<void> {
    const { bars } = spec;
    let [received, readable, odd] = [0, 0, null as string | null];
    for await (const { elements, next } of pages(bars, asked, context)) {
      received += elements.length;
      if (mayBeCut({ entries: elements, next }, bars.mostRows))
        throw new ProviderError("invalid_response", `${title}: an answer of ${elements.length} rows may have been cut`);
      for (const [code, element] of elements) {
        const symbol = symbolOf.get(code);
        if (symbol === undefined) continue;
        const rows = found.getOrInsertComputed(symbol, () => new Rows());
        try {
          bars.add(rows, element, asked);
          readable += 1;
        } catch (error) {
          if (!(error instanceof UnreadableRows)) throw error;
          odd ??= error.message;
        }
      }
    }
    const days = `${isoDate(asked.from)} to ${isoDate(asked.to - 1)}`;
    // An exchange has bars on every session: an answer without any is not relied on.
    if (received === 0) throw new ProviderError("invalid_response", `${title}: no bars at all of ${days}`);
    const noted = found.values().find(({ note }) => note !== null)?.note;
    if (noted) throw new ProviderError("plan", `${title}: ${shortened(noted, client.redact)}`);
    if (odd !== null && readable === 0)
      throw new ProviderError("invalid_response", client.redact(`${title}: unexpected answer: ${odd}`));
  }

  async function fetchActions({ part, symbolOf }: PartRequest, context: FetchContext) {
    const list = spec.actions[part.list - 1]!;
    const found = new Map<string, Rows>();
    const { from, to } = part;
    const entries = await entriesOf(list, { tickers: part.symbols.map(vendor.tickerOf), from, to }, context);
    for (const raw of entries) {
      const note = noteIn(raw);
      if (note !== null) throw new ProviderError("plan", `${title}: ${shortened(note, client.redact)}`);
      const symbol = symbolOf.get(list.codeOf(raw) ?? "");
      if (symbol === undefined) continue;
      const parsed = list.entry.safeParse(raw);
      if (!parsed.success) {
        context.log("warn", `${title}: unexpected list of splits or dividends: an entry of ${symbol} left out`);
        continue;
      }
      const action = list.action(parsed.data, vendor.tickerOf(symbol));
      if (isUsable(action)) found.getOrInsertComputed(symbol, () => new Rows()).actions.push(action);
    }
    return new Map([...found].map(([symbol, rows]) => [symbol, answerOf(rows)]));
  }

  /** All entries of a list; an answer that may be cut is requested in halves, by days or by symbols. */
  async function entriesOf(
    list: BulkActions,
    asked: Omit<BulkQuery, "page">,
    context: FetchContext,
  ): Promise<unknown[]> {
    const found: unknown[] = [];
    for await (const page of pages(list, asked, context)) {
      found.push(...page.entries);
      if (!mayBeCut(page, list.mostRows)) continue;
      const halves = halvesOf(list, asked);
      if (halves !== null) return (await Promise.all(halves.map((half) => entriesOf(list, half, context)))).flat();
      context.log("warn", `${title}: a list of ${page.entries.length} splits or dividends may be cut`);
    }
    return found;
  }

  /** A query as two; `null` if it cannot be divided. */
  function halvesOf({ by }: BulkActions, asked: Omit<BulkQuery, "page">): Omit<BulkQuery, "page">[] | null {
    const { from, to, tickers } = asked;
    const days = Math.ceil((to - from) / DAY);
    if (by === "range" && days > 1) {
      const middle = from + (days >> 1) * DAY;
      return [
        { ...asked, to: middle },
        { ...asked, from: middle },
      ];
    }
    if (by !== "symbols" || tickers.length < 2) return null;
    const middle = tickers.length >> 1;
    return [tickers.slice(0, middle), tickers.slice(middle)].map((half) => ({ ...asked, tickers: half }));
  }

  /** The answers to a query, page by page. */
  function pages<Page extends { readonly next: string | null }>(
    { request, schema, read }: BulkList & { read(answer: unknown): Page },
    asked: Omit<BulkQuery, "page">,
    context: FetchContext,
  ) {
    const pages: PagedList<unknown, Page> = {
      get: (page, take) => client.read(request({ ...asked, page }, values), context, take),
      schema,
      read,
      most: MAX_PAGES,
    };
    return readPages(pages, vendor);
  }

  return {
    serves(symbol) {
      const ticker = vendor.tickerOf(symbol);
      return ticker.market === "us_equity" && ticker.exchange === "US" && vendor.refuses(ticker) === null;
    },
    parts,
    fetch,
    async bars(window, answers, context) {
      const requestWindow = windowOf(window.symbol, window);
      const sessions = sessionsToRequest(calendar, requestWindow, vendor.historyStart);
      const rows = new Rows();
      if (sessions.length === 0) return { bars: rows.columns(), rejected: [] };
      for (const answer of answers) {
        for (const [ts = Number.NaN, open, high, low, close, volume] of answer.rows) {
          // The answers may be of more days than this symbol lacks.
          if (ts < window.from || ts >= window.to) continue;
          rows.add(ts, open, high, low, close, volume);
        }
      }
      const { ticker } = requestWindow;
      const request = { ticker, interval: "1d", asOf: window.asOf, years: vendor.planYears } as const;
      const plan = await PlanWindow.read(context.plan, request);
      return {
        bars: barsOfWindow(calendar, requestWindow, rows.columns()),
        rejected: answers.flatMap(({ rejected }) => rejected),
        actions: answers.flatMap(({ actions }) => actions),
        notInPlan: plan.cuts(window, sourceSpan(calendar, requestWindow, sessions)),
      };
    },
  };
}

const answerOf = (rows: Rows): BulkAnswer => ({
  rows: rows.list,
  rejected: rows.rejected,
  actions: rows.actions,
});

/** The text in a field of an element that may be anything; empty if there is none. */
export function nameIn(element: unknown, field: string): string {
  const value = typeof element === "object" && element !== null ? (element as Record<string, unknown>)[field] : null;
  return typeof value === "string" ? value : "";
}
