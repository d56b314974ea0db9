/** Features of the series that ask for them: a file a year, which follows the bars of that year and of all before it. */

import { lowerBound } from "../../domain/market/bars.ts";
import { CALENDAR } from "../../domain/market/calendar.ts";
import { adjustmentSteps, kindsToApply } from "../../domain/market/corporate-actions.ts";
import { venueOfSeries } from "../../domain/market/exchanges/exchanges.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { FEATURES } from "../../features/catalog.ts";
import { CATALOG_VERSION } from "../../features/version.ts";
import { type Database, yieldToEvents } from "../../storage/db.ts";
import { listActions } from "../../storage/market/corporate-actions.ts";
import {
  changesOfBars,
  keysOfSeries,
  type LakeSeries,
  lakeSeries,
  yearStart,
} from "../../storage/market/lake-changes.ts";
import { readSeries } from "../../storage/market/series.ts";
import { tableMetadata } from "../exports/describe-table.ts";
import { encodeParquet } from "../exports/parquet/encode-parquet.ts";
import { readRows } from "../exports/series/read-rows.ts";
import { canonical, SymbolHash } from "../exports/snapshots/content-hash.ts";
import type { TableBlock } from "../exports/table-block.ts";
import { USUAL_ADJUSTMENT } from "../price-adjustment.ts";
import { lastBarOf } from "../stored-prices.ts";
import { bySeries, folderOf, hasBars, isoOf, type LakeFile, pathOfFeatures, yearOfPath } from "./manifest.ts";
import type { LakeStorage, StagedFile } from "./storage.ts";

/** Which series have features in the lake: `all`, intervals (`1d`), and single series (`AAPL:1m`). */
export type FeatureWish = readonly string[];

const NAMES = FEATURES.map(({ name }) => name);
const DTYPE = "float32";
/** A file holds the stored bars of a year as they are: no symbol is missing, and no row is built from shorter ones. */
const NOTHING_LEFT_OUT = { missing: [], partial: [], knownSince: null };

/** A series whose features are in the lake, or are to be. */
export interface FeatureSeries {
  readonly series: LakeSeries;
  readonly barsIds: readonly number[];
  /** Catalogue, series and splits, as a text. */
  readonly origin: string;
  /** What the features of each year follow from, as a hash; in order. */
  readonly bases: ReadonlyMap<number, string>;
  /** Whether its bars in the lake are not those of the store: its features wait for them. */
  readonly isBehind: boolean;
}

/** The series that ask for features and have bars in the lake. */
export async function* featureSeries(
  db: Database,
  files: readonly LakeFile[],
  wish: FeatureWish,
): AsyncGenerator<FeatureSeries> {
  if (wish.length === 0) return;
  const byFolder = bySeries(files.filter(hasBars));
  const isWanted = (symbol: string, interval: string) =>
    wish.includes("all") || wish.includes(interval) || wish.includes(`${symbol}:${interval}`);
  for (const key of await keysOfSeries(db)) {
    const [symbol, , interval] = key;
    const found = isWanted(symbol, interval) ? await lakeSeries(db, key) : null;
    const bars = found === null ? [] : (byFolder.get(folderOf(found.series)) ?? []);
    if (found === null || bars.length === 0) continue;
    const isBehind = (await changesOfBars(db, found.barsIds)).length > 0;
    const origin = await originOf(db, found.series);
    yield { ...found, origin, bases: basesOf(origin, bars), isBehind };
  }
}

async function originOf(db: Database, series: LakeSeries): Promise<string> {
  const { id, provider, symbol, feed, adjustment, sessions } = series;
  const kinds = kindsToApply(USUAL_ADJUSTMENT, adjustment);
  const splits = kinds.length === 0 ? [] : await listActions(db, provider, symbol, kinds);
  const steps = splits.length === 0 ? [] : adjustmentSteps(splits, await lastBarOf(db, id), () => undefined);
  return JSON.stringify([CATALOG_VERSION, feed, adjustment, sessions, steps]);
}

/** A chain of hashes: of the origin, then of the bars of each year and all before it. */
function basesOf(origin: string, bars: readonly LakeFile[]): Map<number, string> {
  let basis = origin;
  const bases = new Map<number, string>();
  for (const { path, content_sha256 } of bars.toSorted((a, b) => yearOfPath(a.path) - yearOfPath(b.path))) {
    basis = new Bun.CryptoHasher("sha256").update(`${basis}\n${content_sha256}`).digest("hex");
    bases.set(yearOfPath(path), basis);
  }
  return bases;
}

/** The first year whose file is missing or follows other bars, splits or another catalogue; `null` if there is none. */
export function firstDueYear({ bases }: FeatureSeries, own: readonly LakeFile[]): number | null {
  const present = new Map(own.map((file) => [yearOfPath(file.path), file.basis]));
  for (const [year, basis] of bases) if (present.get(year) !== basis) return year;
  return null;
}

/** One year of features: its rows, and what the manifest says of them once the rows were read. */
export interface FeatureYear {
  readonly year: number;
  blocks(): AsyncGenerator<TableBlock>;
  facts(): Pick<LakeFile, "rows" | "min_timestamp" | "max_timestamp" | "content_sha256">;
}

/** The years from one on. All bars before are read as well, because some features follow from the first bar on. */
export async function* featureYears(
  db: Database,
  { series, bases }: FeatureSeries,
  from: number,
  throwIfStopped: () => void,
): AsyncGenerator<FeatureYear> {
  const { id, symbol } = series;
  const interval = series.interval as Interval;
  const source = { symbol, base: { seriesId: id, source: interval, venue: venueOfSeries(series) }, longer: {} };
  const range = { interval, from: yearStart(from), to: Number.MAX_SAFE_INTEGER, adjust: USUAL_ADJUSTMENT };
  const request = { ...range, hasBars: false, features: NAMES, labels: [] };
  const rows = readRows({ db, calendar: CALENDAR, throwIfStopped }, source, request);
  let rest: TableBlock | null = null;
  for (const year of bases.keys()) {
    if (year < from) continue;
    const end = yearStart(year + 1);
    const hash = new SymbolHash(NAMES.length + 1);
    let [count, first, last] = [0, Number.NaN, Number.NaN];
    const blocks = async function* (): AsyncGenerator<TableBlock> {
      for (;;) {
        await yieldToEvents();
        const block: TableBlock | undefined = rest ?? (await rows.next()).value;
        rest = null;
        if (block === undefined) return;
        const cut = lowerBound(block.ts, end);
        if (cut < block.ts.length) rest = sliceBlock(block, cut, block.ts.length);
        if (cut > 0) {
          const own = sliceBlock(block, 0, cut);
          hash.add([own.ts, ...own.columns.map((column) => canonical(column, DTYPE))]);
          if (count === 0) first = own.ts[0]!;
          last = own.ts[cut - 1]!;
          count += cut;
          yield { ...own, symbols: new Uint16Array(cut) };
        }
        if (rest !== null) return;
      }
    };
    const facts = () => ({
      ...{ rows: count, min_timestamp: isoOf(first), max_timestamp: isoOf(last) },
      content_sha256: hash.end(symbol, count, []),
    });
    yield { year, blocks, facts };
  }
}

const sliceBlock = ({ ts, columns }: TableBlock, start: number, end: number): TableBlock => ({
  ts: ts.subarray(start, end),
  columns: columns.map((column) => column.subarray(start, end)),
});

/** Writes the years from one on; `null` if the bars or splits changed meanwhile, and then nothing has a place. */
export async function writeFeatures(
  db: Database,
  lake: LakeStorage,
  found: FeatureSeries,
  from: number,
  throwIfStopped: () => void,
): Promise<LakeFile[] | null> {
  const { series, barsIds, bases } = found;
  const { feed, adjustment, sessions } = series;
  const stored = await readSeries(db, series.id);
  const head = { names: NAMES, symbols: [series.symbol], dtype: DTYPE } as const;
  const staged: { readonly file: StagedFile; readonly entry: Omit<LakeFile, "path">; readonly year: number }[] = [];
  for await (const { year, blocks, facts } of featureYears(db, found, from, throwIfStopped)) {
    const range = { from: yearStart(year), to: yearStart(year + 1), adjust: USUAL_ADJUSTMENT };
    const metadata = tableMetadata({ ...range, interval: stored.interval }, [stored], NOTHING_LEFT_OUT);
    const file = await lake.stage(encodeParquet({ ...head, metadata }, blocks(), throwIfStopped));
    const { bytes, sha256 } = file;
    const own = { feed, adjustment, sessions, catalog_version: CATALOG_VERSION, basis: bases.get(year)! };
    staged.push({ year, file, entry: { ...facts(), bytes, sha256, ...own } });
  }
  const isSame = (await changesOfBars(db, barsIds)).length === 0 && (await originOf(db, series)) === found.origin;
  const files: LakeFile[] = [];
  for (const { year, file, entry } of staged) {
    if (!isSame || entry.rows === 0) {
      await file.discard();
      continue;
    }
    const path = pathOfFeatures(series, year, file.sha256);
    await file.publish(path);
    files.push({ path, ...entry });
  }
  return isSame ? files : null;
}
