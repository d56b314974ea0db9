/** The port every source of bars implements: built-in (`demo`, `files`) or an HTTP API. */

import type { Company } from "../domain/companies.ts";
import type { BarColumns } from "../domain/market/bars.ts";
import type { CorporateAction } from "../domain/market/corporate-actions.ts";
import type { Interval } from "../domain/market/interval.ts";
import type { RejectedRow } from "../domain/market/validate-bars.ts";
import type { PlanCut, PlanMemory } from "../domain/plan.ts";
import type { Wait } from "../domain/runs/progress.ts";

/** What separates series in storage: two feeds or adjustments are two series, never blended. */
export interface SeriesTraits {
  /** The venue or tape, e.g. `sip`, `iex`, `synthetic`. */
  readonly feed: string;
  /** What the provider has already applied to the prices. */
  readonly adjustment: "none" | "splits" | "all";
  /** Which sessions the bars cover. */
  readonly sessions: "regular" | "extended" | "continuous";
}

/** A half-open window of one symbol's bars, epoch seconds UTC: `from` <= ts < `to`. */
export interface BarWindow {
  readonly symbol: string;
  readonly interval: Interval;
  readonly from: number;
  readonly to: number;
  /** The moment (epoch seconds) that counts as now: bars that had not ended by then are not final and are left out. */
  readonly asOf: number;
}

/** The quota report in a provider's answer, for the limiter. All fields are optional. */
export interface QuotaReport {
  /** Weighted units that the provider really charged for this request, where that differs from the reservation. */
  readonly charged?: number;
  /** The provider's own count of used units in its current minute, hour, day or month. */
  readonly used?: { readonly [period in QuotaPeriod]?: number };
  /** The limits the provider states, where they differ from those declared. */
  readonly limits?: { readonly [period in QuotaPeriod]?: number };
  /** Seconds during which no request may be sent to this provider (`Retry-After`, a ban, a spent day). */
  readonly holdSeconds?: number;
  /** Why, in one line for the page. */
  readonly reason?: string;
  /** The vendor has done what was requested: whatever it refused before, it does so no longer. */
  readonly accepted?: boolean;
  /** How the request ended; reported once for each. */
  readonly ended?: RequestEnd;
}

/** The end of one request to a provider. */
export interface RequestEnd {
  /** The HTTP status, or `timeout`, `no_connection`, `stopped`; `ok` where there is no HTTP. */
  readonly code: string;
  /** From sending it to the end of its answer. */
  readonly seconds: number;
  /** Whether an earlier attempt had failed. */
  readonly isRetry: boolean;
}

/** The periods over which providers count. The minute slides; the others start on the provider's clock. */
export type QuotaPeriod = "minute" | "hour" | "day" | "month";

/** Permission to send one request. */
export interface Permit {
  /**
   * Reports that the answer has arrived, what the request cost and its quota report. It may be called
   * again when more is known. Without a call the reservation stands.
   */
  settle(report: QuotaReport): void;
}

/** What an adapter may use besides its settings; supplied by the worker that runs it. */
export interface FetchContext {
  /** Aborted when the job is paused, cancelled or the server stops. */
  readonly signal: AbortSignal;
  /**
   * Reserves one request of `cost` weighted units in the provider's shared limiter and counts an API call. Resolves
   * when the request may be sent; rejects with the signal's reason when the job is stopped.
   */
  acquire(cost?: number): Promise<Permit>;
  /** Reports why the job waits, and until when. */
  waiting(wait: Wait): void;
  log(level: "debug" | "info" | "warn", message: string): void;
  /** Absent where nothing is remembered of the plan. */
  readonly plan?: PlanMemory;
}

export interface FetchedBars {
  readonly bars: BarColumns;
  readonly rejected: readonly RejectedRow[];
  /** Corporate actions, where the vendor sends them in the same rows as the bars. */
  readonly actions?: readonly CorporateAction[];
  /** The parts of the window that the plan leaves out, ascending: `bars` has none of them. */
  readonly notInPlan?: readonly PlanCut[];
  /** How many bars of the window were left out because they had not ended. */
  readonly notFinal?: number;
  /** What the source has of the symbol, for the message of a job that ends without bars. */
  readonly holds?: string;
}

/** In quota units. */
interface RequestCosts {
  readonly bars: number;
  readonly actions: readonly number[];
  /** Absent where nothing is looked up. */
  readonly firstBar?: number;
}

/** A market whose companies a provider can list. */
export interface Exchange {
  /** As the provider names it, e.g. `US`. */
  readonly code: string;
  readonly title: string;
}

/** The days of an update, and its now: epoch seconds, half open. */
export interface BulkSpan {
  readonly from: number;
  readonly to: number;
  readonly asOf: number;
}

/** One request, or one list in pages, that covers several symbols. */
export interface BulkPart {
  /** Names it among those of one span. */
  readonly key: string;
  readonly what: "bars" | "actions";
  /** Which of the vendor's lists it is of. */
  readonly list: number;
  readonly from: number;
  readonly to: number;
  /** The symbols that it covers. */
  readonly symbols: readonly string[];
  /** In quota units, of each of its pages. */
  readonly cost: number;
}

/** What a part has of one symbol: plain and small, because it is kept for thousands of symbols and sent between threads. */
export interface BulkAnswer {
  /** The fields of each bar, in the order of `BAR_FIELDS`. */
  readonly rows: readonly (readonly number[])[];
  readonly rejected: readonly RejectedRow[];
  readonly actions: readonly CorporateAction[];
}

/** Requests that cover many symbols, for updates of daily bars by some days. */
export interface BulkSource {
  /** Whether a symbol can be among them. */
  serves(symbol: string): boolean;
  /** The requests for all that is final or provisional of a span; those for splits and dividends of it included. */
  parts(symbols: readonly string[], span: BulkSpan): BulkPart[];
  /**
   * The answers by symbol. A symbol without one has nothing there; a day that the plan is known to refuse has none at all.
   * @throws ProviderError when the provider could not answer, or does not answer this way
   */
  fetch(part: BulkPart, span: Pick<BulkSpan, "asOf">, context: FetchContext): Promise<Map<string, BulkAnswer>>;
  /** What `fetchBars` would give for a window, from the answers of all parts that cover it. */
  bars(window: BarWindow, answers: readonly BulkAnswer[], context: FetchContext): Promise<FetchedBars>;
}

/** The cheapest request for the beginning of a symbol's bars. */
interface FirstBarLookup {
  /** Whether it is what a register says of the company: then there may be earlier bars all the same. */
  readonly isStated: boolean;
  /**
   * A moment (epoch seconds) before which the vendor has no bars of the symbol; `null` if the answer does not tell.
   * @throws ProviderError when the provider could not answer
   */
  find(symbol: string, interval: Interval, context: FetchContext): Promise<number | null>;
}

export interface Provider {
  /** The name in settings, URLs and storage, e.g. `demo`. */
  readonly name: string;
  /** The name on the page. */
  readonly title: string;
  readonly intervals: readonly Interval[];
  /** Longest window of one request chain, in days; neighbouring batches are merged up to it. */
  maxWindowDays(interval: Interval, symbol: string): number;
  /** The scope of `PlanFact` for a symbol's bars; absent where a provider has no plans. */
  planScope?(symbol: string, interval: Interval): string;
  /** Requests that a window of `days` takes, where it may be more than one. */
  pagesIn?(interval: Interval, symbol: string, days: number): number;
  /** Where the bars begin that the provider still keeps at `asOf` (epoch seconds); `undefined` where it keeps all. */
  keptFrom?(interval: Interval, asOf: number): number | undefined;
  /** Where the provider's history begins (epoch seconds): the start of a run with `years: "all"`. */
  historyStart(interval: Interval): number;
  traits(symbol: string, interval: Interval): SeriesTraits;
  /** Most requests that the vendor answers at once, where it names a number. */
  readonly maxInFlight?: number;
  /**
   * Quota units of a request for bars, of each request for the symbol's splits and dividends, and of the one that finds
   * its first bar. Absent where every request costs 1 and there are none for actions.
   */
  costs?(symbol: string, interval: Interval): RequestCosts;
  /**
   * All final bars of the window, ascending. An empty result means that the provider has none.
   * @throws ProviderError when the provider could not answer; a failed window is never returned as empty
   */
  fetchBars(window: BarWindow, context: FetchContext): Promise<FetchedBars>;
  /**
   * When the provider has the bar that starts at `ts` (epoch seconds). Between then and `finalAt` it is provisional: the
   * provider goes on changing it. Absent where it has only final bars.
   */
  availableAt?(symbol: string, interval: Interval, ts: number): number;
  /** When the bar that starts at `ts` is final (epoch seconds); absent where that is the bar's own end. */
  finalAt?(symbol: string, interval: Interval, ts: number): number;
  /**
   * All splits and dividends of a symbol, in any order; absent where the vendor has none or sends them with the bars.
   * @throws ProviderError when the provider could not answer
   */
  fetchActions?(symbol: string, context: FetchContext): Promise<CorporateAction[]>;
  /** Requests for many symbols at once; absent where each needs requests of its own. */
  readonly bulk?: BulkSource;
  /** Finds where the bars of a symbol begin; absent where one request for all of them is as cheap. */
  readonly firstBar?: FirstBarLookup;
  /** Whether its raw prices come without any splits and dividends. */
  readonly withoutActions?: boolean;
  /** Fetches the vendor's own usage count and reports it through the permit; absent where there is none. */
  checkQuota?(context: FetchContext): Promise<void>;
  /** The exchanges that `listCompanies` accepts, the default first; absent where there is no list. */
  readonly exchanges?: readonly Exchange[];
  /**
   * All symbols of one of `exchanges`, spelled as users type them, without entries that are not valid symbols.
   * The result may be large: call it on a worker thread.
   * @throws ProviderError when the provider could not answer
   */
  listCompanies?(exchange: string, context: FetchContext): Promise<Company[]>;
  /**
   * What the vendor's fundamentals say of one company; absent where it has none.
   * @throws ProviderError when the provider could not answer
   */
  fetchFacts?(symbol: string, context: FetchContext): Promise<Company>;
}
