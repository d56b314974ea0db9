/** A request for data as text for other tools, and about how large its answer is. */

import type { ExportRequest } from "../../pipeline/exports/export-table.ts";
import type { ExportFormat } from "../../pipeline/exports/formats.ts";
import type { Dtype } from "../../pipeline/exports/table-block.ts";

/** The request as programs send it. `address` is a whole URL, whose query has no quotes. */
export function copyAs(address: string, format: ExportFormat): { readonly title: string; readonly text: string }[] {
  const as = (wanted: ExportFormat) => {
    const url = new URL(address);
    url.searchParams.set("format", wanted);
    return url.href;
  };
  const token = "# with a password set: add the header 'Authorization: Bearer TOKEN'";
  return [
    { title: "curl", text: `${token}\ncurl --compressed -o panel.${format} '${address}'` },
    {
      title: "Python (pandas)",
      text: `${token}\nimport io, urllib.request, pandas as pd\n\nurl = "${as("parquet")}"\nframe = pd.read_parquet(io.BytesIO(urllib.request.urlopen(url).read()))`,
    },
    {
      title: "polars",
      text: `${token}\nimport urllib.request, polars as pl\n\nurl = "${as("arrow")}"\nframe = pl.read_ipc(urllib.request.urlopen(url).read())`,
    },
    {
      title: "DuckDB",
      text: `-- download it first: curl -o panel.parquet '${as("parquet")}'\nSELECT * FROM 'panel.parquet' LIMIT 10;`,
    },
    {
      title: "R",
      text: `download.file("${as("parquet")}", "panel.parquet", mode = "wb")\nframe <- arrow::read_parquet("panel.parquet")`,
    },
  ];
}

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
