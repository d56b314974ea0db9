/** About how large the answer to a request for data is. */

import type { ExportRequest } from "../../pipeline/exports/export-table.ts";
import type { ExportFormat } from "../../pipeline/exports/formats.ts";
import type { Dtype } from "../../pipeline/exports/table-block.ts";

/** Bytes of a value, as measured on features of minutes; text has the name of every value in JSON. */
const VALUE_BYTES: Readonly<Record<ExportFormat, Readonly<Record<Dtype, number>>>> = {
  parquet: { float64: 5.2, float32: 2.4 },
  arrow: { float64: 8, float32: 4 },
  csv: { float64: 16, float32: 9 },
  json: { float64: 30, float32: 23 },
  ndjson: { float64: 30, float32: 23 },
};

/** Bytes of the symbol and the time of a row. */
const ROW_BYTES: Readonly<Record<ExportFormat, number>> = { parquet: 0.1, arrow: 12, csv: 26, json: 58, ndjson: 58 };

/** About how many bytes a table of that many rows and columns of values takes. */
export const sizeOfTable = (
  { format, dtype }: Pick<ExportRequest, "format" | "dtype">,
  rows: number,
  columns: number,
) => Math.round(rows * (ROW_BYTES[format] + columns * VALUE_BYTES[format][dtype]));
