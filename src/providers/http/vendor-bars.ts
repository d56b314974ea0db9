/** Fetches a window of bars from a declared vendor: inside the plan, in requests of its size, page by page. */

import { messageOf, ProviderError } from "../../domain/errors.ts";
import type { BarColumns } from "../../domain/market/bars.ts";
import type { Session } from "../../domain/market/calendar.ts";
import { DAY } from "../../domain/market/interval.ts";
import { validateDays } from "../../domain/market/validate-bars.ts";
import type { BarWindow, FetchContext, FetchedBars } from "../provider.ts";
import { shortened } from "./classify.ts";
import { planMessage, RequestTooLarge } from "./client.ts";
import { isUsable } from "./corporate-actions.ts";
import type { DeclaredVendor } from "./declared-vendor.ts";
import { MAX_EMPTY_PAGES, readShape, withoutEnd } from "./read-answer.ts";
import { Rows, UnreadableRows } from "./rows.ts";
import type { VendorQuery } from "./vendor-spec.ts";
import { PlanWindow } from "./windows/plan-window.ts";
import { isLate, sessionsToRequest, sourceSpan, usableBars } from "./windows/request-window.ts";

/** More pages than any valid answer has. */
const MAX_PAGES = 1_000;

/** Whose bars are fetched, and how they are requested. */
type SeriesQuery = Pick<VendorQuery, "ticker" | "interval">;

/** Half open, epoch seconds. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** Adds the symbol to an unknown-symbol error: vendors seldom name it. */
export function withSymbol(error: unknown, symbol: string): unknown {
  if (!(error instanceof ProviderError) || error.kind !== "unknown_symbol") return error;
  return new ProviderError("unknown_symbol", `${symbol} is not known: ${error.message}`);
}

/** Implements `Provider.fetchBars`. */
export async function fetchVendorBars<Answer>(
  vendor: DeclaredVendor<Answer>,
  window: BarWindow,
  context: FetchContext,
): Promise<FetchedBars> {
  context.signal.throwIfAborted();
  const { spec, values, calendar } = vendor;
  const ticker = vendor.tickerOf(window.symbol);
  const why = spec.refuses(ticker);
  if (why) throw new ProviderError("unknown_symbol", `${spec.title} has no ${window.symbol}: ${why}`);
  const source = vendor.sourceOf(window.interval, ticker);
  const delay = spec.delay(ticker, source, values);
  const requestWindow = { ...window, ticker, source, delay };
  const sessions: readonly Session[] = sessionsToRequest(calendar, requestWindow, spec.historyStart(source, ticker));
  if (sessions.length === 0) return { bars: new Rows().columns(), rejected: [] };

  const span = sourceSpan(calendar, requestWindow, sessions);
  const plan = await PlanWindow.read(context.plan, {
    ticker,
    interval: source,
    asOf: window.asOf,
    years: spec.planYears ?? [],
    kept: spec.keptDays?.(source),
  });
  const requests = new SeriesRequests(vendor, { ticker, interval: source }, context);
  const rows = await requests.fetchInPlan(span, plan).catch((error) => {
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

/** The requests for one ticker's bars of one job. */
class SeriesRequests<Answer> {
  constructor(
    private readonly vendor: DeclaredVendor<Answer>,
    private readonly series: SeriesQuery,
    private readonly context: FetchContext,
  ) {}

  /** Fetches what the plan allows of a span, request by request; a refusal by date narrows the span. */
  async fetchInPlan(span: Span, plan: PlanWindow): Promise<Rows> {
    const { refused } = plan;
    const { spec, title, client, calendar } = this.vendor;
    const { ticker, interval } = this.series;
    if (refused) throw new ProviderError("plan", planMessage(title, refused.words), undefined, refused);
    const rows = new Rows();
    const probe = (date: number) => this.#probe(date);
    const step = spec.maxDays(interval, ticker) * DAY;
    let { from, to } = plan.clip(span);
    while (from < to) {
      const asked = { from, to: Math.min(to, from + step) };
      const own = new Rows();
      try {
        await this.#fetchSpan(asked, own);
      } catch (error) {
        const part = await plan.narrow(error, { from, to }, probe);
        this.context.log("info", `${title}: a part of the window is not in the plan: ${messageOf(error)}`);
        [from, to] = [Math.max(from, part.from), Math.min(to, part.to)];
        continue;
      }
      const first = own.firstAfter(from);
      if (own.note !== null) {
        const words = shortened(own.note, client.redact);
        this.context.log("warn", `${title}: ${words}`);
        await plan.readNote(words, asked, first);
      } else if (spec.trims && isLate(calendar, ticker, asked, first)) await plan.checkStart(asked, first, probe);
      rows.append(own);
      from = asked.to;
    }
    return rows;
  }

  /** Requests the day that starts at `date`: the plan's refusal, or `null` if it is answered. */
  async #probe(date: number): Promise<ProviderError | null> {
    try {
      await this.#fetchSpan({ from: date, to: date + DAY }, new Rows());
      return null;
    } catch (error) {
      if (error instanceof ProviderError && error.kind === "plan") return error;
      throw error;
    }
  }

  /** Fetches all pages of a span or, if that is too much at once, of its halves. */
  async #fetchSpan({ from, to }: Span, rows: Rows, depth = 0): Promise<void> {
    const own = new Rows();
    try {
      await this.#fetchPages({ ...this.series, from, to, page: null }, own);
    } catch (error) {
      // The vendor has nothing for this window: an empty answer.
      if (error instanceof ProviderError && error.kind === "no_data") return;
      const days = Math.ceil((to - from) / DAY);
      // A vendor that is down is slow for any window: the size is taken as the cause at most twice.
      const givesUp = days < 2 || (error instanceof RequestTooLarge && error.kind !== "bad_request" && depth >= 2);
      if (!(error instanceof RequestTooLarge) || givesUp) throw error;
      const middle = Math.floor(from / DAY + days / 2) * DAY;
      this.context.log("info", `${this.vendor.title}: ${days} days were too much at once, asking for halves`);
      await this.#fetchSpan({ from, to: middle }, rows, depth + 1);
      await this.#fetchSpan({ from: middle, to }, rows, depth + 1);
      return;
    }
    rows.append(own);
  }

  async #fetchPages(query: VendorQuery, rows: Rows): Promise<void> {
    const { spec, title, client, values } = this.vendor;
    const seen = new Set<string>();
    let empty = 0;
    for (let page: string | null = null; seen.size < MAX_PAGES; ) {
      const pageQuery: VendorQuery = { ...query, page };
      const before = rows.received;
      const { own, next } = await client.read(spec.request(pageQuery, values), this.context, ({ json }) =>
        this.#readPage(json, new Rows(before), pageQuery),
      );
      rows.append(own);
      page = next;
      if (page === null) {
        const { rows: most, more } = spec.answer;
        if (more === "on" || rows.received - before < most) return;
        throw new RequestTooLarge("bad_request", `${title}: an answer of ${most} rows may have been cut`);
      }
      if (seen.has(page)) throw new ProviderError("invalid_response", `${title}: the same next page came twice`);
      seen.add(page);
      empty = rows.received > before ? 0 : empty + 1;
      if (empty === MAX_EMPTY_PAGES) throw withoutEnd(title);
    }
    throw new ProviderError("invalid_response", `${title}: more than ${MAX_PAGES} pages for one window`);
  }

  #readPage(json: unknown, own: Rows, query: VendorQuery): { own: Rows; next: string | null } {
    const { spec, title, client } = this.vendor;
    const answer = readShape(spec.schema, json, this.vendor);
    try {
      return { next: spec.read(answer, own, query), own };
    } catch (error) {
      if (!(error instanceof UnreadableRows)) throw error;
      throw new ProviderError("invalid_response", client.redact(`${title}: unexpected answer: ${error.message}`));
    }
  }
}
