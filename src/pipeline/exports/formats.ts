/** The formats of exported tables. */

export const EXPORT_FORMATS = ["json", "csv", "parquet", "arrow", "ndjson"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** How the rows of several symbols are sorted: by symbol and then time, or by time and then symbol. */
export const TABLE_SORTS = ["symbol", "timestamp"] as const;
