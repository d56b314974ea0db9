/** Lists the stored series with their sizes: filtered, sorted, and one page of them. */

import type { LakePlace } from "../../config/places.ts";
import type { SeriesFilter, SeriesSort } from "../../domain/series/selection.ts";
import { chunks, type Database, yieldToEvents } from "../../storage/db.ts";
import {
  bytesPerRow,
  countBarsOf,
  type FilePages,
  filePages,
  listSeries,
  type SeriesEntry,
  seriesEdges,
} from "../../storage/series/list-series.ts";
import { readLakeSizes } from "./lake-sizes.ts";

export interface SeriesListTask {
  readonly kind: "stored";
  readonly filter: SeriesFilter;
  readonly sort: SeriesSort;
  readonly descending: boolean;
  readonly offset: number;
  readonly limit: number;
  readonly place: LakePlace | undefined;
}

interface ListedSeries
  extends Pick<
    SeriesEntry,
    "id" | "symbol" | "interval" | "provider" | "feed" | "hasProfile" | "keptFrom" | "isPruning"
  > {
  /** `null`: not counted yet. */
  readonly bars: number | null;
  /** About how many bytes they take in the database; `null` if that is not known. */
  readonly bytes: number | null;
  /** Bytes in the lake; `null` without a lake. */
  readonly lakeBytes: number | null;
  /** Starts of the first and the last bar, epoch seconds; `null` without bars. */
  readonly firstBar: number | null;
  readonly lastBar: number | null;
  /** When the profile was stored, or else when the provider was last asked; epoch milliseconds. */
  readonly updatedAt: number | null;
}

export interface SeriesPage {
  readonly rows: readonly ListedSeries[];
  /** Series that match, on all pages. */
  readonly total: number;
  /** Their bars as far as they are counted, and how many series are not. */
  readonly bars: number;
  readonly uncounted: number;
  /** About how many bytes those bars take in the database; `null` if that is not known. */
  readonly bytes: number | null;
  /** Their bytes in the lake, and those of the whole lake; `null` without a lake that can be read. */
  readonly lakeBytes: number | null;
  readonly lakeTotal: number | null;
  /** `null` on a server. */
  readonly file: FilePages | null;
  /** The providers of all series, by name. */
  readonly providers: readonly string[];
}

interface ListContext {
  readonly db: Database;
  readonly throwIfStopped: () => void;
}

/** Series whose edges are read, or whose bars are counted, by one statement. */
const SLICE = 200;
/** How long bars are counted for one answer, milliseconds. What is missing then is counted for the next one. */
const COUNT_MS = 4_000;
/** Counts that are kept. */
const KEPT = 200_000;

type Listed = Omit<ListedSeries, "bytes" | "lakeBytes"> & SeriesEntry;

/** Numbers of bars that were counted, by the series and what was known of it then. */
const counted = new Map<number, { readonly version: string; readonly bars: number }>();

/** A page of the stored series. Those whose profile is up to date are not counted: it says how many bars there are. */
export async function listStoredSeries(
  { db, throwIfStopped }: ListContext,
  task: SeriesListTask,
  countMs = COUNT_MS,
): Promise<SeriesPage> {
  const { filter, sort, descending, offset, limit, place } = task;
  const all = await listSeries(db, { filter });
  const listed = await withCounts(db, all, countMs, throwIfStopped);
  const [perBar, lake, file] = [await bytesPerRow(db, "bars"), await readLakeSizes(place), await filePages(db)];
  throwIfStopped();
  const rows = sortedBy(listed, sort, descending).slice(offset, offset + limit);
  const bars = listed.reduce((sum, series) => sum + (series.bars ?? 0), 0);
  const known = await db.rows("SELECT DISTINCT provider FROM series WHERE +staging_for = 0 ORDER BY provider", []);
  return {
    rows: rows.map((series) => ({
      ...shownOf(series),
      bytes: series.bars === null || perBar === null ? null : Math.round(series.bars * perBar),
      lakeBytes: lake?.bytesOf(series) ?? null,
    })),
    total: listed.length,
    bars,
    uncounted: listed.filter((series) => series.bars === null).length,
    bytes: perBar === null ? null : Math.round(bars * perBar),
    lakeBytes: lake === null ? null : listed.reduce((sum, series) => sum + lake.bytesOf(series), 0),
    lakeTotal: lake?.total ?? null,
    file,
    providers: known.map(([provider]) => provider as string),
  };
}

const shownOf = ({ adjustment: _, sessions: __, barsId: ___, profileAt: ____, ...shown }: Listed) => shown;

async function withCounts(
  db: Database,
  all: readonly SeriesEntry[],
  countMs: number,
  throwIfStopped: () => void,
): Promise<Listed[]> {
  const end = performance.now() + countMs;
  const listed: Listed[] = all.map((series) => ({ ...series, updatedAt: series.profileAt }));
  const open = [...listed.keys()].filter((at) => all[at]!.bars === null);
  for (const places of chunks(open, SLICE)) {
    throwIfStopped();
    const edges = await seriesEdges(
      db,
      places.map((at) => all[at]!.id),
    );
    const missing: { readonly at: number; readonly version: string }[] = [];
    for (const at of places) {
      const series = listed[at]!;
      const found = edges.get(series.id);
      // Deleted since.
      if (found === undefined) continue;
      const { firstBar, lastBar, fetchedAt, version } = found;
      const kept = counted.get(series.id);
      const bars = firstBar === null ? 0 : kept?.version === version ? kept.bars : null;
      listed[at] = { ...series, firstBar, lastBar, bars, updatedAt: series.profileAt ?? fetchedAt };
      if (bars === null) missing.push({ at, version });
    }
    for (const part of chunks(missing, 10)) {
      if (performance.now() > end) break;
      throwIfStopped();
      const bars = await countBarsOf(
        db,
        part.map(({ at }) => listed[at]!.barsId),
      );
      for (const [place, { at, version }] of part.entries()) {
        listed[at] = { ...listed[at]!, bars: bars[place]! };
        counted.set(listed[at]!.id, { version, bars: bars[place]! });
      }
    }
    await yieldToEvents();
  }
  while (counted.size > KEPT) counted.delete(counted.keys().next().value!);
  return listed;
}

const KEYS: Readonly<Record<SeriesSort, (series: Listed) => string | number | null>> = {
  symbol: ({ symbol }) => symbol,
  interval: ({ interval }) => interval,
  provider: ({ provider }) => provider,
  bars: ({ bars }) => bars,
  first_bar: ({ firstBar }) => firstBar,
  last_bar: ({ lastBar }) => lastBar,
  updated: ({ updatedAt }) => updatedAt,
};

const byKey = <T extends string | number>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0);

/** What is not known comes last; among equals, the symbol decides. */
function sortedBy(listed: readonly Listed[], sort: SeriesSort, descending: boolean): Listed[] {
  const keyOf = KEYS[sort];
  return listed.toSorted((a, b) => {
    const [x, y] = [keyOf(a), keyOf(b)];
    const order =
      x === null || y === null ? Number(x === null) - Number(y === null) : byKey(x, y) * (descending ? -1 : 1);
    return order || byKey(a.symbol, b.symbol) || byKey(a.interval, b.interval) || a.id - b.id;
  });
}
