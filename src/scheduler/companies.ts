/** Fetches lists of companies from providers, and imports them from text. */

import { describeError, invalid, messageOf, ProviderError, Refusal } from "../domain/errors.ts";
import type { Log } from "../log.ts";
import type { CompanyLoader } from "../pipeline/companies/loader.ts";
import type { Loaded } from "../pipeline/companies/worker.ts";
import type { Exchange, Provider } from "../providers/provider.ts";
import { listProviders, whyNotUsable } from "../providers/registry.ts";
import type { SettingValues } from "../providers/setting.ts";
import { record } from "../storage/access/audit.ts";
import { findCompanyList } from "../storage/companies/companies.ts";
import type { Database } from "../storage/db.ts";

/** A list younger than this (ms) is not fetched again unless `refresh` is set. */
const FRESH_MS = 24 * 3_600_000;

interface Dependencies {
  readonly db: Database;
  readonly companies: CompanyLoader;
  readonly config: { readonly provider: string };
  provider(name: string): Provider | undefined;
}

export interface CompanyListRequest {
  /** The default provider if not given. */
  readonly provider?: string | undefined;
  /** The provider's usual exchange if not given. */
  readonly exchange?: string | undefined;
  /** Fetch even if the list is fresh. */
  readonly refresh?: boolean | undefined;
}

export interface FetchedList {
  readonly provider: string;
  readonly exchange: string;
  readonly companies: number;
  /** Epoch milliseconds. */
  readonly fetchedAt: number;
  /** Whether the stored list was fresh enough, so that no request was sent. */
  readonly cached: boolean;
}

/**
 * The list of an exchange, stored: fetched now, or earlier if it is fresh.
 * @throws Refusal when there is no such list, or the provider could not answer
 */
export async function fetchCompanies(dependencies: Dependencies, task: CompanyListRequest): Promise<FetchedList> {
  const name = task.provider ?? dependencies.config.provider;
  const provider = dependencies.provider(name);
  const exchange = task.exchange ?? provider?.exchanges?.[0]?.code;
  const known = provider?.exchanges?.some(({ code }) => code === exchange);
  if (provider === undefined) throw invalid("provider", whyNotUsable(name));
  if (exchange === undefined) throw invalid("provider", `${provider.title} has no list of companies`);
  if (!known) {
    const codes = provider.exchanges?.map(({ code }) => code).join(", ");
    throw invalid("exchange", `${provider.title} has no such list; it has ${codes || "none"}`);
  }
  const before = await findCompanyList(dependencies.db, name, exchange);
  // A list from the future, from which the clock was set back, is not fresh.
  const age = Date.now() - (before?.fetchedAt ?? 0);
  if (before && !task.refresh && age >= 0 && age < FRESH_MS) return { ...before, cached: true };
  try {
    await dependencies.companies.load({ source: "provider", provider: name, exchange });
  } catch (error) {
    if (error instanceof ProviderError) throw new Refusal("unavailable", error.message);
    throw error;
  }
  const after = await findCompanyList(dependencies.db, name, exchange);
  await record(dependencies.db, {
    action: "companies.fetch",
    subject: `${name}/${exchange}`,
    after: { companies: after?.companies },
  });
  return { ...after!, cached: false };
}

/** Most symbols whose facts are requested at once: one request each. */
export const MAX_FACT_SYMBOLS = 500;

/**
 * Begins to request facts of some companies from a provider; how it ends is in the log.
 * @throws Refusal if the provider has no facts, or too many lists wait
 */
export async function startFacts(
  dependencies: Pick<Dependencies, "companies" | "db" | "provider"> & { readonly log: Log },
  { provider: name, symbols }: { readonly provider: string; readonly symbols: readonly string[] },
): Promise<void> {
  const { companies, log, db } = dependencies;
  if (symbols.length > MAX_FACT_SYMBOLS) throw invalid("symbols", `wants at most ${MAX_FACT_SYMBOLS} at once`);
  const provider = dependencies.provider(name);
  if (provider === undefined) throw invalid("provider", whyNotUsable(name));
  if (provider.fetchFacts === undefined) throw invalid("provider", `${provider.title} has no facts of companies`);
  companies.refuseIfFull();
  await record(db, { action: "companies.facts", subject: name, after: { companies: symbols.length } });
  companies.load({ source: "facts", provider: name, symbols }).then(
    ({ companies: stored, bad }) => {
      for (const { reason } of bad) log.write("warn", `Facts of ${reason}`);
      log.write("info", `Facts of ${stored} of ${symbols.length} companies fetched from ${provider.title}`);
    },
    (error) => log.write("warn", `Facts of companies could not be fetched: ${messageOf(error)}`),
  );
}

/** The providers that have facts, and lack no setting. */
export function factProviders(dependencies: Pick<Dependencies, "provider">, values: SettingValues) {
  return listProviders(values).flatMap(({ name }) => {
    const provider = dependencies.provider(name);
    return provider?.fetchFacts ? [{ name, title: provider.title }] : [];
  });
}

/**
 * Stores the companies that a CSV or plain text names.
 * @throws Refusal if no line is valid, with the fault of each line
 */
export async function importCompanies(
  { companies, db }: Pick<Dependencies, "companies" | "db">,
  text: string,
): Promise<Loaded> {
  const loaded = await companies.load({ source: "file", text });
  if (loaded.companies > 0) {
    await record(db, {
      action: "companies.import",
      subject: "file",
      after: { companies: loaded.companies, rejected: loaded.bad.length },
    });
    return loaded;
  }
  const errors = loaded.bad.map(({ line, reason }) => ({ path: `line ${line}`, message: reason }));
  const [first] = errors;
  throw new Refusal("invalid", first ? describeError(first) : "There are no symbols in it", errors);
}

/** The providers that have lists and lack no setting. */
export function listingProviders(
  dependencies: Pick<Dependencies, "provider">,
  values: SettingValues,
): { name: string; title: string; exchanges: readonly Exchange[] }[] {
  return listProviders(values).flatMap(({ name }) => {
    const provider = dependencies.provider(name);
    return provider?.exchanges ? [{ name, title: provider.title, exchanges: provider.exchanges }] : [];
  });
}
