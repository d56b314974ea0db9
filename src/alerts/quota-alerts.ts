/** Records an event when a day's or month's quota reaches the level of the alert rules. */

import type { QuotaLevel } from "../domain/alerts.ts";
import { messageOf } from "../domain/errors.ts";
import type { Log } from "../log.ts";
import type { QuotaState } from "../providers/quotas/quota-state.ts";
import { recordStatements } from "../storage/alerts/outbox.ts";
import type { Database } from "../storage/db.ts";
import type { MailDispatcher } from "./mail-dispatcher.ts";

/** Shorter quotas are not alerted: the limiter spreads requests so that they are used up. */
const PERIODS: readonly string[] = ["day", "month"];

export class QuotaAlerts {
  /** Already recorded: provider, period and its end. The database prevents duplicates after a restart. */
  readonly #reported = new Set<string>();

  constructor(private readonly dependencies: { db: Database; log: Log; outbox: MailDispatcher }) {}

  /** Records the quotas that have reached the level since the last check. */
  check(states: readonly QuotaState[], now = Date.now()): void {
    const { db, log, outbox } = this.dependencies;
    const fresh = quotasAt(outbox.rules.quotaPercent, states, now).filter(
      (event) => !this.#reported.has(nameOf(event)),
    );
    if (fresh.length === 0) return;
    for (const event of fresh) this.#reported.add(nameOf(event));
    db.write(recordStatements(fresh)).then(
      () => outbox.notify(),
      (error) => {
        for (const event of fresh) this.#reported.delete(nameOf(event));
        log.write("warn", `A quota's level could not be recorded and will be tried again: ${messageOf(error)}`);
      },
    );
  }
}

const nameOf = ({ provider, period, counts, resetsAt }: QuotaLevel) =>
  `${provider} ${period} ${counts} ${resetsAt ?? ""}`;

/** The quotas of a day or longer of which at least `percent` is used. */
export function quotasAt(percent: number, states: readonly QuotaState[], now: number): QuotaLevel[] {
  return states.flatMap(({ provider, gauges }) =>
    gauges
      .filter(({ period, used, limit }) => PERIODS.includes(period) && limit > 0 && (100 * used) / limit >= percent)
      .map(({ period, counts, used, limit, resetsAt }) => {
        return { kind: "quota_level", at: now, provider, period, counts, used, limit, resetsAt } as const;
      }),
  );
}
