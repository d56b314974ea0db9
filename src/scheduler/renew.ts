/** Profiles that are to be made better, as orders for runs: one for each provider, interval and length of history. */

import { DAY, type Interval } from "../domain/market/interval.ts";
import { MAX_SYMBOLS } from "../domain/market/symbol.ts";
import type { Database } from "../storage/db.ts";
import { activeJobs } from "../storage/runs/runs.ts";
import type { RunOrder } from "./order.ts";

/** `update` asks for what is new, `engineer` computes again, `repair` fetches gaps, `rebuild` fetches all anew. */
export const RENEWALS = ["update", "engineer", "repair", "rebuild"] as const;
export type Renewal = (typeof RENEWALS)[number];

const MODES = { update: "incremental", engineer: "reprocess", repair: "repair", rebuild: "full" } as const;
/** Years that an order can name; more is the whole history. */
const MOST_YEARS = 30;

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
export function renewalOrders(profiles: readonly Renewable[], renewal: Renewal, now: number): RunOrder[] {
  const whole = renewal === "repair" || renewal === "rebuild";
  const years = ({ firstBar }: Renewable) => {
    const counted = Math.max(1, Math.ceil((now - firstBar) / (365 * DAY)));
    return !whole ? 2 : counted > MOST_YEARS ? "all" : counted;
  };
  const groups = Map.groupBy(profiles, (profile) => `${profile.provider} ${profile.interval} ${years(profile)}`);
  return [...groups.values()].flatMap((group) => {
    const { provider, interval } = group[0]!;
    const order = { mode: MODES[renewal], interval, provider, years: years(group[0]!), batchDays: 30 } as const;
    const parts = Math.ceil(group.length / MAX_SYMBOLS);
    return Array.from({ length: parts }, (_, part) => ({
      ...order,
      symbols: group.slice(part * MAX_SYMBOLS, (part + 1) * MAX_SYMBOLS).map(({ symbol }) => symbol),
      ...(renewal === "rebuild" && { rebuild: true }),
    }));
  });
}

/** Those that no run is working on. */
export async function notBusy<T extends Renewable>(db: Database, profiles: readonly T[]): Promise<T[]> {
  const byInterval = Map.groupBy(profiles, ({ interval }) => interval);
  const free = await Promise.all(
    [...byInterval].map(async ([interval, group]) => {
      const active = await activeJobs(
        db,
        group.map(({ symbol }) => symbol),
        interval,
      );
      const busy = new Set(active.map(({ symbol }) => symbol));
      return group.filter(({ symbol }) => !busy.has(symbol));
    }),
  );
  return free.flat();
}
