/** Sentences for screen readers about runs: when symbols have ended, and not too often. */

import type { RunSummary } from "../../domain/runs/run-summary.ts";
import { runSentence } from "../../views/runs/run-header.tsx";

/** Shortest time between two sentences about one run, milliseconds. */
const ANNOUNCE_MS = 10_000;

export class Announcer {
  readonly #announced = new Map<string, { ended: number; at: number }>();

  /** What is to be said of runs that changed; empty for nothing. */
  sentencesFor(runs: readonly RunSummary[]): string {
    return runs.flatMap((run) => this.#sentenceFor(run)).join(" ");
  }

  #sentenceFor(run: RunSummary): string[] {
    const { complete, failed, cancelled, skipped } = run.counts;
    const ended = complete + failed + cancelled + skipped;
    const last = this.#announced.get(run.id);
    const now = performance.now();
    if (last?.ended === ended) return [];
    const first = last === undefined;
    if (!first && run.finishedAt === null && now - last.at < ANNOUNCE_MS) return [];
    this.#announced.set(run.id, { ended, at: now });
    return first && ended === 0 ? [] : [runSentence(run)];
  }
}
