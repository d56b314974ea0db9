/** Why a job does not move: the conditions that hold it, in the order in which they have to clear. */

import type { JobProgress } from "./progress.ts";
import type { RunSummary } from "./telemetry.ts";

export interface Condition {
  /** One sentence. */
  readonly why: string;
  /** Seconds until it clears, as far as that is known. */
  readonly clearsIn: number | null;
}

/**
 * A job that stands still, for a limit or before another try, says so in its micro-stage. Before a long wait it leaves
 * its worker to others and queues again.
 */
export function isHeldUp(job: Pick<JobProgress, "state" | "microStage">): boolean {
  return (job.state === "running" || job.state === "queued") && /^(?:Rate limit:|Retry \d)/.test(job.microStage);
}

/** What holds `job` up; empty for one that works or has ended. `jobs` are all of its run, in the order of the queue. */
export function whyWaiting(job: JobProgress, run: RunSummary, jobs: readonly JobProgress[]): Condition[] {
  if (isHeldUp(job)) return [{ why: `${job.microStage}.`, clearsIn: secondsIn(job.microStage) }];
  if (job.state === "paused") {
    return [{ why: `${job.microStage}. Resume it to put it back in the queue.`, clearsIn: null }];
  }
  if (job.state !== "queued") return [];
  const before = jobs.slice(
    0,
    jobs.findIndex(({ symbol }) => symbol === job.symbol),
  );
  const ahead = before.filter(({ state }) => state === "queued").length;
  const busy = jobs.filter(({ state }) => state === "running");
  const perSecond = run.symbolsPerMinute / 60;
  const conditions: Condition[] = [];
  const held = busy.find(isHeldUp);
  if (held)
    conditions.push({ why: `${held.symbol} before it: ${held.microStage}.`, clearsIn: secondsIn(held.microStage) });
  if (ahead > 0) {
    conditions.push({
      why: ahead === 1 ? "One symbol is before it in the queue." : `${ahead} symbols are before it in the queue.`,
      clearsIn: perSecond > 0 ? ahead / perSecond : null,
    });
  }
  if (busy.length > 0) {
    const names = busy.slice(0, 3).map(({ symbol }) => symbol);
    const more = busy.length - names.length;
    conditions.push({
      why: `${busy.length} of at most ${run.maxWorkers} workers of this run are busy: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`,
      // One of them is done about so often.
      clearsIn: perSecond > 0 ? 1 / perSecond : null,
    });
  } else conditions.push({ why: "All workers are busy with other runs.", clearsIn: null });
  return conditions;
}

/** The `…in 12s` of a micro-stage, in seconds. */
function secondsIn(text: string): number | null {
  const found = / in (\d+)s/.exec(text);
  return found ? Number(found[1]) : null;
}
