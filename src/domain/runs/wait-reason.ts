/** Why a job does not progress: the conditions that it waits for, in the order in which they must clear. */

import { type JobProgress, type Wait, waitWords } from "./progress.ts";
import { inQueue } from "./queue/job-sort.ts";
import type { RunSummary } from "./run-summary.ts";

export interface Condition {
  /** One sentence. */
  readonly why: string;
  /** The moment at which it clears (epoch milliseconds), where that is known. */
  readonly clearsAt?: number;
  /** Estimated seconds until it clears. */
  readonly clearsIn: number | null;
  /** The page on which it is set. */
  readonly setAt?: string;
}

/** Whether a job waits for a limit or a retry. For a long wait it leaves its worker and is queued. */
export const isWaiting = ({ wait }: Pick<JobProgress, "wait">): boolean => wait !== null;

/** What `job` waits for; empty if it works or has ended. `jobs` are all of its run, in the order of the queue. */
export function waitConditions(job: JobProgress, run: RunSummary, jobs: readonly JobProgress[]): Condition[] {
  if (job.wait !== null) return [waitCondition(job.wait, run)];
  if (job.state === "paused") {
    return [{ why: `${job.microStage}. Resume it to put it back in the queue.`, clearsIn: null }];
  }
  if (job.state !== "queued") return [];
  const queue = jobs.filter(({ state }) => state === "queued").sort(inQueue);
  const ahead = Math.max(
    0,
    queue.findIndex(({ symbol }) => symbol === job.symbol),
  );
  const busy = jobs.filter(({ state }) => state === "running");
  const perSecond = run.symbolsPerMinute / 60;
  const conditions: Condition[] = [];
  const waiting = busy.find(isWaiting);
  if (waiting?.wait) {
    const condition = waitCondition(waiting.wait, run);
    conditions.push({ ...condition, why: `${waiting.symbol} before it: ${condition.why}` });
  }
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
      why: `${atWork(busy.length, run.maxWorkers)}: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`,
      // The average time until one of them is done.
      clearsIn: perSecond > 0 ? 1 / perSecond : null,
    });
  } else conditions.push({ why: "The workers are busy with other runs.", clearsIn: null });
  return conditions;
}

/** How many symbols of a run are at work: as many as it may have, or as its provider and the processors can use. */
function atWork(symbols: number, most: number): string {
  const verb = symbols === 1 ? "symbol is" : "symbols are";
  return symbols >= most
    ? `${symbols} of at most ${most} ${verb} at work`
    : `${symbols} ${verb} at work, as many as can be used now`;
}

/** The condition of a job that waits inside its stage. */
function waitCondition(wait: Wait, { blocked, provider }: RunSummary): Condition {
  if (wait.cause === "retry") {
    const { before, after } = waitWords(wait);
    return { why: `${before}${after}.`, clearsAt: wait.until, clearsIn: null };
  }
  const setAt = `/settings#provider-${provider}`;
  if (blocked === null) {
    const why = `The rate limit of ${provider} has no room for its next request.`;
    return { why, clearsAt: wait.until, clearsIn: null, setAt };
  }
  const why =
    blocked.by === "quota"
      ? `The API quota of ${provider} is used up.`
      : `The provider ${provider} has asked us to wait before the next request.`;
  return { why, clearsAt: blocked.until * 1_000, clearsIn: null, setAt };
}
