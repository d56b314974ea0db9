/** A provider as the rest of the program sees it before it is built. */

import type { Calendar } from "../domain/market/calendar.ts";
import type { RetryTiming } from "./http/client.ts";
import type { VendorSpec } from "./http/vendor-spec.ts";
import type { Provider } from "./provider.ts";
import type { QuotaLimit } from "./quotas/meters.ts";
import type { ProviderSetting, SettingValues } from "./setting.ts";

export interface ProviderEntry {
  readonly name: string;
  readonly title: string;
  /** One sentence on what it offers. */
  readonly summary: string;
  readonly settings: readonly ProviderSetting[];
  /** What else it lacks, for a person. */
  missing?(values: SettingValues): string[];
  /** What a vendor's adapter declares, for docs/providers.md; absent for sources that are no HTTP vendor. */
  // biome-ignore lint/suspicious/noExplicitAny: each declaration reads what its own schema gives
  readonly declaration?: VendorSpec<any>;
  /** The limits to enforce; those the user set replace the declared ones. */
  limits(values: SettingValues): readonly QuotaLimit[];
  create(values: SettingValues, calendar: Calendar, timing?: Partial<RetryTiming>): Provider;
}

/** What `entry` needs and `values` do not give: variables, switches that are off (`YAHOO=on`), or what it says itself. */
export function missingSettings(entry: ProviderEntry, values: SettingValues): string[] {
  const variables = entry.settings.flatMap(({ variable, required, wants }) => {
    if (wants !== undefined) return values[variable] === wants ? [] : [`${variable}=${wants}`];
    return required && !values[variable] ? [variable] : [];
  });
  return [...variables, ...(entry.missing?.(values) ?? [])];
}

/**
 * Builds the provider of an entry from its variables.
 * @throws RangeError naming the required variables that are empty
 */
export function buildProvider(entry: ProviderEntry, values: SettingValues, calendar: Calendar): Provider {
  const missing = missingSettings(entry, values);
  if (missing.length > 0) throw new RangeError(`The provider "${entry.name}" needs ${missing.join(", ")}`);
  return entry.create(values, calendar);
}

/** A short name for provider and key, kept in stored rows; the key cannot be recovered from it. */
export function accountOf(provider: string, key: string): string {
  return `${provider}:${new Bun.CryptoHasher("sha256").update(`barkeep ${provider} ${key}`).digest("hex").slice(0, 12)}`;
}

/** The account name of a provider and its keys; `entry`: `undefined` for an unknown one. */
export function accountWith(name: string, entry: ProviderEntry | undefined, values: SettingValues): string {
  const keys = (entry?.settings ?? []).filter(({ kind }) => kind === "key");
  return accountOf(name, keys.map(({ variable }) => values[variable] ?? "").join(" "));
}

/** Whether a provider reads from a folder, which only the machine of the server has. */
export const readsFolder = ({ settings }: ProviderEntry): boolean => settings.some(({ kind }) => kind === "folder");
