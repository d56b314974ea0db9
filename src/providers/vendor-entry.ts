/** A vendor's declaration as an entry of the registry: its variables, its limits, its provider. */

import type { ProviderEntry } from "./entry.ts";
import { baseUrlVariable } from "./http/declared-vendor.ts";
import { createVendor } from "./http/vendor.ts";
import type { VendorSpec } from "./http/vendor-spec.ts";
import type { QuotaLimit } from "./quotas/meters.ts";
import type { ProviderSetting, SettingValues } from "./setting.ts";

/** The variable that changes a limit, e.g. `EODHD_PER_DAY`. */
const limitVariable = (name: string, { period }: QuotaLimit) => `${name.toUpperCase()}_PER_${period.toUpperCase()}`;

export function vendorEntry<Answer>(spec: VendorSpec<Answer>): ProviderEntry {
  const { name, title, summary } = spec;
  const settings: ProviderSetting[] = [
    ...spec.keys,
    ...(spec.options ?? []),
    { variable: baseUrlVariable(name), kind: "url", label: "Base URL", default: spec.baseUrl },
    ...spec.limits.map((limit): ProviderSetting => {
      const label = `${limit.counts === "units" ? "Units" : "Requests"} per ${limit.period} that your plan allows`;
      return { variable: limitVariable(name, limit), kind: "count", label, default: String(limit.limit) };
    }),
  ];
  return {
    name,
    title,
    summary,
    settings,
    declaration: spec,
    limits: (values) => spec.limits.map((limit) => chosenLimit(limit, values[limitVariable(name, limit)])),
    create: (values: SettingValues, calendar, timing) => createVendor(spec, values, { calendar, timing }),
  };
}

/** A limit that the user changed is fixed: a higher one reported by the vendor does not raise it. */
function chosenLimit(limit: QuotaLimit, value: string | undefined): QuotaLimit {
  const chosen = Number(value);
  return value !== undefined && chosen > 0 && chosen !== limit.limit ? { ...limit, limit: chosen, fixed: true } : limit;
}
