/** Which providers' jobs a worker on another machine may have, and the settings that it is sent for them. */

import { readsFolder } from "../../providers/entry.ts";
import { findProvider, listProviders } from "../../providers/registry.ts";
import type { SettingValues } from "../../providers/setting.ts";

/** Whether a provider reads from a folder of the server's machine. */
function isHere(provider: string): boolean {
  const entry = findProvider(provider);
  return entry === undefined || readsFolder(entry);
}

/** Whether a provider works with a key. */
const hasKey = (provider: string, values: SettingValues): boolean =>
  (findProvider(provider)?.settings ?? []).some(({ kind, variable }) => kind === "key" && values[variable]);

/** Whether jobs of a provider may be done elsewhere, by a worker that may be sent keys or not. */
export const mayLeave = (provider: string, values: SettingValues, mayHaveKeys: boolean): boolean =>
  !isHere(provider) && (mayHaveKeys || !hasKey(provider, values));

/** The variables of some providers. */
export function variablesOf(providers: Iterable<string>, values: SettingValues): Record<string, string | undefined> {
  const wanted = new Set(providers);
  const entries = listProviders(values).filter(({ name }) => wanted.has(name));
  const variables = entries.flatMap(({ settings }) => settings.map(({ variable }) => variable));
  // Which exchanges there are is said by one variable for all of them.
  const shared = ["BARKEEP_CCXT"];
  return Object.fromEntries([...variables, ...shared].map((variable) => [variable, values[variable]]));
}
