/** Which jobs and runs a person should look at first. */

import type { JobProgress } from "../progress.ts";
import type { RunSummary } from "../run-summary.ts";
import type { JobState } from "../states.ts";

/** A job that has reported nothing for this long is stuck, milliseconds: a request is given up sooner. */
const SILENT_MS = 180_000;
/** From this attempt on a request that is retried is stuck: the first retries are usual. */
const STUCK_ATTEMPT = 3;

/** Whether a job is at work and makes no progress at `now` (epoch milliseconds). A limit it waits for is no fault. */
export function isStuck({ state, wait, reportedAt }: Pick<JobProgress, "state" | "wait" | "reportedAt">, now: number) {
  if (state !== "running") return false;
  if (wait !== null) return wait.cause === "retry" && wait.attempt >= STUCK_ATTEMPT;
  return now - reportedAt > SILENT_MS;
}

const RANK: Readonly<Record<JobState, number>> = {
  failed: 0,
  running: 2,
  paused: 3,
  queued: 4,
  complete: 5,
  skipped: 6,
  cancelled: 7,
};

/** The place of a job among those of its run: failed, stuck, at work, waiting, ended. */
export const attentionRank = (job: JobProgress, now: number): number => (isStuck(job, now) ? 1 : RANK[job.state]);

/** Whether a run has ended with failures that nobody has taken note of yet. */
export const isUnacknowledged = ({ state, finishedAt, acknowledgedAt }: RunSummary): boolean =>
  state === "failed" && finishedAt !== null && acknowledgedAt === null;

/** The place of a run among others: failed or stuck, at work, paused, ended. */
export function runRank(run: RunSummary): number {
  if (isUnacknowledged(run) || run.stuck > 0) return 0;
  if (run.finishedAt !== null) return 3;
  return run.state === "paused" ? 2 : 1;
}
