/** The providers with their settings, and the limiter that grants all requests to them. */

import { systemClock } from "../clock.ts";
import type { Config } from "../config.ts";
import { type Calendar, createCalendar } from "../domain/market/calendar.ts";
import { reportError } from "../log.ts";
import { type Counters, countersFromZero } from "../metrics/counters.ts";
import type { Gate } from "../pipeline/workers/gate.ts";
import type { Provider } from "../providers/provider.ts";
import { ProviderCache } from "../providers/provider-cache.ts";
import type { QuotaRow } from "../providers/quotas/quota-state.ts";
import { RateLimiter } from "../providers/quotas/rate-limiter.ts";
import { listProviders, quotaRules, secretsOf } from "../providers/registry.ts";
import { ClockChanges } from "../scheduler/clock-changes.ts";
import { rateLimitGate } from "../scheduler/quotas/rate-limit-gate.ts";
import { spendRecord } from "../scheduler/quotas/spend-record.ts";
import { ProviderSettings } from "../scheduler/settings/provider-settings.ts";
import { readQuotas } from "../storage/quotas/limiter-state.ts";
import { UsageStore } from "../storage/quotas/usage.ts";
import type { ServerDatabase } from "./open-database.ts";
import type { Reporting } from "./open-log.ts";
import { close } from "./options.ts";

export interface Providers {
  readonly settings: ProviderSettings;
  readonly cache: ProviderCache;
  readonly calendar: Calendar;
  readonly usage: UsageStore;
  readonly counters: Counters;
  readonly limiter: RateLimiter;
  readonly gate: Gate;
  readonly clockChanges: ClockChanges;
  /** By how much the clock was set while the server was stopped, milliseconds. */
  readonly clockSetBy: number;
  /** The provider of that name; `undefined` if there is none or it lacks a setting. */
  find(name: string): Provider | undefined;
  quotaOf(provider: string): ReturnType<RateLimiter["state"]>;
  /** Puts stored counts into the limiter: a key may have been used before. */
  restoreLimiter(): Promise<void>;
}

export async function openProviders(
  stack: AsyncDisposableStack,
  config: Config,
  { db, lease }: ServerDatabase,
  { log, secrets }: Reporting,
): Promise<Providers> {
  const usage = stack.adopt(await UsageStore.open(db, reportError), close);
  const settings = await ProviderSettings.open(db, config, log);
  secrets.add(secretsOf(settings.values));
  const calendar = createCalendar(config.sessions);
  const cache = new ProviderCache(() => settings.values, calendar);

  const clockChanges = stack.adopt(new ClockChanges({ db, log, clock: systemClock }), close);
  const spends = spendRecord(db, usage, clockChanges);
  const limiter = stack.adopt(new RateLimiter(quotaRules(settings.values), spends), close);
  const restoreLimiter = async (clockSet = 0) => limiter.restore((await readQuotas(db)) as QuotaRow[], clockSet);
  const clockSetBy = await clockChanges.sinceLastStart(limiter);
  await restoreLimiter(clockSetBy);
  const counters = countersFromZero(listProviders(config.providerValues).map(({ name }) => name));
  const gate = rateLimitGate(limiter, usage, counters, () => lease.confirm());
  return {
    ...{ settings, cache, calendar, usage, counters, limiter, gate, clockChanges, clockSetBy },
    find: (name) => cache.find(name),
    quotaOf: (provider) => limiter.state(provider),
    restoreLimiter: () => restoreLimiter(),
  };
}
