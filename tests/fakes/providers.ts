/** Providers whose vendor is a fake. */

import { CALENDAR } from "../../src/domain/market/calendar.ts";
import type { RetryTiming } from "../../src/providers/http/client.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { findProvider } from "../../src/providers/registry.ts";
import type { SettingValues } from "../../src/providers/setting.ts";
import { FAKE_SECRET } from "./vendors/alpaca.ts";
import type { FakeVendor } from "./vendors/vendor.ts";

/** Retries without waiting. */
export const FAST_RETRIES: Partial<RetryTiming> = { timeoutMs: 60_000, backoffMs: 1, busyMs: 1, random: Math.random };

/** The environment that points `name` at its fake. */
export function valuesFor(fake: FakeVendor, name: string): SettingValues {
  const prefix = name.toUpperCase();
  return {
    [`${prefix}_BASE_URL`]: fake.url,
    [`${prefix}_API_KEY`]: fake.key,
    ALPACA_API_SECRET: FAKE_SECRET,
    YAHOO: "on",
  };
}

export function providerOn(
  fake: FakeVendor,
  name: string,
  values: SettingValues = {},
  pace: Partial<RetryTiming> = FAST_RETRIES,
): Provider {
  return findProvider(name)!.create({ ...valuesFor(fake, name), ...values }, CALENDAR, pace);
}
