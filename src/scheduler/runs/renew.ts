/** Profiles that are to be made better, as orders for runs: one for each provider, interval and length of history. */

import { MAX_YEARS, RUN_DEFAULTS } from "../../domain/defaults.ts";
import { DAY, type Interval } from "../../domain/market/interval.ts";
import { MAX_SYMBOLS } from "../../domain/market/symbol.ts";
import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { CATALOG_VERSION } from "../../features/catalog.ts";
import type { Database } from "../../storage/db.ts";
import { outdatedProfiles } from "../../storage/profiles/profiles.ts";
import { activeSymbols } from "./active-jobs.ts";
import type { RunRequest } from "./run-request.ts";
import type { RunService } from "./run-service.ts";

/** `update` fetches new bars, `engineer` recomputes features, `repair` fetches gaps, `rebuild` fetches all again. */
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
 * The orders that renew `profiles`. A repair or rebuild covers the whole of what is stored.
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
    return inParts(group.map(({ symbol }) => symbol)).map((symbols) => ({
      ...request,
      symbols,
      ...(renewal === "rebuild" && { rebuild: true }),
    }));
  });
}

/** As many symbols at a time as a run can have. */
const inParts = (symbols: readonly string[]): (readonly string[])[] =>
  Array.from({ length: Math.ceil(symbols.length / MAX_SYMBOLS) }, (_, part) =>
    symbols.slice(part * MAX_SYMBOLS, (part + 1) * MAX_SYMBOLS),
  );

/** Those that no run is working on. */
export async function notBusy<T extends Renewable>(db: Database, profiles: readonly T[]): Promise<T[]> {
  const byInterval = Map.groupBy(profiles, ({ interval }) => interval);
  const free = await Promise.all(
    [...byInterval].map(async ([interval, group]) => {
      const symbols = group.map(({ symbol }) => symbol);
      const busy = await activeSymbols(db, symbols, interval);
      return group.filter(({ symbol }) => !busy.has(symbol));
    }),
  );
  return free.flat();
}

/** Starts a run for each provider and interval that has some; symbols at work already are left to that. */
export async function reprocessOutdated(db: Database, runs: RunService): Promise<RunSummary[]> {
  const started: RunSummary[] = [];
  for (const { provider, interval, symbols } of await outdatedProfiles(db, String(CATALOG_VERSION))) {
    const busy = await activeSymbols(db, symbols, interval);
    const free = symbols.filter((symbol) => !busy.has(symbol));
    for (const part of inParts(free)) {
      started.push(await runs.start({ ...RUN_DEFAULTS, symbols: part, mode: "reprocess", interval, provider }));
    }
  }
  return started;
}
