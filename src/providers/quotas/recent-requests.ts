/** What is known of the requests to a provider besides its limits: how long they take, what they cost, and which runs spend it. */

import type { QuotaState } from "./quota-state.ts";

/** The weight of the newest answer in the means of latency and cost. */
const NEWEST = 0.1;

export class RecentRequests {
  /** Recent milliseconds from a permit to its answer; `null` before the first one. */
  latencyMs: number | null = null;
  /** Units that a request has cost recently. */
  unitsPerRequest = 1;
  readonly #spent = new Map<string, number>();
  #day = 0;

  /** A request was answered. */
  measure(latencyMs: number, cost: number): void {
    const first = this.latencyMs === null;
    const mean = (before: number, newest: number) => (first ? newest : before + NEWEST * (newest - before));
    this.unitsPerRequest = mean(this.unitsPerRequest, cost);
    this.latencyMs = mean(this.latencyMs ?? 0, latencyMs);
  }

  /** A run spends units, or gets them back. @param now epoch milliseconds */
  spend(run: string, units: number, now: number): void {
    const day = Math.floor(now / 86_400_000);
    if (day !== this.#day) this.#spent.clear();
    this.#day = day;
    this.#spent.set(run, (this.#spent.get(run) ?? 0) + units);
  }

  /** Units spent by each run since the start or midnight UTC, largest first. */
  get spenders(): QuotaState["spenders"] {
    return [...this.#spent].map(([run, units]) => ({ run, units })).sort((a, b) => b.units - a.units);
  }
}
