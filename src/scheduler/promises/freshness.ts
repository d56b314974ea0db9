/** Which symbols of a promise have what a deadline needs: proved by calendar, stored bars and ledger, else unknown. */

import type { Calendar } from "../../domain/market/calendar.ts";
import { type Venue, venueOf, venueOfSeries } from "../../domain/market/exchanges/exchanges.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import { type RequiredBar, requiredBar } from "../../domain/promises/deadlines.ts";
import type { FreshnessCounts, PromiseInput } from "../../domain/promises/promise.ts";
import type { Provider } from "../../providers/provider.ts";
import { symbolsOf } from "../../storage/companies/watchlists.ts";
import type { Database } from "../../storage/db.ts";
import {
  answersFor,
  arrivalsOf,
  countGaps,
  type ExpectedBar,
  type KnownSince,
  type SessionEnd,
  type SymbolSeries,
  seriesOfSymbols,
  symbolsWithProfile,
} from "../../storage/promises/freshness.ts";

export interface FreshnessDependencies {
  readonly db: Database;
  readonly calendar: Calendar;
  /** The provider of symbols that have none. */
  readonly defaultProvider: string;
  provider(name: string): Provider | undefined;
}

/** A symbol that lacks what a deadline needs. */
export interface MissingSymbol {
  readonly symbol: string;
  readonly provider: string;
  /** The start of the bar that it lacks, epoch seconds. */
  readonly ts: number;
  /** When the provider has the final bar, epoch seconds. */
  readonly readyAt: number;
}

export interface Freshness extends FreshnessCounts {
  readonly missingSymbols: readonly MissingSymbol[];
  /** When each fresh symbol had its bar, epoch milliseconds; NaN where that was not recorded. */
  readonly arrivals: ReadonlyMap<string, number>;
  readonly seriesIds: readonly number[];
  /** When the first of the sessions that are needed ended, epoch milliseconds; the moment itself if there is none. */
  readonly from: number;
}

/** Arrivals that are known already, by the id of a series and the bar that it must have. */
export type KnownArrivals = Map<string, KnownSince>;

/** The symbols that a promise is about now. */
async function symbolsOfPromise(
  db: Database,
  {
    scope,
    symbols,
    watchlistId,
    interval,
    provider,
  }: Pick<PromiseInput, "scope" | "symbols" | "watchlistId" | "interval" | "provider">,
): Promise<readonly string[]> {
  if (scope === "symbols") return symbols;
  if (scope === "stored") return symbolsWithProfile(db, interval, provider);
  return watchlistId === null ? [] : symbolsOf(db, watchlistId);
}

/** Finds the bar that each symbol must have at one moment. */
class Requirements {
  readonly #bars = new Map<Venue, RequiredBar | null>();
  readonly #finals = new Map<string, number>();

  constructor(
    private readonly dependencies: FreshnessDependencies,
    private readonly interval: Interval,
    /** Epoch seconds. */
    private readonly at: number,
  ) {}

  venueFor(symbol: string, series: SymbolSeries | undefined, provider: Provider | undefined): Venue {
    if (series !== undefined) return venueOfSeries(series);
    if (provider === undefined || !provider.intervals.includes(this.interval)) return venueOf(symbol);
    const { sessions } = provider.traits(symbol, this.interval);
    return venueOfSeries({ symbol, provider: provider.name, sessions });
  }

  barOf(venue: Venue): RequiredBar | null {
    return this.#bars.getOrInsertComputed(venue, () =>
      requiredBar(this.dependencies.calendar, venue, this.interval, this.at),
    );
  }

  /** When the provider has the final bar, epoch seconds: the same for all symbols of a venue. */
  finalAt(symbol: string, venue: Venue, provider: Provider | undefined, ts: number): number {
    return this.#finals.getOrInsertComputed(`${provider?.name} ${venue}`, () => {
      const { calendar } = this.dependencies;
      return provider?.finalAt?.(symbol, this.interval, ts) ?? calendar.barEnd(venue, this.interval, ts);
    });
  }
}

/**
 * Reads what the symbols have of what they need at a moment. A symbol is fresh if its newest bar, no longer provisional, is
 * the last one of the session, or a later one; or if it is of that session and its provider was asked after the end.
 * @param at the moment whose sessions count, epoch milliseconds
 * @param known what earlier calls for the same moment have found; it is added to
 * @param by what arrived later (epoch milliseconds) counts as missing
 */
export async function readFreshness(
  dependencies: FreshnessDependencies,
  promise: Pick<PromiseInput, "scope" | "symbols" | "watchlistId" | "interval" | "provider">,
  at: number,
  { known = new Map(), by = Number.POSITIVE_INFINITY }: { known?: KnownArrivals; by?: number } = {},
): Promise<Freshness> {
  const { db, defaultProvider } = dependencies;
  const { interval } = promise;
  const symbols = await symbolsOfPromise(db, promise);
  const stored = await seriesOfSymbols(db, symbols, interval, promise.provider);
  const needs = new Requirements(dependencies, interval, at / 1_000);
  const arrivals = new Map<string, number>();
  const missingSymbols: MissingSymbol[] = [];
  const expected: (ExpectedBar & { readonly symbol: string; readonly missing: MissingSymbol })[] = [];
  const ends: (SessionEnd & (typeof expected)[number])[] = [];
  let unknown = 0;
  let from = at;
  for (const symbol of symbols) {
    const series = stored.get(symbol);
    const provider = dependencies.provider(promise.provider ?? series?.provider ?? defaultProvider);
    const venue = needs.venueFor(symbol, series, provider);
    const bar = needs.barOf(venue);
    if (bar === null) {
      unknown += 1;
      continue;
    }
    const { session, ts } = bar;
    from = Math.min(from, session.close * 1_000);
    const readyAt = needs.finalAt(symbol, venue, provider, ts);
    const name = promise.provider ?? series?.provider ?? defaultProvider;
    const missing = { symbol, provider: name, ts, readyAt };
    if (series === undefined || series.newest === null) missingSymbols.push(missing);
    else if (series.newest >= ts && (series.provisionalFrom ?? Number.POSITIVE_INFINITY) > ts)
      expected.push({ symbol, missing, seriesId: series.seriesId, ts });
    else if (series.newest >= session.open && interval !== "1d")
      ends.push({ symbol, missing, ts, seriesId: series.seriesId, from: ts, to: session.close, finalAt: readyAt });
    else missingSymbols.push(missing);
  }
  await findArrivals(db, expected, known);
  await findAnswers(db, ends, known);
  const isInTime = ({ at: seen }: KnownSince) => !(seen > by);
  for (const { symbol, seriesId, ts, missing } of expected) {
    const since = known.get(keyOf(seriesId, ts))!;
    // Whether it was in time is not recorded.
    if (Number.isNaN(since.at) && by !== Number.POSITIVE_INFINITY) unknown += 1;
    else if (isInTime(since)) arrivals.set(symbol, since.at);
    else missingSymbols.push(missing);
  }
  for (const { symbol, seriesId, ts, missing } of ends) {
    const since = known.get(keyOf(seriesId, ts));
    if (since === undefined) missingSymbols.push(missing);
    else if (isInTime(since)) arrivals.set(symbol, since.at);
    else if (since.isExact) missingSymbols.push(missing);
    else unknown += 1;
  }
  return {
    total: symbols.length,
    fresh: arrivals.size,
    missing: missingSymbols.length,
    unknown,
    missingSymbols,
    arrivals,
    seriesIds: symbols.flatMap((symbol) => stored.get(symbol)?.seriesId ?? []),
    from,
  };
}

const keyOf = (seriesId: number, ts: number) => `${seriesId} ${ts}`;

async function findArrivals(db: Database, bars: readonly ExpectedBar[], known: KnownArrivals): Promise<void> {
  const asked = bars.filter(({ seriesId, ts }) => !known.has(keyOf(seriesId, ts)));
  if (asked.length === 0) return;
  const found = await arrivalsOf(db, asked);
  for (const { seriesId, ts } of asked)
    known.set(keyOf(seriesId, ts), { at: found.get(seriesId) ?? Number.NaN, isExact: true });
}

async function findAnswers(
  db: Database,
  ends: readonly (SessionEnd & ExpectedBar)[],
  known: KnownArrivals,
): Promise<void> {
  const asked = ends.filter(({ seriesId, ts }) => !known.has(keyOf(seriesId, ts)));
  const found = await answersFor(db, asked);
  for (const { seriesId, ts } of asked) {
    const since = found.get(seriesId);
    if (since !== undefined) known.set(keyOf(seriesId, ts), since);
  }
}

/** The days before a deadline (epoch milliseconds) whose gaps count, in epoch seconds. */
export function gapDaysOf({ gapDays }: Pick<PromiseInput, "gapDays">, deadline: number): { from: number; to: number } {
  const to = Math.floor(deadline / 1_000);
  return { from: to - gapDays * DAY, to };
}

/** The gaps of the series of a promise in the days before a deadline (epoch milliseconds). */
export function readGaps(
  db: Database,
  seriesIds: readonly number[],
  promise: Pick<PromiseInput, "gapDays">,
  deadline: number,
): Promise<{ open: number; confirmed: number }> {
  return countGaps(db, seriesIds, gapDaysOf(promise, deadline));
}
