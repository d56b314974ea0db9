/**
 * Measures how long batches and features of a run take, and estimates from them how long what is left will take. Not from
 * percentages: 45 % are for fetching, which may take 5 % or 95 % of the time.
 */

import type { Coverage } from "../../../domain/runs/coverage.ts";
import type { JobPosition, Stage } from "../../../domain/runs/progress.ts";
import type { JobState } from "../../../domain/runs/states.ts";

/** What is assumed for computing and storing one symbol until one was measured, milliseconds. */
const COMPUTE_MS = 300;

/** What the meter reads of a job. */
export interface MeteredJob {
  readonly state: JobState;
  readonly stage: JobPosition["stage"];
  readonly coverage: Coverage | null;
}

export class WorkMeter {
  #fetchMs = 0;
  #computeMs = 0;
  #computed = 0;
  /** Batches that were measured. */
  batches = 0;

  /** @param priorMs computing of one symbol in earlier runs, milliseconds */
  constructor(private priorMs = COMPUTE_MS) {}

  /** Uses what earlier runs of the provider took. */
  expect(computeMs: number): void {
    this.priorMs = computeMs;
  }

  /** Adds `ms` of work in the present stage of a job. */
  add({ stage }: MeteredJob, ms: number): void {
    if (isComputing(stage)) this.#computeMs += ms;
    // What comes before the first batch is no batch: a thread may have to be started.
    else if (stage.stage === "fetch") this.#fetchMs += ms;
  }

  /** Counts what a job has done when it reports `next`. */
  count({ stage, coverage }: MeteredJob, next: Stage): void {
    if (next.stage === "fetch") {
      const before = stage.stage === "fetch" ? stage.done : (coverage?.answered ?? 0);
      this.batches += Math.max(0, next.done - before);
    } else if (next.stage === "complete") this.#computed += 1;
  }

  /** Milliseconds that the jobs of a run still take, `atOnce` of which are at work; `null` while nothing was measured. */
  left(jobs: Iterable<MeteredJob>, atOnce: number): number | null {
    if (this.batches === 0 && this.#computed === 0) return null;
    const batch = this.batches === 0 ? 0 : this.#fetchMs / this.batches;
    const compute = this.#computed === 0 ? Math.max(this.priorMs, 0) : this.#computeMs / this.#computed;
    const running: number[] = [];
    const queued: (Coverage | null)[] = [];
    const totals: number[] = [];
    for (const { state, stage, coverage } of jobs) {
      const total = stage.stage === "fetch" ? stage.total : coverage?.total;
      if (total !== undefined) totals.push(total);
      if (state === "queued") queued.push(coverage);
      else if (state === "running") running.push(leftOf(stage, { batch, compute, coverage }));
    }
    const usual = totals.length === 0 ? 0 : totals.reduce((sum, total) => sum + total, 0) / totals.length;
    const waiting = queued.map((coverage) => {
      const batches = coverage === null ? usual : coverage.total - coverage.answered;
      return batches * batch + compute;
    });
    return makespan(running, waiting, Math.max(1, Math.round(atOnce), running.length));
  }
}

const isComputing = ({ stage }: JobPosition["stage"]) =>
  stage === "engineer" || stage === "create" || stage === "store";

/** Milliseconds that one job at work still takes. */
function leftOf(
  stage: JobPosition["stage"],
  { batch, compute, coverage }: { batch: number; compute: number; coverage: Coverage | null },
): number {
  if (stage.stage === "fetch") return (stage.total - stage.done) * batch + compute;
  if (isComputing(stage)) return compute / 2;
  return (coverage === null ? 0 : coverage.total - coverage.answered) * batch + compute;
}

/** Jobs that are dealt out one by one; of more, the time of all is divided. */
const DEALT = 2_000;

/** When the last of `waiting` ends if each is begun as soon as one of `places` is free; `running` have places already. */
function makespan(running: readonly number[], waiting: readonly number[], places: number): number {
  const free = [...running, ...Array.from({ length: places - running.length }, () => 0)].sort((a, b) => a - b);
  const divided = waiting.slice(0, Math.max(0, waiting.length - DEALT)).reduce((sum, ms) => sum + ms, 0) / places;
  for (const ms of waiting.slice(-DEALT)) {
    const ends = free.shift()! + ms;
    let at = free.length;
    while (at > 0 && free[at - 1]! > ends) at -= 1;
    free.splice(at, 0, ends);
  }
  return divided + (free.at(-1) ?? 0);
}
