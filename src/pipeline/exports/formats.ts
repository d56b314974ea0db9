/** The formats of exported tables. */

export const EXPORT_FORMATS = ["json", "csv", "parquet", "arrow", "ndjson"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];
