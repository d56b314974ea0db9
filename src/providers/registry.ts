/** All providers. A new one is one file and one entry here (docs/adding-a-provider.md). */

import { canonicalProvider } from "../domain/defaults.ts";
import { quote } from "../domain/errors.ts";
import type { Calendar } from "../domain/market/calendar.ts";
import { ccxtEntries, findCcxtEntry } from "./ccxt/ccxt-entry.ts";
import { createDemoProvider } from "./demo/demo-provider.ts";
import { missingSettings, type ProviderEntry } from "./entry.ts";
import { createFilesProvider } from "./files/files-provider.ts";
import type { Provider } from "./provider.ts";
import { accountOf, type QuotaRules } from "./quotas/rate-limiter.ts";
import type { SettingValues } from "./setting.ts";
import { vendorEntry } from "./vendor-entry.ts";
import { alpaca } from "./vendors/alpaca.ts";
import { binance } from "./vendors/binance.ts";
import { eodhd } from "./vendors/eodhd.ts";
import { massive } from "./vendors/massive.ts";
import { tiingo } from "./vendors/tiingo.ts";
import { twelvedata } from "./vendors/twelvedata.ts";
import { yahoo } from "./vendors/yahoo.ts";

export const PROVIDERS: readonly ProviderEntry[] = [
  {
    name: "demo",
    title: "Demo (synthetic bars)",
    summary: "Synthetic bars on real New York and crypto sessions; no key, no network.",
    settings: [
      { variable: "DEMO_LATENCY_MS", kind: "milliseconds", label: "Latency of a request (ms)", default: "40" },
    ],
    limits: () => [],
    create: (values, calendar) => createDemoProvider({ latencyMs: Number(values.DEMO_LATENCY_MS ?? 40), calendar }),
  },
  {
    name: "files",
    title: "Files (CSV, Parquet)",
    summary: "Files of your own: SYMBOL.csv for daily bars, SYMBOL-1m.csv for minutes; also .csv.gz and .parquet.",
    settings: [{ variable: "BARKEEP_CSV_DIR", kind: "folder", label: "Folder with the files", required: true }],
    limits: () => [],
    create: (values, calendar) => createFilesProvider({ directory: values.BARKEEP_CSV_DIR ?? "", calendar }),
  },
  vendorEntry(eodhd),
  vendorEntry(alpaca),
  vendorEntry(massive),
  vendorEntry(binance),
  vendorEntry(twelvedata),
  vendorEntry(tiingo),
  vendorEntry(yahoo),
];

/** All providers: the built-in ones, and the exchanges that BARKEEP_CCXT in `values` names. */
export const listProviders = (values: SettingValues): readonly ProviderEntry[] => [
  ...PROVIDERS,
  ...ccxtEntries(values),
];

/** The entry of a provider, by its name or an earlier one; `undefined` for an unknown name. */
export function findProvider(name: string): ProviderEntry | undefined {
  return PROVIDERS.find((entry) => entry.name === canonicalProvider(name)) ?? findCcxtEntry(name);
}

/** Why the provider `name` cannot be used, for a person: it is unknown, or lacks settings. */
export function whyNotUsable(name: string): string {
  const entry = findProvider(name);
  if (entry === undefined) return `${quote(name)} is not a known provider`;
  return `${entry.title} is not set up: it needs ${missingSettings(entry, {}).join(", ")} (environment or settings page)`;
}

/** The providers that lack no required setting. */
export const readyProviders = (values: SettingValues): ProviderEntry[] =>
  listProviders(values).filter((entry) => missingSettings(entry, values).length === 0);

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

/** The keys among the values; they must never be shown. */
export function secretsOf(values: SettingValues): string[] {
  return PROVIDERS.flatMap(({ settings }) => settings)
    .filter(({ kind }) => kind === "key")
    .flatMap(({ variable }) => values[variable] ?? []);
}

/** The limiter's rules for every provider: its limits, and an account name that changes with its keys. */
export function quotaRules(values: SettingValues): QuotaRules[] {
  return listProviders(values).map((entry) => ({
    provider: entry.name,
    account: accountFor(entry.name, values),
    limits: entry.limits(values),
  }));
}

/** The account name of a provider and its keys. */
export function accountFor(name: string, values: SettingValues): string {
  const keys = (findProvider(name)?.settings ?? []).filter(({ kind }) => kind === "key");
  return accountOf(name, keys.map(({ variable }) => values[variable] ?? "").join(" "));
}
