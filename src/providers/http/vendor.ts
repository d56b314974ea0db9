/** Turns a vendor's declaration into a provider. */

import type { Interval } from "../../domain/market/interval.ts";
import type { Provider } from "../provider.ts";
import type { SettingValues } from "../setting.ts";
import { createBulk } from "./bulk/bulk.ts";
import { listCompanies, lookUpFacts } from "./companies.ts";
import { listActionsOf } from "./corporate-actions.ts";
import { DeclaredVendor, type VendorOptions } from "./declared-vendor.ts";
import { sessionsOf } from "./ticker.ts";
import { fetchVendorBars, withSymbol } from "./vendor-bars.ts";
import type { VendorSpec } from "./vendor-spec.ts";
import { keptFrom, planScope } from "./windows/plan-window.ts";

export function createVendor<Answer>(
  spec: VendorSpec<Answer>,
  values: SettingValues,
  options: VendorOptions,
): Provider {
  const vendor = new DeclaredVendor(spec, values, options);
  const { client, calendar } = vendor;
  const { actions, companies, facts, firstBar, usage } = spec;
  return {
    name: spec.name,
    title: spec.title,
    ...(spec.maxInFlight !== undefined && { maxInFlight: spec.maxInFlight }),
    intervals: Object.keys(spec.sources) as Interval[],
    maxWindowDays: (interval, symbol) => vendor.pageDays(interval, symbol),
    planScope: (symbol, interval) => {
      const ticker = vendor.tickerOf(symbol);
      return planScope(ticker, vendor.sourceOf(interval, ticker));
    },
    pagesIn: (interval, symbol, days) => Math.ceil(days / vendor.pageDays(interval, symbol)),
    keptFrom(interval, asOf) {
      const kept = spec.keptDays?.(vendor.sourceOf(interval));
      return kept === undefined ? undefined : keptFrom(kept, asOf);
    },
    historyStart: (interval) => spec.historyStart(vendor.sourceOf(interval)),
    traits: (symbol, interval) => {
      const ticker = vendor.tickerOf(symbol);
      return { ...spec.traits(ticker, vendor.sourceOf(interval, ticker), values), sessions: sessionsOf(ticker) };
    },
    costs: (symbol, interval) => vendor.costs(symbol, interval),
    fetchBars: (window, context) => fetchVendorBars(vendor, window, context),
    ...(firstBar && {
      firstBar: {
        isStated: firstBar.isStated ?? false,
        find: (symbol, interval, context) => vendor.findFirstBar(symbol, interval, context),
      },
    }),
    ...(spec.bulk && {
      bulk: createBulk(spec.bulk, {
        ...{ title: spec.title, client, values, calendar },
        historyStart: spec.historyStart("1d"),
        planYears: spec.planYears ?? [],
        tickerOf: (symbol) => vendor.tickerOf(symbol),
        delayOf: (ticker) => spec.delay(ticker, "1d", values),
        refuses: spec.refuses,
      }),
    }),
    availableAt: (symbol, interval, ts) => vendor.readyAt(symbol, interval, ts, spec.delay),
    finalAt: (symbol, interval, ts) => vendor.readyAt(symbol, interval, ts, spec.final ?? spec.delay),
    ...(spec.withoutActions?.(values) && { withoutActions: true }),
    // Crypto pairs have neither splits nor dividends.
    fetchActions:
      actions &&
      (async (symbol, context) => {
        const ticker = vendor.tickerOf(symbol);
        if (ticker.market === "crypto") return [];
        return listActionsOf(actions, ticker, vendor, context);
      }),
    checkQuota: usage && (async (context) => void (await client.get(usage.request(values), context))),
    exchanges: companies?.exchanges,
    listCompanies: companies && ((exchange, context) => listCompanies(companies, exchange, vendor, context)),
    fetchFacts:
      facts &&
      ((symbol, context) =>
        lookUpFacts(facts, vendor.tickerOf(symbol), vendor, context).catch((error) => {
          throw withSymbol(error, symbol);
        })),
  };
}
