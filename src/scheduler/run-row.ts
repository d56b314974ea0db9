/** A new run as it is stored: its range and its present, fixed once, so that a resumed run asks what the first one did. */

import { DAY } from "../domain/market/interval.ts";
import type { Provider } from "../providers/provider.ts";
import type { RunRow } from "../storage/runs/runs.ts";
import type { RunOrder } from "./order.ts";

/** The row of a run ordered at `now` (epoch ms); its range ends with the present day (UTC), which it includes. */
export function runRow(order: RunOrder, provider: Provider, maxWorkers: number, now: number): RunRow {
  const { mode, interval, years, batchDays } = order;
  const asOf = Math.floor(now / 1000);
  const rangeTo = (Math.floor(asOf / DAY) + 1) * DAY;
  const rangeFrom =
    years === "all" ? Math.floor(provider.historyStart(interval) / DAY) * DAY : rangeTo - 365 * years * DAY;
  return {
    id: Bun.randomUUIDv7(),
    mode,
    interval,
    provider: provider.name,
    years: String(years),
    batchDays,
    rebuild: order.rebuild ?? false,
    repairProvider: order.repairProvider ?? null,
    maxWorkers: order.maxWorkers ?? maxWorkers,
    rangeFrom,
    rangeTo,
    asOf,
    state: "running",
    createdAt: now,
    finishedAt: null,
  };
}
