/** The port every source of bars implements: built-in (`demo`, `csv`) or an HTTP API. */

import type { Company } from "../domain/companies.ts";
import type { BarColumns } from "../domain/market/bars.ts";
import type { CorporateAction } from "../domain/market/corporate-actions.ts";
import type { Interval } from "../domain/market/interval.ts";
import type { RejectedRow } from "../domain/market/validate-bars.ts";

/** How a provider's bars are told apart in storage: two feeds or adjustments are two series, never blended. */
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

/** What a provider's answer says about its quota; the limiter takes it in. All fields are optional. */
export interface QuotaReport {
  /** Weighted units that the provider really charged for this request, where that differs from the reservation. */
  readonly charged?: number;
  /** The provider's own count of used units in its present minute, hour, day or month. */
  readonly used?: { readonly [period in QuotaPeriod]?: number };
  /** The limits the provider states, where they differ from those declared. */
  readonly limits?: { readonly [period in QuotaPeriod]?: number };
  /** Nobody may ask this provider again for so many seconds (`Retry-After`, a ban, a spent day). */
  readonly holdSeconds?: number;
  /** Why, in one line for the screen. */
  readonly reason?: string;
}

/** The spans over which providers meter. A minute slides; the others start on the provider's clock. */
export type QuotaPeriod = "minute" | "hour" | "day" | "month";

/** Leave for one request. */
export interface Permit {
  /**
   * Says that the answer has come, what the request really cost and what it told of the quota. It may be called again
   * when more is known. Without it the reservation stands.
   */
  settle(report: QuotaReport): void;
}

/** What an adapter may use of the outside: the worker that runs it supplies this. */
export interface FetchContext {
  /** Aborted when the job is paused, cancelled or the server stops. */
  readonly signal: AbortSignal;
  /**
   * Asks leave for one request of `cost` weighted units from the provider's shared limiter and counts it as an
   * API call. Resolves when the request may be sent; rejects with the signal's reason when the job is stopped.
   */
  acquire(cost?: number): Promise<Permit>;
  /** Tells the screen why the job waits, e.g. `Retry 2/5 in 3s: HTTP 503`. */
  waiting(reason: string): void;
  log(level: "debug" | "info" | "warn", message: string): void;
}

export interface FetchedBars {
  readonly bars: BarColumns;
  readonly rejected: readonly RejectedRow[];
  /** Corporate actions that came with the bars, where the vendor writes them into the same rows. */
  readonly actions?: readonly CorporateAction[];
}

/** A market whose companies a provider can list. */
export interface Exchange {
  /** As the provider names it, e.g. `US`. */
  readonly code: string;
  readonly title: string;
}

export interface Provider {
  /** The name in settings, URLs and storage, e.g. `demo`. */
  readonly name: string;
  /** The name on the screen. */
  readonly title: string;
  readonly intervals: readonly Interval[];
  /** Longest window of one request chain, in days; neighbouring batches are merged up to it. */
  maxWindowDays(interval: Interval): number;
  /** Where the provider's history begins (epoch seconds): the start of a run with `years: "all"`. */
  historyStart(interval: Interval): number;
  traits(symbol: string, interval: Interval): SeriesTraits;
  /**
   * Units of quota that requests cost: one for bars, and each that asks for the symbol's splits and dividends. Absent
   * where every request counts for one and there are none for actions.
   */
  costs?(symbol: string, interval: Interval): { readonly bars: number; readonly actions: readonly number[] };
  /**
   * All final bars of the window, ascending. An empty answer means that the provider was asked and has none.
   * @throws ProviderError when the provider could not answer; a failed window is never an empty one.
   */
  fetchBars(window: BarWindow, context: FetchContext): Promise<FetchedBars>;
  /** When a bar that starts at `ts` may be had (epoch seconds); absent where that is the bar's own end. */
  finalAt?(symbol: string, interval: Interval, ts: number): number;
  /**
   * All splits and dividends of a symbol, in any order; absent where the vendor has none or sends them with the bars.
   * @throws ProviderError when the provider could not answer
   */
  fetchActions?(symbol: string, context: FetchContext): Promise<CorporateAction[]>;
  /** Asks the vendor what it has counted so far and reports it through the permit; absent where vendors do not say. */
  checkQuota?(context: FetchContext): Promise<void>;
  /** The exchanges that `listCompanies` knows, the usual one first; absent where there is no list. */
  readonly exchanges?: readonly Exchange[];
  /**
   * All symbols of one of `exchanges`, spelled as users type them, those that cannot be symbols left out.
   * The answer may be large: call it on a worker.
   * @throws ProviderError when the provider could not answer
   */
  listCompanies?(exchange: string, context: FetchContext): Promise<Company[]>;
}
