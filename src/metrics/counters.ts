/** What is counted while the server runs: counters and histograms, in memory, from zero at every start. */

import { ENDED_STATES } from "../domain/runs/states.ts";
import { type LabelsOf, METRICS, type MetricName, type NameOf } from "./declarations.ts";
import type { Sample } from "./exposition.ts";

interface Histogram {
  readonly labels: Readonly<Record<string, string>>;
  /** Values up to each bound and above the one before it; the last counts those above all bounds. */
  readonly counts: number[];
  sum: number;
}

export class Counters {
  readonly #counters = new Map<string, { name: MetricName; labels: Readonly<Record<string, string>>; value: number }>();
  readonly #histograms = new Map<string, Histogram & { readonly name: NameOf<"histogram"> }>();

  /** Adds to a counter; 0 makes it appear before it is first raised, so that its first increase is seen. */
  add<Name extends NameOf<"counter">>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    const key = `${name} ${JSON.stringify(labels)}`;
    const counter = this.#counters.get(key);
    if (counter) counter.value += by;
    else this.#counters.set(key, { name, labels, value: by });
  }

  /** Counts a value in its bucket. */
  observe<Name extends NameOf<"histogram">>(name: Name, labels: LabelsOf<Name>, value: number): void {
    const { buckets } = METRICS[name];
    const key = `${name} ${JSON.stringify(labels)}`;
    let histogram = this.#histograms.get(key);
    if (histogram === undefined) {
      histogram = { name, labels, counts: [...buckets, 0].map(() => 0), sum: 0 };
      this.#histograms.set(key, histogram);
    }
    const found = buckets.findIndex((bound) => value <= bound);
    histogram.counts[found === -1 ? buckets.length : found]! += 1;
    histogram.sum += value;
  }

  samples(): Sample[] {
    return [...this.#counters.values(), ...[...this.#histograms.values()].flatMap(partsOf)];
  }
}

/** The cumulative buckets of a histogram, its sum and its count. */
function partsOf({ name, labels, counts, sum }: Histogram & { readonly name: NameOf<"histogram"> }): Sample[] {
  let total = 0;
  const bounds = [...METRICS[name].buckets.map(String), "+Inf"];
  const buckets = bounds.map((le, index) => {
    total += counts[index]!;
    return { name, suffix: "_bucket", labels: { ...labels, le }, value: total };
  });
  return [...buckets, { name, suffix: "_sum", labels, value: sum }, { name, suffix: "_count", labels, value: total }];
}

/** Counts of jobs begin at zero for every outcome: a rate sees only increases of what was there before. */
export function countersFromZero(providers: readonly string[]): Counters {
  const counters = new Counters();
  for (const provider of providers) {
    for (const outcome of ENDED_STATES) counters.add("barkeep_jobs_finished_total", { provider, outcome }, 0);
  }
  return counters;
}
