/** The server's pulse: totals over all runs and the providers' usage, told to the viewers every second while it works. */

import type { ProgressHub } from "../hub.ts";
import type { UsageStore } from "../storage/usage.ts";
import type { JobEngine } from "./engine.ts";
import type { Runs } from "./runs.ts";

const PULSE_MS = 1_000;

export class Telemetry {
  readonly #timer: ReturnType<typeof setInterval>;
  #wasBusy = false;

  constructor(private readonly parts: { hub: ProgressHub; runs: Runs; usage: UsageStore; engine: JobEngine }) {
    this.#timer = setInterval(() => this.#pulse(), PULSE_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #pulse(): void {
    const { hub, runs, usage, engine } = this.parts;
    const { waiting, active } = engine.counts();
    const busy = waiting + active > 0;
    // Once more after the last job, so that the final figures are told too.
    if (busy || this.#wasBusy) {
      const open = [...runs.book.runs.values()].filter((run) => run.finishedAt === null);
      for (const run of open) runs.touch(run);
      const summaries = open.map((run) => runs.book.summary(run));
      const sum = (pick: (run: (typeof summaries)[number]) => number) =>
        summaries.reduce((total, run) => total + pick(run), 0);
      hub.metrics({
        waiting,
        active,
        symbols_per_minute: sum((run) => run.symbolsPerMinute),
        bars_per_minute: sum((run) => run.barsPerMinute),
        eta_seconds: summaries.length > 0 ? Math.max(0, ...summaries.map((run) => run.etaSeconds ?? 0)) : 0,
      });
      hub.usage(usage.usage().map(usageToWire));
    }
    this.#wasBusy = busy;
  }
}

/** Usage as the API writes it. */
export function usageToWire({ provider, lastMinute, today }: ReturnType<UsageStore["usage"]>[number]) {
  return { provider, last_minute: lastMinute, today };
}
