/** What a job is doing, for pages and the API: status, percent and micro-stage from one pure function. */

import type { Interval } from "../market/interval.ts";
import type { Coverage } from "./coverage.ts";
import type { JobState } from "./states.ts";

/** Why a job waits inside a stage, and until when (epoch milliseconds). */
export type Wait =
  /** A request to the provider waits: for the rate limit, a spent quota, or a hold of the provider. */
  | { readonly cause: "rate" | "quota" | "hold"; readonly until: number }
  /** The retry of a failed request waits. */
  | {
      readonly cause: "retry";
      readonly until: number;
      /** The number of the next attempt, from 1, and of all attempts. */
      readonly attempt: number;
      readonly of: number;
      /** Why the last one failed, e.g. `HTTP 503`. */
      readonly reason: string;
    };

/** The sentence of a wait without its seconds: `${before} in 12s${after}`. */
export function waitWords(wait: Wait): { readonly before: string; readonly after: string } {
  return wait.cause === "retry"
    ? { before: `Retry ${wait.attempt}/${wait.of}`, after: `: ${wait.reason}` }
    : { before: "Rate limit: resuming", after: "" };
}

/** The micro-stage of a wait as said at `now` (epoch milliseconds), e.g. `Retry 2/5 in 3s: HTTP 503`. */
export function describeWait(wait: Wait, now: number): string {
  const { before, after } = waitWords(wait);
  return `${before} in ${Math.max(1, Math.ceil((wait.until - now) / 1_000))}s${after}`;
}

/** What a job reports; text and percent are computed from it, so they cannot disagree. */
export type Stage =
  | { readonly stage: "queued" }
  | { readonly stage: "fetch" /** batches stored */; readonly done: number; readonly total: number }
  | {
      readonly stage: "engineer";
      /** Features computed. */
      readonly done: number;
      readonly total: number;
      /** The report stands for one of each feature from this one (counted from 1) to `done`; for the last one unless given. */
      readonly first?: number;
    }
  | { readonly stage: "create" }
  | { readonly stage: "store" }
  | { readonly stage: "complete"; readonly seconds: number }
  | { readonly stage: "failed"; readonly reason: string }
  | { readonly stage: "stopped"; readonly status: "Paused" | "Cancelled" | "Skipped"; readonly reason: string }
  /** It waits inside the stage that it is in: percent and status stay. */
  | { readonly stage: "waiting"; readonly wait: Wait };

/** Where a job is: the stage it is in, its percentage (0..100), and what it waits for inside of the stage. */
export interface JobPosition {
  readonly stage: Exclude<Stage, { stage: "waiting" }>;
  readonly percent: number;
  readonly wait: Wait | null;
}

export type Status =
  | "Queued"
  | "Fetching history"
  | "Engineering features"
  | "Creating profile"
  | "Storing profile"
  | "Complete"
  | "Failed"
  | "Paused"
  | "Cancelled"
  | "Skipped";

/** What a job is doing, in words. */
interface StageText {
  readonly status: Status;
  readonly microStage: string;
}

/** The percentages of a job at which each stage begins and ends; the last two are one step each. */
export const STAGES = {
  fetch: { from: 0, to: 45 },
  engineer: { from: 50, to: 65 },
  create: { from: 70 },
  store: { from: 90 },
} as const;

/** The stage that a job at `progress` percent is in. */
export function stageAt(progress: number): keyof typeof STAGES {
  if (progress >= STAGES.store.from) return "store";
  if (progress >= STAGES.create.from) return "create";
  return progress >= STAGES.engineer.from ? "engineer" : "fetch";
}

/** Whole percent between `from` and `to` when `done` of `total` is done. */
function percent(done: number, total: number, { from, to } = { from: 0, to: 100 }): number {
  return total > 0 ? from + Math.floor(((to - from) * done) / total) : to;
}

/** The percentage that a stage brings a job to; `null` where it stays what it was. */
function percentOf(stage: JobPosition["stage"]): number | null {
  switch (stage.stage) {
    case "queued":
      return 0;
    case "fetch":
      return percent(stage.done, stage.total, STAGES.fetch);
    case "engineer":
      return percent(stage.done, stage.total, STAGES.engineer);
    case "create":
      return STAGES.create.from;
    case "store":
      return STAGES.store.from;
    case "complete":
      return 100;
    default:
      return null;
  }
}

/** Status and micro-stage of a stage, as the contract words them. */
export function describeStage(stage: JobPosition["stage"]): StageText {
  switch (stage.stage) {
    case "queued":
      return { status: "Queued", microStage: "Waiting for a worker" };
    case "fetch": {
      const { done, total } = stage;
      const batch = Math.min(done + 1, total);
      return { status: "Fetching history", microStage: `Batch ${batch}/${total}: ${percent(done, total)}%` };
    }
    case "engineer": {
      const { done, total } = stage;
      return { status: "Engineering features", microStage: `Feature ${done}/${total}: ${percent(done, total)}%` };
    }
    case "create":
      return { status: "Creating profile", microStage: "Preparing profile metadata..." };
    case "store":
      return { status: "Storing profile", microStage: "Writing to database..." };
    case "complete":
      return { status: "Complete", microStage: `Completed in ${stage.seconds.toFixed(1)}s` };
    case "failed":
      return { status: "Failed", microStage: stage.reason };
    case "stopped":
      return { status: stage.status, microStage: stage.reason };
  }
}

/** Where a job is after `stage`: its percentage never falls unless it starts over (`queued`). */
export function advance({ stage, percent }: Omit<JobPosition, "wait">, next: Stage): JobPosition {
  if (next.stage === "waiting") return { stage, percent, wait: next.wait };
  const reached = next.stage === "queued" ? 0 : Math.max(percent, percentOf(next) ?? percent);
  return { stage: next, percent: reached, wait: null };
}

/** Status and micro-stage of a job at `now` (epoch milliseconds). */
export function describePosition({ stage, wait }: Omit<JobPosition, "percent">, now: number): StageText {
  const text = describeStage(stage);
  return wait === null ? text : { ...text, microStage: describeWait(wait, now) };
}

/** The state of one job as every viewer sees it: the fields of a progress event (docs/contract.md §2). */
export interface JobProgress {
  readonly runId: string;
  readonly symbol: string;
  readonly interval: Interval;
  readonly state: JobState;
  readonly status: Status;
  /** 0..100; never goes back within an attempt. */
  readonly progress: number;
  readonly microStage: string;
  /** Why and until when it stands still inside its stage; `microStage` says the same in words. */
  readonly wait: Wait | null;
  /** Distinct bars held for the job's range. */
  readonly dataPoints: number;
  /** Requests sent, retries included. */
  readonly apiCalls: number;
  /** Sessions that are missing or cut short in what a complete job stored: green work on amber data. */
  readonly gaps?: number;
  /** Seconds since the job started working, one decimal. */
  readonly duration: number;
  /** While the job works: the epoch millisecond from which `duration` counts, so that a browser can tick it. */
  readonly since: number | null;
  /** When it was put at the head of the queue, epoch milliseconds. */
  readonly firstAt?: number | null;
  /** When it last reported something, epoch milliseconds. */
  readonly reportedAt: number;
  /** What came of its batches; `null` as long as it has none. */
  readonly coverage: Coverage | null;
  /** Counts events up, over all jobs, since the server started. */
  readonly seq: number;
}

/** The log line of an update, e.g. `AAPL: Fetching history - Batch 2/24: 4% (1%)`. */
export function progressLine(job: Pick<JobProgress, "symbol" | "status" | "microStage" | "progress">): string {
  return `${job.symbol}: ${job.status} - ${job.microStage} (${job.progress}%)`;
}
