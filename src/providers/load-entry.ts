/**
 * Loads the entry of one provider, for threads that need few of them: the vendors' adapters bring the schemas of all their
 * answers, which take longer to build than the rest of a thread.
 */

import { canonicalProvider } from "../domain/defaults.ts";
import type { ProviderEntry } from "./entry.ts";
import type { VendorSpec } from "./http/vendor-spec.ts";

async function vendor<Answer>(spec: Promise<VendorSpec<Answer>>): Promise<ProviderEntry> {
  const { vendorEntry } = await import("./vendor-entry.ts");
  return vendorEntry(await spec);
}

const LOADERS = {
  demo: async () => (await import("./local-entries.ts")).demo,
  files: async () => (await import("./local-entries.ts")).files,
  eodhd: () => vendor(import("./vendors/eodhd.ts").then(({ eodhd }) => eodhd)),
  alpaca: () => vendor(import("./vendors/alpaca.ts").then(({ alpaca }) => alpaca)),
  massive: () => vendor(import("./vendors/massive.ts").then(({ massive }) => massive)),
  binance: () => vendor(import("./vendors/binance.ts").then(({ binance }) => binance)),
  twelvedata: () => vendor(import("./vendors/twelvedata.ts").then(({ twelvedata }) => twelvedata)),
  tiingo: () => vendor(import("./vendors/tiingo.ts").then(({ tiingo }) => tiingo)),
  yahoo: () => vendor(import("./vendors/yahoo.ts").then(({ yahoo }) => yahoo)),
} satisfies Readonly<Record<string, () => Promise<ProviderEntry>>>;

/** The names of the built-in providers: the registry has an entry for each. */
export type BuiltIn = keyof typeof LOADERS;

const isBuiltIn = (name: string): name is BuiltIn => Object.hasOwn(LOADERS, name);

/** Their names, for a person. */
export const BUILT_IN_NAMES = Object.keys(LOADERS).join(", ");

export const unknownProvider = (name: string) =>
  new RangeError(`There is no provider "${name}" (known: ${BUILT_IN_NAMES})`);

/**
 * Loads the entry of a provider, by its name or an earlier one, and no other.
 * @throws RangeError for an unknown name
 */
export async function loadEntry(name: string): Promise<ProviderEntry> {
  const builtIn = canonicalProvider(name);
  if (isBuiltIn(builtIn)) return LOADERS[builtIn]();
  const entry = (await import("./ccxt/ccxt-entry.ts")).findCcxtEntry(name);
  if (entry === undefined) throw unknownProvider(name);
  return entry;
}
