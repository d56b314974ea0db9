/** Runs and jobs: their states and the transitions between them (drawn in docs/states.md, enforced in the schema). */

export const MODES = ["full", "incremental", "reprocess", "repair"] as const;
export type Mode = (typeof MODES)[number];

export const RUN_STATES = ["running", "paused", "complete", "failed", "cancelled"] as const;
export type RunState = (typeof RUN_STATES)[number];

export const JOB_STATES = ["queued", "running", "paused", "complete", "failed", "cancelled", "skipped"] as const;
export type JobState = (typeof JOB_STATES)[number];

/** What can happen to a job, and from which states. `fail` and `finish` come from the pipeline, the rest from people. */
export const JOB_TRANSITIONS = {
  start: { from: ["queued"], to: "running" },
  requeue: { from: ["running"], to: "queued" },
  finish: { from: ["running"], to: "complete" },
  fail: { from: ["queued", "running"], to: "failed" },
  pause: { from: ["queued", "running"], to: "paused" },
  resume: { from: ["paused"], to: "queued" },
  cancel: { from: ["queued", "running", "paused"], to: "cancelled" },
  skip: { from: ["queued", "running", "paused"], to: "skipped" },
  retry: { from: ["failed", "cancelled", "skipped"], to: "queued" },
  refetch: { from: ["complete", "failed", "cancelled", "skipped"], to: "queued" },
} as const satisfies Record<string, { from: readonly JobState[]; to: JobState }>;
export type JobTransition = keyof typeof JOB_TRANSITIONS;

export const JOB_ACTIONS = ["pause", "resume", "cancel", "skip", "retry"] as const satisfies readonly JobTransition[];
export type JobAction = (typeof JOB_ACTIONS)[number];
export const RUN_ACTIONS = ["pause", "resume", "cancel"] as const satisfies readonly JobAction[];
export type RunAction = (typeof RUN_ACTIONS)[number];

/** States in which a job is active: a second job for its symbol and interval is refused. */
export const ACTIVE_STATES = ["queued", "running", "paused"] as const satisfies readonly JobState[];

/** Whether a job, or a run, is active. */
export function isActive(state: JobState | RunState): boolean {
  return (ACTIVE_STATES as readonly JobState[]).includes(state);
}

/** States in which a job has ended, until somebody queues it again. */
export const ENDED_STATES = ["complete", "failed", "cancelled", "skipped"] as const satisfies readonly JobState[];

export const hasEnded = (state: JobState): state is (typeof ENDED_STATES)[number] =>
  (ENDED_STATES as readonly JobState[]).includes(state);

export function canApply(transition: JobTransition, state: JobState): boolean {
  return (JOB_TRANSITIONS[transition].from as readonly JobState[]).includes(state);
}

/** The state of a run from the number of its jobs in each state; a run with any active job is not finished. */
export function runStateOf(counts: Readonly<Partial<Record<JobState, number>>>): RunState {
  const of = (state: JobState) => counts[state] ?? 0;
  if (of("queued") + of("running") > 0) return "running";
  if (of("paused") > 0) return "paused";
  if (of("failed") > 0) return "failed";
  if (of("complete") > 0) return "complete";
  return of("cancelled") > 0 ? "cancelled" : "complete";
}
