/** Describes an export: the metadata of a file, the head of a JSON answer, the name of a download. */

import { version } from "../../../package.json";
import { isoMillisecond, isoSecond } from "../../domain/time.ts";
import { CATALOG_VERSION } from "../../features/version.ts";
import type { StoredSeries } from "../../storage/market/series.ts";
import type { FoundSources, PartialRow } from "./find-sources.ts";
import type { ExportFormat } from "./formats.ts";
import type { RowsRequest } from "./series/read-rows.ts";

const unique = (values: readonly string[]) => [...new Set(values)].sort().join(",");

/** The stored intervals behind a table, with commas; the requested interval if there are none. */
export const sourceIntervals = (stored: readonly StoredSeries[], interval: string): string =>
  unique(stored.map((series) => series.interval)) || interval;

/** The facts of a table by key (docs/data.md). What does not apply is empty. */
export function tableMetadata(
  { interval, from, to, adjust, knownAt }: Pick<RowsRequest, "interval" | "from" | "to" | "adjust" | "knownAt">,
  stored: readonly StoredSeries[],
  { missing, partial, knownSince }: Pick<FoundSources, "missing" | "partial" | "knownSince">,
): Record<string, string> {
  const facts = {
    version,
    catalog_version: String(CATALOG_VERSION),
    symbol: stored.map(({ symbol }) => symbol).join(","),
    interval,
    source_interval: sourceIntervals(stored, interval),
    provider: unique(stored.map(({ provider }) => provider)),
    feed: unique(stored.map(({ feed }) => feed)),
    adjust,
    as_known_at: knownAt === undefined ? "" : isoMillisecond(knownAt / 1_000),
    known_since: knownSince === null ? "" : isoMillisecond(knownSince / 1_000),
    from: from === Number.MIN_SAFE_INTEGER ? "" : isoSecond(from),
    to: to === Number.MAX_SAFE_INTEGER ? "" : isoSecond(to),
    missing: missing.join(","),
    partial: partial.map(partialText).join(","),
  };
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [`barkeep.${key}`, value]));
}

/** A row that may be partial, with its time as rows have it: `AAPL/2026-11-23T00:00:00Z`. */
const partialText = ({ symbol, ts }: PartialRow): string => `${symbol}/${isoSecond(ts)}`;

/** The media type of each format. */
export const FORMAT_TYPES: Readonly<Record<ExportFormat, string>> = {
  json: "application/json",
  csv: "text/csv; charset=utf-8",
  ndjson: "application/x-ndjson",
  parquet: "application/vnd.apache.parquet",
  arrow: "application/vnd.apache.arrow.file",
};

/** Formats of text, which are worth compressing on the way. */
export const isText = (format: ExportFormat): boolean => format === "json" || format === "csv" || format === "ndjson";
