/** Finds the stored series that answer an export, and says which symbols have no bars for it. */

import type { Calendar } from "../../domain/market/calendar.ts";
import { venueOf, venueOfSeries } from "../../domain/market/exchanges/exchanges.ts";
import { READ_SECONDS, type ReadInterval, sourceInterval } from "../../domain/market/interval.ts";
import { derivedEdges } from "../../domain/market/partial-bars.ts";
import { barEndAt, barStartAt } from "../../domain/market/resample.ts";
import { barsPerYear } from "../../features/kernels/volatility.ts";
import { featureSetup } from "../../features/setup.ts";
import { chunks, type Database, yieldToEvents } from "../../storage/db.ts";
import { KnownBars } from "../../storage/market/known-bars.ts";
import { barEdges, type StoredSeries, seriesAt, seriesWithBars } from "../../storage/market/series.ts";
import type { SeriesSource } from "./series/read-bars.ts";
import type { SymbolSource } from "./series/read-rows.ts";

/** Symbols looked up at a time: about 5 ms, in which the thread does nothing else. */
const SLICE = 100;
const YEAR = 365.25 * 86_400;

export interface SourceQuery {
  readonly symbols: readonly string[];
  readonly interval: ReadInterval;
  /** The longer intervals whose features are joined. */
  readonly longer: readonly ReadInterval[];
  /** Half-open range, epoch seconds. */
  readonly from: number;
  readonly to: number;
  readonly provider?: string | undefined;
  /** What was stored then is looked for, epoch milliseconds. */
  readonly knownAt?: number | undefined;
}

/** A row whose stored bars begin after its beginning, or end before its end. */
export interface PartialRow {
  readonly symbol: string;
  /** Start of its bar, epoch seconds. */
  readonly ts: number;
}

export interface FoundSources {
  /** In the order of `symbols`; only those with bars in the range. */
  readonly series: readonly SymbolSource[];
  /** The stored series behind them, in the same order. */
  readonly stored: readonly StoredSeries[];
  /** Symbols without a bar in the range. */
  readonly missing: readonly string[];
  /** Symbols of `missing` that have bars, but none in the range. */
  readonly outside: readonly StoredSeries[];
  /** The rows that may be partial: first and last bars of histories, if they are built from shorter ones. */
  readonly partial: readonly PartialRow[];
  /** About how many rows they have: as many as sessions without a hole would have. */
  readonly rows: number;
  /** From when on (epoch milliseconds) it is recorded when all their bars arrived, if that is after `knownAt`. */
  readonly knownSince: number | null;
}

/** Looks the series up in slices, between which the thread is free. */
export async function findSources(db: Database, calendar: Calendar, query: SourceQuery): Promise<FoundSources> {
  const found = { series: [], stored: [], missing: [], outside: [], partial: [], rows: 0, knownSince: null } as {
    partial: PartialRow[];
    series: SymbolSource[];
    stored: StoredSeries[];
    missing: string[];
    outside: StoredSeries[];
    rows: number;
    knownSince: number | null;
  };
  for (const symbols of chunks(query.symbols, SLICE)) {
    const store = await storeAt(db, symbols, query);
    const bySymbol = Map.groupBy(store.series, ({ symbol }) => symbol);
    const sources = symbols.flatMap((symbol) => {
      const source = sourceOf(symbol, bySymbol.get(symbol) ?? [], query);
      return source === null ? [] : [[symbol, source] as const];
    });
    const bySource = new Map(sources);
    const edges = await edgesOf(store.edges, calendar, [...bySource.values()], query);
    for (const since of store.incomplete.values()) found.knownSince = Math.max(found.knownSince ?? 0, since);
    for (const symbol of symbols) {
      const source = bySource.get(symbol);
      const edge = source && edges.get(source.stored.id);
      if (source && edge) {
        found.series.push(source.source);
        found.stored.push(source.stored);
        found.rows += rowsBetween(symbol, query.interval, edge);
      } else {
        found.missing.push(symbol);
        if (source) found.outside.push(source.stored);
      }
    }
    const answering = symbols.flatMap((symbol) => {
      const source = bySource.get(symbol);
      return source !== undefined && edges.has(source.stored.id) ? [source] : [];
    });
    found.partial.push(...(await partialRows(store.edges, calendar, answering, query)));
    await yieldToEvents();
  }
  return found;
}

type Edges = Awaited<ReturnType<typeof barEdges>>;

/** The series of some symbols that have bars, now or at the moment that is asked for. */
interface Store {
  readonly series: readonly StoredSeries[];
  /** As `barEdges`. */
  edges(wanted: readonly { readonly id: number; readonly from: number }[], to: number): Promise<Edges>;
  /** Series without a record of when bars arrived at the moment, and from when on there is one (epoch milliseconds). */
  readonly incomplete: ReadonlyMap<number, number>;
}

async function storeAt(
  db: Database,
  symbols: readonly string[],
  { provider, knownAt }: Pick<SourceQuery, "provider" | "knownAt">,
): Promise<Store> {
  if (knownAt === undefined) {
    const series = await seriesWithBars(db, symbols, provider);
    return { series, edges: (wanted, to) => barEdges(db, wanted, to), incomplete: new Map() };
  }
  const series: StoredSeries[] = [];
  const bars = new Map<number, KnownBars>();
  const incomplete = new Map<number, number>();
  for (const each of await seriesAt(db, symbols, knownAt, provider)) {
    const known = await KnownBars.open(db, each.id, knownAt);
    if ((await known.last(Number.MAX_SAFE_INTEGER, 1)).ts.length === 0) continue;
    series.push(each);
    bars.set(each.id, known);
    if (known.exactSince !== null) incomplete.set(each.id, known.exactSince);
    await yieldToEvents();
  }
  return {
    series,
    incomplete,
    async edges(wanted, to) {
      const edges: Edges = new Map();
      for (const { id, from } of wanted) {
        const edge = await bars.get(id)?.edges(from, to);
        if (edge) edges.set(id, edge);
        await yieldToEvents();
      }
      return edges;
    },
  };
}

interface Source {
  readonly stored: StoredSeries;
  readonly source: SymbolSource;
}

function sourceOf(symbol: string, stored: readonly StoredSeries[], query: SourceQuery): Source | null {
  const pick = (interval: ReadInterval) => {
    const source = sourceInterval(
      interval,
      stored.map((each) => each.interval),
    );
    return stored.find((each) => each.interval === source) ?? null;
  };
  const base = pick(query.interval);
  if (base === null) return null;
  const longer: Partial<Record<ReadInterval, SeriesSource>> = {};
  // What divides the table's interval divides a longer one too.
  for (const interval of query.longer) longer[interval] = seriesSource(pick(interval) ?? base);
  return { stored: base, source: { symbol, base: seriesSource(base), longer } };
}

const seriesSource = (stored: StoredSeries): SeriesSource => ({
  seriesId: stored.id,
  source: stored.interval,
  venue: venueOfSeries(stored),
});

/** The first and last bar of each series in the range, by its id, where there is one. */
async function edgesOf(
  edgesIn: Store["edges"],
  calendar: Calendar,
  sources: readonly Source[],
  { interval, from, to }: SourceQuery,
): Promise<Map<number, { readonly first: number; readonly last: number }>> {
  const all = sources.map(({ stored }) => ({ id: stored.id, from }));
  const edges = await edgesIn(all, to);
  // A longer bar may begin before the range although some of its shorter ones lie in it: then the next one counts.
  const again = sources.flatMap(({ stored, source: { base } }) => {
    const edge = edges.get(stored.id);
    if (edge === undefined || base.source === interval) return [];
    const start = barStartAt(calendar, base.venue, interval, edge.first, base.source);
    if (start >= from) return [];
    edges.delete(stored.id);
    return [{ id: stored.id, from: barEndAt(calendar, base.venue, interval, start) }];
  });
  if (again.length > 0) for (const [id, edge] of await edgesIn(again, to)) edges.set(id, edge);
  return edges;
}

/** The rows of some series that may be partial. */
async function partialRows(
  edgesIn: Store["edges"],
  calendar: Calendar,
  sources: readonly Source[],
  { interval, from, to }: SourceQuery,
): Promise<PartialRow[]> {
  const derived = sources.filter(({ stored }) => stored.interval !== interval);
  if (derived.length === 0) return [];
  const wanted = derived.map(({ stored }) => ({ id: stored.id, from: Number.MIN_SAFE_INTEGER }));
  const histories = await edgesIn(wanted, Number.MAX_SAFE_INTEGER);
  return derived.flatMap(({ stored, source: { symbol, base } }) => {
    const history = histories.get(stored.id);
    if (history === undefined) return [];
    const derivation = { calendar, venue: base.venue, source: base.source, interval };
    const { first, last, partial } = derivedEdges(derivation, history);
    const starts = [...(partial.first ? [first] : []), ...(partial.last ? [last] : [])];
    return [...new Set(starts)].filter((ts) => ts >= from && ts < to).map((ts) => ({ symbol, ts }));
  });
}

function rowsBetween(
  symbol: string,
  interval: ReadInterval,
  { first, last }: { readonly first: number; readonly last: number },
): number {
  const seconds = last - first + READ_SECONDS[interval];
  return Math.max(1, Math.round((seconds / YEAR) * barsPerYear(featureSetup(symbol, interval, venueOf(symbol)))));
}
