/** A job as it is stored, before it was begun. */

import type { JobRow } from "../../../../src/storage/runs/runs.ts";

const JOB: JobRow = {
  id: 0,
  runId: "",
  symbol: "",
  interval: "1d",
  state: "queued",
  status: "Queued",
  microStage: "Waiting for a worker",
  progress: 0,
  fetchMode: "unanswered",
  dataPoints: 0,
  apiCalls: 0,
  planFrom: null,
  fetchMs: 0,
  stageMs: {},
  workedMs: 0,
  workerCrashes: 0,
  attempts: 0,
  error: null,
  gaps: null,
  startedAt: null,
  finishedAt: null,
  firstAt: null,
  attempt: null,
};

export const storedJob = (over: Partial<JobRow>): JobRow => ({ ...JOB, ...over });
