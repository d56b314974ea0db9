/** All providers. A new one is one file, one entry here and one in `load-entry.ts` (docs/adding-a-provider.md). */

import { canonicalProvider } from "../domain/defaults.ts";
import { quote } from "../domain/errors.ts";
import type { Calendar } from "../domain/market/calendar.ts";
import { ccxtEntries, findCcxtEntry } from "./ccxt/ccxt-entry.ts";
import { accountWith, buildProvider, missingSettings, type ProviderEntry } from "./entry.ts";
import { BUILT_IN_NAMES, type BuiltIn, unknownProvider } from "./load-entry.ts";
import { demo, files } from "./local-entries.ts";
import type { Provider } from "./provider.ts";
import type { QuotaRules } from "./quotas/rate-limiter.ts";
import type { SettingValues } from "./setting.ts";
import { vendorEntry } from "./vendor-entry.ts";
import { alpaca } from "./vendors/alpaca.ts";
import { binance } from "./vendors/binance.ts";
import { eodhd } from "./vendors/eodhd.ts";
import { massive } from "./vendors/massive.ts";
import { tiingo } from "./vendors/tiingo.ts";
import { twelvedata } from "./vendors/twelvedata.ts";
import { yahoo } from "./vendors/yahoo.ts";

const ENTRIES: Readonly<Record<BuiltIn, ProviderEntry>> = {
  demo,
  files,
  eodhd: vendorEntry(eodhd),
  alpaca: vendorEntry(alpaca),
  massive: vendorEntry(massive),
  binance: vendorEntry(binance),
  twelvedata: vendorEntry(twelvedata),
  tiingo: vendorEntry(tiingo),
  yahoo: vendorEntry(yahoo),
};

export const PROVIDERS: readonly ProviderEntry[] = Object.values(ENTRIES);

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
  if (entry === undefined) return `${quote(name)} is not a known provider (known: ${BUILT_IN_NAMES})`;
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
  if (!entry) throw unknownProvider(name);
  return buildProvider(entry, values, calendar);
}

/** The keys among the values; they must never be shown. */
export function secretsOf(values: SettingValues): string[] {
  return PROVIDERS.flatMap(({ settings }) => settings)
    .filter(({ kind }) => kind === "key")
    .flatMap(({ variable }) => values[variable] ?? []);
}

/** The values as they are sent to threads, with those that are keys: a thread does not load the declarations that say so. */
export const valuesForThreads = (values: SettingValues) => ({ providerValues: values, secrets: secretsOf(values) });

/** The limiter's rules for every provider: its limits, and an account name that changes with its keys. */
export function quotaRules(values: SettingValues): QuotaRules[] {
  return listProviders(values).map((entry) => ({
    provider: entry.name,
    account: accountFor(entry.name, values),
    limits: entry.limits(values),
  }));
}

/** The account name of a provider and its keys. */
export const accountFor = (name: string, values: SettingValues): string =>
  accountWith(name, findProvider(name), values);
