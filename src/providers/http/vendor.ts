/**
 * Turns a vendor's declaration into a provider. A declaration is data (limits, windows, delays) and two functions: one
 * builds a request, the other reads an answer.
 */

import type { z } from "zod";
import { messageOf, ProviderError } from "../../domain/errors.ts";
import type { BarColumns } from "../../domain/market/bars.ts";
import type { Calendar, Session } from "../../domain/market/calendar.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import { validateDays } from "../../domain/market/validate-bars.ts";
import { isoDate } from "../../domain/time.ts";
import type { BarWindow, FetchContext, FetchedBars, Provider, SeriesTraits } from "../provider.ts";
import type { QuotaLimit } from "../quotas/meters.ts";
import type { ProviderSetting, SettingValues } from "../setting.ts";
import { type BulkSpec, createBulk } from "./bulk.ts";
import { shortened } from "./classify.ts";
import {
  type HttpVendor,
  planMessage,
  RequestTooLarge,
  type RetryTiming,
  VendorClient,
  type VendorRequest,
} from "./client.ts";
import { type CompanyListing, type FactsLookup, type FirstBarSpec, listCompanies, lookUpFacts } from "./companies.ts";
import { type ActionListing, isUsable, listActionsOf } from "./corporate-actions.ts";
import { keptFrom, PlanWindow, planScope } from "./plan-window.ts";
import { readShape } from "./read-answer.ts";
import { type Delay, isLate, readyAt, sessionsToRequest, sourceSpan, usableBars } from "./request-window.ts";
import { Rows, UnreadableRows } from "./rows.ts";
import { parseTicker, sessionsOf, type Ticker } from "./ticker.ts";

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

/** More pages than any valid answer has. */
const MAX_PAGES = 1_000;

export interface VendorOptions {
  readonly calendar: Calendar;
  readonly timing?: Partial<RetryTiming>;
}

/** The variable that replaces a vendor's base URL. */
export function baseUrlVariable(name: string): string {
  return `${name.toUpperCase()}_BASE_URL`;
}

export function createVendor<Answer>(
  spec: VendorSpec<Answer>,
  values: SettingValues,
  { calendar, timing }: VendorOptions,
): Provider {
  const secrets = spec.keys.flatMap(({ variable }) => values[variable] ?? []);
  const client = new VendorClient(
    {
      title: spec.title,
      baseUrl: values[baseUrlVariable(spec.name)] ?? spec.baseUrl,
      keyVariables: spec.keys.map(({ variable }) => variable),
      secrets,
      domains: spec.domains,
      headers: spec.headers?.(values) ?? {},
      recognise: spec.recognise,
      quota: spec.quota,
    },
    timing,
  );
  const vendor = { title: spec.title, client, values };
  const tickerOf = (symbol: string) => parseTicker(symbol, spec.pairs);
  const sourceOf = (interval: Interval, ticker?: Ticker) =>
    (ticker?.market === "crypto" ? spec.cryptoSources?.[interval] : undefined) ?? spec.sources[interval] ?? interval;

  function pageDaysOf(interval: Interval, ticker: Ticker): number {
    const source = sourceOf(interval, ticker);
    return spec.pageDays?.(source) ?? spec.maxDays(source, ticker);
  }

  /** Fetches all pages of one window or, if that is too much at once, of its halves. */
  async function fetchRows(query: VendorQuery, rows: Rows, context: FetchContext, depth = 0): Promise<void> {
    const own = new Rows();
    try {
      await fetchPages(query, own, context);
    } catch (error) {
      // The vendor has nothing for this window: an empty answer.
      if (error instanceof ProviderError && error.kind === "no_data") return;
      const days = Math.ceil((query.to - query.from) / DAY);
      // A vendor that is down is slow for any window: the size is taken as the cause at most twice.
      const givesUp = days < 2 || (error instanceof RequestTooLarge && error.kind !== "bad_request" && depth >= 2);
      if (!(error instanceof RequestTooLarge) || givesUp) throw error;
      const middle = Math.floor(query.from / DAY + days / 2) * DAY;
      context.log("info", `${spec.title}: ${days} days were too much at once, asking for halves`);
      await fetchRows({ ...query, to: middle }, rows, context, depth + 1);
      await fetchRows({ ...query, from: middle }, rows, context, depth + 1);
      return;
    }
    rows.append(own);
  }

  async function fetchPages(query: VendorQuery, rows: Rows, context: FetchContext): Promise<void> {
    const seen = new Set<string>();
    for (let page: string | null = null; seen.size < MAX_PAGES; ) {
      const pageQuery: VendorQuery = { ...query, page };
      const before = rows.received;
      const { own, next } = await client.read(spec.request(pageQuery, values), context, ({ json }) =>
        readPage(json, new Rows(before), pageQuery),
      );
      rows.append(own);
      page = next;
      if (page === null) {
        const { rows: most, more } = spec.answer;
        if (more === "on" || rows.received - before < most) return;
        throw new RequestTooLarge("bad_request", `${spec.title}: an answer of ${most} rows may have been cut`);
      }
      if (seen.has(page)) throw new ProviderError("invalid_response", `${spec.title}: the same next page came twice`);
      seen.add(page);
    }
    throw new ProviderError("invalid_response", `${spec.title}: more than ${MAX_PAGES} pages for one window`);
  }

  function readPage(json: unknown, own: Rows, query: VendorQuery): { own: Rows; next: string | null } {
    const answer = readShape(spec.schema, json, vendor);
    try {
      return { next: spec.read(answer, own, query), own };
    } catch (error) {
      if (!(error instanceof UnreadableRows)) throw error;
      throw new ProviderError("invalid_response", client.redact(`${spec.title}: unexpected answer: ${error.message}`));
    }
  }

  async function fetchBars(window: BarWindow, context: FetchContext): Promise<FetchedBars> {
    context.signal.throwIfAborted();
    const ticker = tickerOf(window.symbol);
    const why = spec.refuses(ticker);
    if (why) throw new ProviderError("unknown_symbol", `${spec.title} has no ${window.symbol}: ${why}`);
    const source = sourceOf(window.interval, ticker);
    const delay = spec.delay(ticker, source, values);
    const requestWindow = { ...window, ticker, source, delay };
    const sessions: readonly Session[] = sessionsToRequest(calendar, requestWindow, spec.historyStart(source, ticker));
    if (sessions.length === 0) return { bars: new Rows().columns(), rejected: [] };

    const span = sourceSpan(calendar, requestWindow, sessions);
    const rows = new Rows();
    const plan = await PlanWindow.read(context.plan, {
      ticker,
      interval: source,
      asOf: window.asOf,
      years: spec.planYears ?? [],
      kept: spec.keptDays?.(source),
    });
    await fetchInPlan({ ticker, interval: source }, span, plan, rows, context).catch((error) => {
      throw withSymbol(error, window.symbol);
    });
    const raw: BarColumns = rows.columns();
    // Longer bars are built of valid shorter ones, and not where the values of one are not known.
    const derived = source !== window.interval;
    const expected = derived
      ? validateDays(raw, { interval: source, asOf: window.asOf, ...span })
      : { bars: raw, rejected: [], unknown: [] };
    const usable = usableBars(calendar, requestWindow, expected);
    return {
      bars: usable.bars,
      rejected: [...rows.rejected, ...usable.rejected],
      actions: rows.actions.filter(isUsable),
      notInPlan: plan.cuts(window, span),
    };
  }

  /** Fetches what the plan allows of a span, request by request; a refusal by date narrows the span. */
  async function fetchInPlan(
    { ticker, interval }: Pick<VendorQuery, "ticker" | "interval">,
    span: { from: number; to: number },
    plan: PlanWindow,
    rows: Rows,
    context: FetchContext,
  ): Promise<void> {
    const { refused } = plan;
    if (refused) throw new ProviderError("plan", planMessage(spec.title, refused.words), undefined, refused);
    const request = (from: number, to: number, into: Rows) =>
      fetchRows({ ticker, interval, from, to, page: null }, into, context);
    const probe = async (date: number) => {
      const failure = await request(date, date + DAY, new Rows()).then(
        () => null,
        (error) => error,
      );
      if (failure === null || (failure instanceof ProviderError && failure.kind === "plan")) return failure;
      throw failure;
    };
    const step = spec.maxDays(interval, ticker) * DAY;
    let { from, to } = plan.clip(span);
    while (from < to) {
      const end = Math.min(to, from + step);
      const own = new Rows();
      try {
        await request(from, end, own);
      } catch (error) {
        const part = await plan.narrow(error, { from, to }, probe);
        context.log("info", `${spec.title}: a part of the window is not in the plan: ${messageOf(error)}`);
        [from, to] = [Math.max(from, part.from), Math.min(to, part.to)];
        continue;
      }
      const asked = { from, to: end };
      const first = own.firstAfter(from);
      if (own.note !== null) {
        const words = shortened(own.note, client.redact);
        context.log("warn", `${spec.title}: ${words}`);
        await plan.readNote(words, asked, first);
      } else if (spec.trims && isLate(calendar, ticker, asked, first)) await plan.checkStart(asked, first, probe);
      rows.append(own);
      from = end;
    }
  }

  async function findFirstBar(symbol: string, interval: Interval, context: FetchContext): Promise<number | null> {
    const ticker = tickerOf(symbol);
    const request = spec.firstBar?.request(ticker, sourceOf(interval, ticker), values) ?? null;
    if (request === null) return null;
    const first = await client.read(request, context, ({ json }): number | null =>
      spec.firstBar!.read(readShape(spec.firstBar!.schema, json, vendor)),
    );
    return first !== null && first < Date.now() / 1000 ? Math.floor(first / DAY) * DAY : null;
  }

  const firstBar = spec.firstBar && { isStated: spec.firstBar.isStated ?? false, find: findFirstBar };

  const availableAt = (symbol: string, interval: Interval, ts: number) => momentOf(symbol, interval, ts, spec.delay);
  const finalAt = (symbol: string, interval: Interval, ts: number) =>
    momentOf(symbol, interval, ts, spec.final ?? spec.delay);

  function momentOf(symbol: string, interval: Interval, ts: number, delayOf: VendorSpec<Answer>["delay"]): number {
    const ticker = tickerOf(symbol);
    return readyAt(calendar, ticker.venue, {
      interval,
      ts,
      delay: delayOf(ticker, sourceOf(interval, ticker), values),
    });
  }

  return {
    name: spec.name,
    title: spec.title,
    ...(spec.maxInFlight !== undefined && { maxInFlight: spec.maxInFlight }),
    intervals: Object.keys(spec.sources) as Interval[],
    maxWindowDays: (interval, symbol) => pageDaysOf(interval, tickerOf(symbol)),
    planScope: (symbol, interval) => {
      const ticker = tickerOf(symbol);
      return planScope(ticker, sourceOf(interval, ticker));
    },
    pagesIn: (interval, symbol, days) => Math.ceil(days / pageDaysOf(interval, tickerOf(symbol))),
    keptFrom(interval, asOf) {
      const kept = spec.keptDays?.(sourceOf(interval));
      return kept === undefined ? undefined : keptFrom(kept, asOf);
    },
    historyStart: (interval) => spec.historyStart(sourceOf(interval)),
    traits: (symbol, interval) => {
      const ticker = tickerOf(symbol);
      return { ...spec.traits(ticker, sourceOf(interval, ticker), values), sessions: sessionsOf(ticker) };
    },
    costs: (symbol, interval) => {
      const ticker = tickerOf(symbol);
      const query = { ticker, interval: sourceOf(interval, ticker), from: 0, to: DAY, page: null };
      const listings = ticker.market === "crypto" ? [] : (spec.actions ?? []);
      const lookup = spec.firstBar?.request(ticker, query.interval, values);
      return {
        ...(lookup && { firstBar: lookup.cost }),
        bars: spec.request(query, values).cost,
        actions: listings.map(({ request }) => request(ticker, null, values).cost),
      };
    },
    fetchBars,
    ...(firstBar && { firstBar }),
    ...(spec.bulk && {
      bulk: createBulk(spec.bulk, {
        ...vendor,
        calendar,
        historyStart: spec.historyStart("1d"),
        planYears: spec.planYears ?? [],
        tickerOf,
        delayOf: (ticker) => spec.delay(ticker, "1d", values),
        refuses: spec.refuses,
      }),
    }),
    availableAt,
    finalAt,
    ...(spec.withoutActions?.(values) && { withoutActions: true }),
    // Crypto pairs have neither splits nor dividends.
    fetchActions:
      spec.actions &&
      (async (symbol, context) => {
        const ticker = tickerOf(symbol);
        if (ticker.market === "crypto") return [];
        return listActionsOf(spec.actions!, ticker, vendor, context);
      }),
    checkQuota: spec.usage && (async (context) => void (await client.get(spec.usage!.request(values), context))),
    exchanges: spec.companies?.exchanges,
    listCompanies: spec.companies && ((exchange, context) => listCompanies(spec.companies!, exchange, vendor, context)),
    fetchFacts:
      spec.facts &&
      ((symbol, context) =>
        lookUpFacts(spec.facts!, tickerOf(symbol), vendor, context).catch((error) => {
          throw withSymbol(error, symbol);
        })),
  };
}

/** Adds the symbol to an unknown-symbol error: vendors seldom name it. */
function withSymbol(error: unknown, symbol: string): unknown {
  if (!(error instanceof ProviderError) || error.kind !== "unknown_symbol") return error;
  return new ProviderError("unknown_symbol", `${symbol} is not known: ${error.message}`);
}
