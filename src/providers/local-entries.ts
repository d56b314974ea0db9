/** The providers that are no HTTP vendors, as entries of the registry. */

import { createDemoProvider } from "./demo/demo-provider.ts";
import type { ProviderEntry } from "./entry.ts";
import { createFilesProvider } from "./files/files-provider.ts";

export const demo: ProviderEntry = {
  name: "demo",
  title: "Demo (synthetic bars)",
  summary: "Synthetic bars on real New York and crypto sessions; no key, no network.",
  settings: [{ variable: "DEMO_LATENCY_MS", kind: "milliseconds", label: "Latency of a request (ms)", default: "40" }],
  limits: () => [],
  create: (values, calendar) => createDemoProvider({ latencyMs: Number(values.DEMO_LATENCY_MS ?? 40), calendar }),
};

export const files: ProviderEntry = {
  name: "files",
  title: "Files (CSV, Parquet)",
  summary: "Files of your own: SYMBOL.csv for daily bars, SYMBOL-1m.csv for minutes; also .csv.gz and .parquet.",
  settings: [{ variable: "BARKEEP_CSV_DIR", kind: "folder", label: "Folder with the files", required: true }],
  limits: () => [],
  create: (values, calendar) => createFilesProvider({ directory: values.BARKEEP_CSV_DIR ?? "", calendar }),
};
