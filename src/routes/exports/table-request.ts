/** Turns a checked query and the series found for it into an export. */

import { isSynthetic } from "../../domain/defaults.ts";
import { quote, Refusal } from "../../domain/errors.ts";
import { divides, type ReadInterval } from "../../domain/market/interval.ts";
import { requestedFeature } from "../../features/names.ts";
import { sourceIntervals, tableMetadata } from "../../pipeline/exports/describe-table.ts";
import type { ExportRequest } from "../../pipeline/exports/export-table.ts";
import type { FoundSources } from "../../pipeline/exports/find-sources.ts";
import type { RowsRequest } from "../../pipeline/exports/series/read-rows.ts";
import type { StoredSeries } from "../../storage/market/series.ts";
import type { RangeQuery } from "./parameters.ts";

export const rangeOf = ({ from, to }: Pick<RangeQuery, "from" | "to">) => ({
  from: from ?? Number.MIN_SAFE_INTEGER,
  to: to ?? Number.MAX_SAFE_INTEGER,
});

/** A refusal of one parameter. */
export const refuse = (path: string, message: string): Refusal => new Refusal("invalid", message, [{ path, message }]);

/**
 * The longer intervals whose features are requested.
 * @throws Refusal at `names` if bars of one cannot be joined to those of `interval`
 */
export function requireLonger(interval: ReadInterval, names: readonly string[]): ReadInterval[] {
  const requested = names.map((name) => requestedFeature(name)!).filter((each) => each.interval !== null);
  const wrong = requested.find((each) => !divides(interval, each.interval!));
  if (wrong !== undefined) {
    throw refuse("names", `${quote(wrong.name)} wants an interval that is a multiple of ${interval}`);
  }
  return [...new Set(requested.map((each) => each.interval!))];
}

type Columns = Pick<RowsRequest, "hasBars" | "features" | "labels">;

/** The export of one symbol; a range without bars is an empty table. */
export function tableRequest(
  query: RangeQuery,
  columns: Columns,
  { series, stored, outside, partial, knownSince }: FoundSources,
): { readonly request: ExportRequest; readonly stored: readonly StoredSeries[] } {
  const { interval, adjust, format, dtype, as_known_at: knownAt } = query;
  const range = { ...rangeOf(query), knownAt };
  const known = stored.length > 0 ? stored : outside;
  const [first] = known;
  const metadata = tableMetadata({ interval, adjust, ...range }, known, { missing: [], partial, knownSince });
  const head = {
    symbol: first?.symbol,
    interval,
    source_interval: sourceIntervals(known, interval),
    provider: first?.provider,
    synthetic: known.some(({ provider }) => isSynthetic(provider)),
    feed: first?.feed,
    adjustment: first?.adjustment,
    adjust,
    ...knownFields(metadata),
    ...partialField(metadata),
  };
  const request = { ...columns, ...range, interval, adjust, format, dtype, metadata, head, series };
  return { request: { ...request, content: "table", hasSymbol: false, sort: "symbol", coding: null }, stored: known };
}

/** What a JSON answer says of the moment of which it tells what was stored. */
export const knownFields = (metadata: ExportRequest["metadata"]): Record<string, string | null> =>
  metadata["barkeep.as_known_at"] === ""
    ? {}
    : { as_known_at: metadata["barkeep.as_known_at"]!, known_since: metadata["barkeep.known_since"] || null };

/** What a JSON answer says of rows that may be partial, if there are any. */
export const partialField = (metadata: ExportRequest["metadata"]): { readonly partial?: readonly string[] } =>
  metadata["barkeep.partial"] ? { partial: metadata["barkeep.partial"].split(",") } : {};

/** The most bytes of a header with symbols: clients refuse longer ones. */
const MAX_HEADER = 4_096;

/** The headers that describe the table. */
export function headersOf({ metadata }: Pick<ExportRequest, "metadata">): Record<string, string> {
  const provider = metadata["barkeep.provider"]!;
  const headers = {
    "x-barkeep-provider": provider,
    "x-barkeep-source-interval": metadata["barkeep.source_interval"]!,
    ...(provider.split(",").some(isSynthetic) && { "x-barkeep-synthetic": "true" }),
    ...(metadata["barkeep.partial"] && { "x-barkeep-partial": listed(metadata["barkeep.partial"].split(",")) }),
    ...(metadata["barkeep.known_since"] && { "x-barkeep-known-since": metadata["barkeep.known_since"] }),
  };
  const missing = metadata["barkeep.missing"]!;
  if (missing === "") return headers;
  const symbols = missing.split(",");
  return { ...headers, "x-barkeep-missing": listed(symbols), "x-barkeep-missing-count": String(symbols.length) };
}

/** The words with commas between; of too many the first, and how many follow. */
function listed(words: readonly string[]): string {
  let length = 0;
  const shown = words.findIndex((word) => {
    length += word.length + 1;
    return length > MAX_HEADER;
  });
  if (shown < 0) return words.join(",");
  return `${words.slice(0, shown).join(",")},... and ${words.length - shown} more`;
}
