/**
 * Profiles at intervals that are not stored, computed when they are asked for and kept as long as the stored profile
 * behind them is the same. A screen computes those of many symbols in the background, and answers with what is known.
 */

import { waitAtMost } from "../../clock.ts";
import { Refusal } from "../../domain/errors.ts";
import { divides, INTERVALS, type Interval, type ReadInterval } from "../../domain/market/interval.ts";
import type { PartialBars } from "../../domain/market/partial-bars.ts";
import type { ColumnOperand, Condition } from "../../domain/profiles/screener.ts";
import type { Database, Row } from "../../storage/db.ts";
import { FactColumns } from "../../storage/profiles/fact-columns.ts";
import type { ProfileColumns } from "../../storage/profiles/profile-columns.ts";
import { type ProfileEntry, ProfileRows } from "../../storage/profiles/profile-rows.ts";
import {
  factsOf,
  matching,
  operandsOf,
  type ProfileSort,
  rankApart,
  simpleConditions,
  sortedBy,
} from "../../storage/profiles/select-profiles.ts";
import type { Analysis } from "./analysis.ts";
import type { DerivedProfile } from "./derive-profile.ts";
import { type ComputedSource, seriesSource, sourceState } from "./source-state.ts";

/** Profiles kept for pages: a third of a megabyte each. */
const KEPT = 24;
/** A screen that nobody has asked for this long is not computed further, milliseconds. */
const FORGOTTEN_MS = 60_000;
/** How long a page waits for its values, milliseconds: it says what is still missing. */
const MAX_WAIT_MS = 2_000;
/** How long a request waits that wants the values of all symbols, and when it may ask again (seconds). */
const WHOLE_MS = 20_000;
const RETRY_AFTER = 5;
/** Tasks of a screen that wait for the thread at once. */
const AHEAD = 2;

interface DerivedQuery {
  readonly interval: ReadInterval;
  readonly search: string;
  readonly where: Condition | undefined;
  readonly sort: Exclude<ProfileSort, { readonly column: "health" }> | undefined;
  readonly columns: readonly ColumnOperand[];
}

/** What a derived profile has besides its entry. */
interface DerivedDetails {
  /** The value of every feature at the last bar, in catalogue order; NaN where undefined. */
  readonly values: Float64Array;
  readonly lastClose: number;
  readonly partial: PartialBars;
}

export interface DerivedSelection {
  /** Those of the computed profiles that match. */
  readonly entries: readonly ProfileEntry<ReadInterval>[];
  readonly columns: readonly Float64Array[];
  /** The stored profile behind each entry. */
  sourceOf(entry: ProfileEntry<ReadInterval>): ProfileEntry;
  detailsOf(entry: ProfileEntry<ReadInterval>): DerivedDetails;
  /** How many symbols are computed, of how many; and those that could not be. */
  readonly done: number;
  readonly total: number;
  readonly failed: readonly string[];
  /** The stored intervals that they are built from. */
  readonly sources: readonly Interval[];
}

/** The computed profiles of one interval. */
class Screen {
  readonly rows = new ProfileRows<ReadInterval>();
  /** What each symbol was built from: its stored profile, and when that was stored. */
  readonly built = new Map<string, ComputedSource>();
  readonly failed = new Map<string, ComputedSource>();
  /** By symbol; columns are filled from the values. */
  readonly details = new Map<string, DerivedDetails & { readonly revision: number }>();
  askedAt = 0;
  /** The computation under way. */
  work: Promise<void> | null = null;
}

const isSame = (a: ComputedSource | undefined, b: ComputedSource) =>
  a?.seriesId === b.seriesId && a.updatedAt === b.updatedAt;

type DerivedAt = DerivedProfile & { readonly interval: ReadInterval };
type Places = ReadonlyMap<string, number>;

/** Where the value of each feature stands. Read late: a server that starts needs no formulas. */
async function featurePlaces(): Promise<Places> {
  const { FEATURES } = await import("../../features/catalog.ts");
  return new Map(FEATURES.map(({ name }, at) => [name, at]));
}

export class DerivedProfiles {
  readonly #pages = new Map<string, DerivedProfile | null>();
  readonly #screens = new Map<ReadInterval, Screen>();
  readonly #facts: FactColumns;
  #revision = 0;
  #closed = false;

  constructor(
    private readonly db: Database,
    private readonly profiles: ProfileColumns,
    private readonly analysis: Analysis,
    private readonly wholeMs = WHOLE_MS,
  ) {
    this.#facts = new FactColumns(db);
  }

  /**
   * The profile of a symbol at a longer interval than the stored one; `null` without bars.
   * @throws Refusal if it takes too long
   */
  async find(source: ComputedSource, interval: ReadInterval): Promise<DerivedProfile | null> {
    const key = await sourceState(this.db, source, interval);
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const found = await this.analysis.run(await this.#task(source, interval, true));
    this.#pages.set(key, found);
    if (this.#pages.size > KEPT) this.#pages.delete(this.#pages.keys().next().value!);
    return found;
  }

  /** The stored profiles from which those of `interval` can be built, the finest of each symbol. */
  async sourcesOf(interval: ReadInterval): Promise<ProfileEntry[]> {
    const bySymbol = new Map<string, ProfileEntry>();
    for (const entry of await this.profiles.all()) {
      const known = bySymbol.get(entry.symbol);
      if (entry.interval === interval) bySymbol.set(entry.symbol, entry);
      else if (divides(entry.interval, interval) && known?.interval !== interval && isFiner(entry, known))
        bySymbol.set(entry.symbol, entry);
    }
    return [...bySymbol.values()].filter((entry) => entry.interval !== interval);
  }

  /**
   * As `select`, of all symbols.
   * @throws Refusal if they are not computed within 20 seconds; what is computed is kept for the next request
   */
  async selectWhole(query: DerivedQuery): Promise<DerivedSelection> {
    const found = await this.select(query, this.wholeMs);
    if (found.done === found.total) return found;
    const detail = `The ${query.interval} profiles of ${found.done} of ${found.total} symbols are computed so far: try again in ${RETRY_AFTER} seconds`;
    throw new Refusal("unavailable", detail, [], RETRY_AFTER);
  }

  /** What is computed by now of a screen, of which the rest is being computed. */
  async select(query: DerivedQuery, waitMs = MAX_WAIT_MS): Promise<DerivedSelection> {
    const { interval, where, columns, sort } = query;
    const sources = await this.sourcesOf(interval);
    const screen = this.#screens.getOrInsertComputed(interval, () => new Screen());
    screen.askedAt = performance.now();
    await this.#advance(screen, interval, waitMs);
    const named = where === undefined ? [] : [...simpleConditions(where)];
    await this.#facts.update(named.flatMap(factsOf));
    const operands = [
      ...columns,
      ...(sort !== undefined && "operand" in sort ? [sort.operand] : []),
      ...named.flatMap(operandsOf),
    ];
    this.#addColumns(screen, operands, await featurePlaces());
    await rankApart(screen.rows, operands, named);
    const stored = new Map(sources.map((source) => [source.symbol, source]));
    const found = matching(screen.rows, { search: query.search, where }, this.#facts).filter(({ symbol }) =>
      stored.has(symbol),
    );
    const isReady = (source: ProfileEntry) =>
      isSame(screen.built.get(source.symbol), source) || isSame(screen.failed.get(source.symbol), source);
    return {
      entries: sortedBy(found, sort, screen.rows),
      columns: columns.map((operand) => screen.rows.column(operand)),
      sourceOf: ({ symbol }) => stored.get(symbol)!,
      detailsOf: ({ symbol }) => screen.details.get(symbol)!,
      done: sources.filter(isReady).length,
      total: sources.length,
      failed: sources.flatMap((source) => (isSame(screen.failed.get(source.symbol), source) ? [source.symbol] : [])),
      sources: INTERVALS.filter((each) => sources.some((source) => source.interval === each)),
    };
  }

  close(): void {
    this.#closed = true;
  }

  /** Computes what is missing, and waits for it as long as the reader would. */
  async #advance(screen: Screen, interval: ReadInterval, waitMs: number): Promise<void> {
    screen.work ??= this.#compute(screen, interval).finally(() => {
      screen.work = null;
    });
    await waitAtMost(screen.work, waitMs);
  }

  /** Computes what is missing or outdated, as long as somebody asks for it. */
  async #compute(screen: Screen, interval: ReadInterval): Promise<void> {
    const isOpen = (source: ProfileEntry) =>
      !isSame(screen.built.get(source.symbol), source) && !isSame(screen.failed.get(source.symbol), source);
    const open = (await this.sourcesOf(interval)).filter(isOpen).reverse();
    const places = await featurePlaces();
    const next = async () => {
      for (let source = open.pop(); source !== undefined; source = open.pop()) {
        if (this.#closed || performance.now() - screen.askedAt > FORGOTTEN_MS) return;
        try {
          const found = await this.analysis.runLater(await this.#task(source, interval, false));
          if (found === null) screen.failed.set(source.symbol, source);
          else this.#put(screen, source, { ...found, interval }, places);
        } catch {
          // The page counts those that could not be computed.
          screen.failed.set(source.symbol, source);
        }
      }
    };
    await Promise.all(Array.from({ length: AHEAD }, next));
  }

  #put(screen: Screen, source: ProfileEntry, found: DerivedAt, places: Places): void {
    const revision = ++this.#revision;
    const { interval, values, firstBar, lastBar, bars, last, partial } = found;
    const known = values.reduce((count, value) => (Number.isNaN(value) ? count : count + 1), 0);
    const { symbol, seriesId, provider, sessions, incomplete, catalogVersion, updatedAt } = source;
    const row = [
      revision,
      symbol,
      interval,
      seriesId,
      provider,
      firstBar,
      lastBar,
      bars,
      incomplete ? 0 : 1,
      known,
      catalogVersion,
      updatedAt,
      sessions,
    ];
    screen.rows.put([row as Row]);
    screen.details.set(symbol, { revision, values, lastClose: last.close.at(-1)!, partial });
    screen.rows.fill(revision, bytesOf(values), places, screen.rows.features);
    screen.built.set(symbol, source);
    screen.failed.delete(symbol);
  }

  #addColumns(screen: Screen, operands: readonly ColumnOperand[], places: Places): void {
    const features = [...new Set(operands.map((each) => ("feature" in each ? each.feature : each.rankOf)))];
    const missing = features.filter((feature) => !screen.rows.features.includes(feature));
    if (missing.length === 0) return;
    screen.rows.addColumns(missing);
    for (const { revision, values } of screen.details.values())
      screen.rows.fill(revision, bytesOf(values), places, missing);
  }

  async #task(source: ComputedSource, interval: ReadInterval, tails: boolean) {
    const series = await seriesSource(this.db, source);
    return { kind: "profile", symbol: source.symbol, interval, series, tails } as const;
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array) => new Uint8Array(buffer, byteOffset, byteLength);

const isFiner = (entry: ProfileEntry, than: ProfileEntry | undefined) =>
  than === undefined || INTERVALS.indexOf(entry.interval) < INTERVALS.indexOf(than.interval);
