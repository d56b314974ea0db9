/**
 * What HTTP vendors have in common: a vendor is declared as data (limits, windows, delays) with two functions, one that
 * words a request and one that reads an answer; this turns the declaration into a provider.
 */

import type { z } from "zod";
import { ProviderError } from "../../domain/errors.ts";
import type { BarColumns } from "../../domain/market/bars.ts";
import type { Calendar, Session } from "../../domain/market/calendar.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import type { Market } from "../../domain/market/symbol.ts";
import { validateBars } from "../../domain/market/validate-bars.ts";
import type { BarWindow, FetchContext, FetchedBars, Provider, SeriesTraits } from "../provider.ts";
import type { QuotaLimit } from "../quotas/meters.ts";
import type { ProviderSetting, SettingValues } from "../setting.ts";
import { type HttpVendor, type RetryTiming, TooMuch, VendorClient, type VendorRequest } from "./client.ts";
import { type CompanyListing, listCompanies } from "./companies.ts";
import { type ActionListing, listActionsOf } from "./corporate-actions.ts";
import { keepBars, sessionsToAsk, sourceSpan } from "./request-window.ts";
import { Rows } from "./rows.ts";
import { parseTicker, type Ticker } from "./ticker.ts";

/** One request chain: a window of one ticker in an interval that the vendor serves. Epoch seconds, half open. */
export interface VendorQuery {
  readonly ticker: Ticker;
  readonly interval: Interval;
  readonly from: number;
  readonly to: number;
  /** The next page, as the answer before named it. */
  readonly page: string | null;
}

export interface VendorSpec<Answer> {
  readonly name: string;
  readonly title: string;
  /** One sentence on what it offers and needs. */
  readonly summary: string;
  readonly baseUrl: string;
  readonly keys: readonly ProviderSetting[];
  /** The limits of the plan most people have; each can be changed by a variable of its own. */
  readonly limits: readonly QuotaLimit[];
  /** The intervals offered, each with the one that is asked of the vendor: longer bars are built here from it. */
  readonly sources: Readonly<Partial<Record<Interval, Interval>>>;
  /** The longest window of one request, in days, for an interval asked of the vendor. */
  maxDays(source: Interval, market: Market): number;
  /** Where the vendor's history begins. */
  historyStart(source: Interval): number;
  /** When bars may be asked for: seconds after the bar's own end, or after its session's close. */
  delay(ticker: Ticker, source: Interval): { readonly after: "bar" | "session"; readonly seconds: number };
  traits(ticker: Ticker, source: Interval): Pick<SeriesTraits, "feed" | "adjustment">;
  /** Why the vendor cannot have this ticker, or `null` if it may. */
  refuses(ticker: Ticker): string | null;
  headers?(values: SettingValues): Readonly<Record<string, string>>;
  request(query: VendorQuery, values: SettingValues): VendorRequest;
  /** The shape that an answer must have before anything in it is believed. */
  readonly schema: z.ZodType<Answer>;
  /** Puts the answer's bars into `rows`; the next page, if there is one. */
  read(answer: Answer, rows: Rows, query: VendorQuery): string | null;
  readonly recognise?: HttpVendor["recognise"];
  readonly quota?: HttpVendor["quota"];
  /** Asks the vendor what it has counted, where it says so outside of answers. */
  readonly usage?: { request(values: SettingValues): VendorRequest };
  /** The vendor's lists of splits and dividends, where they do not come with the bars. */
  readonly actions?: readonly ActionListing[];
  /** The vendor's own lists of what it has, where it gives them in one answer. */
  readonly companies?: CompanyListing;
}

/** More pages than any honest answer has. */
const MOST_PAGES = 1_000;

export interface VendorOptions {
  readonly calendar: Calendar;
  readonly timing?: Partial<RetryTiming>;
}

/** The variable that moves a vendor to another base URL. */
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
      headers: spec.headers?.(values) ?? {},
      recognise: spec.recognise,
      quota: spec.quota,
    },
    timing,
  );
  const sourceOf = (interval: Interval) => spec.sources[interval] ?? interval;

  /** All pages of one window; where it is too much at once, of its halves. */
  async function fetchRows(query: VendorQuery, rows: Rows, context: FetchContext, depth = 0): Promise<void> {
    const own = new Rows();
    try {
      await fetchPages(query, own, context);
    } catch (error) {
      // Asked, and told that there is nothing: an empty answer.
      if (error instanceof ProviderError && error.kind === "no_data") return;
      const days = Math.ceil((query.to - query.from) / DAY);
      // A vendor that is down is slow for any window: the size is to blame twice at most.
      const hopeless = days < 2 || (error instanceof TooMuch && error.kind !== "bad_request" && depth >= 2);
      if (!(error instanceof TooMuch) || hopeless) throw error;
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
    for (let page: string | null = null; seen.size < MOST_PAGES; ) {
      const asked: VendorQuery = { ...query, page };
      const { json } = await client.get(spec.request(asked, values), context);
      const parsed = spec.schema.safeParse(json);
      if (!parsed.success) {
        const { path, message } = parsed.error.issues[0]!;
        const where = path.join(".") || "the answer";
        throw new ProviderError(
          "invalid_response",
          client.redact(`${spec.title}: unexpected answer: ${where}: ${message}`),
        );
      }
      page = spec.read(parsed.data, rows, asked);
      if (page === null) return;
      if (seen.has(page)) throw new ProviderError("invalid_response", `${spec.title}: the same next page came twice`);
      seen.add(page);
    }
    throw new ProviderError("invalid_response", `${spec.title}: more than ${MOST_PAGES} pages for one window`);
  }

  async function fetchBars(window: BarWindow, context: FetchContext): Promise<FetchedBars> {
    context.signal.throwIfAborted();
    const ticker = parseTicker(window.symbol);
    const why = spec.refuses(ticker);
    if (why) throw new ProviderError("unknown_symbol", `${spec.title} has no ${window.symbol}: ${why}`);
    const source = sourceOf(window.interval);
    const delay = spec.delay(ticker, source);
    const asking = { ...window, ticker, source, delay };
    const sessions: readonly Session[] = sessionsToAsk(calendar, asking, spec.historyStart(source));
    if (sessions.length === 0) return { bars: new Rows().columns(), rejected: [] };

    const span = sourceSpan(calendar, asking, sessions);
    const rows = new Rows();
    const step = spec.maxDays(source, ticker.market) * DAY;
    for (let from = span.from; from < span.to; from += step) {
      const query = { ticker, interval: source, from, to: Math.min(span.to, from + step), page: null };
      await fetchRows(query, rows, context).catch((error) => {
        throw withSymbol(error, window.symbol);
      });
    }
    const raw: BarColumns = rows.columns();
    // Bars built from shorter ones are only as good as those: the shorter ones are judged first.
    const derived = source !== window.interval;
    const expected = derived
      ? validateBars(raw, { interval: source, asOf: window.asOf, ...span })
      : { bars: raw, rejected: [] };
    return { bars: keepBars(calendar, asking, expected.bars), rejected: expected.rejected, actions: rows.actions };
  }

  function finalAt(symbol: string, interval: Interval, ts: number): number {
    const ticker = parseTicker(symbol);
    const { after, seconds } = spec.delay(ticker, sourceOf(interval));
    const session = calendar.sessionAt(ticker.market, ts) ?? calendar.sessionOn(ticker.market, ts);
    const end = calendar.barEnd(ticker.market, interval, ts);
    return (after === "session" ? (session?.close ?? end) : end) + seconds;
  }

  return {
    name: spec.name,
    title: spec.title,
    intervals: Object.keys(spec.sources) as Interval[],
    maxWindowDays: (interval) => spec.maxDays(sourceOf(interval), "us_equity"),
    historyStart: (interval) => spec.historyStart(sourceOf(interval)),
    traits: (symbol, interval) => {
      const ticker = parseTicker(symbol);
      return { ...spec.traits(ticker, sourceOf(interval)), sessions: sessionsOf(ticker) };
    },
    costs: (symbol, interval) => {
      const ticker = parseTicker(symbol);
      const query = { ticker, interval: sourceOf(interval), from: 0, to: DAY, page: null };
      const listings = ticker.market === "crypto" ? [] : (spec.actions ?? []);
      return {
        bars: spec.request(query, values).cost,
        actions: listings.map(({ request }) => request(ticker, null, values).cost),
      };
    },
    fetchBars,
    finalAt,
    // Crypto pairs know neither splits nor dividends.
    fetchActions:
      spec.actions &&
      (async (symbol, context) => {
        const ticker = parseTicker(symbol);
        if (ticker.market === "crypto") return [];
        return listActionsOf(spec.actions!, ticker, { title: spec.title, client, values }, context);
      }),
    checkQuota: spec.usage && (async (context) => void (await client.get(spec.usage!.request(values), context))),
    exchanges: spec.companies?.exchanges,
    listCompanies:
      spec.companies &&
      ((exchange, context) => listCompanies(spec.companies!, exchange, { title: spec.title, client, values }, context)),
  };
}

/** Vendors say that a symbol is unknown, but seldom which. */
function withSymbol(error: unknown, symbol: string): unknown {
  if (!(error instanceof ProviderError) || error.kind !== "unknown_symbol") return error;
  return new ProviderError("unknown_symbol", `${symbol} is not known: ${error.message}`);
}

/** Which sessions the stored bars cover: regular hours in New York; elsewhere whatever the vendor sends. */
function sessionsOf({ market, exchange }: Ticker): SeriesTraits["sessions"] {
  if (market === "crypto") return "continuous";
  return exchange === "US" ? "regular" : "extended";
}
