/** Publishes totals over all runs and the providers' usage every second while jobs are running. */

import type { QuotaAlerts } from "../../alerts/quota-alerts.ts";
import type { ProgressHub } from "../../hub.ts";
import type { RateLimiter } from "../../providers/quotas/rate-limiter.ts";
import type { UsageStore } from "../../storage/quotas/usage.ts";
import type { JobDispatcher } from "../queue/dispatcher.ts";
import { usageReport } from "../quotas/usage-report.ts";
import type { RunService } from "../runs/run-service.ts";
import type { LastHour } from "./last-hour.ts";

const PUBLISH_MS = 1_000;
const tenth = (value: number) => Math.round(value * 10) / 10;

export class MetricsPublisher {
  #timer: ReturnType<typeof setInterval> | undefined;
  #wasBusy = false;

  constructor(
    private readonly dependencies: {
      hub: ProgressHub;
      runs: RunService;
      usage: UsageStore;
      limiter: RateLimiter;
      dispatcher: JobDispatcher;
      quotaAlerts: QuotaAlerts;
      lastHour: LastHour;
    },
  ) {}

  /** Publishes every second until it is closed. */
  start(): void {
    this.#timer = setInterval(() => this.#publish(), PUBLISH_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #publish(): void {
    const { hub, runs, usage, limiter, dispatcher, quotaAlerts, lastHour } = this.dependencies;
    lastHour.sample(limiter.snapshot());
    const { waiting, active } = dispatcher.counts();
    // Rates also fall while nothing happens.
    const moving = hub.runs().some((run) => run.finishedAt === null && (run.barsPerMinute || run.requestsPerMinute));
    const busy = waiting + active > 0 || moving;
    // Once more after the last job, so that the final figures are published too.
    if (busy || this.#wasBusy) {
      const open = [...runs.registry.runs.values()].filter((run) => run.finishedAt === null);
      for (const run of open) runs.registry.touch(run);
      const summaries = open.map((run) => runs.registry.summary(run));
      const sum = (pick: (run: (typeof summaries)[number]) => number) =>
        summaries.reduce((total, run) => total + pick(run), 0);
      hub.metrics({
        waiting,
        active,
        complete: sum((run) => run.counts.complete),
        failed: sum((run) => run.counts.failed),
        skipped: sum((run) => run.counts.skipped),
        symbols_per_minute: tenth(sum((run) => run.symbolsPerMinute)),
        bars_per_minute: sum((run) => run.barsPerMinute),
        requests_per_minute: tenth(sum((run) => run.requestsPerMinute)),
        eta_seconds: summaries.length > 0 ? Math.max(0, ...summaries.map((run) => run.eta?.seconds ?? 0)) : 0,
      });
      hub.usage(usageReport(usage, limiter));
      quotaAlerts.check(limiter.snapshot());
    }
    this.#wasBusy = busy;
  }
}
