/** Renews profiles: builds one run request for each provider, interval and length of history. */

import { MAX_YEARS, RUN_DEFAULTS } from "../../domain/defaults.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import { MAX_SYMBOLS } from "../../domain/market/symbol.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { CATALOG_VERSION } from "../../features/version.ts";
import type { Database } from "../../storage/db.ts";
import type { ProfileColumns } from "../../storage/profiles/profile-columns.ts";
import { busySymbols } from "../../storage/runs/runs.ts";
import type { RunRequest } from "./run-request.ts";
import type { RunService } from "./run-service.ts";

/** `update` fetches new bars, `engineer` recomputes features, `repair` fetches gaps, `rebuild` fetches everything again. */
export const RENEWALS = ["update", "engineer", "repair", "rebuild"] as const;
export type Renewal = (typeof RENEWALS)[number];

const MODES = { update: "incremental", engineer: "reprocess", repair: "repair", rebuild: "full" } as const;

export interface Renewable {
  readonly symbol: string;
  readonly interval: Interval;
  readonly provider: string;
  /** Epoch seconds. */
  readonly firstBar: number;
}

/**
 * The run requests that renew `profiles`. A repair or rebuild covers the whole stored history.
 * @param now epoch seconds
 */
export function renewalRequests(profiles: readonly Renewable[], renewal: Renewal, now: number): RunRequest[] {
  const whole = renewal === "repair" || renewal === "rebuild";
  const years = ({ firstBar }: Renewable): number | "all" => {
    const counted = Math.max(1, Math.ceil((now - firstBar) / (365 * DAY)));
    return !whole ? RUN_DEFAULTS.years : counted > MAX_YEARS ? "all" : counted;
  };
  const groups = Map.groupBy(profiles, (profile) => `${profile.provider} ${profile.interval} ${years(profile)}`);
  return [...groups.values()].flatMap((group) => {
    const { provider, interval } = group[0]!;
    const request = { ...RUN_DEFAULTS, mode: MODES[renewal], interval, provider, years: years(group[0]!) };
    return partsOf(group.map(({ symbol }) => symbol)).map((symbols) => ({
      ...request,
      symbols,
      ...(renewal === "rebuild" && { rebuild: true }),
    }));
  });
}

/** The symbols in parts that fit into one run each. */
const partsOf = (symbols: readonly string[]): (readonly string[])[] =>
  Array.from({ length: Math.ceil(symbols.length / MAX_SYMBOLS) }, (_, part) =>
    symbols.slice(part * MAX_SYMBOLS, (part + 1) * MAX_SYMBOLS),
  );

/** The profiles without an active job. */
export async function withoutActive<T extends Renewable>(db: Database, profiles: readonly T[]): Promise<T[]> {
  const intervals = new Set(profiles.map(({ interval }) => interval));
  const busy = new Map<Interval, ReadonlySet<string>>();
  for (const interval of intervals) busy.set(interval, await busySymbols(db, interval));
  return profiles.filter(({ symbol, interval }) => busy.get(interval)?.has(symbol) !== true);
}

/** Starts runs for the profiles of another version of the catalogue. */
export async function reprocessOutdated(
  db: Database,
  runs: RunService,
  profiles: ProfileColumns,
): Promise<RunSummary[]> {
  return reprocess(db, runs, (await profiles.all()).filter(isOutdated));
}

/** Starts a run for each provider and interval of `profiles`, without symbols that have an active job. */
export async function reprocess(db: Database, runs: RunService, profiles: readonly Renewable[]): Promise<RunSummary[]> {
  const free = await withoutActive(db, profiles);
  const started: RunSummary[] = [];
  for (const group of Map.groupBy(free, ({ provider, interval }) => `${provider} ${interval}`).values()) {
    const { provider, interval } = group[0]!;
    const symbols = group.map(({ symbol }) => symbol).toSorted();
    for (const part of partsOf(symbols)) {
      started.push(await runs.start({ ...RUN_DEFAULTS, symbols: part, mode: "reprocess", interval, provider }));
    }
  }
  return started;
}

/** Whether another version of the catalogue computed a profile. */
export const isOutdated = ({ catalogVersion }: { readonly catalogVersion: string }) =>
  catalogVersion !== String(CATALOG_VERSION);
