/** An exchange of the optional package ccxt as an entry of the registry: it is one if BARKEEP_CCXT names it. */

import type { ProviderEntry } from "../entry.ts";
import type { QuotaLimit } from "../quotas/meters.ts";
import type { SettingValues } from "../setting.ts";
import { INSTALL, isInstalled } from "./ccxt-module.ts";
import { createCcxtProvider } from "./ccxt-provider.ts";

const PREFIX = "ccxt-";
const ID = /^[a-z][a-z0-9]{1,29}$/;
/** Kept low: exchanges differ, and a limit can be raised by its variable. */
const PER_MINUTE = 60;

/** The ids in BARKEEP_CCXT, each once. */
const idsOf = ({ BARKEEP_CCXT = "" }: SettingValues): string[] =>
  [...new Set(BARKEEP_CCXT.split(",").map((id) => id.trim().toLowerCase()))].filter((id) => ID.test(id));

/** The entries of the exchanges that BARKEEP_CCXT names. */
export const ccxtEntries = (values: SettingValues): ProviderEntry[] => idsOf(values).map(entryOf);

/** The entry of the provider `ccxt-kraken`, whether BARKEEP_CCXT names it or not; `undefined` for another name. */
export function findCcxtEntry(name: string): ProviderEntry | undefined {
  const id = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : "";
  return ID.test(id) ? entryOf(id) : undefined;
}

function entryOf(id: string): ProviderEntry {
  const [perMinute, baseUrl] = [`CCXT_${id.toUpperCase()}_PER_MINUTE`, `CCXT_${id.toUpperCase()}_BASE_URL`];
  const name = `${PREFIX}${id}`;
  const title = `${id[0]!.toUpperCase()}${id.slice(1)} (ccxt)`;
  return {
    name,
    title,
    summary: `Spot pairs of the exchange ${id}, through the package ccxt.`,
    settings: [
      { variable: baseUrl, kind: "url", label: "Base URL, if not the exchange's own" },
      { variable: perMinute, kind: "count", label: "Requests per minute", default: String(PER_MINUTE) },
    ],
    missing(values) {
      if (!isInstalled()) return [`the package ccxt (${INSTALL})`];
      return idsOf(values).includes(id) ? [] : [`${id} in BARKEEP_CCXT`];
    },
    limits(values): readonly QuotaLimit[] {
      return [{ period: "minute", counts: "requests", limit: Number(values[perMinute] || PER_MINUTE), fixed: true }];
    },
    create: (values, _calendar, timing) =>
      createCcxtProvider({ exchange: id, name, title, baseUrl: values[baseUrl], ...(timing && { timing }) }),
  };
}
