/** The encoder of a format. */

import { PagesEncoder } from "../parquet/pages-encoder.ts";
import { csvRows } from "../text/csv-rows.ts";
import { jsonRows } from "../text/json-rows.ts";
import { RowEncoder } from "../text/text-pieces.ts";
import type { PartEncoder, PartFormat } from "./part.ts";

export function partEncoder(format: PartFormat): PartEncoder {
  if (format.kind === "pages") return new PagesEncoder(format);
  return new RowEncoder(format.format === "csv" ? csvRows(format) : jsonRows(format, format.format));
}
