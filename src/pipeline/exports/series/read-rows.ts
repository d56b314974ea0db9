/** The rows of one symbol: bars, features, features of longer bars and labels, in blocks. */

import { BAR_FIELDS, type BarColumns, lowerBound, sliceBars } from "../../../domain/market/bars.ts";
import type { Adjustment } from "../../../domain/market/corporate-actions.ts";
import { isDated, type ReadInterval } from "../../../domain/market/interval.ts";
import { barEndAt, storedBarEndAt } from "../../../domain/market/resample.ts";
import { type Feature, featureNamed } from "../../../features/catalog.ts";
import { featureMatrix } from "../../../features/engine.ts";
import { requestedFeature } from "../../../features/names.ts";
import { featureSetup } from "../../../features/setup.ts";
import { lastBarOf } from "../../stored-prices.ts";
import type { TableBlock } from "../table-block.ts";
import { FinishedBars } from "./finished-bars.ts";
import { LabelStream, type SeriesRows } from "./label-stream.ts";
import { labelNamed } from "./labels.ts";
import { type BarQuery, type ExportContext, readBarPages, type SeriesSource } from "./read-bars.ts";

/** The columns of bars, in their order. */
const BAR_COLUMNS = BAR_FIELDS.filter((field) => field !== "ts");

/** One symbol of a table, with the series behind its bars and, by interval, behind longer bars. */
export interface SymbolSource {
  readonly symbol: string;
  readonly base: SeriesSource;
  readonly longer: Readonly<Partial<Record<ReadInterval, SeriesSource>>>;
}

/** What the rows of every symbol have. Plain data: it is sent to a thread. */
export interface RowsRequest {
  readonly interval: ReadInterval;
  /** Half-open range, epoch seconds. */
  readonly from: number;
  readonly to: number;
  readonly adjust: Adjustment;
  /** Bars and actions as they were stored then, epoch milliseconds. */
  readonly knownAt?: number | undefined;
  /** Whether the rows begin with the bar itself. */
  readonly hasBars: boolean;
  /** Features (`rsi_14`, `rsi_14@1h`) and labels, in column order. */
  readonly features: readonly string[];
  readonly labels: readonly string[];
}

/** The names of the columns after symbol and time. */
export const columnNames = ({ hasBars, features, labels }: RowsRequest): string[] => [
  ...(hasBars ? BAR_COLUMNS : []),
  ...features,
  ...labels,
];

const RANGE = "natr_14";

/** All rows of one symbol, ascending. */
export async function* readRows(
  context: ExportContext,
  source: SymbolSource,
  request: RowsRequest,
): AsyncGenerator<TableBlock> {
  const { from, to, hasBars } = request;
  const requested = request.features.map((name) => requestedFeature(name)!);
  const labels = request.labels.map((name) => labelNamed(name)!);
  const own = requested.filter(({ interval }) => interval === null).map(({ feature }) => feature);
  const needsRange = labels.some((label) => label.needsRange);
  const computed = needsRange ? [...own, featureNamed(RANGE)!] : own;
  // Labels look ahead: rows are held back until theirs are known.
  const reuse = context.reusesColumns === true && labels.length === 0;
  const after = labels.reduce((most, { horizon }) => Math.max(most, horizon), 0);

  const level =
    requested.length === own.length ? undefined : await lastBarOf(context.db, source.base.seriesId, request.knownAt);
  const query = { ...request, after, ...(level !== undefined && { level }) };
  const longer = new Map<ReadInterval, { readonly names: string[]; readonly bars: FinishedBars }>();
  for (const [interval, group] of Map.groupBy(requested, (each) => each.interval)) {
    if (interval === null) continue;
    const features = group.map(({ feature }) => feature);
    const series = source.longer[interval]!;
    const lastSources = new Map<number, number>();
    const longerQuery = { ...query, interval, after: 0, lastSources };
    const rows = featureRows(context, source.symbol, series, longerQuery, features, { reuse });
    const endOf = (ts: number) => knownFrom(context, series, interval, ts, lastSources);
    const bars = new FinishedBars(blocksOf(rows), endOf, features.length);
    longer.set(interval, { names: group.map(({ name }) => name), bars });
  }

  const stream = new LabelStream(labels, own.length);
  const inRange = (rows: SeriesRows): SeriesRows => {
    const end = lowerBound(rows.bars.ts, to);
    return { bars: sliceBars(rows.bars, 0, end), columns: rows.columns.map((column) => column.subarray(0, end)) };
  };
  const finish = async (all: SeriesRows): Promise<TableBlock> => {
    const { bars, columns } = inRange(all);
    const ends = longer.size === 0 ? bars.ts : endsOf(context, source.base, request.interval, bars.ts);
    const joined = new Map<string, Float64Array>();
    for (const { names, bars } of longer.values()) {
      const values = await bars.columnsAt(ends);
      for (const [k, name] of names.entries()) joined.set(name, values[k]!);
    }
    let next = 0;
    const features = requested.map(({ name, interval }) => (interval === null ? columns[next++]! : joined.get(name)!));
    const prices = hasBars ? BAR_COLUMNS.map((name) => bars[name]) : [];
    return { ts: bars.ts, columns: [...prices, ...features, ...columns.slice(own.length)] };
  };
  const hasRows = ({ bars }: SeriesRows) => bars.ts.length > 0 && bars.ts[0]! < to;
  for await (const rows of featureRows(context, source.symbol, source.base, query, computed, { since: from, reuse })) {
    const known = labels.length === 0 ? rows : stream.take(rows);
    if (hasRows(known)) yield await finish(known);
  }
  const last = stream.end();
  if (hasRows(last)) yield await finish(last);
}

/**
 * Bars with their features. Cumulative features begin with the first stored bar, so all are read; rows before `since`
 * (epoch seconds) are left out. With `reuse`, columns are valid until the next rows are asked for.
 */
async function* featureRows(
  context: ExportContext,
  symbol: string,
  source: SeriesSource,
  query: BarQuery,
  features: readonly Feature[],
  { since = Number.NEGATIVE_INFINITY, reuse = false },
): AsyncGenerator<SeriesRows> {
  if (features.length === 0) {
    for await (const bars of readBarPages(context, source, query)) yield { bars, columns: [] };
    return;
  }
  const setup = featureSetup(symbol, query.interval, source.venue);
  const take = featureMatrix(setup, features, { since, onStep: context.throwIfStopped, reuse });
  for await (const page of readBarPages(context, source, { ...query, from: Number.MIN_SAFE_INTEGER })) {
    let at = lowerBound(page.ts, since);
    for (const { ts, columns } of take(page)) {
      yield { bars: sliceBars(page, at, at + ts.length), columns };
      at += ts.length;
    }
  }
}

async function* blocksOf(rows: AsyncIterable<SeriesRows>): AsyncGenerator<TableBlock> {
  for await (const { bars, columns } of rows) yield { ts: bars.ts, columns };
}

/**
 * When all of a longer bar is known: at its end, or later if one of its stored bars ended later, as on a day that the
 * calendar does not have.
 */
function knownFrom(
  { calendar }: ExportContext,
  { venue, source }: SeriesSource,
  interval: ReadInterval,
  ts: number,
  lastSources: Map<number, number>,
): number {
  if (source === interval) return storedBarEndAt(calendar, venue, interval, ts);
  const last = lastSources.get(ts);
  lastSources.delete(ts);
  const end = barEndAt(calendar, venue, interval, ts);
  return last === undefined ? end : Math.max(end, storedBarEndAt(calendar, venue, source, last));
}

/** The ends of rows: of stored days with their auction, as `knownFrom`, so that the last day of a week knows it. */
function endsOf(
  { calendar }: ExportContext,
  { venue, source }: SeriesSource,
  interval: ReadInterval,
  ts: BarColumns["ts"],
): Float64Array {
  const endAt = isDated(source) && source === interval ? storedBarEndAt : barEndAt;
  return ts.map((start) => endAt(calendar, venue, interval, start));
}
