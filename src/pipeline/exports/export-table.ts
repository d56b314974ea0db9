/** Exports stored bars and the feature matrix, page by page, as JSON, CSV or Parquet. */

import type { Adjustment } from "../../domain/market/corporate-actions.ts";
import type { Interval } from "../../domain/market/interval.ts";
import { marketOf } from "../../domain/market/symbol.ts";
import { featureNamed } from "../../features/catalog.ts";
import { featureMatrix } from "../../features/engine.ts";
import type { Database } from "../../storage/db.ts";
import { barPages } from "../../storage/market/bars.ts";
import { adjusterOf } from "../price-adjustment.ts";
import { encodeCsv } from "./encode-csv.ts";
import { encodeJson } from "./encode-json.ts";
import { encodeParquet } from "./parquet/encode-parquet.ts";
import type { TableBlock } from "./table-block.ts";

export const EXPORT_FORMATS = ["json", "csv", "parquet"] as const;
type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** What to export. Plain data: it is sent to a thread. */
export interface ExportRequest {
  readonly content: "bars" | "features";
  readonly seriesId: number;
  readonly symbol: string;
  readonly interval: Interval;
  /** Half-open range, epoch seconds. */
  readonly from: number;
  readonly to: number;
  /** Names of the requested features, in column order. */
  readonly names: readonly string[];
  readonly format: ExportFormat;
  /** Which corporate actions are applied to the raw bars. */
  readonly adjust: Adjustment;
  /** The fields of a JSON export before its rows. */
  readonly head: Readonly<Record<string, unknown>>;
}

const BAR_COLUMNS = ["open", "high", "low", "close", "volume"] as const;

/**
 * The encoded table, piece by piece; memory does not grow with the number of rows.
 * @param throwIfStopped called several times within a piece, so that an export without a reader ends at once
 */
export function exportTable(
  db: Database,
  request: ExportRequest,
  throwIfStopped: () => void = () => {},
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const [names, blocks] =
    request.content === "bars"
      ? [BAR_COLUMNS, barBlocks(db, request, throwIfStopped)]
      : [request.names, featureBlocks(db, request, throwIfStopped)];
  if (request.format === "parquet") return encodeParquet(names, blocks, throwIfStopped);
  return request.format === "csv"
    ? encodeCsv(names, blocks, throwIfStopped)
    : encodeJson(names, blocks, request.head, throwIfStopped);
}

async function* barBlocks(
  db: Database,
  { seriesId, from, to, adjust }: ExportRequest,
  throwIfStopped: () => void,
): AsyncGenerator<TableBlock> {
  const adjusted = await adjusterOf(db, seriesId, adjust);
  for await (const page of barPages(db, seriesId, from, to)) {
    throwIfStopped();
    const bars = adjusted(page);
    yield { ts: bars.ts, columns: BAR_COLUMNS.map((name) => bars[name]) };
  }
}

/** Reads from the first stored bar on, because cumulative features start there; rows before `from` are left out. */
async function* featureBlocks(
  db: Database,
  request: ExportRequest,
  throwIfStopped: () => void,
): AsyncGenerator<TableBlock> {
  const features = request.names.map((name) => featureNamed(name)!);
  const setup = { interval: request.interval, market: marketOf(request.symbol) };
  const take = featureMatrix(setup, features, { since: request.from, onStep: throwIfStopped });
  const adjusted = await adjusterOf(db, request.seriesId, request.adjust);
  for await (const page of barPages(db, request.seriesId, Number.MIN_SAFE_INTEGER, request.to)) {
    throwIfStopped();
    yield* take(adjusted(page));
  }
}
