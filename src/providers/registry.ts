/** The providers there are. Adding one is one file and one entry here (docs/adding-a-provider.md). */

import type { Calendar } from "../domain/calendar.ts";
import { createCsvProvider } from "./csv.ts";
import { createDemoProvider } from "./demo.ts";
import type { Provider } from "./provider.ts";

/** One environment variable of a provider; configuration, README and settings page are made from it. */
export interface ProviderSetting {
  readonly variable: string;
  /** `key` is a secret: write-only on the screen, never printed. */
  readonly kind: "key" | "url" | "folder" | "milliseconds";
  /** What it is, in a few words. */
  readonly label: string;
  readonly default?: string;
  /** Whether the provider is of no use without it. */
  readonly required?: boolean;
}

/** The values of the providers' variables, already read and checked. */
export type SettingValues = Readonly<Record<string, string | undefined>>;

export interface ProviderEntry {
  readonly name: string;
  readonly title: string;
  /** One sentence on what it offers. */
  readonly summary: string;
  readonly settings: readonly ProviderSetting[];
  create(values: SettingValues, calendar: Calendar): Provider;
}

export const PROVIDERS: readonly ProviderEntry[] = [
  {
    name: "demo",
    title: "Demo (synthetic bars)",
    summary: "Synthetic bars on real New York and crypto sessions; no key, no network.",
    settings: [{ variable: "DEMO_LATENCY_MS", kind: "milliseconds", label: "Time a request takes", default: "40" }],
    create: (values, calendar) => createDemoProvider({ latencyMs: Number(values.DEMO_LATENCY_MS ?? 40), calendar }),
  },
  {
    name: "csv",
    title: "CSV folder",
    summary: "Files of your own: SYMBOL.csv for daily bars, SYMBOL-1m.csv for minutes.",
    settings: [{ variable: "BARKEEP_CSV_DIR", kind: "folder", label: "Folder with the files", required: true }],
    create: (values, calendar) => createCsvProvider({ directory: values.BARKEEP_CSV_DIR ?? "", calendar }),
  },
];

/** The entry of a provider, or `undefined` for an unknown name. */
export function findProvider(name: string): ProviderEntry | undefined {
  return PROVIDERS.find((entry) => entry.name === name);
}

/** The required variables of `entry` that `values` leaves empty. */
export function missingSettings(entry: ProviderEntry, values: SettingValues): string[] {
  return entry.settings
    .filter((setting) => setting.required && !values[setting.variable])
    .map(({ variable }) => variable);
}

/**
 * Builds the provider `name` from its variables.
 * @throws RangeError for an unknown name, or naming the required variables that are empty.
 */
export function createProvider(name: string, values: SettingValues, calendar: Calendar): Provider {
  const entry = findProvider(name);
  if (!entry)
    throw new RangeError(`There is no provider "${name}" (known: ${PROVIDERS.map((p) => p.name).join(", ")})`);
  const missing = missingSettings(entry, values);
  if (missing.length > 0) throw new RangeError(`The provider "${name}" needs ${missing.join(", ")}`);
  return entry.create(values, calendar);
}
